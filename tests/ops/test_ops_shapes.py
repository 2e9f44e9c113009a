"""How windows fit into lengths, and that strides are one if none are given."""

import numpy as np
import pytest

from batik_scratch.ops import conv_im2col, conv_loops
from batik_scratch.ops.im2col import col2im, im2col
from batik_scratch.ops.shapes import same_padding, window_count


@pytest.mark.parametrize("n", range(1, 12))
@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("s", [1, 2, 3])
def test_same_padding_is_the_least_that_gives_a_window_per_stride_and_the_odd_zero_goes_after(n, k, s):
    before, after = same_padding(n, k, s)
    wanted = -(-n // s)
    assert window_count(n + before + after, k, s) == wanted
    assert after - before in (0, 1)
    if before + after:
        assert window_count(n + before + after - 1, k, s) < wanted


@pytest.mark.parametrize(
    ("n", "k", "s", "count"), [(7, 3, 2, 3), (6, 3, 2, 2), (3, 3, 1, 1), (2, 3, 1, 0), (1, 5, 2, 0)]
)
def test_windows_are_counted_by_hand(n, k, s, count):
    assert window_count(n, k, s) == count


@pytest.mark.parametrize("ops", [conv_loops, conv_im2col], ids=lambda module: module.__name__)
def test_strides_are_one_where_none_are_given(ops):
    rng = np.random.default_rng(0)
    x, kernel, bias = rng.standard_normal((2, 5, 6, 2)), rng.standard_normal((2, 3, 2, 3)), rng.standard_normal(3)
    dy = rng.standard_normal((2, 4, 4, 3))
    for suffix in ("", "_plain"):
        forward, backward = getattr(ops, f"forward{suffix}", None), getattr(ops, f"backward{suffix}", None)
        if forward is not None:
            assert np.array_equal(forward(x, kernel, bias), forward(x, kernel, bias, (1, 1)))
            for given, explicit in zip(
                backward(x, kernel, dy), backward(x, kernel, dy, (1, 1), True, True), strict=True
            ):
                assert np.array_equal(given, explicit)
    columns = im2col(x, (2, 3))
    assert columns.shape == (2, 4, 4, 12)
    assert np.array_equal(col2im(columns, x.shape, (2, 3)), col2im(columns, x.shape, (2, 3), (1, 1)))
