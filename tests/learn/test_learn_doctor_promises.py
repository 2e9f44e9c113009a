"""What the doctor says of layers that break a promise, and of what is no layer at all."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.learn.doctor import diagnose, diagnose_loss, diagnose_optimizer


def names(diagnoses):
    return [(diagnosis.tensor, diagnosis.name) for diagnosis in diagnoses]


class BatchBeforeTheLast(nn.Dense):
    """dW from the input of the forward pass before."""

    before = last = None

    def forward(self, x, training=False, keep=None):
        self.before, self.last = x if self.last is None else self.last, x.copy()
        return super().forward(x, training, keep)

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy)
        self.grads["kernel"] = self.before.T @ dy
        return dx


class Memoised(nn.Dense):
    """dW and db of the first batch, for ever."""

    def backward(self, dy, need_dx=True, need_grads=True):
        x = self._recall()
        self.grads.setdefault("kernel", x.T @ dy)
        self.grads.setdefault("bias", dy.sum(axis=0))
        return dy @ self.params["kernel"].T


class DxMemoised(nn.Flatten):
    """dx is made once and kept."""

    dx = None

    def backward(self, dy, need_dx=True, need_grads=True):
        self.dx = super().backward(dy).copy() if self.dx is None else self.dx
        return self.dx.copy()


class Decaying(nn.Dense):
    """Something of the batch before stays in db."""

    left, forwards = 0.0, 0

    def forward(self, x, training=False, keep=None):
        self.left, self.forwards = self.grads.get("bias", 0.0), self.forwards + 1
        return super().forward(x, training, keep)

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy)
        self.grads["bias"] = self.grads["bias"] + 0.1 * self.left
        return dx


def test_a_gradient_of_the_batch_before_the_last_is_recognised():
    assert names(diagnose(BatchBeforeTheLast(3), (5,))) == [("kernel", "an earlier batch remembered")]


def test_a_loss_that_keeps_its_first_gradient_is_recognised():
    class Memo:
        kept = None

        def __call__(self, outputs, y):
            value, gradient = nn.SparseCategoricalCrossentropy(from_logits=True)(outputs, y)
            self.kept = gradient if self.kept is None else self.kept
            return value, self.kept

    assert names(diagnose_loss(Memo())) == [("doutputs", "an earlier batch remembered")]


@pytest.mark.parametrize(
    ("layer", "shape", "tensors"),
    [(Memoised(3), (5,), ["kernel", "bias"]), (DxMemoised(), (2, 3, 2), ["dx"]), (Decaying(3), (5,), ["bias"])],
)
def test_a_gradient_that_another_batch_left_behind_is_recognised(layer, shape, tensors):
    found = diagnose(layer, shape)
    assert names(found) == [(tensor, "from an earlier batch") for tensor in tensors]
    assert ("of the other one again" in found[0].sentence) != isinstance(layer, Decaying)


def handing_out(change, of="dx"):
    """A right dense layer, but for what `change` makes of its gradient."""

    class Student(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy)
            if of == "dx":
                return change(dx)
            self.grads = {key: change(g) if key == of else g for key, g in self.grads.items()}
            return dx

    return Student(3)


@pytest.mark.parametrize("of", ["dx", "kernel", "bias"])
@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (lambda g: g.tolist(), "not an array", "a list"),
        (lambda g: tuple(g), "not an array", "a tuple"),
        (lambda g: g.astype(object), "not an array", "dtype object"),
        (lambda g: g.astype(str), "not an array", "dtype <U"),
        (lambda g: g + 0j, "dtype changed", "real NumPy array"),
    ],
)
def test_a_gradient_has_to_be_a_real_array(change, name, word, of):
    (found,) = diagnose(handing_out(change, of), (5,))
    assert (found.tensor, found.name) == (of, name) and word in found.sentence


def test_an_output_has_to_be_an_array_too_and_a_loss_gradient():
    class Lists(nn.Dense):
        def forward(self, x, training=False, keep=None):
            return super().forward(x, training, keep).tolist()

    right = nn.SparseCategoricalCrossentropy(from_logits=True)
    assert names(diagnose(Lists(3), (5,))) == [("y", "not an array")]
    assert names(diagnose_loss(lambda z, y: (right(z, y)[0], right(z, y)[1].tolist()))) == [
        ("doutputs", "not an array")
    ]
    assert names(diagnose_loss(lambda z, y: (right(z, y)[0], None))) == [("doutputs", "no gradient")]


def test_grads_that_are_no_dictionary_hold_no_gradient():
    class Grads(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy)
            self.grads = None
            return dx

    assert names(diagnose(Grads(3), (5,))) == [("kernel", "no gradient"), ("bias", "no gradient")]


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ValueError("operands could not be broadcast together with shapes (3,5) (5,3)"), "Print the shapes"),
        (ValueError("matmul: Input operand 1 has a mismatch in its core dimension 0"), "Print the shapes"),
        (ValueError("cannot reshape array of size 15 into shape (3,4)"), "Print the shapes"),
        (TypeError("forward() got an unexpected keyword argument 'training'"), "The signatures are"),
        (ZeroDivisionError("division by zero"), "by hand"),
        (ValueError("math domain error"), "by hand"),
        (SystemExit(3), "by hand"),
        (Unspeakable(), "by hand"),
        (ValueError("\n"), "ValueError: no message."),
        (InputError("Dense: needs one row"), "Dense: needs one row."),
    ],
    ids=repr,
)
def test_shapes_are_to_be_printed_only_where_shapes_are_at_fault(error, says):
    class Stops(nn.Layer):
        def forward(self, x, training=False, keep=None):
            raise error

    (found,) = diagnose(Stops(), (5,))
    assert (found.name, found.tensor) == ("raises", "forward") and says in found.sentence
    assert ("shapes of both factors" in found.sentence) == (says == "Print the shapes")
    assert ("by hand" in found.sentence) == (not isinstance(error, InputError | TypeError) and "Print" not in says)


def test_an_init_that_forgets_the_base_class_is_named():
    class NoSuper(nn.Dense):
        def __init__(self, units):
            self.units = units

    (found,) = diagnose(NoSuper(3), (5,))
    assert (found.tensor, found.name) == ("build", "raises") and "super().__init__() first" in found.sentence


def test_a_forward_without_a_return_is_asked_for_one():
    class NoReturn(nn.Dense):
        def forward(self, x, training=False, keep=None):
            super().forward(x, training, keep)

    (found,) = diagnose(NoReturn(3), (5,))
    assert (found.tensor, found.name) == ("y", "not an array") and "Is a return missing?" in found.sentence


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (nn.Dense, r"got the class Dense itself; make one of it, Dense\(\.\.\.\)"),
        (5, "got 5, which has no astype"),
        ("Dense", "got 'Dense', which has no astype"),
        (None, "got None, which has no astype"),
        (nn.Sequential([nn.Dense(3)]), "of a model, hand over one of its layers"),
    ],
)
def test_what_is_no_layer_is_refused_in_words(layer, says):
    with pytest.raises(InputError, match=f"layer: needs .*{says}"):
        diagnose(layer, (5,))


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (5, r"got 5; write \(5,\)"),
        (None, "got None; write it as a tuple"),
        ("5", "got '5'; write it as a tuple"),
        ((None, 5), r"got \(None, 5\); write it"),
        ((2.7,), r"got \(2\.7,\); write it"),
        ((0,), r"got \(0,\); a length is at least 1"),
        ((4, -2), r"got \(4, -2\); a length is at least 1"),
    ],
)
def test_what_is_no_shape_is_refused_in_words(shape, says):
    with pytest.raises(InputError, match=f"input_shape: needs whole numbers.*{says}"):
        diagnose(nn.Dense(3), shape)


def test_counts_losses_and_optimisers_that_are_none_are_refused_in_words():
    with pytest.raises(InputError, match="n: needs a whole number from 1 up, got 0"):
        diagnose(nn.Dense(3), (5,), n=0)
    with pytest.raises(InputError, match=r"classes: needs a whole number from 1 up, got 2\.5"):
        diagnose_loss(nn.SparseCategoricalCrossentropy(from_logits=True), classes=2.5)
    with pytest.raises(InputError, match=r"loss: needs .* got the class SparseCategoricalCrossentropy"):
        diagnose_loss(nn.SparseCategoricalCrossentropy)
    for wrong in (5, nn.Adam):
        with pytest.raises(InputError, match="optimizer: needs an object"):
            diagnose_optimizer(wrong)


def test_a_shape_may_be_a_list_or_hold_numpy_integers():
    assert diagnose(nn.Dense(3), [np.int64(5)]) == []


def test_a_layer_that_cannot_be_made_smaller_is_refused_with_the_limit_and_not_called_wrong():
    with pytest.raises(
        InputError, match=r"at most 4,000,000 for one tensor; .* y has 1,800 numbers .* 4,320,000.*smaller layer"
    ):
        diagnose(nn.Dense(600), (4,))
