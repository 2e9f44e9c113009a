"""The methods by name: each name makes what it says, and its raw map becomes an amount per pixel as it says."""

import numpy as np
import pytest
from saliency_networks import cnn

from batik_scratch import nn, saliency
from batik_scratch.errors import InputError
from batik_scratch.saliency import catalogue

SHAPE = (13, 8, 3)  # a sixth of the height is 2


def largest(values):
    return max(abs(v) for v in values)


def amount(values):
    return abs(sum(values))


def evidence(values):
    return max(sum(values) / len(values), 0)


EXPECTED = {
    "gradient": (saliency.Gradient, largest),
    "gradient-x-input": (saliency.GradientTimesInput, amount),
    "smoothgrad": (lambda m: saliency.SmoothGrad(m, 25), largest),
    "smoothgrad-squared": (lambda m: saliency.SmoothGrad(m, 25, 0.15, "squared"), largest),
    "vargrad": (lambda m: saliency.SmoothGrad(m, 25, 0.15, "variance"), largest),
    "integrated-gradients": (lambda m: saliency.IntegratedGradients(m, 25), amount),
    "guided-backprop": (saliency.GuidedBackprop, largest),
    "deconvnet": (saliency.Deconvnet, largest),
    "grad-cam": (saliency.GradCAM, evidence),
    "hires-cam": (saliency.HiResCAM, evidence),
    "grad-cam-plus-plus": (saliency.GradCAMPlusPlus, evidence),
    "occlusion": (lambda m: saliency.Occlusion(m, 2, 1), evidence),
    "lrp": (saliency.LRP, amount),
}


def test_there_are_thirteen_methods_in_the_catalogues_order():
    assert list(saliency.METHODS) == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_method_explains_a_network_of_all_kinds_of_layers_and_leaves_its_running_means(name):
    layers = [
        *[nn.Standardization(), nn.Conv2D(6, 3), nn.Absolute(), nn.BatchNormalization(), nn.AveragePooling2D(2)],
        *[nn.Conv2D(4, 2), nn.ReLU(), nn.GlobalAveragePooling2D(), nn.Rescaling(2.0, 0.1), nn.Log()],
        *[nn.BatchNormalization(), nn.Dense(3), nn.Softmax()],
    ]
    model = nn.Sequential(layers, SHAPE, 3, "float64")
    rng = np.random.default_rng(0)
    x = rng.random((5, *SHAPE))
    for _ in range(20):
        model.forward(rng.random((5, *SHAPE)), training=True)
    before = model.get_weights()
    maps = saliency.METHODS[name].make(model).attribute(x[:2], target=[2, 0])
    assert np.isfinite(maps).all() and maps.any()
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_name_makes_its_method_and_its_own_kind_of_map(name):
    model, x = cnn(6, shape=SHAPE), np.random.default_rng(6).random((2, *SHAPE))
    make, reduce = EXPECTED[name]
    entry = saliency.METHODS[name]
    raw = entry.make(model).attribute(x, target=[2, 0])
    assert np.array_equal(raw, make(model).attribute(x, target=[2, 0])) and all(one.any() for one in raw)
    other = np.random.default_rng(4).normal(
        size=(2, 4, 5, 3)
    )  # of both signs, where a sum, a mean and a maximum differ
    found = entry.reduce(other)
    for place in np.ndindex(2, 4, 5):
        assert found[place] == pytest.approx(reduce(other[place]))


@pytest.mark.parametrize(("height", "window"), [(5, 1), (6, 1), (12, 2), (35, 5)])
def test_occluded_windows_are_a_sixth_of_the_height_at_least_one_pixel(height, window):
    method = saliency.METHODS["occlusion"].make(cnn(1, shape=(height, 8, 3)))
    assert method.window == (window, window)


def test_a_method_is_chosen_by_its_name_or_all_are():
    assert catalogue.chosen("all") == saliency.METHODS
    assert catalogue.chosen("vargrad") == {"vargrad": saliency.METHODS["vargrad"]}
    with pytest.raises(InputError, match=r"one of all, gradient, .*, lrp; got 'shap'"):
        catalogue.chosen("shap")
