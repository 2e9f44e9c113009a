"""Layers that work otherwise at rest: a right one of any style gets no word, a wrong one the right word."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose
from batik_scratch.learn.symptoms.checkup import Case, Checkup
from batik_scratch.nn.gradcheck import check_layer


class Own(nn.Layer):
    """A batch normalisation from the formula in its books, statistics being attributes as PyTorch moves them."""

    momentum = 0.1

    def create_params(self, input_shape, rng):
        self.running_mean, self.running_var = np.zeros(input_shape[-1]), np.ones(input_shape[-1])
        return {"weight": np.ones(input_shape[-1]), "bias": np.zeros(input_shape[-1])}

    def statistics(self, x, training):
        over = tuple(range(x.ndim - 1))
        if not training:
            return self.running_mean, self.running_var
        mean, variance, m = x.mean(over), x.var(over), x[..., 0].size
        self.moved(self.momentum * mean, self.momentum * variance * m / (m - 1))
        return mean, variance

    def moved(self, mean, variance):
        self.running_mean = (1 - self.momentum) * self.running_mean + mean
        self.running_var = (1 - self.momentum) * self.running_var + variance

    def forward(self, x, training=False, keep=None):
        mean, variance = self.statistics(x, training)
        inverse = 1 / np.sqrt(variance + 1e-5)
        self._keep(((x - mean) * inverse, inverse, training), training, keep)
        return (x - mean) * inverse * self.params["weight"] + self.params["bias"]

    def backward(self, dy, need_dx=True, need_grads=True):
        normed, inverse, training = self._recall()
        over, m = tuple(range(dy.ndim - 1)), dy[..., 0].size
        self.grads = {"weight": (dy * normed).sum(over), "bias": dy.sum(over)}
        dn = dy * self.params["weight"]
        if not training:
            return dn * inverse
        return inverse / m * (m * dn - dn.sum(over) - normed * (dn * normed).sum(over))


class Declared(Own):
    """The same with the statistics among the parameters, declared, and put there anew at each step."""

    not_trained = ("running_mean", "running_var")

    def create_params(self, input_shape, rng):
        params = super().create_params(input_shape, rng)
        return params | {"running_mean": self.running_mean, "running_var": self.running_var}

    def statistics(self, x, training):
        self.running_mean, self.running_var = self.params["running_mean"], self.params["running_var"]
        found = super().statistics(x, training)
        self.params |= {"running_mean": self.running_mean, "running_var": self.running_var}
        return found


class OverAllBatches(Declared):
    """Every batch counts alike: the mean over all batches so far."""

    def build(self, input_shape, rng):
        self.batches = 0
        return super().build(input_shape, rng)

    def moved(self, mean, variance):
        self.batches += 1
        self.momentum = 1 / self.batches
        super().moved(mean, variance)


@pytest.mark.parametrize("layer", [Own(), Declared(), nn.BatchNormalization(0.0), nn.BatchNormalization(0.2)])
@pytest.mark.parametrize("shape", [(2, 3, 2), (4,)])
def test_a_right_normalisation_of_any_style_gets_no_word(layer, shape):
    assert diagnose(layer, shape) == []
    assert check_layer(layer, shape).ok


def test_what_is_not_trained_is_not_asked_for_and_what_is_not_declared_is():
    assert set(Checkup(Case(Declared(), (4,))).analytic) == {"dx", "weight", "bias"}
    found = diagnose(type("Undeclared", (Declared,), {"not_trained": ()})(), (4,))
    assert [(one.tensor, one.name) for one in found] == [
        ("running_mean", "no gradient"),
        ("running_var", "no gradient"),
    ]
    assert "the layer names in not_trained." in found[0].sentence


class Forgetting(nn.BatchNormalization):
    def forward(self, x, training=False, keep=None):
        kept, y = self._kept, super().forward(x, training, keep)
        if not training:
            self._kept = kept
        return y


class Moving(nn.BatchNormalization):
    def forward(self, x, training=False, keep=None):
        y = super().forward(x, training, keep)
        self.params["moving_variance"] *= 1 if training else 0.9
        return y


class Stopping(nn.BatchNormalization):
    def backward(self, dy, need_dx=True, need_grads=True):
        assert self._recall()[2], "only training"
        return super().backward(dy, need_dx, need_grads)


class Scaled(nn.BatchNormalization):
    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.grads["gamma"] = self.grads["gamma"] * (1 if self._recall()[2] else 2)
        return dx


@pytest.mark.parametrize(
    ("layer", "tensor", "name", "words"),
    [
        (Forgetting(), "dx", "right in training alone", "is still that of the training pass before"),
        (Moving(), "moving_variance", "moved at rest", "with training=False changes moving_variance"),
        (Stopping(), "backward", "right in training alone", "backward stops with AssertionError: only training."),
        (Scaled(), "gamma", "right in training alone", "After a training pass gamma is right"),
    ],
)
def test_what_is_wrong_at_rest_alone_is_named(layer, tensor, name, words):
    (found,) = diagnose(layer, (2, 3, 2))
    assert (found.tensor, found.name) == (tensor, name) and words in found.sentence


@pytest.mark.parametrize(("momentum", "said"), [(0.99, True), (0.6, True), (0.5, False), (0.4, False), (0.1, False)])
def test_shares_are_swapped_where_the_new_has_the_larger_one_and_the_number_says_otherwise(momentum, said):
    class Keras(Declared):
        def moved(self, mean, variance):
            self.running_mean = (1 - momentum) * self.running_mean + mean
            self.running_var = (1 - momentum) * self.running_var + variance

    layer = Keras()
    layer.momentum = momentum
    assert [one.name for one in diagnose(layer, (4,))] == ["momentum swapped"] * said


def test_a_logarithm_is_examined_above_zero_and_a_forward_that_is_finite_nowhere_is_told():
    assert diagnose(nn.Log(), (3, 2, 2)) == [] and check_layer(nn.Log(0.0), (5,)).ok
    checkup = Checkup(Case(nn.Log(), (5,)))
    assert checkup.x.min() == pytest.approx(0.1) == checkup.earlier_x.min()
    assert Checkup(Case(nn.ReLU(), (5,))).x.min() < 0
    methods = {"forward": lambda self, x, training=False, keep=None: x / 0, "backward": lambda self, dy, **options: dy}
    infinite = type("Infinite", (nn.Layer,), methods)()
    assert [one.name for one in diagnose(infinite, (5,))] == ["not a number"]


class Hearing(nn.Layer):
    """y = tanh(x M), times a mask of zeros and ones in training if `drops`; `heard` says when forward keeps."""

    def __init__(self, heard, drops=False):
        super().__init__()
        self.heard, self.drops, self.kept = heard, drops, None

    def create_params(self, input_shape, rng):
        return {"M": rng.standard_normal((input_shape[-1], input_shape[-1]))}

    def forward(self, x, training=False, keep=None):
        mask = 1.0 * (np.arange(x.size).reshape(x.shape) % 3 > 0) if training and self.drops else np.ones(x.shape)
        y = np.tanh(x @ self.params["M"])
        if self.heard(training, keep):
            self.kept = x, y, mask
        elif self.heard is dropping:
            self.kept = None
        return y * mask

    def backward(self, dy, need_dx=True, need_grads=True):
        x, y, mask = self.kept
        da = dy * mask * (1 - y**2)
        self.grads = {"M": x.T @ da}
        return da @ self.params["M"].T


def dropping(training, keep):
    return training


@pytest.mark.parametrize(
    ("heard", "drops", "tensor", "words"),
    [
        (lambda training, keep: training, False, "dx", "dx is that of the pass before, of another batch"),
        (lambda training, keep: training, True, "dx", "dx is that of the pass before, of another batch"),
        (dropping, False, "backward", "backward stops with TypeError"),
    ],
)
def test_a_layer_that_does_not_hear_keep_is_told_of_it(heard, drops, tensor, words):
    (found,) = diagnose(Hearing(heard, drops), (4,))
    assert (found.tensor, found.name) == (tensor, "keep not heard") and words in found.sentence
    assert check_layer(Hearing(heard, drops), (4,)).ok == drops  # `thorough` measures what is dropped


@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize(
    "heard", [lambda training, keep: True, lambda training, keep: training if keep is None else keep,
              lambda training, keep: training or keep]
)  # fmt: skip
def test_a_layer_that_keeps_always_or_as_asked_gets_no_word(heard, drops):
    assert diagnose(Hearing(heard, drops), (4,)) == []
    assert check_layer(Hearing(heard, drops), (4,)).ok


def test_a_forward_that_does_not_know_keep_gets_no_word():
    methods = {"forward": lambda self, x, training=False: 2 * x, "backward": lambda self, dy, **options: 2 * dy}
    layer = type("Unasked", (nn.Layer,), methods)()
    assert diagnose(layer, (4,)) == [] and check_layer(layer, (4,)).ok
