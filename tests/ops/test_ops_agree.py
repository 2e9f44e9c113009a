"""Every fast path against the plain one, over shapes drawn by hypothesis; linear maps against their adjoints."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batik_scratch.ops import adam, conv_im2col, conv_loops, dropout, pooling, relu, threads
from batik_scratch.ops.im2col import col2im, im2col

TOLERANCE = {"float64": 1e-12, "float32": 2e-6}
small = st.integers(1, 3)
dtypes = st.sampled_from(sorted(TOLERANCE))


def close(got, reference, dtype, terms=None):
    """The error relative to the largest reference value (or the largest sum of absolute terms)."""
    scale = max(np.abs(reference if terms is None else terms).max(initial=0), 1e-30)
    return np.abs(np.asarray(got, np.float64) - reference).max(initial=0) <= TOLERANCE[dtype] * scale


def convolution(n, h, w, c, f, kh, kw, dtype, seed=0):
    rng = np.random.default_rng(seed)
    h, w = max(h, kh), max(w, kw)
    x, k, b = (rng.standard_normal(s).astype(dtype) for s in ((n, h, w, c), (kh, kw, c, f), (f,)))
    return x, k, b, rng


@given(
    st.integers(1, 10),
    st.integers(3, 12),
    st.integers(3, 12),
    small,
    small,
    small,
    st.integers(1, 4),
    small,
    small,
    dtypes,
)
def test_every_convolution_agrees_with_the_loops(n, h, w, c, f, kh, kw, sh, sw, dtype):
    x, k, b, rng = convolution(n, h, w, c, f, kh, kw, dtype)
    x64, k64, b64 = (a.astype(np.float64) for a in (x, k, b))
    y = conv_loops.forward(x64, k64, b64, (sh, sw))
    dy = rng.standard_normal(y.shape).astype(dtype)
    truth = conv_loops.backward(x64, k64, dy.astype(np.float64), (sh, sw))
    # a sum that cancels is small where its terms are not: give it the terms' scale
    terms = conv_loops.backward(np.abs(x64), np.abs(k64), np.abs(dy.astype(np.float64)), (sh, sw))
    for forward, backward in (
        (conv_im2col.forward, conv_im2col.backward),
        (conv_im2col.forward_plain, conv_im2col.backward_plain),
    ):
        got = forward(x, k, b, (sh, sw))
        assert got.dtype == dtype and close(
            got, y, dtype, conv_loops.forward(np.abs(x64), np.abs(k64), np.abs(b64), (sh, sw))
        )
        for gradient, reference, scale in zip(backward(x, k, dy, (sh, sw)), truth, terms, strict=True):
            assert gradient.dtype == dtype and close(gradient, reference, dtype, scale)


def test_the_compiled_loops_are_the_plain_python_loops():
    x, k, b, _ = convolution(1, 4, 5, 2, 2, 2, 3, "float64")
    assert np.allclose(conv_loops.forward.py_func(x, k, b, (2, 1)), conv_loops.forward(x, k, b, (2, 1)), rtol=1e-14)


@given(st.integers(1, 4), st.integers(4, 9), st.integers(4, 9), small, small, small, small)
def test_col2im_is_the_adjoint_of_im2col(n, h, w, c, kh, kw, stride):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((n, h, w, c))
    columns = im2col(x, (kh, kw), (stride, stride))
    other = rng.standard_normal(columns.shape)
    back = col2im(other, x.shape, (kh, kw), (stride, stride))
    assert np.vdot(columns, other) == pytest.approx(np.vdot(x, back), rel=1e-12, abs=1e-12)


@given(st.integers(1, 4), st.integers(3, 9), st.integers(3, 9), small, small)
def test_the_backward_pass_is_the_adjoint_of_the_convolution(n, h, w, c, f):
    x, k, _, rng = convolution(n, h, w, c, f, 3, 2, "float64")
    y = conv_im2col.forward(x, k, np.zeros(f))
    dy = rng.standard_normal(y.shape)
    dx, dk, _ = conv_im2col.backward(x, k, dy)
    assert np.vdot(y, dy) == pytest.approx(np.vdot(x, dx), rel=1e-11, abs=1e-11)
    assert np.vdot(y, dy) == pytest.approx(np.vdot(k, dk), rel=1e-11, abs=1e-11)


@given(st.integers(1, 4), st.integers(3, 9), st.integers(3, 9), small, small, st.integers(1, 3), small, small, dtypes)
def test_pooling_agrees_with_the_plain_one(n, h, w, c, ph, pw, sh, sw, dtype):
    x = np.random.default_rng(2).integers(-3, 3, (n, h, w, c)).astype(dtype)  # many ties
    y, winner = pooling.forward(x, (ph, pw), (sh, sw))
    y_plain, winner_plain = pooling.forward_plain(x, (ph, pw), (sh, sw))
    assert np.array_equal(y, y_plain) and np.array_equal(winner, winner_plain)
    dy = np.random.default_rng(3).standard_normal(y.shape).astype(dtype)
    plain = pooling.backward_plain(dy.astype(np.float64), winner_plain, x.shape, (ph, pw), (sh, sw))
    assert close(pooling.backward(dy, winner, x.shape, (ph, pw), (sh, sw)), plain, dtype)


@given(st.integers(1, 300), dtypes)
def test_relu_agrees_with_the_plain_one(n, dtype):
    x = np.random.default_rng(4).integers(-2, 3, (n, 2)).astype(dtype)
    x.flat[0], x.flat[1] = np.nan, -0.0
    for got, plain in zip(relu.forward(x), relu.forward_plain(x), strict=True):
        assert np.array_equal(got, plain, equal_nan=got.dtype.kind == "f")
    assert not np.signbit(relu.forward(x)[0].flat[1:]).any()  # no -0 in a layer's output
    gate = x > 0
    assert np.array_equal(relu.backward(x, gate), np.where(gate, x, 0), equal_nan=True)


@given(st.integers(1, 300), st.sampled_from([0.0, 1e-4, 0.3]), dtypes)
def test_adam_agrees_with_the_plain_one(n, decay, dtype):
    rng = np.random.default_rng(5)
    w, g, m = (rng.standard_normal(n).astype(dtype) for _ in range(3))
    v = rng.random(n).astype(dtype)
    plain = [a.astype(np.float64) for a in (w, g, m, v)]
    adam.update(w, g, m, v, 1e-2, 0.9, 0.999, 1e-7, decay)
    adam.update_plain(*plain, 1e-2, 0.9, 0.999, 1e-7, decay)
    for got, reference in zip((w, m, v), (plain[0], plain[2], plain[3]), strict=True):
        assert close(got, reference, dtype)


@given(st.integers(1, 300), st.sampled_from([0.2, 0.5, 0.75]), dtypes)
def test_dropout_agrees_with_the_plain_one(n, rate, dtype):
    rng = np.random.default_rng(6)
    x, bits = rng.standard_normal((n, 2)).astype(dtype), rng.integers(0, 2**16, (n, 2), np.uint16)
    bits.flat[0] = round(rate * 2**16)  # just kept
    for got, plain in zip(dropout.forward(x, bits, rate), dropout.forward_plain(x, bits, rate), strict=True):
        assert got.dtype == dtype and np.array_equal(got, plain)


def test_adam_updates_a_transposed_weight_too():
    w = np.ones((3, 2)).T
    adam.update(w, np.ones((2, 3)), np.zeros((2, 3)), np.zeros((2, 3)), 1e-2, 0.9, 0.999, 1e-7)
    assert (w < 1).all()


def test_a_maximum_that_is_nan_stays_nan():
    x = np.array([1.0, np.nan, 3.0, 2.0]).reshape(1, 2, 2, 1)
    y, winner = pooling.forward(x, (2, 2), (2, 2))
    assert np.isnan(y[0, 0, 0, 0]) and winner[0, 0, 0, 0] == 1


@pytest.mark.skipif(threads.allowed() < 2, reason="needs kernels that run on two threads")
def test_bits_do_not_depend_on_the_number_of_threads():
    x, k, b, rng = convolution(9, 20, 21, 3, 8, 3, 3, "float32")
    dy = rng.standard_normal((9, 18, 19, 8)).astype("float32")
    results = []
    for number in (1, 2):
        threads.use(number)
        results.append((conv_im2col.forward(x, k, b), *conv_im2col.backward(x, k, dy)))
    threads.use(threads.allowed())
    assert all(np.array_equal(one, two) for one, two in zip(*results, strict=True))


def test_read_only_arrays_are_welcome():
    x, k, b, _ = convolution(2, 6, 6, 3, 4, 3, 3, "float32")
    for array in (x, k, b):
        array.setflags(write=False)
    assert conv_im2col.forward(x, k, b).shape == (2, 4, 4, 4)
    assert pooling.forward(x, (2, 2), (2, 2))[0].shape == (2, 3, 3, 3)
