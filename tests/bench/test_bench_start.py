"""Where all programs begin, and how it is seen that one of them answers something else."""

import numpy as np
import pytest

from batik_scratch import exchange, nn, saliency
from batik_scratch.bench import networks, programs, start

BATCH, SIZE = 2, 24


@pytest.fixture(params=["paper", "cloth"])
def began(request, tmp_path):
    """(the network's name, the folder, our model with the weights in it)."""
    start.write_start(tmp_path, BATCH, SIZE, request.param, graph=False)
    model = networks.NETWORKS[request.param].ours(SIZE)
    model.set_weights(start.read_weights(tmp_path))
    return request.param, tmp_path, model


def test_the_answers_are_those_of_the_weights_to_the_first_batch_and_the_second(began):
    _, folder, model = began
    x, _ = programs.data(BATCH, SIZE)
    batches = programs.rows(BATCH)
    np.testing.assert_array_equal(np.load(folder / "inference.npy"), model.logits(x[next(batches)]))
    maps = saliency.Gradient(model).attribute(x[next(batches)], target=1)
    np.testing.assert_array_equal(np.load(folder / "saliency.npy"), maps)
    assert np.abs(maps).max() > 0


def test_no_bias_is_nought_and_no_statistic_one_so_that_none_can_be_mixed_up(began):
    for layer in began[2].layers:
        for key, value in layer.params.items():
            if value.ndim == 1:
                assert not np.isin(value, (0, 1)).any() and np.isfinite(value).all(), (layer.name, key)
                assert key != "moving_variance" or value.min() > 0


def test_this_package_begins_there_too(began):
    name, folder, _ = began
    calls = programs.PROGRAMS[programs.OURS].calls(BATCH, SIZE, name, folder)
    powers = np.exp(np.load(folder / "inference.npy"))
    np.testing.assert_allclose(calls["inference"](), powers / powers.sum(axis=1, keepdims=True), atol=1e-6)
    assert start.difference(folder, "saliency", calls["saliency"]()) == 0


def test_the_graph_is_written_for_those_who_read_one_and_gives_logits(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(exchange, "to_onnx", lambda model, path, logits: asked.append((path, logits)))
    for graph in (False, True):
        start.write_start(tmp_path, 1, 22, "paper", graph=graph)
    assert asked == [(tmp_path / "network.onnx", True)]


@pytest.fixture
def answers(tmp_path):
    """(folder, logits and maps that are in it)."""
    rng = np.random.default_rng(0)
    logits, maps = rng.normal(size=(4, 3)), rng.normal(size=(4, 5, 5, 3))
    np.save(tmp_path / "inference.npy", logits)
    np.save(tmp_path / "saliency.npy", maps)
    return tmp_path, logits, maps


def test_the_difference_of_logits_is_the_largest_one_over_the_largest_logit(answers):
    folder, logits, _ = answers
    assert start.difference(folder, "inference", logits) == 0
    other = logits.copy()
    other[2, 1] -= 0.5
    other[1, 0] += 0.25
    assert start.difference(folder, "inference", other) == pytest.approx(0.5 / np.abs(logits).max())


def test_the_difference_of_maps_is_relative_and_channels_may_come_first(answers):
    folder, _, maps = answers
    assert start.difference(folder, "saliency", maps.transpose(0, 3, 1, 2)) == 0
    assert start.difference(folder, "saliency", 1.25 * maps) == pytest.approx(0.25)
    assert start.difference(folder, "saliency", maps[:, ::-1]) > 1


@pytest.mark.parametrize("work", ["inference", "saliency"])
def test_another_shape_or_no_number_is_as_far_as_can_be(work, answers):
    folder, logits, maps = answers
    right = {"inference": logits, "saliency": maps}[work]
    broken = right.copy()
    broken.flat[3] = np.nan
    for answer in (right[:3], right.ravel(), broken):
        assert start.difference(folder, work, answer) == float("inf")


@pytest.mark.parametrize("kind", ["first bias", "last bias", "one kernel turned"])
def test_a_mistake_in_the_weights_is_further_than_rounding_goes(kind, began):
    name, folder, model = began
    arrays = model.get_weights()
    if kind == "one kernel turned":
        index = next(i for i, a in enumerate(arrays) if a.ndim == 4 and a.shape[0] > 1)
        arrays[index] = arrays[index][:, ::-1]
    else:
        arrays[1 if kind == "first bias" else -1][...] = 0
    model.set_weights(arrays)
    x, _ = programs.data(BATCH, SIZE)
    logits = model.logits(x[next(programs.rows(BATCH))])
    far = start.difference(folder, "inference", logits)
    if (name, kind) == ("cloth", "first bias"):  # the next layer takes the mean away: it does not count, anywhere
        assert far < start.LIMITS["inference"]
    else:
        assert far > 3 * start.LIMITS["inference"]


def test_rounding_alone_is_the_same(began):
    name, folder, _ = began
    if name == "cloth":
        pytest.skip("one way of computing it only")
    model = nn.paper_cnn((SIZE, SIZE, 3), algorithm="im2col")
    model.set_weights(start.read_weights(folder))
    x, _ = programs.data(BATCH, SIZE)
    batches = programs.rows(BATCH)
    assert start.difference(folder, "inference", model.logits(x[next(batches)])) < 1e-6
    maps = saliency.Gradient(model).attribute(x[next(batches)], target=1)
    assert start.difference(folder, "saliency", maps) < start.LIMITS["saliency"]
