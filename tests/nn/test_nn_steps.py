"""A model's fused steps against its layers one by one."""

import copy
import inspect

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn import steps
from batik_scratch.ops import conv_direct, conv_winograd

Y = np.array([0, 2, 1, 1, 0])


def network(dtype="float64", padding="valid", algorithm="auto", size=(30, 27)):
    layers = [
        nn.Conv2D(9, 3, algorithm=algorithm, padding=padding),
        nn.ReLU(),
        nn.MaxPooling2D(2),
        nn.Conv2D(10, 3, algorithm=algorithm, padding=padding),
        nn.ReLU(),
        nn.MaxPooling2D(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Dense(3),
        nn.Softmax(),
    ]
    model = nn.Sequential(layers, (*size, 3), random_state=1, dtype=dtype)
    model.compile(nn.SGD(0.1))
    return model


def images(dtype="float64", n=5, size=(30, 27)):
    return np.random.default_rng(3).random((n, *size, 3)).astype(dtype)


def names(plan):
    return [type(step).__name__ for step in plan]


def test_blocks_of_three_become_one_step_and_the_layers_stay():
    model = network()
    tail = ["View", "Dropout", "Dense"]
    assert names(model.plan()) == ["ConvReluPool", "ConvReluPool", *tail]
    assert names(model.plan(softmax=True))[-1] == "Softmax"
    assert len(model.layers) == 10 and names(network(algorithm="im2col").plan())[:2] == ["Conv2D", "ReLU"]


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2D(9, 5, algorithm="auto"), nn.ReLU(), nn.MaxPooling2D(2)],
        [nn.Conv2D(9, 3, strides=2, algorithm="auto"), nn.ReLU(), nn.MaxPooling2D(2)],
        [nn.Conv2D(9, 3, algorithm="auto"), nn.ReLU(), nn.MaxPooling2D(3)],
        [nn.Conv2D(9, 3, algorithm="auto"), nn.ReLU(), nn.MaxPooling2D(2, strides=1)],
        [nn.Conv2D(9, 3, algorithm="loops"), nn.ReLU(), nn.MaxPooling2D(2)],
        [nn.Conv2D(9, 3, algorithm="auto"), nn.MaxPooling2D(2), nn.ReLU()],
        [nn.Conv2D(9, 3, algorithm="auto"), nn.ReLU()],
        [type("Mine", (nn.Conv2D,), {})(9, 3, algorithm="auto"), nn.ReLU(), nn.MaxPooling2D(2)],
    ],
    ids=names,
)
def test_what_one_pass_cannot_do_is_not_fused(layers):
    assert steps.plan(layers) == layers


def test_complex_numbers_are_not_fused():
    assert names(network("complex128").plan())[0] == "Conv2D"


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("algorithm", ["auto", "winograd"])
def test_a_training_step_by_fused_steps_is_the_step_of_the_layers(padding, algorithm):
    fused, single = (network(padding=padding, algorithm=algorithm) for _ in range(2))
    x = images()
    loss, logits = fused.train_step(x, Y)
    by_layers = single.forward(x, training=True, softmax=False)
    expected, dlogits = nn.SparseCategoricalCrossentropy(from_logits=True)(by_layers, Y)
    dx = single.backward(dlogits, need_dx=True, softmax=False)
    assert loss == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(logits, by_layers, rtol=0, atol=1e-12)
    for one, other in zip(fused.layers, single.layers, strict=True):
        for key, gradient in other.grads.items():
            np.testing.assert_allclose(one.grads[key], gradient, rtol=0, atol=1e-12 * np.abs(gradient).max())
    assert dx.shape == x.shape


def test_winograds_fused_step_gives_the_very_bits_of_its_layers():
    conv, relu, pool = nn.Conv2D(12, 3, algorithm="winograd"), nn.ReLU(), nn.MaxPooling2D(2)
    shape = (21, 30, 8)
    for layer in (conv, relu, pool):
        shape = layer.build(shape, np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((10, 21, 30, 8)).astype("float32")
    y = steps.forward([conv, relu, pool], x, training=True)
    dy = np.random.default_rng(2).standard_normal(y.shape).astype("float32")
    dx = steps.backward([conv, relu, pool], dy, need_dx=True)
    grads = dict(conv.grads)
    plan = steps.plan([conv, relu, pool])
    assert len(plan) == 1
    assert np.array_equal(steps.forward(plan, x, training=True), y)
    assert np.array_equal(steps.backward(plan, dy, need_dx=True), dx)
    assert all(np.array_equal(conv.grads[key], grads[key]) for key in grads)


def test_saliency_by_fused_steps_is_that_of_the_layers_and_may_be_kept():
    model, x = network(), images()
    seed = lambda logits: np.eye(3)[Y]  # noqa: E731
    fused = model.input_gradient(x, seed)
    before = fused.copy()
    for layer in model.layers[:6]:
        layer.algorithm = "im2col"
    np.testing.assert_allclose(model.input_gradient(x, seed), fused, rtol=0, atol=1e-12)
    for layer in model.layers[:6]:
        layer.algorithm = "auto"
    model.input_gradient(images()[::-1], seed)
    assert np.array_equal(fused, before)  # what was handed out is not overwritten


def test_a_short_last_batch_after_a_long_one_is_right():
    model, fresh = network("float32"), network("float32")
    x = images("float32")
    model.predict(x)
    assert np.array_equal(model.predict(x[:2]), fresh.predict(x[:2]))


def test_a_copy_of_a_model_shares_no_kept_array():
    model = network("float32")
    x = images("float32")
    model.train_gradients(x, Y)
    other = copy.deepcopy(model)
    assert model.layers[0].room.bytes() > 0 and other.layers[0].room.bytes() == 0
    assert np.array_equal(other.predict(x), model.predict(x))


def test_an_image_too_wide_for_the_first_pass_takes_the_other():
    layers = [nn.Conv2D(4, 3, algorithm="auto"), nn.ReLU(), nn.MaxPooling2D(2)]
    model = nn.Sequential(layers, (6, 1300, 3), random_state=0)
    x = np.random.default_rng(0).random((2, 6, 1300, 3), np.float32)
    assert model.plan()[0]._ops(x) is conv_winograd and model.plan()[0]._ops(x[:, :, :150]) is conv_direct
    np.testing.assert_allclose(model.predict(x), model.forward(x), rtol=0, atol=2e-5)


def blocks_only():
    layers = [nn.Conv2D(4, 3, algorithm="auto"), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten()]
    model = nn.Sequential(layers, (8, 8, 3), random_state=0)
    model.compile(nn.SGD(0.1), nn.SparseCategoricalCrossentropy(from_logits=True))
    return model


def test_what_a_model_that_ends_in_a_fused_step_hands_out_is_a_copy():
    model, x = blocks_only(), np.random.default_rng(0).random((12, 8, 8, 3), np.float32)
    np.testing.assert_allclose(model.predict(x, batch_size=4), model.forward(x), rtol=0, atol=1e-6)
    _, logits = model.train_step(x[:4], np.zeros(4, int))
    before = logits.copy()
    model.predict(x[4:])
    assert np.array_equal(logits, before)


def test_a_kept_pass_of_the_layers_is_forgotten_when_the_steps_run():
    model, x = blocks_only(), np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
    y = model.forward(x, training=True)
    model.train_step(x, np.zeros(4, int))
    with pytest.raises(InputError, match="needs a kept forward pass"):
        model.backward(np.ones_like(y))


def test_an_empty_batch_is_refused():
    with pytest.raises(InputError, match="at least one image"):
        blocks_only().forward(np.zeros((0, 8, 8, 3), np.float32))


def test_an_image_too_wide_for_one_row_of_lines_takes_winograd():
    taken = {w: steps.ConvReluPool._ops(np.empty((1, 4, w, 3))) for w in range(4, 1400)}
    rows = {w: conv_direct.rows_per_task(w) for w in taken}
    assert 0 in rows.values() and all((taken[w] is conv_direct) == (rows[w] >= 1) for w in taken)


@pytest.mark.parametrize("step", [steps.ConvReluPool, steps.View])
def test_a_step_is_called_as_a_layer_is(step):
    for method in ("forward", "backward"):
        assert inspect.signature(getattr(step, method)) == inspect.signature(getattr(nn.Layer, method))


def test_a_step_keeps_nothing_unless_it_is_asked_to():
    model, x = network(), images()
    for step in model.plan()[:3]:
        y = step.forward(x)
        with pytest.raises(InputError, match="needs a kept forward pass"):
            step.backward(np.ones_like(y))
        step.forward(x, keep=True)
        assert step.backward(np.ones_like(y)).shape == x.shape
        x = y
