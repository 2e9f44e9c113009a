"""Compiled kernels at the paper's sizes, and around every block, group, chunk and line (kernel_sizes.py)."""

import itertools

import numpy as np
import pytest
from kernel_sizes import (
    PAPER,
    batches,
    dense_sizes,
    direct_heights,
    direct_lanes,
    im2col_heights,
    im2col_rows,
    shares,
    tile_rows,
    tiles_of,
    winograd_channels,
    winograd_lines,
    winograd_parts,
    winograd_steps,
)
from kernel_truth import Size, check_convolution, check_fused, close, convolution, draw, images
from plain_mode import whole_module_needs_numba

from batik_scratch.errors import InputError
from batik_scratch.ops import (
    choose,
    chunks,
    conv_direct,
    conv_im2col,
    conv_winograd,
    dense,
    direct_kernels,
    lanes,
    pooling,
    threads,
    winograd_weights,
)
from batik_scratch.ops.workspace import Workspace

whole_module_needs_numba()

DTYPES = ("float32", "float64")


@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
def test_the_truth_is_the_plain_convolution(strides):
    x, kernel, bias = images(Size(2, 9, 11, 3, 4), (3, 2))
    np.testing.assert_allclose(
        convolution(x, kernel, bias, strides), conv_im2col.forward_plain(x, kernel, bias, strides)
    )


# ------------------------------------------------------------------------------------------- the paper's sizes


def test_the_first_block_of_the_paper_is_right_and_takes_several_tasks_of_rows():
    assert 2 * direct_kernels.ROWS < 74
    check_fused(conv_direct, PAPER[0])


@pytest.mark.parametrize("size", PAPER[1:], ids=["second", "third"])
def test_the_other_blocks_of_the_paper_are_right(size):
    assert size.c % lanes.LANES == size.f % lanes.LANES == 0  # all in whole vectors
    check_fused(conv_winograd, size)


@pytest.mark.parametrize("size", PAPER, ids=["first", "second", "third"])
def test_the_convolutions_of_the_paper_are_right_without_their_pooling(size):
    for ops in (conv_im2col, conv_winograd):
        check_convolution(ops, size._replace(n=1), dtypes=("float32",))


# ------------------------------------------------------------------------------------------------ conv_direct


def test_direct_tasks_of_rows():
    for size, (tasks, last) in direct_heights():
        rows = (size.h - 2) // 2
        assert divmod(rows - 1, direct_kernels.ROWS) == (tasks - 1, last - 1)
        check_fused(conv_direct, size)
    assert {tasks for _, (tasks, _) in direct_heights()} == {1, 2, 3}


def test_direct_vectors_of_filters_that_are_full_one_less_and_one_more():
    width, reached = lanes.LANES, set()
    for size, vectors, free in direct_lanes():
        assert conv_direct.winner_shape(size[:4], size.f)[2] == (size.w - 2) // 2 * vectors * width
        assert vectors * width - size.f == free
        check_fused(conv_direct, size)
        check_convolution(conv_direct, size)
        reached.add((vectors, free))
    assert {(1, 1), (1, 0), (2, width - 1), (2, 0), (3, width - 1)} <= reached


@pytest.mark.parametrize("n", batches(chunks.CHUNKS))
def test_direct_with_fewer_images_than_chunks_as_many_and_more(n):
    check_fused(conv_direct, Size(n, 2 * direct_kernels.ROWS + 5, 9, 2, 3))


def test_direct_without_pooling_around_every_task():
    sizes = [size for size, _ in direct_heights()]
    for size in sizes:
        check_convolution(conv_direct, size)
    assert {(size.h % 2, size.w % 2) for size in sizes} == {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.parametrize("n", batches(chunks.CHUNKS))
def test_direct_without_pooling_in_fewer_images_than_chunks_as_many_and_more(n):
    check_convolution(conv_direct, Size(n, 9, 10, 3, 4))


@pytest.mark.parametrize(("h", "w", "c", "f"), [(3, 3, 1, 1), (4, 3, 2, 1), (3, 4, 1, 2), (11, 10, 40, 17)])
def test_direct_without_pooling_for_one_output_and_for_many_channels(h, w, c, f):
    check_convolution(conv_direct, Size(2, h, w, c, f))


def test_direct_refuses_strides():
    x, kernel, bias = (array.astype("float32") for array in images(Size(1, 5, 6, 1, 1)))
    dy = np.zeros((1, 3, 4, 1), "float32")
    for suffix in ("", "_plain"):
        with pytest.raises(InputError, match=r"needs strides \(1, 1\), got \(1, 2\)"):
            getattr(conv_direct, f"forward{suffix}")(x, kernel, bias, (1, 2))
        with pytest.raises(InputError, match=r"needs strides \(1, 1\), got \(1, 2\)"):
            getattr(conv_direct, f"backward{suffix}")(x, kernel, dy, (1, 2))


def test_direct_takes_images_of_any_width():
    check_fused(conv_direct, Size(1, 5, 5001, 1, 2))
    check_convolution(conv_direct, Size(1, 3, 5000, 1, 1))


@pytest.mark.parametrize("f", [1, 2, 3, 4, 5])
def test_direct_with_few_channels_and_filters_even_and_odd(f):
    for c in {1, 3, choose.FEW - 1}:
        check_fused(conv_direct, Size(2, 8, 11, c, f))


@pytest.mark.parametrize("dtype", DTYPES)
def test_direct_is_exact_in_whole_numbers_and_the_first_of_equals_wins(dtype):
    size = Size(2, 2 * (direct_kernels.ROWS + 2) + 2, 9, 2, 3)
    x, kernel, bias = (np.rint(array) for array in images(size))
    y, winner = conv_direct.forward_pooled_plain(x, kernel, bias)
    dy = np.rint(draw(y.shape, seed=2)[0])
    dbefore = pooling.backward_plain(dy * (y > 0), winner % 4, (2, size.h - 2, size.w - 2, 3), (2, 2), (2, 2))
    truth = (y, *conv_im2col.backward_plain(x, kernel, dbefore))
    x, kernel, bias, dy = (array.astype(dtype) for array in (x, kernel, bias, dy))
    got, won = np.empty(y.shape, dtype), np.empty(conv_direct.winner_shape(x.shape, 3), np.uint8)
    conv_direct.forward_pooled(x, kernel, bias, got, won)
    gradients = conv_direct.backward_pooled(x, kernel, dy, won, np.full_like(x, np.nan), True, Workspace())
    for array, expected in zip((got, *gradients), truth, strict=True):
        assert np.array_equal(array, expected)


# ---------------------------------------------------------------------------------------------- conv_winograd


def test_winograd_lines_of_tiles_in_vectors():
    reached, missed = set(), set()
    for size, (vectors, last), missing in winograd_lines():
        tiles = tiles_of(size)[1]
        assert divmod(tiles * size.f - 1, lanes.LANES) == (vectors - 1, last - 1)
        assert 4 * tiles - (size.w - 2) == missing  # columns of the last tile that the image has not
        check_fused(conv_winograd, size)
        reached.add((min(vectors, 3), last == lanes.LANES))
        missed.add(missing)
    assert {(1, True), (2, False), (3, False)} <= reached and missed == {0, 1, 2, -1}


def test_winograd_channels_in_whole_vectors_and_the_rest():
    for size in winograd_channels():
        check_fused(conv_winograd, size)
        check_convolution(conv_winograd, size)
    assert {size.c % lanes.LANES for size in winograd_channels()} >= {0, 1, lanes.LANES - 1}


def test_winograd_without_pooling_in_several_vectors():
    for size, (vectors, _), _ in winograd_lines():
        if vectors == 2:
            check_convolution(conv_winograd, size)


def test_winograd_parts_of_an_image_and_of_several():
    ends_inside, goes_on, in_a_row, reached = False, False, False, set()
    for size, parts in winograd_parts():
        down, across = tiles_of(size)
        assert shares(size)[0] == parts
        steps = shares(size)[1]
        in_a_row |= any(step * size.n * down * across // steps % across for step in range(steps))
        ends = [part * size.n * down // parts for part in range(parts)]
        ends_inside |= any(end % down for end in ends)
        # a part with the end of one image, whose last tiles reach below it, and the beginning of the next
        goes_on |= size.h < 4 * down + 2 and any(
            a // down < b // down and b % down for a, b in itertools.pairwise(ends)
        )
        reached.add(parts)
        check_fused(conv_winograd, size)
    assert max(reached) == chunks.CHUNKS and min(reached) == 1
    assert in_a_row or chunks.CHUNKS == 1  # a row of tiles is shared by two steps of the forward pass
    assert ends_inside or chunks.CHUNKS == 1  # there lines of dx belong to the tiles of two parts
    assert goes_on or chunks.CHUNKS == 1 or chunks.CHUNKS % 3 == 0  # then parts end with the images


def test_winograd_parts_without_pooling():
    for size, parts in winograd_parts():
        if parts == chunks.CHUNKS:
            check_convolution(conv_winograd, size)


@pytest.mark.parametrize("case", range(5))
def test_winograd_parts_of_several_steps(case):
    size, most = winograd_steps()[case]
    rows, parts = size.n * tiles_of(size)[0], chunks.CHUNKS
    assert shares(size)[0] == parts
    shared = [(part + 1) * rows // parts - part * rows // parts for part in range(parts)]
    assert max(-(-some // tile_rows(size)) for some in shared) == most
    check_fused(conv_winograd, size, dtypes=DTYPES if case < 2 else ("float32",))


def test_winograd_steps_are_as_many_for_each_part_and_none_is_too_large():
    sizes = [size for size, _ in (*winograd_parts(), *winograd_steps())]
    for size in (*sizes, *PAPER, Size(9, 36, 36, 64, 128), Size(3, 6, 6, 800, 800)):  # the last: a step for each tile
        (parts, steps), (down, across) = shares(size), tiles_of(size)
        rows = size.n * down
        assert steps % parts == 0 or steps == rows * across
        assert steps <= rows * across
        assert -(-rows * across // steps) <= tile_rows(size) * across
        assert steps < -(-rows // tile_rows(size)) + parts


@pytest.mark.parametrize("dtype", DTYPES)
def test_winograd_weights_and_their_gradients_in_several_blocks(dtype):
    block = winograd_weights.BLOCK
    for n in {1, max(1, block - 1), block, block + 1, 2 * block + 1}:
        weights, numbers = draw((9, n), (3, 36, n))
        both = np.kron(conv_winograd.G, conv_winograd.G)  # k -> G k G' in one product
        sixth = np.dtype(dtype).type(1 / 6)
        u, dk = np.full((36, n), np.nan, dtype), np.full((9, n), np.nan, dtype)
        winograd_weights.transform(weights.astype(dtype), sixth, u)
        close(u, both @ weights, dtype)
        winograd_weights.transform_back(numbers.astype(dtype), sixth, dk)
        close(dk, both.T @ numbers.sum(axis=0), dtype)


@pytest.mark.parametrize("n", batches(chunks.CHUNKS))
def test_winograd_with_fewer_images_than_chunks_as_many_and_more(n):
    check_fused(conv_winograd, Size(n, 12, 9, 4, 3))
    check_convolution(conv_winograd, Size(n, 9, 12, 2, 5))


def test_winograd_steps_fill_the_cache_with_no_large_product():
    for size in (*PAPER, Size(1, 9, 9, 1, 1), Size(1, 40, 50, 300, 200), Size(1, 9, 4000, 2, 3)):
        across, rows = tiles_of(size)[1], tile_rows(size)
        values, products = 36 * across * (size.c + size.f), across * size.c * size.f
        most = max(1, min(conv_winograd.TILE_VALUES // values, threads.SMALL_PRODUCT // products))
        assert rows == (most if most <= 4 else most // 4 * 4)


# ------------------------------------------------------------------------------------------------ conv_im2col


@pytest.mark.parametrize(("window", "strides"), [((3, 3), (1, 1)), ((3, 2), (2, 3)), ((1, 4), (1, 2))])
def test_im2col_tiles_of_output_rows(window, strides):
    for dtype in DTYPES:
        for size, (tiles, last) in im2col_heights(window, strides, dtype):
            rows = im2col_rows(size, window, strides[1], dtype)
            out = (size.h - window[0]) // strides[0] + 1
            assert divmod(out - 1, rows) == (tiles - 1, last - 1)
            check_convolution(conv_im2col, size, window, strides, dtypes=(dtype,))


@pytest.mark.parametrize("n", batches(chunks.CHUNKS))
def test_im2col_with_fewer_images_than_chunks_as_many_and_more(n):
    check_convolution(conv_im2col, Size(n, 7, 6, 2, 3), (2, 3), (1, 2))


# ------------------------------------------------------------------------------------------------------ dense


def check_product(n, d, u, dtypes=DTYPES):
    exact = draw((n, d), (d, u), (u,), (n, u))
    x, w, b, dy = exact
    truth = x @ w + b, dy @ w.T, x.T @ dy, dy.sum(axis=0)
    for dtype in dtypes:
        x, w, b, dy = (array.astype(dtype) for array in exact)
        gradients = dense.backward(x, w, dy)
        for got, expected in zip((dense.forward(x, w, b), *gradients), truth, strict=True):
            close(got, expected, dtype)
        only_dx, only_grads = dense.backward(x, w, dy, True, False), dense.backward(x, w, dy, False, True)
        assert np.array_equal(only_dx[0], gradients[0]) and only_dx[1:] == (None, None)
        assert only_grads[0] is None
        assert all(np.array_equal(a, b) for a, b in zip(only_grads[1:], gradients[1:], strict=True))


def test_the_dense_layer_of_the_paper():
    check_product(5, 17 * 17 * 128, 64, ("float32",))


@pytest.mark.parametrize("case", range(8))
def test_dense_blocks_of_features_and_parts_of_a_block(case):
    (n, d, u), (block, parts, last) = dense_sizes()[case]
    part = dense._part(np.empty((n, 1)), np.empty((1, u)))
    assert d * u >= dense.LARGE and -(-d // dense.BLOCKS) == block
    assert divmod(block - 1, part) == (parts - 1, last - 1)
    check_product(n, d, u)


def test_dense_products_are_split_from_a_size_on():
    for size, plain in ((dense.LARGE - 1, True), (dense.LARGE, False)):
        assert dense._plain_is_best(np.empty((1, size)), np.empty((size, 1))) == plain
        check_product(2, size, 1)
    assert dense._plain_is_best(np.empty((1, 2), complex), np.empty((2, dense.LARGE)))
