"""Several uses of one tensor, steps of a sequence, masks of a parameter, formulas, and what is kept for too long."""

import numpy as np
import pytest
from scipy.special import ndtr
from wrong_uses import (
    Attention,
    Branches,
    Curve,
    Elman,
    Gated,
    GatedDense,
    LastOfElman,
    Own,
    Quadratic,
    Rows,
    Shortcut,
    Slopes,
    Squared,
    Tied,
    sigmoid,
)

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose
from batik_scratch.nn.gradcheck import check_layer

RIGHT = [
    (Tied, (6,)), (Squared, (4,)), (Branches, (5,)), (Shortcut, (5,)), (Quadratic, (4,)), (Elman, (5, 3)),
    (LastOfElman, (4, 3)), (Gated, (4, 2)), (Slopes, (4, 3, 2)), (lambda: Slopes(one=True), (7,)), (GatedDense, (6,)),
    (Rows, (9,)), (Attention, (4, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("make", "shape"), RIGHT)
def test_the_same_layer_without_a_mistake_gets_no_diagnosis(make, shape):
    assert diagnose(make(), shape) == []


WRONG = [
    (Tied("decoder missing"), (6,), {"W": "one use of several"}, "lacks the share of the last use"),
    (Tied("encoder missing"), (6,), {"W": "one use of several"}, "is the share of the last use alone"),
    (Squared("first"), (4,), {"V": "one use of several"}, "V more than once"),
    (Squared("second"), (4,), {"V": "one use of several"}, "V more than once"),
    (Squared("doubled"), (4,), {"V": "one factor's turn for all"}, "contains V 2 times"),
    (Branches("straight missing"), (5,), dict.fromkeys(("dx", "K"), "linear path missing"), "only multiplied"),
    (Branches("curved missing"), (5,), dict.fromkeys(("dx", "K"), "constant derivative"), "for a straight line"),
    (Shortcut("shortcut missing"), (5,), {"dx": "linear path missing"}, "(it is x @ S)"),
    (Quadratic("A twice"), (4,), {"dx": "one factor's turn for all"}, "A x + A' x"),
    (Quadratic("A' twice"), (4,), {"dx": "one factor's turn for all"}, "A x + A' x"),
    (Quadratic("A alone"), (4,), {"dx": "one factor's turn alone"}, "contains x 2 times"),
    (Quadratic("A' alone"), (4,), {"dx": "one factor's turn alone"}, "contains x 2 times"),
    (Elman("same step"), (5, 3), {"V": "state of the same step"}, "the state after the step"),
    (LastOfElman("same step"), (4, 3), {"V": "state of the same step"}, "h[t-1]"),
    (Gated("same step"), (4, 2), dict.fromkeys("BD", "state of the same step"), "h[t-1]"),
    (LastOfElman("not transposed"), (4, 3), dict.fromkeys(("dx", *"UVb"), "right for one step alone"), "transposed"),
    (LastOfElman("slope not carried"), (4, 3), dict.fromkeys(("dx", *"UVb"), "right for one step alone"), "slope"),
    (Gated("gate not carried"), (4, 2), dict.fromkeys(("dx", *"ABCD"), "right for one step alone"), "update gate"),
    (Gated("path not carried"), (4, 2), dict.fromkeys(("dx", *"ABCD"), "right for one step alone"), "add to"),
    (Attention("keys send nothing back"), (4, 3), {"dx": "right for one place alone"}, "queries, keys and values"),
    (Slopes("above"), (4, 3, 2), {"slope": "mask inverted"}, "where x < 0 alone"),
    (Slopes("above", one=True), (7,), {"slope": "mask inverted"}, "where x < 0 alone"),
    (Slopes("shifted", one=True), (7,), {"slope": "wrong mask"}, "count where x > 0"),
    (GatedDense("inverted"), (6,), {"W": "mask inverted"}, "over those where y = 0"),
    (Rows("plus equals"), (9,), {"rows": "repeated use counted once"}, "np.add.at"),
    (Rows("equals"), (9,), {"rows": "repeated use counted once"}, "np.add.at"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "shape", "named", "words"), WRONG, ids=[f"{type(w[0]).__name__} {w[0].mistake}" for w in WRONG]
)
def test_a_mistake_among_several_uses_steps_or_masks_is_named(layer, shape, named, words):
    found = diagnose(layer, shape)
    assert {one.tensor: one.name for one in found} == named
    assert words in found[0].sentence


def test_a_slope_that_is_missing_in_each_step_is_seen_in_a_sequence_of_one():
    found = {one.tensor: one for one in diagnose(Elman("slope missing"), (5, 3))}
    assert {found[key].name for key in ("dx", "U", "b")} == {"activation's slope missing"}
    assert "Already in a sequence of one step" in found["dx"].sentence
    assert "First mend" in found["V"].sentence  # what is not understood may come of what is


def softplus(x):
    return np.log1p(np.exp(x))


def density(x):
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


FORMULAS = [
    (lambda x: x * sigmoid(x), lambda x, y: y + sigmoid(x) * (1 - sigmoid(x)), "y + s (1 - s), s = sigmoid(x)"),
    (lambda x: x * sigmoid(x), lambda x, y: sigmoid(x) + y * sigmoid(x), "sigmoid(x) + y sigmoid(x)"),
    (lambda x: x * sigmoid(x), lambda x, y: sigmoid(x) * (1 - sigmoid(x)), "s (1 - s), s = sigmoid(x)"),
    (lambda x: x * ndtr(x), lambda x, y: ndtr(x) + density(x), "y/x + phi(x)"),
    (lambda x: x * ndtr(x), lambda x, y: ndtr(x) - x * density(x), "y/x - x phi(x)"),
    (
        lambda x: x * np.tanh(softplus(x)), lambda x, y: np.tanh(softplus(x)) + x * (1 - np.tanh(softplus(x)) ** 2),
        "y/x + x (1 - u^2), u = tanh(softplus(x))",
    ),
    (lambda x: x - np.tanh(x), lambda x, y: 1 - y**2, "1 - y^2"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "slope", "words"), FORMULAS, ids=[f[2] for f in FORMULAS])
def test_the_formula_that_was_used_is_told_beside_the_right_one(f, slope, words):
    (found,) = diagnose(Curve(f, slope), (8,))
    assert found.name == "another formula" and f"dy times {words}".replace(
        "times (", "times "
    ) in found.sentence.replace("times (", "times ")
    assert "the derivative of forward is another one" not in found.sentence


# ------------------------------------------------------------------ nearly, and so not


class Noisy(Own):
    """The right gradient, a part of it changed by `spoil(gradient)`, which no rule explains."""

    base: type = Tied

    def __init__(self, base, key, spoil):
        super().__init__()
        self.inner, self.key, self.spoil = base(), key, spoil

    def build(self, input_shape, rng):
        shape = self.inner.build(input_shape, rng)
        self.params = self.inner.params
        return shape

    def astype(self, dtype):
        self.inner.astype(dtype)
        return super().astype(dtype)

    def forward(self, x, training=False, keep=None):
        return self.inner.forward(x, training, keep)

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = self.inner.backward(dy)
        self.grads = dict(self.inner.grads)
        if self.key != "dx":
            self.grads[self.key] = self.spoil(self.grads[self.key])
        return self.spoil(dx) if self.key == "dx" else dx


def uneven(g):
    return g * (1 + 0.01 * np.sin(np.arange(g.size)).reshape(g.shape))


NEW = {"one use of several", "one factor's turn for all", "one factor's turn alone", "linear path missing",
       "constant derivative", "state of the same step", "right for one step alone", "right for one place alone",
       "mask inverted", "wrong mask", "repeated use counted once", "another formula", "kept from before"}  # fmt: skip


@pytest.mark.parametrize(
    ("base", "key", "shape"),
    [(Tied, "W", (6,)), (Squared, "V", (4,)), (Branches, "K", (5,)), (Shortcut, "dx", (5,)), (Quadratic, "dx", (4,)),
     (Elman, "V", (5, 3)), (LastOfElman, "dx", (4, 3)), (Attention, "dx", (4, 3)),
     (Gated, "B", (4, 2)), (Slopes, "slope", (4, 3, 2)),
     (GatedDense, "W", (6,)), (Rows, "rows", (9,)), (lambda: Curve(np.tanh, lambda x, y: 1 - y**2), "dx", (8,))],
)  # fmt: skip
def test_a_gradient_that_is_wrong_by_no_rule_gets_none_of_these_names(base, key, shape):
    found = diagnose(Noisy(base, key, uneven), shape)
    assert found and not {one.name for one in found} & NEW, found


def test_one_number_with_another_quotient_for_every_input_has_no_constant_factor():
    found = diagnose(Slopes("above", one=True), (7,))
    assert [one.name for one in found] == ["mask inverted"]


# ------------------------------------------------------------------ kept for too long


class Normed(Own):
    """y = x V / |V|, the length anew at each kept pass or only `once`."""

    def infer_shape(self, input_shape):
        return (3,)

    def shapes(self, input_shape):
        return {"V": (*input_shape, 3)}

    def forward(self, x, training=False, keep=None):
        V = self.params["V"]
        length = np.linalg.norm(V, axis=0)
        if not (self.mistake == "once" and hasattr(self, "length")):
            self.length = length
        self.x = x
        return x @ (V / length)

    def backward(self, dy, need_dx=True, need_grads=True):
        U = self.params["V"] / self.length
        dU = self.x.T @ dy
        self.grads = {"V": (dU - U * (U * dU).sum(0)) / self.length}
        return dy @ U.T


def test_what_is_kept_of_the_old_parameters_is_found_after_they_changed():
    (found,) = diagnose(Normed("once"), (5,))
    assert found.name == "kept from before" and "dx and V are wrong" in found.sentence
    assert diagnose(Normed(), (5,)) == []
    report = check_layer(Normed("once"), (5,), thorough=True)
    assert not report.ok


class TransposedOnce(nn.Dense):
    """dx by a copy of the kernel that was made in the first pass."""

    def forward(self, x, training=False, keep=None):
        if not hasattr(self, "turned"):
            self.turned = self.params["kernel"].T.copy()
        return super().forward(x, training, keep)

    def backward(self, dy, need_dx=True, need_grads=True):
        super().backward(dy)
        return dy @ self.turned


def test_a_copy_of_the_weights_made_once_is_found_too():
    (found,) = diagnose(TransposedOnce(3), (4,))
    assert (found.tensor, found.name) == ("dx", "kept from before")


class Clipping(nn.Dense):
    """The weights are clipped in backward: the second time that changes nothing."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy)
        np.clip(self.params["kernel"], -0.1, 0.1, out=self.params["kernel"])
        return dx


def test_the_check_sees_parameters_that_only_the_first_backward_changes():
    report = check_layer(Clipping(3), (5,))
    assert [(row.name, row.method) for row in report.wrong] == [("kernel", "was changed")]
    assert check_layer(nn.Dense(3), (5,)).ok
