"""Normalisations whose dx has a wrong term: which one, by how much, and over which axes."""

import numpy as np
import pytest
from witness import changed, elementwise, examined

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose

SHAPE, OVER = (3, 4, 2), (0, 1, 2)


def parts(layer, dy):
    """gamma / s, the mean of dy, the normalised x times the mean of dy times it; of the last pass."""
    mean, s = layer.given.mean(axis=OVER), np.sqrt(layer.given.var(axis=OVER) + layer.epsilon)
    normed = (layer.given - mean) / s
    return layer.params["gamma"] / s, dy.mean(axis=OVER), normed * (dy * normed).mean(axis=OVER)


@pytest.mark.parametrize(
    ("by_mean", "by_variance", "name", "words"),
    [
        (0, 0, "normalisation terms missing", "off by a constant and a multiple of x, to all"),
        (0, 1, "normalisation terms missing", "off by a constant, to all"),
        (1, 0, "normalisation terms missing", "off by a multiple of x less its mean, to all"),
        (1, 36 / 35, "N - 1 for N", "the term that comes by the variance is 36/35 times"),
        (36 / 35, 1, "N - 1 for N", "the term that comes by the mean is 36/35 times"),
        (36 / 35, 36 / 35, "N - 1 for N", "comes by the mean and that by the variance is 36/35 times"),
        (36, 36, "sum for mean", "comes by the mean and that by the variance is 36 times"),
        (1, 36, "sum for mean", "the term that comes by the variance is 36 times"),
        (1, 2, "normalisation terms missing", "off by a multiple of x less its mean, to all"),
        (1, 37 / 36, "normalisation terms missing", "off by a multiple of x less its mean, to all"),
    ],
)
def test_a_wrong_term_is_told_with_its_way_and_size(by_mean, by_variance, name, words):
    def wrong(dx, layer, dy):
        gain, constant, along = parts(layer, dy)
        return gain * (dy - by_mean * constant - by_variance * along)

    found, _ = examined(changed(nn.BatchNormalization, wrong), SHAPE)
    assert (found.tensor, found.name) == ("dx", name) and words in found.sentence
    assert "Along axes (0, 1, 2) of (3, 3, 4, 2)" in found.sentence


@pytest.mark.parametrize("axes", [(1, 2), (0,), (3,), (0, 1, 2, 3)])
def test_means_over_other_axes_are_told_with_theirs_and_forwards(axes):
    def wrong(dx, layer, dy):
        mean, s = layer.given.mean(axis=OVER), np.sqrt(layer.given.var(axis=OVER) + layer.epsilon)
        normed = (layer.given - mean) / s
        means = [array.mean(axis=axes, keepdims=True) for array in (dy, dy * normed)]
        return layer.params["gamma"] / s * (dy - means[0] - normed * means[1])

    found, _ = examined(changed(nn.BatchNormalization, wrong), SHAPE)
    assert found.name == "mean over the wrong axes"
    assert (
        f"over the axes {axes} of (3, 3, 4, 2); forward takes its mean and spread over the axes (0, 1, 2)"
        in found.sentence
    )


@pytest.mark.parametrize(("centred", "words"), [(False, "x itself"), (True, "x less its mean")])
def test_a_scale_whose_input_is_not_normalised_is_told_what_it_took(centred, words):
    def wrong(dgamma, layer, dy):
        return (dy * (layer.given - centred * layer.given.mean(axis=OVER))).sum(axis=OVER)

    found, _ = examined(changed(nn.BatchNormalization, wrong, of="gamma"), SHAPE)
    assert (found.tensor, found.name) == ("gamma", "input not normalised")
    assert f"the sum of dy times {words}, to all digits. Forward multiplies gamma" in found.sentence


def test_a_scale_of_something_else_is_not_called_a_normalisation():
    class Scaling(nn.Layer):
        def create_params(self, input_shape, rng):
            return {"scale": np.ones(input_shape[-1])}

        def forward(self, x, training=False, keep=None):
            self._keep(x, training, keep)
            return x**2 * self.params["scale"]

        def backward(self, dy, need_dx=True, need_grads=True):
            x = self._recall()
            self.grads = {"scale": (dy * x).sum(axis=0)}
            return 2 * dy * x * self.params["scale"]

    assert [(one.tensor, one.name) for one in diagnose(Scaling(), (4,))] == [("scale", "local factor")]


@pytest.mark.parametrize(
    ("layer", "wrong", "epsilon"),
    [
        (nn.Standardization, lambda dx, s, dy: without_epsilon(s.given, dy), 0.3),
        (nn.Log, lambda dx, s, dy: dy / s.given, 0.3),
    ],
)
def test_a_forgotten_epsilon_is_told_with_its_size(layer, wrong, epsilon):
    found, _ = examined(changed(layer, wrong, epsilon), (2, 3, 2))
    assert found.name == "epsilon forgotten" and "with an epsilon of 0, and forward adds 0.3." in found.sentence


def without_epsilon(x, dy):
    def mean(a):
        return a.mean(axis=(1, 2, 3), keepdims=True)

    s = np.sqrt(mean((x - mean(x)) ** 2))
    y = (x - mean(x)) / s
    return (dy - mean(dy) - y * mean(dy * y)) / s


@pytest.mark.parametrize(("f", "slope", "word"), [(np.abs, 1, "negative"), (np.abs, -1, "positive")])
def test_a_lost_sign_is_told_with_its_side_and_count(f, slope, word):
    found, seen = elementwise(f, lambda x, dy: slope * dy, (4, 5))
    there = (seen.x < 0 if word == "negative" else seen.x > 0).sum()
    assert found.name == "sign lost" and f"at all {there} places where x is {word} the sign is wrong" in found.sentence


def test_a_sign_that_is_wrong_somewhere_else_is_no_lost_one():
    found, _ = elementwise(np.abs, lambda x, dy: dy * np.sign(x) * np.where(x > 1, -1, 1), (4, 5))
    assert found.name != "sign lost"
