"""A model's fused blocks against its layers one by one."""

import copy
import inspect

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn import explaining, passes
from batik_scratch.ops import conv_direct
from batik_scratch.ops.jit import plain_reason

Y = np.array([0, 2, 1, 1, 0])


def network(dtype="float64", padding="valid", algorithm="auto", size=(30, 27), norm=False):
    between = [nn.BatchNormalization()] * norm
    layers = [
        nn.Conv2D(9, 3, algorithm=algorithm, padding=padding),
        nn.ReLU(),
        nn.MaxPooling2D(2),
        *copy.deepcopy(between),
        nn.Conv2D(10, 3, algorithm=algorithm, padding=padding),
        nn.ReLU(),
        nn.MaxPooling2D(2),
        *between,
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
    return [type(block).__name__ for block in plan]


def build(layers, shape):
    for layer in layers:
        shape = layer.build(shape, np.random.default_rng(0))


def blocks_of(layers):
    return passes.Pass(layers).blocks(0, len(layers))


def test_three_layers_become_one_block_and_the_layers_stay():
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
    build(layers, (12, 12, 9))
    assert blocks_of(layers) == layers


def test_complex_numbers_are_not_fused():
    assert names(network("complex128").plan())[0] == "Conv2D"


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("algorithm", ["auto", "winograd"])
@pytest.mark.parametrize("norm", [False, True])
def test_a_training_step_by_fused_blocks_is_that_of_the_layers(padding, algorithm, norm):
    fused, single = (network(padding=padding, algorithm=algorithm, norm=norm) for _ in range(2))
    assert names(fused.plan()).count("ConvReluPool") == 2
    x = images()
    for model in (fused, single):
        model.train_gradients(images()[::-1] + 1, Y)  # what the workspaces hold is another batch's
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
    standing = [key for key in fused.named_weights() if key not in fused.trained_weights()]
    assert len(standing) == 4 * norm
    for key in standing:
        np.testing.assert_allclose(fused.named_weights()[key], single.named_weights()[key], rtol=1e-12)


class Asked(nn.Rescaling):
    """Says when its backward pass is asked for."""

    def backward(self, dy, need_dx=True, need_grads=True):
        self.asked = True
        return super().backward(dy, need_dx, need_grads)


@pytest.mark.parametrize("algorithm", ["im2col", "auto"])
def test_below_the_first_layer_that_learns_nobody_is_asked_for_a_gradient(algorithm):
    def of(*below):
        layers = [
            *below,
            nn.Conv2D(9, 3, algorithm=algorithm),
            nn.ReLU(),
            nn.MaxPooling2D(2),
            nn.Flatten(),
            nn.Dense(3),
        ]
        model = nn.Sequential(layers, (8, 7, 3), 1, "float64")
        model.compile(loss=nn.SparseCategoricalCrossentropy(from_logits=True))
        return model

    x = images(size=(8, 7))
    with_it, without = of(Asked(2.0, -1.0)), of()
    with_it.train_gradients(x, Y)
    without.train_gradients(2 * x - 1, Y)
    assert not hasattr(with_it.layers[0], "asked")
    for one, other in zip(with_it.layers[1:], without.layers, strict=True):
        assert all(np.array_equal(one.grads[key], g) for key, g in other.grads.items())
    seed = lambda logits: np.ones_like(logits)  # noqa: E731
    expected = 2 * without.input_gradient(2 * x - 1, seed)
    np.testing.assert_allclose(with_it.input_gradient(x, seed), expected, rtol=0, atol=1e-14)
    assert with_it.layers[0].asked
    nothing = [nn.ReLU()]
    passes.forward(nothing, x, training=True)
    assert passes.backward(nothing, x, need_dx=False) is None and passes.backward(nothing, x, need_dx=True) is not None


def test_winograds_fused_block_gives_the_very_bits_of_its_layers():
    conv, relu, pool = nn.Conv2D(12, 3, algorithm="winograd"), nn.ReLU(), nn.MaxPooling2D(2)
    build([conv, relu, pool], (21, 30, 8))
    x = np.random.default_rng(1).standard_normal((10, 21, 30, 8)).astype("float32")
    y = passes.forward([conv, relu, pool], x, training=True)
    dy = np.random.default_rng(2).standard_normal(y.shape).astype("float32")
    dx = passes.backward([conv, relu, pool], dy, need_dx=True)
    grads = dict(conv.grads)
    plan = blocks_of([conv, relu, pool])
    assert len(plan) == 1
    assert np.array_equal(passes.forward(plan, x, training=True), y)
    assert np.array_equal(passes.backward(plan, dy, need_dx=True), dx)
    assert all(np.array_equal(conv.grads[key], grads[key]) for key in grads)


def test_saliency_by_fused_blocks_is_that_of_the_layers_and_may_be_kept():
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


def test_the_plan_is_made_once_until_a_layer_changes():
    model = network()
    first = model.plan()
    assert model.plan() is first and model.plan(softmax=True) is not first
    model.train_gradients(images(), Y)
    model.predict(images(n=2))
    assert model.plan() is first
    model.layers[0].algorithm = "im2col"
    assert names(model.plan())[:4] == ["Conv2D", "ReLU", "MaxPooling2D", "ConvReluPool"]
    model.layers[6] = nn.Flatten()
    assert model.plan()[4].flatten is model.layers[6]


def test_training_inference_and_explanations_fill_the_same_memory():
    model, x = network("float32"), images("float32")
    model.train_gradients(x, Y)
    model.input_gradient(x, lambda logits: np.ones_like(logits))
    held = model.kept_bytes()
    model.predict(x)
    explaining.gradient_at(model, x, lambda logits: np.ones_like(logits), model.layers[2])
    assert model.kept_bytes() == held > 0


def one_weight(model):
    model.layers[0].params["kernel"][2, 1, 0, 4] += 0.5


def two_weights_exchanged(model):
    kernel = model.layers[3].params["kernel"]
    kernel[0, 0, 0, :2] = kernel[0, 0, 0, 1::-1].copy()


def one_step(model):
    model.train_step(images("float32"), Y)


def other_arrays(model):
    model.layers[3].params["kernel"] = -model.layers[3].params["kernel"]


@pytest.mark.parametrize("change", [one_weight, two_weights_exchanged, one_step, other_arrays])
def test_weights_that_change_change_what_is_predicted_and_explained(change):
    model, fresh, x = network("float32"), network("float32"), images("float32")

    def answers(of):
        return of.predict(x), of.input_gradient(x, lambda logits: np.cos(logits))

    before = answers(model)
    assert all(np.array_equal(a, b) for a, b in zip(answers(model), before, strict=True))
    change(model)
    fresh.set_weights(model.get_weights())
    after = answers(model)
    assert all(np.array_equal(a, b) for a, b in zip(after, answers(fresh), strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(after, before, strict=True))


def test_what_is_made_of_the_weights_is_kept_while_nobody_trains():
    model, x = network("float32"), images("float32")
    model.train_step(x, Y)
    trained = model.kept_bytes()
    model.train_step(x, Y)
    assert model.kept_bytes() == trained
    model.predict(x)
    predicted = model.kept_bytes()
    model.input_gradient(x, lambda logits: np.ones_like(logits))
    first, second = (model.layers[place].params["kernel"] for place in (0, 3))
    both = first.nbytes + second.nbytes  # what it was made of, to compare it with
    if plain_reason() is None:
        assert predicted - trained == conv_direct._by_vector(first).nbytes + 4 * second.nbytes + both
        explained = model.kept_bytes() - x.nbytes  # dx of the pixels, which nobody asked for before
        assert explained - predicted == conv_direct._in_squares(first).nbytes + 4 * second.nbytes + both


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
    assert model.kept_bytes() > 0 and other.kept_bytes() == 0
    assert np.array_equal(other.predict(x), model.predict(x))


def blocks_only():
    layers = [nn.Conv2D(4, 3, algorithm="auto"), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten()]
    model = nn.Sequential(layers, (8, 8, 3), random_state=0)
    model.compile(nn.SGD(0.1), nn.SparseCategoricalCrossentropy(from_logits=True))
    return model


def test_what_a_model_that_ends_in_a_fused_block_hands_out_is_a_copy():
    model, x = blocks_only(), np.random.default_rng(0).random((12, 8, 8, 3), np.float32)
    np.testing.assert_allclose(model.predict(x, batch_size=4), model.forward(x), rtol=0, atol=1e-6)
    _, logits = model.train_step(x[:4], np.zeros(4, int))
    before = logits.copy()
    model.predict(x[4:])
    assert np.array_equal(logits, before)


def test_a_kept_pass_of_the_layers_is_forgotten_when_the_blocks_run():
    model, x = blocks_only(), np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
    y = model.forward(x, training=True)
    model.train_step(x, np.zeros(4, int))
    with pytest.raises(InputError, match="needs a kept forward pass"):
        model.backward(np.ones_like(y))


def test_an_empty_batch_is_refused():
    with pytest.raises(InputError, match="at least one image"):
        blocks_only().forward(np.zeros((0, 8, 8, 3), np.float32))


@pytest.mark.parametrize("block", [passes.ConvReluPool, passes.View])
def test_a_block_is_called_as_a_layer_is(block):
    for method in ("forward", "backward"):
        assert inspect.signature(getattr(block, method)) == inspect.signature(getattr(nn.Layer, method))


def test_a_block_keeps_nothing_unless_it_is_asked_to():
    model, x = network(), images()
    for block in model.plan()[:3]:
        y = block.forward(x)
        with pytest.raises(InputError, match="needs a kept forward pass"):
            block.backward(np.ones_like(y))
        block.forward(x, keep=True)
        assert block.backward(np.ones_like(y)).shape == x.shape
        x = y
