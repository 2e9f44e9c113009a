"""What every layer promises besides the right gradient."""

import copy
import inspect
import weakref

import numpy as np
import pytest
from sample_layers import ANY_SHAPE, LAYERS, inputs

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.learn.bugs.activations import MutatesItsUpstreamGradient
from batik_scratch.ops import dense
from batik_scratch.ops.jit import plain_reason

each_layer = pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: type(value).__name__)


def built(layer, shape, dtype="float64"):
    layer = copy.deepcopy(layer).astype(dtype)
    layer.build(shape, np.random.default_rng(0))
    return layer, inputs(layer, shape).astype(dtype)


def broken_promises(layer, x):
    """The contract as a list of what is not kept."""
    broken = []
    x_before = x.copy()
    y = layer.forward(x, training=True)
    if np.shares_memory(x, y):
        broken.append("forward hands its input on")
    dy = np.random.default_rng(2).standard_normal(y.shape).astype(y.dtype)
    dy_before, params_before = dy.copy(), {k: v.copy() for k, v in layer.params.items()}
    dx = layer.backward(dy)
    for method in ("forward", "backward", "infer_shape", "create_params"):
        if inspect.signature(getattr(type(layer), method)) != inspect.signature(getattr(nn.Layer, method)):
            broken.append(f"{method} is called in another way")
    if not np.array_equal(dy, dy_before):
        broken.append("backward changes dy")
    grads = {k: v.copy() for k, v in layer.grads.items()}
    dx_first, dx = dx.copy(), layer.backward(dy)
    if not np.array_equal(dx, dx_first) or any(not np.array_equal(layer.grads[k], g) for k, g in grads.items()):
        broken.append("backward twice differs")
    if not np.array_equal(x, x_before):
        broken.append("x is changed")
    if any(not np.array_equal(layer.params[k], v) for k, v in params_before.items()):
        broken.append("backward changes parameters")
    if dx.shape != x.shape or set(layer.grads) != set(layer.trained):
        broken.append("dx or grads are incomplete")
    return broken


@each_layer
def test_contract(layer, shape):
    assert broken_promises(*built(layer, shape)) == []


@each_layer
@pytest.mark.parametrize("other", [{"keep": False}, {"training": False}, {"training": True, "keep": False}])
def test_a_pass_that_is_not_kept_makes_every_layer_forget_the_kept_one(layer, shape, other):
    layer, x = built(layer, shape)
    dy = np.ones_like(layer.forward(x, training=True))
    layer.backward(dy)
    layer.forward(x, **other)
    with pytest.raises(InputError, match=rf"{layer.name}\.backward: needs a kept forward pass"):
        layer.backward(dy)
    assert not layer.decisions() and layer._kept is None
    layer.forward(x, training=False, keep=True)
    assert layer.backward(dy).shape == x.shape


def test_a_layer_that_mutates_its_upstream_gradient_is_caught():
    assert "backward changes dy" in broken_promises(*built(MutatesItsUpstreamGradient(), (5, 6, 3)))


@each_layer
def test_what_a_layer_hands_out_belongs_to_the_caller(layer, shape):
    layer, x = built(layer, shape)
    y = layer.forward(x, training=True)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    dx = layer.backward(dy)
    before = dx.copy()
    y[...] = dx[...] = np.nan
    assert np.array_equal(layer.backward(dy), before)


@pytest.mark.parametrize(
    "layer, shape",
    [pair for pair in LAYERS if not isinstance(pair[0], ANY_SHAPE)],
    ids=lambda value: type(value).__name__,
)
def test_images_of_another_shape_than_the_layer_was_built_for_are_explained(layer, shape):
    layer, x = built(layer, shape)
    with pytest.raises(InputError, match=r"\.forward: needs \(N, .*first axis counts the images"):
        layer.forward(np.concatenate([x, x], axis=-1))


@each_layer
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_the_dtype_is_preserved(layer, shape, dtype):
    if getattr(layer, "algorithm", "") == "loops" and dtype == "complex128":
        layer = nn.Conv2D(4, 3)
    layer, x = built(layer, shape, dtype)
    y = layer.forward(x, training=True)
    dx = layer.backward(np.ones_like(y))
    assert {y.dtype.name, dx.dtype.name, *(g.dtype.name for g in layer.grads.values())} == {dtype}


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.Conv2D(4, 3, algorithm=name), (6, 7, 3)) for name in ("loops", "im2col", "winograd", "auto")]
    + [(nn.Dense(4), (7,)), (nn.Dense(256), (4096,))],
    ids=["loops", "im2col", "winograd", "auto", "small", "large"],
)  # fmt: skip
def test_weights_choose_the_arithmetic_whatever_they_are_given(layer, shape):
    layer, x = built(layer, shape, "float32")
    y = layer.forward(x, training=True)
    dx, grads = layer.backward(np.ones_like(y)), layer.grads
    for given in ("float64", "float16"):
        assert np.array_equal(layer.forward(x.astype(given).astype("float32")), layer.forward(x.astype(given)))
    assert np.array_equal(layer.forward(x.astype("float64"), training=True), y)
    assert np.array_equal(layer.backward(np.ones(y.shape)), dx)
    assert all(
        layer.grads[name].dtype == np.float32 and np.array_equal(layer.grads[name], grads[name]) for name in grads
    )
    for pass_back in (layer.forward, layer.backward):
        with pytest.raises(InputError, match=r"computes in float32 and got complex128; .*astype\(\"complex128\"\)"):
            pass_back((x if pass_back == layer.forward else y).astype("complex128"))


@each_layer
def test_a_batch_equals_its_images_one_by_one(layer, shape):
    layer, x = built(layer, shape)
    together = layer.forward(x)
    singles = np.concatenate([layer.forward(image[None]) for image in x])
    assert np.allclose(together, singles, rtol=0, atol=1e-13)


@each_layer
def test_backward_needs_a_kept_forward_pass(layer, shape):
    layer, x = built(layer, shape)
    y = layer.forward(x)
    with pytest.raises(InputError, match="training=True"):
        layer.backward(y)
    layer.forward(x, keep=True)
    assert layer.backward(np.zeros_like(y)) is not None


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.Conv2D(4, 3), (5, 6, 3)), (nn.Dense(4), (7,)), (nn.MaxPooling2D(2), (4, 6, 3)), (nn.ReLU(), (5,)),
     (nn.Softmax(), (5,)), (nn.GlobalAveragePooling2D(), (4, 5, 3)), (nn.Absolute(), (5,)),
     (nn.AveragePooling2D(2), (4, 6, 3)), (nn.BatchNormalization(), (4, 5, 3)), (nn.Log(), (5,)),
     (nn.Rescaling(2), (5,)), (nn.Standardization(), (5,))],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_gradient_of_another_shape_than_the_output_is_explained(layer, shape):
    layer, x = built(layer, shape)
    y = layer.forward(x, training=True)
    with pytest.raises(InputError, match=r"\.backward: needs \(N, "):
        layer.backward(np.ones((len(y), *(length + 1 for length in y.shape[1:]))))


@each_layer
@pytest.mark.parametrize("training", [False, True])
def test_what_a_layer_hands_out_is_never_what_it_was_given(layer, shape, training):
    layer, x = built(layer, shape)
    y = layer.forward(x, training=training, keep=True)
    dy = np.ones_like(y)
    assert not np.shares_memory(y, x) and not np.shares_memory(layer.backward(dy), dy)


@each_layer
def test_what_is_not_needed_is_not_made(layer, shape):
    layer, x = built(layer, shape)
    y = layer.forward(x, training=True)
    assert layer.backward(np.ones_like(y), need_dx=False, need_grads=False) is None
    assert layer.grads == {}


@each_layer
def test_the_config_makes_the_layer_again(layer, shape):
    again = type(layer)(**layer.config())
    assert again.config() == layer.config() and again.infer_shape(shape) == layer.infer_shape(shape)


def test_relu_is_shut_at_zero_and_lets_nan_through():
    layer = nn.ReLU()
    y = layer.forward(np.array([[-1.0, 0.0, 2.0, np.nan]]), training=True)
    assert y[0, :3].tolist() == [0, 0, 2] and np.isnan(y[0, 3])
    assert layer.backward(np.ones((1, 4)))[0, :3].tolist() == [0, 0, 1]


def test_pool_sends_gradient_to_the_first_of_equal_maxima():
    layer = nn.MaxPooling2D(2)
    layer.forward(np.zeros((1, 2, 2, 1)), training=True)
    assert layer.backward(np.ones((1, 1, 1, 1))).ravel().tolist() == [1, 0, 0, 0]


def test_dropout_keeps_the_expected_value_and_rests_at_inference():
    layer = nn.Dropout(0.25)
    x = np.ones((100, 1000))
    y = layer.forward(x, training=True)
    assert set(np.unique(y)) == {0.0, 1 / 0.75} and abs(y.mean() - 1) < 0.01
    assert np.array_equal(layer.forward(x), x)


def test_one_filter_one_unit_and_weights_of_zero_are_allowed():
    for layer, shape in ((nn.Conv2D(1, 1, kernel_initializer="zeros"), (2, 2, 3)), (nn.Dense(1, "zeros"), (4,))):
        layer.build(shape, np.random.default_rng(0))
        assert layer.params["kernel"].shape[-1] == 1 and not layer.params["kernel"].any()


def test_a_chosen_name_stays_and_another_is_made_of_the_class():
    assert (nn.Dense(3, name="last").name, nn.Dense(3).name) == ("last", "dense")


def test_dropout_of_nothing_draws_nothing():
    layer, x = nn.Dropout(0.0), np.ones((3, 4))
    state = layer.rng.bit_generator.state
    assert np.array_equal(layer.forward(x, training=True), x) and layer.rng.bit_generator.state == state
    assert np.array_equal(layer.backward(x), x)


def test_softmax_does_not_overflow():
    p = nn.Softmax().forward(np.array([[1e4, 0.0], [-1e4, -1e4]]))
    assert p.tolist() == [[1, 0], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2D(0, 3), "filters"),
        (lambda: nn.Conv2D(3, 0), "kernel_size"),
        (lambda: nn.Conv2D(3, 3, padding="full"), "valid"),
        (lambda: nn.Conv2D(3, 3, algorithm="magic"), "im2col"),
        (lambda: nn.Conv2D(3, 5, algorithm="winograd"), '3x3 kernel at stride 1, got \\(5, 5\\).*use "auto"'),
        (lambda: nn.Conv2D(3, 3, strides=2, algorithm="winograd"), "stride 1"),
        (lambda: nn.Conv2D(3, 5).infer_shape((4, 4, 3)), 'kernel 5x5 does not fit input 4x4; use padding="same"'),
        (lambda: nn.Conv2D(3, 5).infer_shape((10,)), "before Flatten"),
        (lambda: nn.MaxPooling2D(3).infer_shape((2, 9, 1)), "does not fit"),
        (lambda: nn.Dense(3).infer_shape((4, 4, 3)), "Flatten"),
        (lambda: nn.Dense(3, kernel_initializer="ones"), "glorot_uniform"),
        (lambda: nn.Dropout(1.0), "below 1"),
        (lambda: nn.BatchNormalization(1.0), "momentum .*below 1; got 1.0"),
        (lambda: nn.BatchNormalization(-0.1), "momentum .*at least 0"),
        (lambda: nn.BatchNormalization(epsilon=0.0), "epsilon needs a finite number above 0, got 0.0"),
        (lambda: nn.BatchNormalization().infer_shape((4, 5)), r"\(H, W, C\) or features \(D,\), got \(4, 5\)"),
        (lambda: nn.Log(-1e-9), "at least 0, got -1e-09"),
        (lambda: nn.Rescaling(float("inf")), "scale and offset need finite numbers, got inf and 0.0"),
        (lambda: nn.Rescaling(1, float("nan")), "got 1 and nan"),
        (lambda: nn.Standardization(0), "above 0, got 0"),
        (lambda: nn.AveragePooling2D(0), "AveragePooling2D: pool_size"),
        (lambda: nn.AveragePooling2D(3).infer_shape((2, 9, 1)), "AveragePooling2D: window 3x3 does not fit input 2x9"),
        (lambda: nn.Adam(0.0), "learning_rate"),
        (lambda: nn.Adam(beta_1=1.0), "at least 0 and below 1, got 1.0 and 0.999"),
        (lambda: nn.Adam(beta_2=1.0), "at least 0 and below 1, got 0.9 and 1.0"),
        (lambda: nn.Adam(beta_1=-0.1), "at least 0"),
        (lambda: nn.ReduceLROnPlateau(factor=1.0), "factor"),
        (lambda: nn.SGD(momentum=1.0), "at least 0 and below 1, got 1.0"),
        (lambda: nn.StopAtAccuracy(1.5), "above 0 and at most 1; got 1.5"),
        (lambda: nn.StopAtAccuracy(0.0), "above 0"),
        (lambda: nn.EarlyStopping(mode="up"), '"auto", "min" or "max", got'),
    ],
)
def test_a_wrong_argument_is_explained(make, message):
    with pytest.raises(InputError, match=message):
        make()


def large_dense():
    """A layer whose product is split, x and two gradients of its outputs."""
    layer = nn.Dense(16)
    layer.build((dense.LARGE // 16 + 1,), np.random.default_rng(0))
    layer.astype("float32")
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, dense.LARGE // 16 + 1), np.float32)
    layer.forward(x, training=True)
    return layer, x, *rng.standard_normal((2, 2, 16), np.float32)


@pytest.mark.parametrize("keep", [lambda g: g, lambda g: g[3:], lambda g: memoryview(g), lambda g: {"mine": g}])
def test_a_large_gradient_that_somebody_has_kept_is_not_overwritten(keep):
    layer, x, dy, other = large_dense()
    layer.backward(dy)
    kept = keep(layer.grads["kernel"])
    layer.backward(other)
    layer.backward(other)
    array = np.asarray(kept["mine"] if isinstance(kept, dict) else kept)
    np.testing.assert_allclose(array, (x.T @ dy)[-len(array) :], atol=1e-5)
    np.testing.assert_allclose(layer.grads["kernel"], x.T @ other, atol=1e-5)


@pytest.mark.skipif(plain_reason() is not None, reason="NumPy makes a new array")
def test_a_large_gradient_that_nobody_has_kept_lends_its_memory_to_the_next():
    layer, x, dy, other = large_dense()
    layer.backward(dy)
    first = weakref.ref(layer.grads["kernel"])
    layer.backward(dy, need_grads=False)
    np.testing.assert_allclose(layer.grads["kernel"], x.T @ dy, atol=1e-5)  # nobody asked for another
    layer.backward(other)
    assert layer.grads["kernel"] is first()
    np.testing.assert_allclose(layer.grads["kernel"], x.T @ other, atol=1e-5)


@pytest.mark.parametrize(
    "strange",
    [
        lambda g: np.asfortranarray(g),
        lambda g: g.astype(np.float64),
        lambda g: g[:-1].copy(),
        lambda g: np.frombuffer(g.tobytes(), np.float32).reshape(g.shape),  # read only
        lambda g: bytearray(g),
    ],
)
def test_a_gradient_of_another_kind_is_not_written_to(strange):
    layer, x, dy, _ = large_dense()
    layer.backward(dy)
    layer.grads["kernel"] = strange(layer.grads["kernel"].copy())
    layer.backward(dy)
    assert layer.grads["kernel"].dtype == np.float32 and layer.grads["kernel"].flags.c_contiguous
    np.testing.assert_allclose(layer.grads["kernel"], x.T @ dy, atol=1e-5)


def test_a_gradient_that_lies_in_an_array_of_somebody_elses_is_not_written_to():
    layer, x, dy, other = large_dense()
    layer.backward(dy)
    whole = np.stack([layer.grads["kernel"]] * 2)
    before = whole.copy()
    layer.grads["kernel"] = whole[0]
    layer.backward(other)
    assert np.array_equal(whole, before)
    np.testing.assert_allclose(layer.grads["kernel"], x.T @ other, atol=1e-5)


def test_a_gradient_that_may_not_be_written_to_is_replaced():
    layer, x, dy, _ = large_dense()
    layer.backward(dy)
    layer.grads["kernel"].flags.writeable = False
    layer.backward(dy)
    np.testing.assert_allclose(layer.grads["kernel"], x.T @ dy, atol=1e-5)
    assert layer.grads["kernel"].flags.writeable
