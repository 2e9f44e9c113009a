"""check_layer(thorough=True): what the usual circumstances hide, and right layers that pass in all of them."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.nn.gradcheck import check_layer
from batik_scratch.nn.gradcheck.randomness import Randomness


class Wave(nn.Layer):
    """sin(x) + x/2, whose slope is never zero, neither at 0 nor at 10; the classes below spoil it somewhere."""

    def forward(self, x, training=False, keep=None):
        self._keep(x.copy(), training, keep)
        return np.sin(x) + x / 2

    def right(self, dy):
        return dy * (np.cos(self._recall()) + 0.5)

    def backward(self, dy, need_dx=True, need_grads=True):
        return self.right(dy)


def spoilt(name, wrong):
    """A Wave whose backward is wrong(self, dx, dy, **flags)."""

    def backward(self, dy, need_dx=True, need_grads=True):
        return wrong(self, self.right(dy), dy, need_grads)

    return type(name, (Wave,), {"backward": backward})


def of_x(where):
    return lambda self, dx, dy, need_grads: np.where(where(self._recall()), 1.5 * dx, dx)


def if_(condition):
    return lambda self, dx, dy, need_grads: 1.5 * dx if condition(self, dx, dy, need_grads) else dx


class Counting(Wave):
    calls = 0

    def backward(self, dy, need_dx=True, need_grads=True):
        self.calls += 1
        return self.right(dy) * (2 if self.calls > 5 else 1)


class KeepsInTrainingAlone(Wave):
    def forward(self, x, training=False, keep=None):
        return super().forward(x, training, keep=training or None)


class DropsAtRest(Wave):
    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(0)

    def forward(self, x, training=False, keep=None):
        mask = (self.rng.random(x.shape) > 0.3) / 0.7
        self._keep(mask, training, keep)
        return x * mask

    def right(self, dy):
        return dy * self._recall()


class NaiveSoftplus(Wave):
    def forward(self, x, training=False, keep=None):
        super().forward(x, training, keep)
        return np.log(1 + np.exp(x))

    def right(self, dy):
        e = np.exp(self._recall())
        return dy * e / (1 + e)


class OpenAtZero(Wave):
    def forward(self, x, training=False, keep=None):
        super().forward(x, training, keep)
        return np.maximum(x, 0)

    def right(self, dy):
        return dy * (self._recall() >= 0)


class PaysEveryTie(Wave):
    """The largest of each row, whose dy goes to all that equal it."""

    def forward(self, x, training=False, keep=None):
        super().forward(x, training, keep)
        return x.max(axis=1)

    def right(self, dy):
        x = self._recall()
        return (x == x.max(axis=1, keepdims=True)) * dy[:, None]


class HalvesThatDropARow(nn.Layer):
    """Pairs of rows added; of an odd number the last is left out, and backward leaves out the first."""

    def infer_shape(self, shape):
        return (shape[0] // 2, *shape[1:])

    def forward(self, x, training=False, keep=None):
        self._keep(x.shape, training, keep)
        half = x.shape[1] // 2
        return x[:, 0 : 2 * half : 2] + x[:, 1 : 2 * half : 2]

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = np.zeros(self._recall())
        start = dx.shape[1] % 2
        dx[:, start : start + 2 * dy.shape[1]] = dy.repeat(2, 1)
        return dx


class SignOfTheWeight(nn.Layer):
    """A scale that is taken for positive."""

    def create_params(self, input_shape, rng):
        return {"scale": np.ones(input_shape[-1])}

    def forward(self, x, training=False, keep=None):
        self._keep(x.copy(), training, keep)
        return x * self.params["scale"]

    def backward(self, dy, need_dx=True, need_grads=True):
        self.grads = {"scale": (dy * self._recall()).reshape(-1, dy.shape[-1]).sum(axis=0)}
        return dy * np.abs(self.params["scale"])


class GradsWithDxAlone(SignOfTheWeight):
    def backward(self, dy, need_dx=True, need_grads=True):
        super().backward(dy)
        if not need_dx:
            self.grads = {key: 0 * g for key, g in self.grads.items()}
        return dy * self.params["scale"]


WRONG = {  # the layer, its input shape, and one of the circumstances in which it must be called wrong
    "a loop that ends after three images": (
        spoilt("", lambda self, dx, dy, _: np.concatenate([dx[:3], 0 * dx[3:]])), (6,), "batch of 5"),
    "one image alone": (spoilt("", if_(lambda self, dx, dy, _: len(dy) == 1)), (6,), "batch of 1"),
    "a block of eight": (
        spoilt("", lambda self, dx, dy, _: np.where(np.arange(dx.shape[-1]) < 8, dx, 0)), (6,), "input (17,)"),
    "an odd number of rows": (HalvesThatDropARow(), (6, 4), "input (7, 4)"),
    "beyond five": (spoilt("", of_x(lambda x: np.abs(x) > 5)), (5, 6, 3), "x to 10"),
    "near zero": (spoilt("", of_x(lambda x: np.abs(x) < 1e-6)), (5, 6, 3), "x to 1e-9"),
    "all positive": (spoilt("", if_(lambda self, dx, dy, _: (self._recall() > 0).all())), (6,), "x in [0, 1]"),
    "all negative": (spoilt("", if_(lambda self, dx, dy, _: (self._recall() < 0).all())), (6,), "x below 0"),
    "float32": (spoilt("", if_(lambda self, dx, dy, _: dy.dtype == np.float32)), (6,), "float32"),
    "an exp that overflows": (NaiveSoftplus, (6,), "float32, x to 100"),
    "at the kink": (OpenAtZero, (5, 6, 3), "a zero in x"),
    "ties paid twice": (PaysEveryTie, (6,), "equal values in x"),
    "clipped": (spoilt("", lambda self, dx, dy, _: np.clip(dx, -9, 9)), (6,), "dy times 100"),
    "something added": (spoilt("", lambda self, dx, dy, _: dx + (0 if dy.any() else 1)), (6,), "dy of zeros"),
    "no grads asked for": (spoilt("", if_(lambda self, dx, dy, need_grads: not need_grads)), (6,), "need_grads=False"),
    "no dx asked for": (GradsWithDxAlone(), (6,), "need_dx=False"),
    "a negative parameter": (SignOfTheWeight(), (6,), "other parameters"),
    "from the sixth call on": (Counting, (6,), "seventh pass"),
    "kept in training alone": (KeepsInTrainingAlone, (6,), "at rest, kept"),
    "drops at rest": (DropsAtRest, (6,), "at rest, by chance"),
}  # fmt: skip


@pytest.mark.parametrize(("layer", "shape", "circumstance"), WRONG.values(), ids=WRONG)
def test_what_the_usual_circumstances_hide_is_seen_in_its_own(layer, shape, circumstance):
    layer = layer() if isinstance(layer, type) else layer
    assert check_layer(layer, shape).ok or circumstance == "at rest, kept"  # `keep` is heard or not, at any time
    assert circumstance in {row.method.split(":")[0] for row in check_layer(layer, shape, thorough=True).wrong}


class LogarithmOfMore(nn.Layer):
    """log(2 + x): finite above -2 alone."""

    def forward(self, x, training=False, keep=None):
        self._keep(2 + x, training, keep)
        return np.log(2 + x)

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy / self._recall()


class UnitLength(nn.Layer):
    """Rows over their length, without an epsilon: steep where x is small, and no number for a row of zeros."""

    def forward(self, x, training=False, keep=None):
        y = x / np.linalg.norm(x, axis=-1, keepdims=True)
        self._keep((x.copy(), y), training, keep)
        return y.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        x, y = self._recall()
        return (dy - y * (dy * y).sum(-1, keepdims=True)) / np.linalg.norm(x, axis=-1, keepdims=True)


class HalfAtZero(nn.Layer):
    """ReLU as (x + |x|)/2, whose slope at 0 comes out as 1/2."""

    def forward(self, x, training=False, keep=None):
        self._keep(x.copy(), training, keep)
        return (x + np.abs(x)) / 2

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy * (1 + np.sign(self._recall())) / 2


class PairsAlone(nn.Layer):
    """Halves of the channels multiplied with each other: an odd number is refused."""

    def infer_shape(self, shape):
        return (shape[0] // 2,)

    def forward(self, x, training=False, keep=None):
        a, b = np.split(x, 2, axis=1)
        self._keep((a.copy(), b.copy()), training, keep)
        return a * b

    def backward(self, dy, need_dx=True, need_grads=True):
        a, b = self._recall()
        return np.concatenate([dy * b, dy * a], axis=1)


RIGHT = [
    (Wave(), (5, 3)), (LogarithmOfMore(), (6,)), (UnitLength(), (6,)), (HalfAtZero(), (5, 6, 3)), (PairsAlone(), (6,)),
    (nn.Conv2D(3, (2, 3), strides=2, padding="same"), (5, 6, 2)), (nn.MaxPooling2D(2, padding="same"), (5, 6, 2)),
    (nn.BatchNormalization(), (4, 3, 2)), (nn.Dropout(0.3), (6,)), (nn.Softmax(), (5,)), (nn.Dense(3), (5,)),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "shape"), RIGHT, ids=lambda value: type(value).__name__)
def test_right_layers_are_right_in_every_circumstance(layer, shape):
    report = check_layer(layer, shape, thorough=True)
    assert report.ok, str(report)


def test_what_a_layer_refuses_is_told_as_refused_and_is_no_mistake():
    methods = [row.method for row in check_layer(PairsAlone(), (6,), thorough=True).tensors]
    assert "input (7,): refused" in methods and "input (17,): refused" in methods


def test_other_random_numbers_are_drawn_on_request_and_the_global_ones_stay_where_they_are():
    rng, here = np.random.default_rng(0), np.random.get_state()[1].copy()  # noqa: NPY002
    held = Randomness([{"rng": rng}])
    with held.rewound():
        first = rng.random(), np.random.random()  # noqa: NPY002
    held.move_on()
    with held.rewound():
        second = rng.random(), np.random.random()  # noqa: NPY002
    assert first[0] != second[0] and first[1] != second[1]
    assert np.array_equal(np.random.get_state()[1], here)  # noqa: NPY002
