"""Mistakes of elementwise and normalising layers, each with the name that it must get."""

import numpy as np
import pytest
from student_layers import Elementwise

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose


def names(diagnoses):
    return [(diagnosis.tensor, diagnosis.name) for diagnosis in diagnoses]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


def constant(x):
    return np.ones_like(x)


@pytest.mark.parametrize("f", [constant, np.round, np.sign])
def test_where_the_true_gradient_is_zero_everywhere_the_doctor_says_so_and_finds_no_factor(f):
    (found,) = diagnose(Elementwise(f, lambda x, y: np.ones_like(x)), (5,))
    assert (found.tensor, found.name) == ("dx", "should be zero") and "All 15 values" in found.sentence


def test_a_parameter_that_forward_does_not_use_has_a_gradient_of_zero():
    class Unused(nn.Dense):
        def forward(self, x, training=False, keep=None):
            return super().forward(x, training, keep) - self.params["bias"]

    assert names(diagnose(Unused(3), (5,))) == [("bias", "should be zero")]


@pytest.mark.parametrize(
    ("f", "slope", "word"),
    [
        (relu, lambda x, y: x, "dy times x"),
        (lambda x: relu(x) * 0.5, lambda x, y: x, "dy times x"),
        (np.sin, lambda x, y: y, "dy times y"),
        (lambda x: np.log1p(np.exp(x)), lambda x, y: y, "dy times y"),
    ],
)
def test_values_in_place_of_a_derivative_are_recognised(f, slope, word):
    (found,) = diagnose(Elementwise(f, slope), (7,))
    assert (found.tensor, found.name) == ("dx", "value for derivative") and word in found.sentence


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (sigmoid, lambda x, y: x * (1 - x)),
        (np.tanh, lambda x, y: 1 - x**2),
        (np.exp, lambda x, y: x),
    ],
)
def test_the_input_in_a_formula_of_the_output_is_recognised(f, slope):
    assert names(diagnose(Elementwise(f, slope), (5,))) == [("dx", "input for output")]


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (sigmoid, lambda x, y: sigmoid(y) * (1 - sigmoid(y))),
        (np.tanh, lambda x, y: 1 - np.tanh(y) ** 2),
        (np.sin, lambda x, y: np.cos(y)),
    ],
)
def test_the_output_in_a_formula_of_the_input_is_recognised(f, slope):
    assert names(diagnose(Elementwise(f, slope), (5,))) == [("dx", "output for input")]


def test_the_output_kept_for_the_weights_in_place_of_the_input_is_recognised():
    class KeepsY(nn.Dense):
        def forward(self, x, training=False, keep=None):
            y = super().forward(x, training, keep)
            self._keep(y.copy(), training, keep)
            return y

    assert names(diagnose(KeepsY(5), (5,))) == [("kernel", "output for input")]


class Normalising(nn.Layer):
    """y = gamma (x - mean) / spread + beta along some axes; `parts` are what backward takes into account."""

    def __init__(self, axes, parts=("mean", "spread"), gamma=True):
        super().__init__()
        self.axes, self.parts, self.gamma = axes, parts, gamma

    def create_params(self, input_shape, rng):
        return {"gamma": np.ones(input_shape[-1]), "beta": np.zeros(input_shape[-1])} if self.gamma else {}

    def forward(self, x, training=False, keep=None):
        spread = np.sqrt(x.var(self.axes, keepdims=True) + 1e-5)
        normal = (x - x.mean(self.axes, keepdims=True)) / spread
        self._keep((normal, spread), training, keep)
        return normal * self.params["gamma"] + self.params["beta"] if self.gamma else normal.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        normal, spread = self._recall()
        others = tuple(range(dy.ndim - 1))
        if self.gamma:
            self.grads = {"gamma": (dy * normal).sum(others), "beta": dy.sum(others)}
            dy = dy * self.params["gamma"]
        dx = dy
        if "mean" in self.parts:
            dx = dx - dy.mean(self.axes, keepdims=True)
        if "spread" in self.parts:
            dx = dx - normal * (dy * normal).mean(self.axes, keepdims=True)
        return dx / spread


AXES = [((1,), (5,)), ((0,), (5,)), ((3,), (2, 3, 5)), ((0, 1, 2), (2, 3, 4)), ((1, 2), (3, 4, 2))]


@pytest.mark.parametrize(("axes", "shape"), AXES)
@pytest.mark.parametrize("gamma", [False, True])
def test_a_right_normalising_layer_is_right(axes, shape, gamma):
    assert diagnose(Normalising(axes, gamma=gamma), shape) == []


@pytest.mark.parametrize(("axes", "shape"), AXES)
@pytest.mark.parametrize("gamma", [False, True])
@pytest.mark.parametrize(
    ("parts", "word"),
    [((), "a constant and a multiple of x"), (("mean",), "less its mean"), (("spread",), "by a constant, to all")],
)
def test_a_normalising_layer_that_forgets_what_moves_its_mean_or_spread_is_recognised(axes, shape, gamma, parts, word):
    (found,) = diagnose(Normalising(axes, parts, gamma), shape)
    assert (found.tensor, found.name) == ("dx", "normalisation terms missing") and word in found.sentence


def test_a_constant_added_to_a_softmax_is_something_added_and_no_mean():
    class Added(nn.Softmax):
        def backward(self, dy, need_dx=True, need_grads=True):
            return super().backward(dy) + 0.01

    assert names(diagnose(Added(), (5,))) == [("dx", "something added")]


class Scale(nn.Layer):
    """y = scale x, per channel; what is left out is given."""

    def __init__(self, left_out=""):
        super().__init__()
        self.left_out = left_out

    def create_params(self, input_shape, rng):
        return {"scale": np.ones(input_shape[-1])}

    def forward(self, x, training=False, keep=None):
        self._keep(x, training, keep)
        return x * self.params["scale"]

    def backward(self, dy, need_dx=True, need_grads=True):
        others = tuple(range(dy.ndim - 1))
        self.grads = {"scale": (dy if self.left_out == "x" else dy * self._recall()).sum(others)}
        return dy.copy() if self.left_out == "scale" else dy * self.params["scale"]


def test_a_factor_of_forward_that_backward_leaves_out_is_recognised():
    assert diagnose(Scale(), (4, 5, 3)) == []
    assert names(diagnose(Scale("scale"), (4, 5, 3))) == [("dx", "parameter left out")]
    assert names(diagnose(Scale("x"), (4, 5, 3))) == [("scale", "input left out")]
