"""The page computes what the package computes: every activation, gradient, step and map, from what the page is fed."""

import numpy as np
import pytest
from lab_networks import NETWORKS, in_float64, pictures
from lab_node import needs_node, numbers_of

from batik_scratch import nn, saliency
from batik_scratch.lab.feed import page_data

pytestmark = needs_node
TOLERANCE = 1e-6  # relative; what is seen is about 1e-13
IMAGES = 5


def close(name, mine, theirs, summed=0.0):
    """Fail unless every number agrees, in units of its own size or, near zero, of a millionth of the largest.

    summed: the size of what was added up, where the sum may be zero, all but for rounding.
    """
    theirs = np.asarray(theirs, np.float64).ravel()
    assert mine.shape == theirs.shape, name
    floor = max(1e-6 * np.abs(theirs).max(initial=0), 1e-9 * summed, 1e-300)
    error = np.abs(mine - theirs) / np.maximum(np.abs(theirs), floor)
    assert error.max(initial=0) < TOLERANCE, f"{name}: {error.max()}"


@pytest.fixture(scope="module", params=NETWORKS)
def compared(request, tmp_path_factory):
    """(numbers of the page, the network in float64, its images (N, H, W, C), their labels)."""
    folder = tmp_path_factory.mktemp("engine")
    model = NETWORKS[request.param]()
    model.save(folder / "m.npz")
    told = page_data(folder / "m.npz")
    told["images"] = told["images"][1 : 1 + IMAGES]
    labels = [number % len(told["model"]["class_names"]) for number in range(IMAGES)]
    numbers = numbers_of("engine_numbers.mjs", folder, told | {"labels": labels})
    return numbers, in_float64(model), pictures(told), np.array(labels)


def test_every_activation_gradient_and_loss_is_the_packages(compared):
    numbers, model, x, labels = compared
    for n in range(IMAGES):
        trace = model.trace(x[n : n + 1], labels[n : n + 1])
        assert trace.score == "loss"
        for place, step in enumerate(trace.steps):
            close(f"{n} {step.name}", numbers[f"{n}/activation/{place}"], step.activation)
            if step.gradient is not None:
                close(f"{n} d {step.name}", numbers[f"{n}/gradient/{place}"], step.gradient)
            for key, value in step.grads.items():
                close(
                    f"{n} d {step.name} {key}",
                    numbers[f"{n}/grads/{place - 1}/{key}"],
                    value,
                    np.abs(step.gradient).sum(),
                )
        close("loss", numbers[f"{n}/loss"], [trace.value])
        told = {name for name in numbers if name.startswith(f"{n}/activation/")}
        assert len(told) == len(trace.steps)


def test_the_saliency_map_and_the_overlay_are_the_packages(compared):
    numbers, model, x, labels = compared
    for n in range(IMAGES):
        raw = saliency.Gradient(model).attribute(x[n : n + 1], target=int(labels[n]))
        shades = saliency.normalise(saliency.reduce_channels(raw))
        assert np.abs(numbers[f"{n}/map"] - shades.ravel()).max() < 1e-6  # the package rounds it to float32
        blue = saliency.overlay(np.rint(x[n] * 255).astype(np.uint8), shades[0]) / 255
        assert np.abs(numbers[f"{n}/overlay"] - blue.ravel()).max() <= 0.5001 / 255  # and this to bytes


def test_a_forward_pass_from_the_middle_gives_the_same_logits(compared):
    numbers, model, x, _ = compared
    close("again", numbers["again"], model.logits(x[:1]))


@pytest.mark.parametrize("name, optimizer, steps", [("adam", nn.Adam(0.01), 3), ("sgd", nn.SGD(0.05), 1)])
def test_steps_of_an_optimiser_are_the_packages(name, optimizer, steps, compared):
    numbers, model, x, labels = compared
    before = model.get_weights()
    optimizer = type(optimizer)(optimizer.learning_rate)  # fresh memory for each network
    for _ in range(steps):
        grads = model.trace(x[:1], labels[:1])  # at rest, as the page does: no dropout, running statistics
        for layer in model.layers:
            step = grads[layer.name]
            layer.grads = dict(step.grads)
        optimizer.step(model.layers)
    mine = np.concatenate([w.ravel() for layer in model.layers for w in layer.trained.values()])
    model.set_weights(before)
    assert np.abs(numbers[name] - mine).max() < 1e-9 * np.abs(mine).max()


def test_dropout_multiplies_by_its_mask_both_ways(tmp_path):
    """The package's own mask, found by asking it for ones, given to the page."""
    model = in_float64(NETWORKS["shipped"]())
    model.save(tmp_path / "m.npz")
    told = page_data(tmp_path / "m.npz")
    told["images"] = told["images"][:1]
    layer = model.get_layer("dropout")
    mask = layer.forward(np.ones((1, *layer.input_shape)), training=True)
    assert 0 < (mask == 0).mean() < 0.5 and mask.max() == pytest.approx(1.25)
    numbers = numbers_of("engine_numbers.mjs", tmp_path, told | {"labels": [2], "masks": {"dropout": mask[0].tolist()}})
    place = 1 + [entry.name for entry in model.layers].index("dropout")
    close("y", numbers[f"0/activation/{place}"], numbers[f"0/activation/{place - 1}"] * mask[0])
    close("dx", numbers[f"0/gradient/{place - 1}"], numbers[f"0/gradient/{place}"] * mask[0])
