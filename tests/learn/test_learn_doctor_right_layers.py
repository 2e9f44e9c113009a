"""Right layers in unusual styles: neither the check nor the doctor says a word; and the same ones with a mistake."""

import random

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose
from batik_scratch.nn.gradcheck import check_layer

SHARED = np.random.default_rng(3)  # of this module, for DropoutOfItsModule


class Dropping(nn.Layer):
    """Drops three values in ten, drawn from wherever the class below says; `scale` is 1 if backward is right."""

    rate = 0.3

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = scale

    def forward(self, x, training=False, keep=None):
        mask = self.draw(x.shape) >= self.rate
        self._keep(mask, training, keep)
        return x * mask / (1 - self.rate)

    def backward(self, dy, need_dx=True, need_grads=True):
        return self.scale * dy * self._recall() / (1 - self.rate)


class DropoutOfNumPy(Dropping):
    def draw(self, shape):
        return np.random.rand(*shape)  # noqa: NPY002


class DropoutOfPython(Dropping):
    def draw(self, shape):
        return np.array([random.random() for _ in range(int(np.prod(shape)))]).reshape(shape)


class DropoutOfRandomState(Dropping):
    def __init__(self, scale=1.0):
        super().__init__(scale)
        self.state = np.random.RandomState(0)

    def draw(self, shape):
        return self.state.random_sample(shape)


class DropoutNested(Dropping):
    def __init__(self, scale=1.0):
        super().__init__(scale)
        self.tools = {"noise": [np.random.default_rng(0)]}

    def draw(self, shape):
        return self.tools["noise"][0].random(shape)


class DropoutOfItsModule(Dropping):
    def draw(self, shape):
        return SHARED.random(shape)


class DropoutByCount(Dropping):
    step = 0

    def draw(self, shape):
        self.step += 1
        return np.random.default_rng([7, self.step]).random(shape)


class Composite(nn.Layer):
    """Two dense layers, whose parameters it shows as its own: the same arrays."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale, self.parts = scale, {"a": nn.Dense(5), "b": nn.Dense(3)}

    def build(self, input_shape, rng):
        self.input_shape = self.output_shape = input_shape
        for part in self.parts.values():
            self.output_shape = part.build(self.output_shape, rng)
        self.params = self.of_parts("params")
        return self.output_shape

    def of_parts(self, kind):
        return {
            f"{name}.{key}": value for name, part in self.parts.items() for key, value in getattr(part, kind).items()
        }

    def astype(self, dtype):
        self.dtype = np.dtype(dtype)
        for part in self.parts.values():
            part.astype(dtype)
        self.params = self.of_parts("params")
        return self

    def forward(self, x, training=False, keep=None):
        for name, part in self.parts.items():
            part.params = {key: self.params[f"{name}.{key}"] for key in part.params}
            x = part.forward(x, training, keep)
        return x

    def backward(self, dy, need_dx=True, need_grads=True):
        for part in reversed(self.parts.values()):
            dy = part.backward(dy)
        self.grads = self.of_parts("grads")
        return self.scale * dy


class Embedding(nn.Layer):
    """Rows of a table by whole numbers, and by nothing else."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = scale

    def infer_shape(self, shape):
        return shape[0], 3

    def create_params(self, input_shape, rng):
        return {"table": rng.standard_normal((5, 3))}

    def forward(self, x, training=False, keep=None):
        if x.dtype.kind not in "iu":
            raise TypeError(f"indices must be integers, got {x.dtype}")
        self._keep(x % 5, training, keep)
        return self.params["table"][x % 5]

    def backward(self, dy, need_dx=True, need_grads=True):
        table = np.zeros_like(self.params["table"])
        np.add.at(table, self._recall(), self.scale * dy)
        self.grads = {"table": table}


class OneNumber(nn.Layer):
    """y = a x with a parameter that is a single number, and its gradient one too."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = scale

    def create_params(self, input_shape, rng):
        return {"a": np.array(0.7)}

    def forward(self, x, training=False, keep=None):
        self._keep(x, training, keep)
        return self.params["a"] * x

    def backward(self, dy, need_dx=True, need_grads=True):
        self.grads = {"a": self.scale * (dy * self._recall()).sum()}
        return self.params["a"] * dy


class SumOfSoftmax(nn.Layer):
    """One for every row, whatever x is: all its derivatives cancel."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.more = scale - 1

    def infer_shape(self, shape):
        return (1,)

    def forward(self, x, training=False, keep=None):
        raised = np.exp(x)
        softmax = raised / raised.sum(1, keepdims=True)
        self._keep(softmax, training, keep)
        return softmax.sum(1, keepdims=True)

    def backward(self, dy, need_dx=True, need_grads=True):
        softmax = self._recall()
        return softmax * (dy - (softmax * dy).sum(1, keepdims=True)) + self.more * dy


STYLES = [
    (DropoutOfNumPy, (30,)), (DropoutOfPython, (30,)), (DropoutOfRandomState, (30,)), (DropoutNested, (30,)),
    (DropoutOfItsModule, (30,)), (DropoutByCount, (30,)), (Composite, (6,)), (Embedding, (9,)), (OneNumber, (4,)),
    (SumOfSoftmax, (6,)),
]  # fmt: skip
each = pytest.mark.parametrize(("style", "shape"), STYLES, ids=lambda value: getattr(value, "__name__", None))


@each
def test_a_right_layer_in_an_unusual_style_passes_the_check_and_gets_no_diagnosis(style, shape):
    assert check_layer(style(), shape).ok
    assert diagnose(style(), shape) == []


@each
def test_the_same_layer_with_a_mistake_of_a_thousandth_is_caught_by_both(style, shape):
    assert not check_layer(style(1.001), shape).ok
    assert diagnose(style(1.001), shape)


def test_the_global_random_numbers_go_on_as_if_nothing_had_been_checked():
    np.random.seed(4)  # noqa: NPY002
    random.seed(4)
    check_layer(DropoutOfNumPy(), (5,))
    check_layer(DropoutOfPython(), (5,))
    after = np.random.rand(), random.random()  # noqa: NPY002
    np.random.seed(4)  # noqa: NPY002
    random.seed(4)
    assert after == (np.random.rand(), random.random())  # noqa: NPY002


def test_a_layer_in_float32_inside_is_called_that_and_not_wrong_in_its_digits():
    class Rounding(nn.Dense):
        def forward(self, x, training=False, keep=None):
            return super().forward(x, training, keep).astype(np.float32).astype(np.float64)

    report = check_layer(Rounding(3), (4,))
    assert not report.ok and "float32 inside" in str(report)
    assert [row.name for row in report.tensors if not row.ok] == ["y"]
