"""Winograd's convolution against the loops, its transforms against their matrices, fused steps against plain ones."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from plain_mode import sized

from batik_scratch.errors import InputError
from batik_scratch.ops import (
    conv_direct,
    conv_im2col,
    conv_loops,
    conv_winograd,
    pooling,
    relu,
    winograd_transforms,
    winograd_weights,
)
from batik_scratch.ops.jit import compiled, plain_reason
from batik_scratch.ops.lanes import LANES, load, store
from batik_scratch.ops.workspace import Workspace

TOLERANCE = {"float64": 1e-12, "float32": 2e-5}  # of the largest value that the sum's terms could make
sizes = st.integers(3, sized(19, 11))
few = st.integers(1, 5)
dtypes = st.sampled_from(sorted(TOLERANCE))


def draw(n, h, w, c, f, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return *(rng.standard_normal(s).astype(dtype) for s in ((n, h, w, c), (3, 3, c, f), (f,))), rng


def close(got, reference, scale, dtype):
    return np.abs(np.asarray(got, np.float64) - reference).max(initial=0) <= TOLERANCE[dtype] * max(scale.max(), 1e-30)


@given(st.integers(1, 10), sizes, sizes, few, few, dtypes)
@example(1, 3, 3, 1, 1, "float32")
@example(9, sized(18, 8), 14, sized(16, 4), sized(24, 3), "float32")
def test_winograd_is_the_convolution_of_the_loops(n, h, w, c, f, dtype):
    x, k, b, rng = draw(n, h, w, c, f, dtype)
    x64, k64, b64 = (a.astype(np.float64) for a in (x, k, b))
    y, y_terms = conv_loops.forward(x64, k64, b64), conv_loops.forward(np.abs(x64), np.abs(k64), np.abs(b64))
    dy = rng.standard_normal(y.shape).astype(dtype)
    truth = conv_loops.backward(x64, k64, dy.astype(np.float64))
    terms = conv_loops.backward(np.abs(x64), np.abs(k64), np.abs(dy.astype(np.float64)))
    for forward, backward in (
        (conv_winograd.forward, conv_winograd.backward),
        (conv_winograd.forward_plain, conv_winograd.backward_plain),
    ):
        got = forward(x, k, b)
        assert got.dtype == dtype and close(got, y, y_terms, dtype)
        for gradient, reference, scale in zip(backward(x, k, dy), truth, terms, strict=True):
            assert gradient.dtype == dtype and close(gradient, reference, scale, dtype)


@pytest.mark.parametrize("rows", [1, 3])
def test_steps_of_few_tile_rows_give_the_same(rows, monkeypatch):
    x, k, b, rng = draw(3, 17, 12, 4, 5, "float64")
    y = conv_winograd.forward(x, k, b)
    dy = rng.standard_normal(y.shape)
    whole = (y, *conv_winograd.backward(x, k, dy))
    monkeypatch.setattr(conv_winograd, "_tile_rows", lambda across, channels, filters: rows)
    parts = (conv_winograd.forward(x, k, b), *conv_winograd.backward(x, k, dy))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_each_transform_is_its_matrix_and_each_adjoint_its_transpose():
    v = np.random.default_rng(0).standard_normal(6)
    for got, expected in (
        (winograd_transforms.b_t(*v), conv_winograd.B_T @ v),
        (winograd_transforms.b(*v), conv_winograd.B_T.T @ v),
        (winograd_transforms.a_t(*v), conv_winograd.A_T @ v),
        (winograd_transforms.a(*v[:4]), conv_winograd.A_T.T @ v[:4]),
        (winograd_weights.g(*v[:3], 1 / 6), conv_winograd.G @ v[:3]),
        (winograd_weights.g_t(*v, 1 / 6), conv_winograd.G.T @ v),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-14)


def test_the_sandwich_convolves_one_line_exactly():
    # four outputs of a filter of three: A' [(G k) * (B' d)] is the sliding sum, in whole numbers
    d, k = np.array([3.0, 1, -4, 1, 5, -9]), np.array([2.0, -6, 5])
    y = conv_winograd.A_T @ ((conv_winograd.G @ k) * (conv_winograd.B_T @ d))
    assert np.allclose(y, [d[i : i + 3] @ k for i in range(4)], rtol=0, atol=1e-13)


@pytest.mark.parametrize("suffix", ["", "_plain"])
def test_another_stride_is_refused_and_not_taken_for_one(suffix):
    x, k, b, _ = draw(1, 9, 9, 2, 3, "float64")
    forward, backward = getattr(conv_winograd, f"forward{suffix}"), getattr(conv_winograd, f"backward{suffix}")
    y = forward(x, k, b, (1, 1))
    for call in (lambda strides: forward(x, k, b, strides), lambda strides: backward(x, k, y, strides)):
        with pytest.raises(InputError, match=r"strides \(1, 1\), got \(2, 1\)"):
            call((2, 1))


@pytest.mark.parametrize(("h", "w"), [(3, 3), (4, 12), (7, 8), (11, 6), (14, 15)])
def test_the_plain_winograd_is_the_plain_im2col(h, w):
    x, k, b, rng = draw(2, h, w, 2, 3, "float64")
    y = conv_im2col.forward_plain(x, k, b)
    np.testing.assert_allclose(conv_winograd.forward_plain(x, k, b), y, rtol=0, atol=1e-12)
    dy = rng.standard_normal(y.shape)
    for got, expected in zip(conv_winograd.backward_plain(x, k, dy), conv_im2col.backward_plain(x, k, dy), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("c", [1, 3])
def test_the_plain_fused_block_is_its_three_layers(c):
    x, k, b, _ = draw(2, 9, 10, c, 4, "float64")
    y, winner = conv_direct.forward_pooled_plain(x, k, b)
    gated = relu.forward_plain(conv_loops.forward(x, k, b))[0]  # (2, 7, 8, 4): the last row has no window
    windows = gated[:, :6].reshape(2, 3, 2, 4, 2, 4).transpose(0, 1, 3, 5, 2, 4).reshape(2, 3, 4, 4, 4)
    np.testing.assert_allclose(y, windows.max(axis=-1), rtol=0, atol=1e-13)
    assert np.array_equal(winner, np.where(windows.max(axis=-1) > 0, windows.argmax(axis=-1), 4))


@given(st.integers(1, 4), sizes, sizes, few, few)
def test_the_backward_pass_is_the_adjoint_of_winograds_convolution(n, h, w, c, f):
    x, k, _, rng = draw(n, h, w, c, f, "float64")
    y = conv_winograd.forward(x, k, np.zeros(f))
    dy = rng.standard_normal(y.shape)
    dx, dk, db = conv_winograd.backward(x, k, dy)
    assert np.vdot(y, dy) == pytest.approx(np.vdot(x, dx), rel=1e-11, abs=1e-11)
    assert np.vdot(y, dy) == pytest.approx(np.vdot(k, dk), rel=1e-11, abs=1e-11)
    np.testing.assert_allclose(db, dy.sum(axis=(0, 1, 2)), rtol=1e-11, atol=1e-11)


def test_what_is_not_needed_is_not_made():
    x, k, _, rng = draw(2, 9, 9, 3, 4, "float32")
    dy = rng.standard_normal((2, 7, 7, 4)).astype("float32")
    for backward in (conv_winograd.backward, conv_winograd.backward_plain):
        dx, dk, db = backward(x, k, dy, need_dx=False)
        assert dx is None and dk is not None and db is not None
        dx, dk, db = backward(x, k, dy, need_grads=False)
        assert dx is not None and dk is None and db is None


def in_three_steps(x, k, b, dy):
    """Convolution by the loops, ReLU, pooling, and back: y, dx, dkernel, dbias in float64."""
    y = conv_loops.forward(x, k, b)
    gated, gate = relu.forward_plain(y)
    pooled, winner = pooling.forward_plain(gated, (2, 2), (2, 2))
    dy = relu.backward(pooling.backward_plain(dy, winner, y.shape, (2, 2), (2, 2)), gate)
    return pooled, *conv_loops.backward(x, k, dy)


@pytest.mark.parametrize("ops", [conv_direct, conv_winograd], ids=["direct", "winograd"])
@given(n=st.integers(1, 10), h=st.integers(4, sized(40, 9)), w=st.integers(4, sized(40, 9)), c=few, f=few)
@example(n=2, h=sized(37, 11), w=sized(36, 12), c=3, f=sized(32, 5))
def test_a_fused_pass_is_convolution_relu_and_pooling(ops, n, h, w, c, f):
    x, k, b, rng = draw(n, h, w, c, f, "float64")
    dy = rng.standard_normal((n, (h - 2) // 2, (w - 2) // 2, f))
    y, winner = np.empty(dy.shape), np.empty(ops.winner_shape(x.shape, f), np.uint8)
    ops.forward_pooled(x, k, b, y, winner)
    np.testing.assert_allclose(y, conv_direct.forward_pooled_plain(x, k, b)[0], rtol=0, atol=1e-12 * max(1, y.max()))
    alone = np.empty(dy.shape)
    ops.forward_pooled(x, k, b, alone)
    assert np.array_equal(alone, y)  # without asking who won
    dx, dk, db = ops.backward_pooled(x, k, dy, winner, np.full(x.shape, np.nan), True, Workspace())
    for got, expected in zip((y, dx, dk, db), in_three_steps(x, k, b, dy), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * max(1, np.abs(expected).max()))


@pytest.mark.skipif(plain_reason() is not None, reason="the plain version has no tiles of its own")
def test_rows_and_columns_that_pooling_leaves_out_are_not_computed():
    for size, tiles in ((30, 7), (31, 7), (32, 8), (33, 8), (34, 8), (35, 8)):  # 28 to 33 outputs, 14 to 16 pooled
        assert conv_winograd.winner_shape((2, size, 20, 3), 5) == (2, tiles, 4, 5 * 5)
        assert conv_winograd.winner_shape((2, 20, size, 3), 5) == (2, 5, 4, tiles * 5)


@pytest.mark.parametrize("ops", [conv_direct, conv_winograd], ids=["direct", "winograd"])
def test_a_fused_pass_gives_only_what_is_asked(ops):
    x, k, b, rng = draw(3, 10, 11, 3, 4, "float32")
    dy = rng.standard_normal((3, 4, 4, 4)).astype("float32")
    y, winner = np.empty_like(dy), np.empty(ops.winner_shape(x.shape, 4), np.uint8)
    ops.forward_pooled(x, k, b, y, winner)
    dx, dk, db = ops.backward_pooled(x, k, dy, winner, np.empty_like(x), True, Workspace())
    only_dx = ops.backward_pooled(x, k, dy, winner, np.empty_like(x), False, Workspace())
    only_grads = ops.backward_pooled(x, k, dy, winner, None, True, Workspace())
    assert np.array_equal(only_dx[0], dx) and only_dx[1:] == (None, None)
    assert only_grads[0] is None and np.array_equal(only_grads[1], dk) and np.array_equal(only_grads[2], db)


@pytest.mark.parametrize("ops", [conv_direct, conv_winograd], ids=["direct", "winograd"])
@pytest.mark.parametrize("place", [(0, 0), (3, 3), (5, 4)])
def test_a_nan_pixel_is_not_lost_by_a_fused_pass(ops, place):
    x, k, b, _ = draw(1, 10, 10, 3, 4, "float32")
    x[0, place[0], place[1], 1] = np.nan
    y, winner = np.empty((1, 4, 4, 4), "float32"), np.empty(ops.winner_shape(x.shape, 4), np.uint8)
    ops.forward_pooled(x, k, b, y, winner)
    reference = pooling.forward_plain(relu.forward_plain(conv_loops.forward(x, k, b))[0], (2, 2), (2, 2))[0]
    assert np.isnan(reference).any() and np.isnan(y[np.isnan(reference)]).all()
    ops.forward_pooled(x, k, b, y)
    assert np.isnan(y[np.isnan(reference)]).all()


PLACES = np.arange(5.0)


@compiled()
def pool_in_lanes(y, best, winner):
    """y (4, LANES) -> best and winner (LANES,)."""
    top, place = pooling.largest_of_four(load(y[0], 0), load(y[1], 0), load(y[2], 0), load(y[3], 0), PLACES)
    store(best, 0, top)
    store(winner, 0, place)


@compiled()
def send_back_in_lanes(dy, winner, back):
    g0, g1, g2, g3 = pooling.send_to_winner(load(dy, 0), winner, 0)
    store(back[0], 0, g0)
    store(back[1], 0, g1)
    store(back[2], 0, g2)
    store(back[3], 0, g3)


def pooled_in_lanes(windows):
    """windows (4, P) -> the largest or 0, its place or DEAD."""
    y = np.zeros((4, LANES))
    y[:, : windows.shape[1]] = windows
    best, winner = np.empty(LANES), np.empty(LANES, np.uint8)
    pool_in_lanes(y, best, winner)
    return best, winner


def test_a_dead_window_passes_no_gradient():
    best, winner = pooled_in_lanes(np.array([[-1.0, 0, -0.0], [-2, 0, -0.0], [-3, 0, -0.0], [-4, 0, -0.0]]))
    assert not best.any() and np.array_equal(winner, np.full(LANES, pooling.DEAD))
    assert not np.signbit(best).any()  # no -0 in a layer's output
    back = np.full((4, LANES), np.nan)
    send_back_in_lanes(np.ones(LANES), winner, back)
    assert not np.any(back)


@given(st.lists(st.integers(-2, 2), min_size=4, max_size=4))
def test_the_first_of_equal_maxima_wins_and_gets_the_gradient(values):
    best, winner = pooled_in_lanes(np.array(values, float)[:, None])
    top = max(values)
    assert best[0] == max(top, 0) and winner[0] == (values.index(top) if top > 0 else pooling.DEAD)
    back = np.full((4, LANES), np.nan)
    send_back_in_lanes(np.full(LANES, 7.0), winner, back)
    assert np.array_equal(back[:, 0], 7.0 * (np.arange(4) == winner[0]))
