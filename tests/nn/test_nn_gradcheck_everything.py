"""The list of checks: every layer in every shape, each algorithm, losses, optimisers, networks; by name, and all."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn.gradcheck import GradientReport, everything

NAMES = ("loops", "im2col", "winograd", "direct", "plain", "auto")
LAYERS = [
    "Absolute", "AveragePooling2D", "BatchNormalization", "Conv2D", "Dense", "Dropout", "Flatten",
    "GlobalAveragePooling2D", "LeakyReLU", "Log", "MaxPooling2D", "ReLU", "Rescaling", "Sigmoid", "Softmax",
    "Standardization", "Tanh",
]  # fmt: skip


@pytest.fixture
def asked(monkeypatch):
    """The layers and shapes that would be checked, without the work."""
    seen = []

    def check(layer, shape, x=None, method="none", thorough=False):
        seen.append((type(layer).__name__, shape, method, getattr(layer, "algorithm", "")))
        return GradientReport(f"{seen[-1]}")

    monkeypatch.setattr(everything, "check_layer", check)
    return seen


def test_each_algorithm_meets_every_shape_that_it_takes():
    convolutions = [(layer, shape) for layer, shape in everything.samples() if isinstance(layer, nn.Conv2D)]
    counts = {name: sum(layer.algorithm == name for layer, _ in convolutions) for name in NAMES}
    some, every = 3, 5  # two algorithms do 3x3 kernels at stride 1 alone
    assert counts == {
        "loops": every, "im2col": every, "winograd": some, "direct": some, "plain": every, "auto": every
    }  # fmt: skip
    assert any(layer.padding == "same" and max(layer.strides) > 1 for layer, _ in convolutions)
    assert any(layer.filters >= 8 and shape[2] >= 8 for layer, shape in convolutions if layer.algorithm == "auto")
    pools = [layer for layer, _ in everything.samples() if isinstance(layer, nn.MaxPooling2D)]
    assert any(a < b for pool in pools for a, b in zip(pool.strides, pool.pool_size, strict=True))  # overlapping
    assert {type(layer).__name__ for layer, _ in everything.samples()} == set(LAYERS) == set(everything.LAYER_NAMES)


def test_a_layers_name_may_be_typed_in_any_case_and_brings_that_layer_alone_by_all_methods(asked):
    assert len(list(everything.all_checks("maxpooling2D"))) == 3
    assert [(name, method) for name, _, method, _ in asked] == [("MaxPooling2D", "all")] * 3
    assert asked[0][1] != asked[1][1]
    with pytest.raises(InputError, match="no layer 'Layer'; there are " + ", ".join(LAYERS)):
        list(everything.all_checks("Layer"))


def test_without_a_name_everything_is_checked_once(asked, monkeypatch):
    monkeypatch.setattr(everything, "PAPER_SIZE", 22)
    built = []
    monkeypatch.setattr(
        everything, "check_model", lambda *given, **options: built.append((given, options)) or GradientReport("")
    )
    reports = list(everything.all_checks())
    names = [name for name, *_ in asked]
    assert list(dict.fromkeys(names)) == LAYERS and len(names) == len(list(everything.samples()))
    others = [report for report in reports if report.title not in map(str, asked) and "paper_cnn" not in report.title]
    assert [report.title for report in others] == [
        "the checker itself", "im2col and col2im (3, 5, 6, 3)", "SparseCategoricalCrossentropy, logits",
        "SparseCategoricalCrossentropy, probabilities", "Adam, 7 steps", "AdamW, 7 steps",
        "SGD", "SGD, momentum", "SGD, Nesterov",
    ]  # fmt: skip
    assert all(report.ok for report in others)
    assert [report.title for report in reports if "paper_cnn" in report.title] == [
        "paper_cnn 22x22, all parameters", *[f"paper_cnn 22x22, {name}" for name in NAMES]
    ]  # fmt: skip
    models = [given[0] for given, _ in built]
    assert [model.dtype.name for model in models] == ["complex128", *["float64"] * 6]
    assert [model.layers[0].algorithm for model in models] == ["im2col", *NAMES]
    assert [given[1].shape for given, _ in built] == [(1, 22, 22, 3), *[(3, 22, 22, 3)] * 6]
    assert all(options == {"each_tensor": True} and given[3] == 2 for given, options in built)


def small(softmax=True):
    return nn.Sequential([nn.Flatten(), nn.Dense(4), *[nn.Softmax()] * softmax], (2, 3, 1), 0, "float64")


@pytest.mark.parametrize("softmax", [True, False])
def test_a_network_without_a_loss_gets_the_one_that_fits_its_end(softmax):
    model = small(softmax)
    report = everything.model_check(model, "mine", images=5, directions=1)
    assert report.ok and report.title == "mine" and model.loss.from_logits is not softmax
    assert [t.name for t in report.tensors] == ["direction 1", "dense kernel", "dense bias", "dx"]


def test_a_network_is_checked_on_images_and_labels_of_its_own_kind(monkeypatch):
    given = []
    monkeypatch.setattr(everything, "check_model", lambda *all, **options: given.append(all) or GradientReport(""))
    model = small()
    model.compile(loss=(loss := nn.SparseCategoricalCrossentropy()))
    everything.model_check(model, "mine", images=40)
    _, x, y, directions = given[0]
    assert x.shape == (40, 2, 3, 1) and x.min() >= 0 and x.max() <= 1 and x.std() > 0.2
    assert y.shape == (40,) and set(y) == {0, 1, 2, 3} and directions == 3 and model.loss is loss
    with pytest.raises(InputError, match="no shape yet"):
        everything.model_check(nn.Sequential([nn.Dense(2)], dtype="float64"), "mine")


def test_a_loss_or_an_optimiser_that_errs_is_reported(monkeypatch):
    def wrong(outputs, y):
        value, gradient = right(outputs, y)
        return value, gradient * 1.01

    right = nn.SparseCategoricalCrossentropy.on_logits
    monkeypatch.setattr(nn.SparseCategoricalCrossentropy, "on_logits", staticmethod(wrong))
    assert [report.ok for report in everything.loss_checks()] == [False, True]
    monkeypatch.undo()
    right = nn.SparseCategoricalCrossentropy.on_probabilities
    monkeypatch.setattr(nn.SparseCategoricalCrossentropy, "on_probabilities", staticmethod(wrong))
    assert [report.ok for report in everything.loss_checks()] == [True, False]
    update = nn.SGD.update
    monkeypatch.setattr(nn.SGD, "update", lambda self, w, g, memory: update(self, w, 1.01 * g, memory))
    assert [report.ok for report in everything.optimizer_checks()] == [True, True, False, False, False]
    assert np.isfinite([t.error for report in everything.optimizer_checks() for t in report.tensors]).all()
