"""Every op against its plain version, over random shapes: one table, and nothing with a `*_plain` twin is left out."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_truth import fused

from batik_scratch import ops
from batik_scratch.images import augment, warp
from batik_scratch.ops import (
    absolute,
    adam,
    average_pooling,
    batch_norm,
    conv_direct,
    conv_im2col,
    conv_relu_pool,
    conv_winograd,
    dense,
    dropout,
    few_by_few,
    pooling,
    relu,
    standardize,
)
from batik_scratch.ops.jit import runs_plain
from batik_scratch.ops.workspace import Workspace

TOLERANCE = {"float32": 3e-5, "float64": 1e-12}  # of the largest value that is compared


class Draw:
    """Random shapes and arrays: `draw.length(a, b)`, `draw(3, 4)`; many values are equal, so that maxima tie."""

    def __init__(self, seed, dtype):
        self.rng, self.dtype = np.random.default_rng(seed), dtype

    def length(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def __call__(self, *shape):
        return (np.rint(4 * self.rng.standard_normal(shape)) / 2).astype(self.dtype)


def images(draw, window=(3, 3)):
    """x, kernel, bias of a convolution that fits."""
    n, h, w = draw.length(1, 10), draw.length(4, 23), draw.length(4, 40)
    c, f = draw.length(1, 6), draw.length(1, 6)
    return draw(n, h, w, c), draw(*window, c, f), draw(f)


def convolution(module, strided=False):
    """forward and backward, alone and plain."""

    def case(draw, suffix):
        window = (draw.length(1, 4), draw.length(1, 4)) if strided else (3, 3)
        strides = (draw.length(1, 3), draw.length(1, 3)) if strided else (1, 1)
        x, kernel, bias = images(draw, window)
        y = getattr(module, f"forward{suffix}")(x, kernel, bias, strides)
        return y, *getattr(module, f"backward{suffix}")(x, kernel, draw(*y.shape), strides)

    return case


def pooled(module):
    """Convolution, ReLU and pooling in one pass, and back; each with the winners of its own.

    Winograd's rounding decides between equal values, so there no gradient goes to windows without a clear winner.
    """

    def case(draw, suffix):
        x, kernel, bias = images(draw)
        shape = (len(x), (x.shape[1] - 2) // 2, (x.shape[2] - 2) // 2, len(bias))
        dy = draw(*shape) if module is conv_direct else fused(x, kernel, bias)[1].astype(x.dtype)
        if suffix:
            y, winner = module.forward_pooled_plain(x, kernel, bias)
            return y, *module.backward_pooled_plain(x, kernel, dy, winner)
        y, winner = np.empty(shape, x.dtype), np.empty(module.winner_shape(x.shape, len(bias)), np.uint8)
        module.forward_pooled(x, kernel, bias, y, winner)
        return y, *module.backward_pooled(x, kernel, dy, winner, np.full_like(x, np.nan), True, Workspace())

    return case


def max_pooling(draw, suffix):
    pool, strides = (draw.length(1, 4), draw.length(1, 4)), (draw.length(1, 3), draw.length(1, 3))
    x, dtype = images(draw)[0], draw.dtype
    y, winner = getattr(pooling, f"forward{suffix}")(x, pool, strides)
    assert y.dtype == dtype
    return y, getattr(pooling, f"backward{suffix}")(draw(*y.shape), winner, x.shape, pool, strides)


def relu_both_ways(draw, suffix):
    x = draw(draw.length(1, 9), draw.length(1, 300))
    y, gate = getattr(relu, f"forward{suffix}")(x)
    return y, gate, getattr(relu, f"backward{suffix}")(draw(*x.shape), gate)


def absolute_both_ways(draw, suffix):
    x = draw(draw.length(1, 9), draw.length(1, 300))
    y, sign = getattr(absolute, f"forward{suffix}")(x)
    return y, sign, getattr(absolute, f"backward{suffix}")(draw(*x.shape), sign)


def mean_pooling(draw, suffix):
    pool, strides = (draw.length(1, 4), draw.length(1, 4)), (draw.length(1, 3), draw.length(1, 3))
    x = images(draw)[0]
    y = getattr(average_pooling, f"forward{suffix}")(x, pool, strides)
    return y, getattr(average_pooling, f"backward{suffix}")(draw(*y.shape), x.shape, pool, strides)


def normalised(draw, suffix):
    """By the batch's own statistics or by others; whatever is asked for."""
    m, c = draw.length(1, 300), draw.length(1, 40)
    x, dy, (gamma, beta) = draw(m, c), draw(m, c), draw(2, c)
    mean, variance = getattr(batch_norm, f"moments{suffix}")(x)
    of_the_batch, need_dx, need_grads = (bool(draw.length(0, 1)) for _ in range(3))
    fixed = (mean, variance) if of_the_batch else (draw(c), abs(draw(c)))
    y = getattr(batch_norm, f"normalise{suffix}")(x, *fixed, gamma, beta, 0.1)
    backward = getattr(batch_norm, f"backward{suffix}")
    gradients = backward(x, dy, *fixed, gamma, 0.1, of_the_batch, need_dx, need_grads)
    assert [g is None for g in gradients] == [not need_dx, not need_grads, not need_grads]
    statistics = [of.astype(draw.dtype) for of in (mean, variance)]
    return *statistics, y, *(g for g in gradients if g is not None)


def standardised(draw, suffix):
    x = draw(draw.length(1, 9), draw.length(1, 300))
    y, deviation = getattr(standardize, f"forward{suffix}")(x, 0.1)
    return y, deviation, getattr(standardize, f"backward{suffix}")(draw(*x.shape), y, deviation)


def dropped(draw, suffix):
    x = draw(draw.length(1, 9), draw.length(1, 300))
    bits = draw.rng.integers(0, 2**16, x.shape, np.uint16)
    return getattr(dropout, f"forward{suffix}")(x, bits, 0.3)


def adam_step(draw, suffix):
    w, g, m, v = draw(4, draw.length(1, 300))
    v[:] = abs(v)
    getattr(adam, f"update{suffix}")(w, g, m, v, 1e-2, 0.9, 0.999, 1e-7)
    return w, m, v


def product(draw, suffix):
    n, u = draw.length(1, 9), draw.length(1, 40)
    d = dense.LARGE // u + draw.length(-40, 40)  # some large enough to be split, some not
    x, kernel, bias, dy = draw(n, d), draw(d, u), draw(u), draw(n, u)
    return getattr(dense, f"forward{suffix}")(x, kernel, bias), *getattr(dense, f"backward{suffix}")(x, kernel, dy)


def warped(draw, suffix):
    n, h, w = draw.length(1, 5), draw.length(1, 20), draw.length(1, 20)
    uniform = draw.rng.uniform
    shifts, angles = (uniform(-h, h, n), uniform(-w, w, n)), (uniform(-3, 3, n), uniform(-0.6, 0.6, n))
    matrices = augment.affine_matrices(angles[0], *shifts, angles[1], uniform(0.5, 1.9, (n, 2)), h, w)
    transforms = warp.Transforms(matrices, uniform(-0.3, 0.3, n), uniform(0.5, 1.5, n))
    mode = warp.FILL_MODES[draw.length(0, 3)]
    x = draw.rng.random((n, h, w, draw.length(1, 3)))
    return (getattr(warp, f"warp{suffix}")(x, transforms, mode, 0.4, 1.0, 0.5),)


# what is compared in one go: a case draws all it needs, and takes the suffix "" or "_plain"
TABLE = {
    ("conv_im2col.forward", "conv_im2col.backward"): convolution(conv_im2col, strided=True),
    ("conv_winograd.forward", "conv_winograd.backward"): convolution(conv_winograd),
    ("conv_direct.forward", "conv_direct.backward"): convolution(conv_direct),
    ("conv_winograd.forward_pooled", "conv_winograd.backward_pooled"): pooled(conv_winograd),
    ("conv_direct.forward_pooled", "conv_direct.backward_pooled"): pooled(conv_direct),
    ("pooling.forward", "pooling.backward"): max_pooling,
    ("relu.forward", "relu.backward"): relu_both_ways,
    ("absolute.forward", "absolute.backward"): absolute_both_ways,
    ("average_pooling.forward", "average_pooling.backward"): mean_pooling,
    ("batch_norm.moments", "batch_norm.normalise", "batch_norm.backward"): normalised,
    ("standardize.forward", "standardize.backward"): standardised,
    ("dropout.forward",): dropped,
    ("adam.update",): adam_step,
    ("dense.forward", "dense.backward"): product,
    ("warp.warp",): warped,
}
SPLIT = ("conv_im2col.forward", "conv_winograd.forward", "pooling.forward")  # what is done a few images at a time
CASES = pytest.mark.parametrize("names", TABLE, ids=lambda names: names[0])


def test_the_table_has_every_op_with_a_plain_version():
    modules = [
        importlib.import_module(f"{ops.__name__}.{module.name}") for module in pkgutil.iter_modules(ops.__path__)
    ]
    found = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in [*modules, warp]
        for name, _ in inspect.getmembers(module, inspect.isfunction)
        if hasattr(module, f"{name}_plain")
    }
    assert found == {name for names in TABLE for name in names}


@CASES
@given(seed=st.integers(0, 10**6), dtype=st.sampled_from(sorted(TOLERANCE)))
def test_an_op_gives_what_its_plain_version_gives(names, seed, dtype):
    case = TABLE[names]
    for got, plain in zip(case(Draw(seed, dtype), ""), case(Draw(seed, dtype), "_plain"), strict=True):
        assert got.dtype == plain.dtype and got.shape == plain.shape
        tolerance = TOLERANCE["float32"] if names == ("warp.warp",) else TOLERANCE[dtype]  # pictures are float32
        np.testing.assert_allclose(got, plain, rtol=0, atol=tolerance * max(1, np.abs(plain).max(initial=0)))


@pytest.mark.parametrize("names", [names for names in TABLE if names[0] in SPLIT])
@pytest.mark.parametrize("at_once", [1, 3000])
def test_a_large_batch_is_taken_a_few_images_at_a_time(names, at_once, monkeypatch):
    monkeypatch.setattr(few_by_few, "AT_ONCE", at_once)  # complex numbers run plain in either mode
    slices = []
    monkeypatch.setattr(few_by_few, "slice", lambda *ends: slices.append(ends) or slice(*ends), raising=False)
    got, plain = TABLE[names](Draw(8, "complex128"), ""), TABLE[names](Draw(8, "complex128"), "_plain")
    assert len(slices) > 2
    for one, other in zip(got, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("module", [conv_direct, conv_winograd], ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_fused_pass_takes_a_large_batch_a_few_images_at_a_time(module, monkeypatch):
    monkeypatch.setattr(few_by_few, "AT_ONCE", 1)
    draw = Draw(8, "float64")
    x, kernel, bias = draw(3, 9, 8, 2), draw(3, 3, 2, 4), draw(4)
    y, winner = np.empty((3, 3, 3, 4)), np.empty((3, 3, 3, 4), np.uint8)
    conv_relu_pool.fill(module.forward_pooled_plain, x, kernel, bias, y, winner)
    whole = module.forward_pooled_plain(x, kernel, bias)
    dy, dx = draw(*y.shape), np.empty_like(x)
    parts = conv_relu_pool.fill_back(module.backward_pooled_plain, x, kernel, dy, winner, dx, True)
    assert parts[0] is dx
    whole += module.backward_pooled_plain(x, kernel, dy, winner)
    for one, other in zip((y, winner, *parts), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    nothing = conv_relu_pool.fill_back(module.backward_pooled_plain, x, kernel, dy, winner, None, False)
    assert nothing == (None, None, None)


@CASES
def test_a_plain_version_keeps_the_type_of_its_numbers(names):
    if names != ("warp.warp",):
        assert all(array.dtype in ("float32", "bool", "int8") for array in TABLE[names](Draw(1, "float32"), "_plain"))


@pytest.mark.parametrize("module", [conv_direct, conv_winograd], ids=lambda module: module.__name__.rpartition(".")[2])
@pytest.mark.parametrize("place", [(1, 1), (1, 2), (2, 1), (2, 2), (5, 3)])
def test_a_window_with_nan_is_nan_and_takes_no_gradient(module, place):
    draw = Draw(3, "float64")
    x, kernel, bias = draw(1, 8, 8, 2), abs(draw(3, 3, 2, 3)) + 1, draw(3)  # its other outputs may well be alive
    x[0, place[0], place[1], 0] = np.nan
    y, won = np.empty((1, 3, 3, 3)), np.empty(module.winner_shape(x.shape, 3), np.uint8)
    module.forward_pooled(x, kernel, bias, y, won)
    plain, winner = module.forward_pooled_plain(x, kernel, bias)
    truth = np.isnan(conv_direct.forward_pooled_plain(x, kernel, bias)[0])
    assert truth.any() and np.isnan(y[truth]).all() and np.isnan(plain[truth]).all()
    if module is conv_direct:  # Winograd's transforms may spread NaN over a tile
        np.testing.assert_array_equal(np.isnan(y), truth)
    pixels = np.ones_like(x)
    back = module.backward_pooled(pixels, kernel, np.isnan(y) * 1.0, won, np.empty_like(x), True, Workspace())
    plain_back = module.backward_pooled_plain(pixels, kernel, np.isnan(plain) * 1.0, winner)
    assert not any(np.any(gradient) for gradient in (*back, *plain_back))


@pytest.mark.parametrize("values", [(1, np.nan, 3, 2), (np.nan, np.nan, 1, 1), (2, 2, 2, 2), (-1, -1, -2, -1)])
def test_pooling_and_relu_treat_nan_and_ties_alike(values):
    x = np.array(values, float).reshape(1, 2, 2, 1)
    for got, plain in zip(pooling.forward(x, (2, 2), (2, 2)), pooling.forward_plain(x, (2, 2), (2, 2)), strict=True):
        np.testing.assert_array_equal(got, plain)
    for got, plain in zip(relu.forward(x), relu.forward_plain(x), strict=True):
        np.testing.assert_array_equal(got, plain)


def test_complex_numbers_run_plain():
    assert runs_plain(np.zeros(1, complex))
    x, kernel, bias = images(Draw(5, "complex128"))
    x = x + 1e-3j * Draw(6, "float64")(*x.shape)
    for module in (conv_direct, conv_winograd):
        y = module.forward(x, kernel, bias)
        np.testing.assert_allclose(y, conv_im2col.forward_plain(x, kernel, bias), rtol=0, atol=1e-11)
        gradients = module.backward(x, kernel, y)
        for got, expected in zip(gradients, conv_im2col.backward_plain(x, kernel, y), strict=True):
            assert got.dtype == "complex128"
            np.testing.assert_allclose(got, expected, rtol=0, atol=1e-8)
