"""Layers against their definitions: values by hand, shapes, costs, names, and what each may be asked to leave out."""

import copy
import inspect
import itertools

import numpy as np
import pytest
from sample_layers import LAYERS, inputs

from batik_scratch import nn
from batik_scratch.errors import InputError

each_layer = pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: type(value).__name__)


def built(layer, shape, dtype="float64"):
    layer = copy.deepcopy(layer).astype(dtype)
    layer.build(shape, np.random.default_rng(0))
    layer.params |= {key: w + 0.1 for key, w in layer.params.items()}  # biases too
    return layer, inputs(layer, shape).astype(dtype)


@each_layer
@pytest.mark.parametrize(("need_dx", "need_grads"), [*itertools.product([False, True], repeat=2)])
def test_what_is_asked_for_is_the_same_whatever_else_is(layer, shape, need_dx, need_grads):
    layer, x = built(layer, shape)
    y = layer.forward(x, training=True)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    dx, grads = layer.backward(dy), layer.grads
    layer.grads = {}
    again = layer.backward(dy, need_dx=need_dx, need_grads=need_grads)
    assert np.array_equal(again, dx) if need_dx else again is None
    assert layer.grads.keys() == (grads.keys() if need_grads else set())
    assert all(np.array_equal(layer.grads[key], grads[key]) for key in layer.grads)


@each_layer
def test_the_shape_foretold_is_the_shape_that_comes(layer, shape):
    layer, x = built(layer, shape)
    assert layer.infer_shape(shape) == layer.output_shape == layer.forward(x).shape[1:]
    assert layer.input_shape == shape


def windows(length, window, stride, same):
    """How many, and the zeros before and after: for "same" as few as give ceil(length / stride), the odd one after."""
    if not same:
        return (length - window) // stride + 1, 0, 0
    count = -(-length // stride)
    zeros = max(0, (count - 1) * stride + window - length)
    return count, zeros // 2, zeros - zeros // 2


CONVOLUTIONS = [  # kernel, strides, padding, image: every length and step different
    ((2, 3), (3, 1), "same", (7, 5, 2)),
    ((3, 2), (1, 2), "same", (5, 7, 3)),
    ((4, 3), (2, 3), "same", (9, 8, 2)),
    ((2, 5), (3, 2), "same", (4, 6, 1)),
    ((1, 2), (2, 3), "same", (5, 4, 2)),  # steps wider than the window: no zeros
    ((2, 3), (3, 1), "valid", (7, 5, 2)),
    ((3, 2), (1, 2), "valid", (5, 7, 3)),
]


@pytest.mark.parametrize(("kernel", "strides", "padding", "shape"), CONVOLUTIONS)
@pytest.mark.parametrize("algorithm", ["im2col", "loops", "auto"])
def test_a_convolution_is_its_definition_forwards_and_backwards(kernel, strides, padding, shape, algorithm):
    filters = 4
    layer, x = built(nn.Conv2D(filters, kernel, strides, padding, algorithm), shape)
    w, b = layer.params["kernel"], layer.params["bias"]
    (oh, top, bottom), (ow, left, right) = (
        windows(n, k, s, padding == "same") for n, k, s in zip(shape, kernel, strides, strict=False)
    )
    around = ((0, 0), (top, bottom), (left, right), (0, 0))
    padded = np.pad(x, around)
    y, dpadded, dw = np.zeros((4, oh, ow, filters)), np.zeros_like(padded), np.zeros_like(w)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    for i, j in itertools.product(range(oh), range(ow)):
        place = np.s_[:, i * strides[0] : i * strides[0] + kernel[0], j * strides[1] : j * strides[1] + kernel[1]]
        y[:, i, j] = np.tensordot(padded[place], w, 3) + b
        dw += np.tensordot(padded[place], dy[:, i, j], (0, 0))
        dpadded[place] += np.tensordot(dy[:, i, j], w, (1, 3))
    np.testing.assert_allclose(layer.forward(x, training=True), y, rtol=0, atol=1e-13)
    dx = dpadded[:, top : top + shape[0], left : left + shape[1]]
    np.testing.assert_allclose(layer.backward(dy), dx, rtol=0, atol=1e-13)
    np.testing.assert_allclose(layer.grads["kernel"], dw, rtol=0, atol=1e-12)
    np.testing.assert_allclose(layer.grads["bias"], dy.sum(axis=(0, 1, 2)), rtol=0, atol=1e-12)
    assert layer.multiply_adds() == oh * ow * w.size
    assert layer.parameter_count == w.size + filters
    assert layer.cached_bytes() == padded[0].size * 8


@pytest.mark.parametrize(("pool", "strides"), [((2, 3), None), ((3, 1), (1, 2)), ((2, 2), (3, 1)), (2, (1, 3))])
def test_pooling_takes_the_largest_of_each_window_and_gives_back_to_it(pool, strides):
    layer, x = built(nn.MaxPooling2D(pool, strides), (7, 8, 3))
    ph, pw = pool if isinstance(pool, tuple) else (pool, pool)
    sh, sw = strides or (ph, pw)
    oh, ow = (7 - ph) // sh + 1, (8 - pw) // sw + 1
    y = layer.forward(x, training=True)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    dx = np.zeros_like(x)
    for n, i, j, c in np.ndindex(4, oh, ow, 3):
        window = x[n, i * sh : i * sh + ph, j * sw : j * sw + pw, c]
        assert y[n, i, j, c] == window.max()
        u, v = np.unravel_index(window.argmax(), window.shape)
        dx[n, i * sh + u, j * sw + v, c] += dy[n, i, j, c]
    assert y.shape == (4, oh, ow, 3) and layer.cached_bytes() == oh * ow * 3
    np.testing.assert_allclose(layer.backward(dy), dx, rtol=0, atol=1e-15)


def test_a_global_mean_is_over_height_and_width_alone_and_shares_its_gradient():
    layer, x = built(nn.GlobalAveragePooling2D(), (2, 5, 3))
    np.testing.assert_allclose(layer.forward(x, training=True), x.reshape(4, 10, 3).sum(axis=1) / 10, rtol=1e-13)
    dy = np.random.default_rng(2).standard_normal((4, 3))
    np.testing.assert_allclose(layer.backward(dy), np.repeat(dy[:, None], 10, 1).reshape(4, 2, 5, 3) / 10, rtol=1e-13)


@pytest.mark.parametrize(("pool", "strides"), [((2, 3), None), ((3, 1), (1, 2)), ((2, 2), (3, 1)), (2, (1, 3))])
def test_average_pooling_is_the_mean_of_each_window_and_gives_every_place_its_share(pool, strides):
    layer, x = built(nn.AveragePooling2D(pool, strides), (7, 8, 3))
    ph, pw = pool if isinstance(pool, tuple) else (pool, pool)
    sh, sw = strides or (ph, pw)
    oh, ow = (7 - ph) // sh + 1, (8 - pw) // sw + 1
    y = layer.forward(x, training=True)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    dx = np.zeros_like(x)
    for n, i, j, c in np.ndindex(4, oh, ow, 3):
        place = np.s_[n, i * sh : i * sh + ph, j * sw : j * sw + pw, c]
        assert y[n, i, j, c] == pytest.approx(x[place].mean(), rel=1e-12)
        dx[place] += dy[n, i, j, c] / (ph * pw)
    assert y.shape == (4, oh, ow, 3) and layer.cached_bytes() == 0
    np.testing.assert_allclose(layer.backward(dy), dx, rtol=0, atol=1e-15)


def test_an_absolute_value_has_no_slope_at_zero_and_lets_nan_through():
    layer = nn.Absolute()
    y = layer.forward(np.array([[-1.5, 0.0, 2.0, np.nan]]), training=True)
    assert y[0, :3].tolist() == [1.5, 0, 2] and np.isnan(y[0, 3])
    assert layer.backward(np.full((1, 4), 3.0)).tolist() == [[-3, 0, 3, 0]]
    (sign,) = layer.decisions()
    assert sign.tolist() == [[-1, 0, 1, 0]]
    z = nn.Absolute().forward(np.array([[-1 + 2j, 1 + 2j]]))  # the branch that the real part is on, carried on
    assert z.tolist() == [[1 - 2j, 1 + 2j]]


def test_a_logarithm_is_that_of_x_and_epsilon_and_says_nothing_below():
    layer = nn.Log(0.5)
    x = np.array([[0.0, 0.5, 3.5, -0.5, -1.0]])
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y[0, :3], [np.log(0.5), 0, np.log(4)], rtol=1e-14)
    assert y[0, 3] == -np.inf and np.isnan(y[0, 4])
    np.testing.assert_allclose(layer.backward(np.ones((1, 5)))[0, :3], [2, 1, 0.25], rtol=1e-14)
    assert nn.Log().forward(np.zeros((1, 1)))[0, 0] == pytest.approx(np.log(1e-6))


def test_rescaling_is_a_line_and_hands_back_its_slope():
    layer, x = built(nn.Rescaling(2, -1), (2, 3, 1))
    assert np.array_equal(layer.forward(x, training=True), 2 * x - 1) and np.array_equal(layer.backward(x), 2 * x)
    assert (layer.multiply_adds(), layer.cached_bytes(), layer.parameter_count) == (6, 0, 0)


def test_a_standardised_picture_has_mean_0_and_deviation_1_whatever_its_light():
    layer, x = built(nn.Standardization(1e-12), (5, 6, 3))
    y = layer.forward(x * np.array([0.1, 1, 2, 30]).reshape(4, 1, 1, 1) + 7)
    np.testing.assert_allclose(y.mean(axis=(1, 2, 3)), 0, atol=1e-13)
    np.testing.assert_allclose(y.std(axis=(1, 2, 3)), 1, rtol=1e-9)
    np.testing.assert_allclose(y, layer.forward(x), rtol=0, atol=1e-8)


def test_standardisation_has_the_whole_jacobian_of_a_picture():
    """J = (1 - 1/M - y y' / M) / s, written out."""
    layer, x = built(nn.Standardization(0.1), (3, 2, 2))
    y = layer.forward(x, training=True)
    dy = np.random.default_rng(2).standard_normal(y.shape)
    dx, linear = layer.backward(dy), layer.backward_as_linear(dy)
    for n in range(4):
        s = np.sqrt(x[n].var() + 0.1)
        row, d = y[n].ravel(), dy[n].ravel()
        np.testing.assert_allclose(row, (x[n].ravel() - x[n].mean()) / s, rtol=1e-12)
        centring = np.eye(12) - 1 / 12
        np.testing.assert_allclose(dx[n].ravel(), (centring - np.outer(row, row) / 12) @ d / s, atol=1e-14)
        np.testing.assert_allclose(linear[n].ravel(), centring @ d / s, atol=1e-14)


def test_a_picture_of_one_colour_becomes_nothing_and_its_noise_is_not_blown_up():
    layer = nn.Standardization()
    assert np.abs(layer.forward(np.full((1, 4, 4, 3), 0.7))).max() < 1e-13
    noisy = 0.5 + np.random.default_rng(0).standard_normal((1, 40, 40, 3)) / 255
    assert layer.forward(noisy).std() == pytest.approx(1 / 255 / np.hypot(1 / 255, 1e-3**0.5), rel=0.05)


def test_flatten_lays_height_before_width_before_channels_and_back():
    layer, x = built(nn.Flatten(), (3, 4, 2))
    y = layer.forward(x, training=True)
    assert y.shape == (4, 24) and all(y[n, (i * 4 + j) * 2 + c] == x[n, i, j, c] for n, i, j, c in np.ndindex(x.shape))
    assert np.array_equal(layer.backward(y), x)


def test_a_dense_layer_is_a_product_and_a_sum():
    layer, x = built(nn.Dense(5), (3,))
    w, b = layer.params["kernel"], layer.params["bias"]
    np.testing.assert_allclose(layer.forward(x, training=True), np.einsum("nd,du->nu", x, w) + b, rtol=1e-12)
    dy = np.random.default_rng(2).standard_normal((4, 5))
    np.testing.assert_allclose(layer.backward(dy), np.einsum("nu,du->nd", dy, w), rtol=1e-12)
    np.testing.assert_allclose(layer.grads["kernel"], np.einsum("nd,nu->du", x, dy), rtol=1e-12)
    np.testing.assert_allclose(layer.grads["bias"], dy.sum(axis=0), rtol=1e-12)
    assert (layer.multiply_adds(), layer.parameter_count, layer.cached_bytes()) == (15, 20, 24)


def test_softmax_divides_exponentials_by_their_sum_and_has_the_whole_jacobian():
    layer, z = built(nn.Softmax(), (5,))
    p = layer.forward(z, training=True)
    np.testing.assert_allclose(p, np.exp(z) / np.exp(z).sum(axis=1)[:, None], rtol=1e-12)
    dy = np.random.default_rng(2).standard_normal((4, 5))
    jacobians = [np.diag(row) - np.outer(row, row) for row in p]
    np.testing.assert_allclose(layer.backward(dy), [j @ d for j, d in zip(jacobians, dy, strict=True)], rtol=1e-11)
    assert (layer.multiply_adds(), layer.cached_bytes()) == (0, 40)


@pytest.mark.parametrize("rate", [0.1, 0.75])
def test_dropout_drops_its_share_scales_the_rest_and_draws_anew_each_time(rate):
    layer = nn.Dropout(rate)
    x = np.random.default_rng(1).random((50, 400)) + 1
    y = layer.forward(x, training=True)
    kept = y != 0
    assert kept.mean() == pytest.approx(1 - rate, abs=0.02)
    np.testing.assert_allclose(y[kept], x[kept] / (1 - rate), rtol=1e-12)
    dy = x + 1
    np.testing.assert_allclose(layer.backward(dy), np.where(kept, dy / (1 - rate), 0), rtol=1e-12)
    assert ((layer.forward(x, training=True) != 0) != kept).any()
    asked = layer.forward(x, keep=True)  # kept for a gradient, and no training: nothing is dropped
    assert np.array_equal(asked, x) and np.array_equal(layer.backward(dy), dy)


@pytest.mark.parametrize("training", [False, True])
@each_layer
def test_keep_says_what_is_kept_whether_in_training_or_not(layer, shape, training):
    layer, x = built(layer, shape)
    y = layer.forward(x, training=training, keep=True)
    assert layer.backward(np.ones_like(y)) is not None
    layer.forward(x, training=training, keep=False)
    with pytest.raises(InputError, match=rf"^{layer.name}\.backward: needs a kept forward pass"):
        layer.backward(np.ones_like(y))


CONFIGS = [
    (
        nn.Conv2D(4, (2, 3), (1, 2), "same", "auto", "he_normal", "edges"),
        {"name": "edges", "filters": 4, "kernel_size": [2, 3], "strides": [1, 2], "padding": "same",
         "algorithm": "auto", "kernel_initializer": "he_normal"},
    ),
    (nn.Dense(7, "zeros"), {"units": 7, "kernel_initializer": "zeros"}),
    (nn.Dropout(0.25, "rest"), {"name": "rest", "rate": 0.25}),
    (nn.MaxPooling2D((3, 2)), {"pool_size": [3, 2], "strides": [3, 2]}),
    (nn.MaxPooling2D(2, (1, 3), "small"), {"name": "small", "pool_size": [2, 2], "strides": [1, 3]}),
    (nn.ReLU("gate"), {"name": "gate"}),
    (nn.AveragePooling2D((3, 2), 1, "mean"), {"name": "mean", "pool_size": [3, 2], "strides": [1, 1]}),
    (nn.BatchNormalization(), {"momentum": 0.99, "epsilon": 0.001}),
    (nn.BatchNormalization(0.5, 0.1, "norm"), {"name": "norm", "momentum": 0.5, "epsilon": 0.1}),
    (nn.Log(), {"epsilon": 1e-6}),
    (nn.Rescaling(2, -1), {"scale": 2.0, "offset": -1.0}),
    (nn.Standardization(0.1), {"epsilon": 0.1}),
    (nn.Absolute(), {}),
    (nn.LeakyReLU(0.1), {"negative_slope": 0.1}),
    (nn.MaxPooling2D(2, padding="same"), {"pool_size": [2, 2], "strides": [2, 2], "padding": "same"}),
    (nn.Sigmoid(), {}),
    (nn.Tanh(), {}),
    *[(kind(), {}) for kind in (nn.ReLU, nn.Softmax, nn.Flatten, nn.GlobalAveragePooling2D)],
]  # fmt: skip


@pytest.mark.parametrize(("layer", "config"), CONFIGS, ids=lambda value: getattr(value, "name", ""))
def test_a_config_names_every_choice(layer, config):
    assert layer.config() == config and type(layer)(**config).config() == config


def test_names_are_counted_by_kind_around_those_that_were_chosen():
    chosen = [None, "dense_1", None, None, "re_lu"]
    layers = [nn.Dense(2, name=name) for name in chosen[:4]] + [nn.ReLU(), nn.ReLU("re_lu"), nn.ReLU()]
    names = [layer.name for layer in nn.Sequential(layers).layers]
    assert names == ["dense", "dense_1", "dense_2", "dense_3", "re_lu_1", "re_lu", "re_lu_2"]
    kinds = [nn.GlobalAveragePooling2D, nn.MaxPooling2D, nn.Conv2D, nn.Softmax, nn.Flatten]
    assert [kind(2, 2).name if kind is nn.Conv2D else kind().name for kind in kinds] == [
        "global_average_pooling2d", "max_pooling2d", "conv2d", "softmax", "flatten",
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"used more than once: \['b'\]"):
        nn.Sequential([nn.ReLU("b"), nn.ReLU("a"), nn.ReLU("b")])


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: nn.Conv2D(1, (2, 5)), (2, 4, 3), "kernel 2x5 does not fit input 2x4"),
        (lambda: nn.Conv2D(1, (5, 2)), (4, 2, 3), "kernel 5x2 does not fit input 4x2"),
        (lambda: nn.Conv2D(1, 1), (4, 4), r"\(H, W, C\), got \(4, 4\)"),
        (lambda: nn.MaxPooling2D((3, 2)), (2, 2, 1), "window 3x2 does not fit input 2x2"),
        (lambda: nn.MaxPooling2D((2, 3)), (2, 2, 1), "window 2x3 does not fit input 2x2"),
        (lambda: nn.MaxPooling2D(1), (4,), r"got \(4,\)"),
        (lambda: nn.GlobalAveragePooling2D(), (4, 3), r"got \(4, 3\)"),
        (lambda: nn.Softmax(), (2, 3), r"got \(2, 3\).*Flatten"),
        (lambda: nn.Dense(1), (2, 3), r"got \(2, 3\).*Flatten"),
    ],
)
def test_what_does_not_fit_is_named_as_it_is(make, shape, message):
    with pytest.raises(InputError, match=message):
        make().infer_shape(shape)


def test_a_window_as_large_as_the_image_fits_once():
    assert nn.Conv2D(6, (2, 5)).infer_shape((2, 5, 3)) == (1, 1, 6)
    assert nn.Conv2D(6, (3, 5), padding="same").infer_shape((2, 4, 3)) == (2, 4, 6)
    assert nn.MaxPooling2D((2, 5)).infer_shape((2, 5, 3)) == (1, 1, 3)


@pytest.mark.parametrize("wrong", [0, -1, 2.0, "3", None])
def test_counts_are_whole_numbers_from_one(wrong):
    for make in (lambda: nn.Conv2D(wrong, 3), lambda: nn.Dense(wrong), lambda: nn.Conv2D(2, (3, wrong))):
        with pytest.raises(InputError, match="whole number"):
            make()


def test_a_layer_of_ones_own_needs_both_passes():
    with pytest.raises(NotImplementedError):
        nn.Layer().forward(np.ones((1, 2)))
    with pytest.raises(NotImplementedError):
        nn.Layer().backward(np.ones((1, 2)))
    for method, told in (
        ("forward", "(self, x, training=False, keep=None)"),
        ("backward", "(self, dy, need_dx=True, need_grads=True)"),
    ):
        arguments = inspect.signature(getattr(nn.Layer, method)).parameters.values()
        assert f"({', '.join(str(p.replace(annotation=p.empty)) for p in arguments)})" == told
    assert (nn.Layer().infer_shape((3, 4)), nn.Layer().multiply_adds(), nn.Layer().cached_bytes()) == ((3, 4), 0, 0)


def test_another_dtype_takes_the_parameters_along_and_forgets_the_gradients():
    layer, x = built(nn.Dense(3), (4,), "float32")
    layer.backward(layer.forward(x, training=True))
    before = layer.params["kernel"].copy()
    assert layer.astype("float64") is layer and layer.grads == {} and layer.dtype == "float64"
    assert layer.params["kernel"].dtype == "float64" and np.array_equal(layer.params["kernel"], before)
    layer.backward(layer.forward(x, training=True))
    layer.build((5,), np.random.default_rng(0))
    assert layer.grads == {} and layer.params["kernel"].shape == (5, 3)
