"""Each bug is wrong where its exhibit says and right in all other tensors; and can be the first layer of a network."""

import copy

import numpy as np
import pytest
from test_learn_stories import gradients

from batik_scratch import nn
from batik_scratch.learn.bugs import EXHIBITS, exhibit

LAYERS = [one for one in EXHIBITS if isinstance(one.bug, nn.Layer)]
BESIDE = {  # what hangs there is no gradient, or moves all of them, or has no right layer of the same shapes
    "WeightsNotTransposedOnUnequalSizes", "LearnsInBackward", "RemembersTheFirstBatch", "KernelGradientMemoised",
    "GradientsAddUpOverCalls", "PaddedPoolReadUnpadded", "MutatesItsUpstreamGradient", "OverwritesItsInput",
    "BiasForgotten", "BatchStatisticsAtRest", "MomentumSwapped", "TrainedBackwardAtRest",
}  # fmt: skip


@pytest.mark.parametrize("one", [one for one in LAYERS if one.name not in BESIDE], ids=lambda one: one.name)
@pytest.mark.parametrize("seed", [0, 5])
def test_a_bug_is_wrong_in_its_tensor_and_right_in_all_others(one, seed):
    wrong, right = gradients(one.bug, one.shape, seed)
    off = {
        key for key, value in right.items() if wrong[key].shape != value.shape or not np.array_equal(wrong[key], value)
    }
    assert off == {one.tensor} and wrong.keys() == right.keys()


def run(name, times=1, **options):
    """The layer after forward and `times` backward on a batch of two; that batch, dy and dx; x and dy afterwards."""
    (one,) = (one for one in EXHIBITS if one.name == name)
    layer, rng = copy.deepcopy(one.bug).astype("float64"), np.random.default_rng(4)
    layer.build(one.shape, rng)
    x = rng.standard_normal((2, *one.shape))
    given = x.copy()
    y = layer.forward(given, training=True)
    dy = rng.standard_normal(y.shape)
    for _ in range(times):
        handed = dy.copy()
        dx = layer.backward(handed, **options)
    return layer, x, dy, dx, given, handed


def test_what_a_bug_changes_is_what_its_story_says():
    _, x, dy, dx, _, handed = run("MutatesItsUpstreamGradient")
    assert np.array_equal(handed, dy * (x > 0)) and np.array_equal(dx, handed)
    _, x, dy, dx, given, handed = run("OverwritesItsInput")
    assert np.array_equal(given, np.maximum(x, 0)) and np.array_equal(handed, dy) and np.array_equal(dx, dy * (x > 0))
    layer, x, dy, *_ = run("BiasForgotten")
    assert list(layer.grads) == ["kernel"] and np.allclose(layer.grads["kernel"], x.T @ dy)


def test_a_layer_that_learns_in_backward_moves_by_a_hundredth_of_its_gradient():
    layer, x, dy, dx, *_ = run("LearnsInBackward")
    rng = np.random.default_rng(4)
    before = nn.Dense(3).astype("float64")
    before.build((6,), rng)
    assert np.allclose(layer.params["kernel"], before.params["kernel"] - 0.01 * x.T @ dy, rtol=1e-12)
    assert np.allclose(dx, dy @ layer.params["kernel"].T) and not layer.params["bias"].any()


def test_gradients_that_add_up_are_twice_and_three_times_as_large():
    once, twice, thrice = (run("GradientsAddUpOverCalls", times)[0].grads for times in (1, 2, 3))
    assert np.allclose(twice["kernel"], 2 * once["kernel"]) and np.allclose(thrice["kernel"], 3 * once["kernel"])
    assert np.allclose(twice["bias"], once["bias"])


@pytest.mark.parametrize("name", ["RemembersTheFirstBatch", "KernelGradientMemoised"])
def test_what_is_remembered_is_the_first_batch_and_only_in_the_kernel(name):
    layer, x, dy, *_ = run(name)
    other = np.random.default_rng(9).standard_normal((2, 6))
    layer.forward(other, training=True)
    dx = layer.backward(2 * dy)
    of_the_first = x.T @ dy * (2 if name == "RemembersTheFirstBatch" else 1)  # the input is kept, or the gradient
    assert np.allclose(layer.grads["kernel"], of_the_first)
    assert np.allclose(layer.grads["bias"], 2 * dy.sum(axis=0)) and np.allclose(dx, 2 * dy @ layer.params["kernel"].T)


def test_a_pool_that_reads_unpadded_pads_by_one_and_hands_back_one_place_too_far():
    layer, x, dy, dx, *_ = run("PaddedPoolReadUnpadded")
    right = nn.MaxPooling2D(2)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-1e9)
    y = right.forward(padded, training=True)
    assert layer.output_shape == y.shape[1:] == (4, 5, 2) and np.array_equal(layer.forward(x), y)
    full = right.backward(dy)
    assert np.array_equal(dx, full[:, :6, :8]) and not np.array_equal(dx, full[:, 1:-1, 1:-1])


AT_REST = ["BatchStatisticsAtRest", "MomentumSwapped", "TrainedBackwardAtRest"]


@pytest.mark.parametrize("name", AT_REST)
def test_a_bug_at_rest_is_right_in_all_that_training_uses(name):
    (one,) = (one for one in EXHIBITS if one.name == name)
    wrong, right = gradients(one.bug, one.shape)
    assert all(np.array_equal(wrong[key], value) for key, value in right.items()) and wrong.keys() == right.keys()


def test_what_goes_wrong_at_rest_is_what_its_story_says():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(1, 2, (2, 3, 5, 6, 2))
    right = nn.BatchNormalization().astype("float64")
    right.build(x.shape[1:], rng)
    batch, swapped, trained = (copy.deepcopy(one.bug) for name in AT_REST for one in EXHIBITS if one.name == name)
    for layer in (batch, swapped, trained):
        layer.astype("float64").build(x.shape[1:], rng)
    assert np.array_equal(batch.forward(x), right.forward(x, training=True))
    assert not batch.params["moving_mean"].any() and (batch.params["moving_variance"] == 1).all()
    swapped.forward(x, training=True)
    assert np.allclose(swapped.params["moving_mean"], 0.99 * x.mean(axis=(0, 1, 2)))
    assert np.allclose(swapped.params["moving_variance"], 0.01 + 0.99 * x.var(axis=(0, 1, 2)))
    trained.forward(x, keep=True)
    dx, s, m = trained.backward(dy), np.sqrt(1 + 1e-3), x[..., 0].size
    lost = (trained.grads["beta"] + x / s * trained.grads["gamma"]) / m
    assert np.allclose(dx, (dy - lost) / s) and np.allclose(trained.grads["gamma"], (dy * x / s).sum(axis=(0, 1, 2)))


@pytest.mark.parametrize("one", LAYERS, ids=lambda one: one.name)
def test_a_bug_can_be_the_first_layer_of_a_network_which_asks_for_no_dx(one):
    if one.name == "WeightsNotTransposedOnUnequalSizes":
        with pytest.raises(ValueError, match="matmul"):
            run(one.name)
        return
    layer, *_, dx, _, _ = run(one.name, need_dx=False)
    assert dx is None or isinstance(dx, np.ndarray)
    with_dx, *_ = run(one.name)
    assert with_dx.grads.keys() == layer.grads.keys()
    for key, value in layer.grads.items():
        assert np.array_equal(value, with_dx.grads[key])


def test_a_function_becomes_a_class_that_differs_in_what_it_says():
    @exhibit.hang(nn.Dense(4, name="shown"), "bias", "wrong sign", (3,))
    def Twisted(self, dy, db):
        """A story."""
        self.grads["kernel"] = 0 * db  # what it does beside its own tensor is put right
        return -db

    (one,) = exhibit.HUNG.pop(__name__)
    assert Twisted.__name__ == one.name == "Twisted" and Twisted.__module__ == __name__
    assert type(one.bug) is Twisted and issubclass(Twisted, nn.Dense) and one.bug.name == "shown" and one.bug.units == 4
    wrong, right = gradients(one.bug, one.shape)
    assert np.array_equal(wrong["bias"], -right["bias"]) and np.array_equal(wrong["kernel"], right["kernel"])
    one.bug.build((3,), np.random.default_rng(0))
    one.bug.backward(one.bug.forward(np.ones((2, 3), np.float32), training=True), need_grads=False)
    assert one.bug.grads == {}
