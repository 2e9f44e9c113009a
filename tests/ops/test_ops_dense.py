"""The split product against the plain one, and arrays that are kept."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_mode import PLAIN

from batik_scratch.ops import dense
from batik_scratch.ops.workspace import Workspace, made_of


@given(
    st.integers(1, 9), st.integers(1, 70), st.integers(1, 6), st.sampled_from([("float32", 2e-6), ("float64", 1e-13)])
)
def test_the_split_product_agrees_with_the_plain_one(n, d, u, dtype):
    name, tolerance = dtype
    rng = np.random.default_rng(0)
    x, w, b, dy = (rng.standard_normal(s).astype(name) for s in ((n, d), (d, u), (u,), (n, u)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "LARGE", 0)  # as if the kernel were large
        got = (dense.forward(x, w, b), *dense.backward(x, w, dy))
    plain = (dense.forward_plain(x, w, b), *dense.backward_plain(x, w, dy))
    for one, other in zip(got, plain, strict=True):
        assert one.dtype == name
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * d * max(1, np.abs(other).max()))


def test_a_large_kernel_is_split_and_what_is_not_needed_is_not_made():
    rng, features = np.random.default_rng(1), dense.LARGE // 16 + 900
    x, w, dy = (rng.standard_normal(s).astype("float32") for s in ((4, features), (features, 16), (4, 16)))
    assert dense._plain_is_best(x, w) == PLAIN
    np.testing.assert_allclose(dense.forward(x, w, dy[0]), x @ w + dy[0], rtol=0, atol=2e-3)
    dx, dw, db = dense.backward(x, w, dy, need_dx=False)
    assert dx is None and np.allclose(dw, x.T @ dy, atol=1e-5) and np.allclose(db, dy.sum(axis=0), atol=1e-6)
    dx, dw, db = dense.backward(x, w, dy, need_grads=False)
    assert np.allclose(dx, dy @ w.T, atol=1e-4) and dw is None and db is None


def test_a_workspace_hands_out_the_same_memory_again():
    room = Workspace()
    first = room.take("y", (4, 6), "float32")
    again = room.take("y", (3, 5), "float32")
    assert np.shares_memory(first, again) and again.shape == (3, 5) and again.flags.c_contiguous
    assert not np.shares_memory(first, room.take("x", (4, 6), "float32"))
    assert not np.shares_memory(first, room.take("y", (4, 6), "float64"))
    assert room.take("y", (9, 9), "float32").size == 81 and room.bytes() == 81 * 4 + 24 * 4 + 24 * 8


def test_what_is_made_of_an_array_is_kept_while_its_bits_stay_the_same():
    room, made, source = Workspace(), [], np.arange(6.0).reshape(2, 3)

    def make(array):
        made.append(array.copy())
        return 2 * array

    first = room.made_of(source, "doubled", make)
    assert room.made_of(source.copy(), "doubled", make) is first and len(made) == 1
    assert room.made_of(source, "again", make) is not first and len(made) == 2
    assert made_of(None, source, "doubled", make) is not first and len(made) == 3
    assert made_of(room, source, "doubled", make) is first and room.bytes() == 4 * source.nbytes
    for change in (0.0, -0.0, np.nan):  # a zero's sign is a bit too; a nan is itself
        source[1, 2] = change
        now = room.made_of(source, "doubled", make)
        assert np.array_equal(made[-1], source, equal_nan=True) and np.array_equal(now, 2 * source, equal_nan=True)
        assert room.made_of(source, "doubled", make) is now
    assert len(made) == 6
    for other in (source.reshape(3, 2), source.view(np.int64), np.ascontiguousarray(source.T)):
        assert np.array_equal(room.made_of(other, "doubled", make), 2 * other, equal_nan=other.dtype.kind == "f")
    turned = room.made_of(source.T, "doubled", make)  # not in one piece
    assert np.array_equal(turned, 2 * source.T, equal_nan=True)


def test_a_workspace_travels_empty():
    room = Workspace()
    room.take("y", (1000,), "float32")
    room.made_of(np.zeros(9), "zeros", np.copy)
    assert pickle.loads(pickle.dumps(room)).bytes() == 0
