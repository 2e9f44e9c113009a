"""Where weights begin: the exact limits, the spread, the shape of the draw, and whose random numbers they are."""

import math

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn import initializers

CONV, DENSE = (3, 2, 40, 110), (90, 300)  # (kh, kw, C, F) and (D, U)
INPUTS, OUTPUTS = {CONV: 6 * 40, DENSE: 90}, {CONV: 6 * 110, DENSE: 300}


def kernel_of(shape, name, seed=3):
    if len(shape) == 4:
        layer, given = nn.Conv2D(shape[3], shape[:2], kernel_initializer=name), (5, 7, shape[2])
    else:
        layer, given = nn.Dense(shape[1], kernel_initializer=name), shape[:1]
    kernel, bias = nn.Sequential([layer], given, seed, "float64").get_weights()
    assert kernel.shape == shape and bias.shape == shape[-1:] and not bias.any()
    return kernel


def variance(shape, name):
    return 2 / (INPUTS[shape] + OUTPUTS[shape]) if "glorot" in name else 2 / INPUTS[shape]


@pytest.mark.parametrize("shape", [CONV, DENSE], ids=["conv", "dense"])
@pytest.mark.parametrize("name", ["glorot_uniform", "he_uniform"])
def test_a_uniform_draw_fills_the_interval_up_to_its_limit_evenly(shape, name):
    kernel, limit = kernel_of(shape, name), math.sqrt(3 * variance(shape, name))
    assert -limit <= kernel.min() < -0.999 * limit and 0.999 * limit < kernel.max() <= limit
    shares = np.histogram(kernel, 5, (-limit, limit))[0] / kernel.size
    assert shares == pytest.approx(np.full(5, 0.2), abs=0.01)


@pytest.mark.parametrize("shape", [CONV, DENSE], ids=["conv", "dense"])
@pytest.mark.parametrize("name", ["glorot_normal", "he_normal"])
def test_a_normal_draw_is_cut_at_two_deviations_and_has_its_variance(shape, name):
    kernel, std = kernel_of(shape, name), math.sqrt(variance(shape, name))
    assert kernel.std() == pytest.approx(std, rel=0.015) and abs(kernel.mean()) < 0.02 * std
    cut = 2 * std / 0.8796256610342398  # the deviation of what is cut off at two is 0.8796 of the whole's
    assert 0.99 * cut < np.abs(kernel).max() <= cut * (1 + 1e-12)
    within = (np.abs(kernel) < cut / 2).mean()  # one deviation of the whole
    assert within == pytest.approx(math.erf(1 / math.sqrt(2)) / math.erf(math.sqrt(2)), abs=0.01)


@pytest.mark.parametrize(("shape", "fans"), [((7, 3), (7, 3)), ((2, 3, 5, 4), (30, 24)), ((1, 1, 1, 6), (1, 6))])
def test_fans_count_inputs_per_output_and_outputs_per_input(shape, fans):
    assert initializers.fans(shape) == fans


def test_a_centred_bias_answers_at_the_start_what_inputs_less_a_half_would_give():
    centred = nn.Sequential([nn.Conv2D(6, (3, 2), bias_initializer="centred")], (7, 8, 3), 3, "float64")
    plain = nn.Sequential([nn.Conv2D(6, (3, 2))], (7, 8, 3), 3, "float64")
    x = np.random.default_rng(0).random((4, 7, 8, 3))  # (N, H, W, C)
    assert np.array_equal(centred.get_weights()[0], plain.get_weights()[0]) and not plain.get_weights()[1].any()
    assert centred.logits(x) == pytest.approx(plain.logits(x - 0.5), abs=1e-12)


def test_the_bias_that_was_chosen_is_saved_and_an_unknown_name_lists_the_known():
    assert nn.Conv2D(2, 3, bias_initializer="centred").config()["bias_initializer"] == "centred"
    assert "bias_initializer" not in nn.Conv2D(2, 3).config()  # as files of earlier releases have it
    with pytest.raises(InputError, match="bias_initializer is one of zeros, centred; got 'half'"):
        nn.Conv2D(3, 3, bias_initializer="half")


def test_zeros_are_zeros_and_an_unknown_name_lists_the_known():
    assert not kernel_of(DENSE, "zeros").any()
    with pytest.raises(InputError, match="he_uniform, he_normal, zeros, gabor, harmonics, luma; got 'he'"):
        nn.Conv2D(3, 3, kernel_initializer="he")


@pytest.mark.parametrize("name", ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal"])
def test_a_draw_belongs_to_its_seed(name):
    one, same, other = (kernel_of(DENSE, name, seed) for seed in (3, 3, 4))
    assert np.array_equal(one, same) and not np.isclose(one, other).mean() > 0.01


def two_of_each(random_state):
    layers = [nn.Dense(6), nn.Dropout(0.5), nn.Dense(6), nn.Dropout(0.5), nn.Dense(6)]
    model = nn.Sequential(layers, (6,), random_state, "float64")
    model.compile(loss=nn.SparseCategoricalCrossentropy(from_logits=True))
    return model


def masks_of(model):
    return [model.layers[i].forward(np.ones((40, 6)), training=True) for i in (1, 3)]


def test_each_layer_has_weights_and_dropout_of_its_own_and_all_belong_to_the_seed():
    one, same, other = two_of_each(11), two_of_each(np.random.SeedSequence(11)), two_of_each(12)
    kernels = [w for model in (one, other) for w in model.get_weights()[::2]]
    assert all(not np.isclose(a, b).any() for i, a in enumerate(kernels) for b in kernels[:i])
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), same.get_weights(), strict=True))
    drawn = [masks_of(model) for model in (one, other)]
    masks = [mask for pair in drawn for mask in pair] + masks_of(one)  # the last two: the next batch's
    assert all(0.3 < (a == b).mean() < 0.7 for i, a in enumerate(masks) for b in masks[:i])
    assert all(np.array_equal(a, b) for a, b in zip(drawn[0], masks_of(same), strict=True))


def test_without_a_seed_no_two_networks_are_alike():
    one, other = two_of_each(None), two_of_each(None)
    assert not np.isclose(one.get_weights()[0], other.get_weights()[0]).any()


def test_the_order_of_the_images_belongs_to_the_seed_and_not_to_what_is_dropped():
    orders = {}
    for seed, rate in ((1, 0.5), (1, 0.0), (2, 0.5)):
        seen = orders[seed, rate] = []

        class Watch(nn.Layer):
            def forward(self, x, training=False, keep=None, seen=seen):
                seen.extend(x[:, 0].tolist())
                return x.copy()

            def backward(self, dy, need_dx=True, need_grads=True):
                return dy.copy()

        model = nn.Sequential([Watch(), nn.Dropout(rate), nn.Dense(2), nn.Softmax()], (1,), seed)
        model.compile()
        model.fit(np.arange(20.0)[:, None], np.arange(20) % 2, batch_size=6, epochs=2, verbose=0)
    assert orders[1, 0.5] == orders[1, 0.0] != orders[2, 0.5]
    assert sorted(orders[1, 0.5]) == sorted(2 * list(np.arange(20.0)))


def test_a_network_built_again_for_other_images_draws_again():
    model = nn.Sequential([nn.Flatten(), nn.Dense(2)], random_state=6)
    model.build((3, 4, 1))
    model.build((3, 5, 1))
    assert model.get_weights()[0].shape == (15, 2) and model.input_shape == (3, 5, 1)
