"""Convolution as a matrix product: im2col, then BLAS.

    Y = X_col W + b        X_col (P, K) one row per output pixel, W (K, F) the kernel reshaped
    dW = X_col' dY,  db = sum_p dY,  dX = col2im(dY W')

`*_plain` says it in four lines of NumPy (any dtype, complex too). The fast version computes the same sums a few
output rows at a time, so that a tile of X_col stays in the cache instead of travelling to memory and back; images
are spread over threads, and BLAS runs at one thread inside each.
"""

import numpy as np

from . import few_by_few, threads
from .chunks import CHUNKS
from .few_by_few import Gradients
from .im2col import col2im, im2col
from .jit import compiled, prange, runs_plain
from .shapes import window_count

# Any value from 1 on is right; it decides about speed and about the order of sums.
TILE_BYTES = 192 * 1024  # of im2col rows per tile: fits the second-level cache beside the kernel


def forward_plain(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, strides: tuple[int, int] = (1, 1)) -> np.ndarray:
    """x (N, H, W, C), kernel (kh, kw, C, F), bias (F,) -> y (N, OH, OW, F)."""
    columns = im2col(x, kernel.shape[:2], strides)  # (N, OH, OW, K)
    return columns @ kernel.reshape(-1, kernel.shape[3]) + bias  # (N, OH, OW, F)


def backward_plain(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    strides: tuple[int, int] = (1, 1),
    need_dx: bool = True,
    need_grads: bool = True,
) -> Gradients:
    """dy (N, OH, OW, F) -> dx (N, H, W, C), dkernel (kh, kw, C, F), dbias (F,); what is not needed is None."""
    filters = kernel.shape[3]
    dx = dkernel = dbias = None
    if need_grads:
        columns = im2col(x, kernel.shape[:2], strides).reshape(-1, kernel.size // filters)  # (P, K)
        dkernel = (columns.T @ dy.reshape(-1, filters)).reshape(kernel.shape)  # (kh, kw, C, F)
        dbias = dy.sum(axis=(0, 1, 2))  # (F,)
    if need_dx:
        dcolumns = dy @ kernel.reshape(-1, filters).T  # (N, OH, OW, K)
        dx = col2im(dcolumns, x.shape, kernel.shape[:2], strides)  # (N, H, W, C)
    return dx, dkernel, dbias


def forward(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    strides: tuple[int, int] = (1, 1),
) -> np.ndarray:
    """`forward_plain`, tiled and on all threads."""
    kh, kw, _, filters = kernel.shape
    oh, ow = window_count(x.shape[1], kh, strides[0]), window_count(x.shape[2], kw, strides[1])
    y = np.empty((len(x), oh, ow, filters), x.dtype)  # (N, OH, OW, F)
    if runs_plain(x):
        return few_by_few.forward(forward_plain, x, kernel, bias, strides, y, _window_values(oh, ow, kernel))
    flat = np.ascontiguousarray(kernel).reshape(-1, filters)  # (K, F)
    with threads.one_blas_thread():
        _forward(np.ascontiguousarray(x), flat, bias, kh, kw, strides[0], strides[1], _tile_rows(flat, ow), y)
    return y


def backward(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    strides: tuple[int, int] = (1, 1),
    need_dx: bool = True,
    need_grads: bool = True,
) -> Gradients:
    """`backward_plain`, tiled and on all threads."""
    if runs_plain(x):
        values = _window_values(dy.shape[1], dy.shape[2], kernel)
        dx = np.empty(x.shape, x.dtype) if need_dx else None  # (N, H, W, C)

        def plain(some: slice) -> Gradients:
            return backward_plain(x[some], kernel, dy[some], strides, need_dx, need_grads)

        return few_by_few.backward(plain, x, kernel, dx, need_grads, values)
    kh, kw, _, filters = kernel.shape
    flat = np.ascontiguousarray(kernel).reshape(-1, filters)  # (K, F)
    rows = _tile_rows(flat, dy.shape[2])
    dx = np.zeros_like(x, order="C") if need_dx else np.empty((0, 0, 0, 0), x.dtype)  # (N, H, W, C)
    sums = np.zeros((CHUNKS if need_grads else 0, *flat.shape), x.dtype)  # (CHUNKS, K, F)
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    with threads.one_blas_thread():
        _backward(x, flat.T.copy(), dy, kh, kw, strides[0], strides[1], rows, dx, sums)
    if not need_grads:
        return (dx if need_dx else None), None, None
    dkernel = sums.sum(axis=0).reshape(kernel.shape)  # (kh, kw, C, F)
    return (dx if need_dx else None), dkernel, dy.sum(axis=(0, 1)).sum(axis=0)


def _window_values(oh: int, ow: int, kernel: np.ndarray) -> int:
    """How many numbers an image's windows hold: OH OW K."""
    return oh * ow * kernel.size // kernel.shape[3]


def _tile_rows(flat: np.ndarray, ow: int) -> int:
    """Output rows per tile, so that its im2col rows (rows * OW, K) take TILE_BYTES."""
    return max(1, TILE_BYTES // max(1, ow * flat.shape[0] * flat.itemsize))


@compiled()
def _gather(image, kh, kw, sh, sw, first, columns):
    """im2col of a few output rows of one image (H, W, C) into columns (rows, OW, kh, kw*C)."""
    rows, ow = columns.shape[0], columns.shape[1]
    span = columns.shape[3]
    channels = image.shape[2]
    h_row = image.shape[1] * channels
    flat = image.reshape(image.shape[0] * h_row)
    for r in range(rows):
        for j in range(ow):
            for u in range(kh):
                start = ((first + r) * sh + u) * h_row + j * sw * channels
                for k in range(span):
                    columns[r, j, u, k] = flat[start + k]


@compiled()
def _scatter(columns, kh, sh, sw, first, image):
    """col2im of a few output rows: the adjoint of `_gather`, so it adds."""
    rows, ow = columns.shape[0], columns.shape[1]
    span = columns.shape[3]
    channels = image.shape[2]
    h_row = image.shape[1] * channels
    flat = image.reshape(image.shape[0] * h_row)
    for r in range(rows):
        for u in range(kh):
            for j in range(ow):
                start = ((first + r) * sh + u) * h_row + j * sw * channels
                for k in range(span):
                    flat[start + k] += columns[r, j, u, k]


@compiled(parallel=True)
def _forward(x, flat, bias, kh, kw, sh, sw, tile, y):
    n_images, oh, ow, filters = y.shape
    tiles = (oh + tile - 1) // tile
    span = kw * x.shape[3]
    for task in prange(n_images * tiles):  # some output rows of one image
        n, first = task // tiles, (task % tiles) * tile
        rows = min(tile, oh - first)
        columns = np.empty((rows, ow, kh, span), x.dtype)
        _gather(x[n], kh, kw, sh, sw, first, columns)
        out = y[n, first : first + rows].reshape(rows * ow, filters)
        # out is a view of y: the product is written where it belongs
        np.dot(columns.reshape(rows * ow, kh * span), flat, out)  # (P, K) @ (K, F) -> (P, F)
        for p in range(rows * ow):
            for f in range(filters):
                out[p, f] += bias[f]


@compiled(parallel=True)
def _backward(x, flat_t, dy, kh, kw, sh, sw, tile, dx, sums):
    n_images, oh, ow, filters = dy.shape
    span = kw * x.shape[3]
    k_size = kh * span
    for chunk in prange(CHUNKS):
        partial = np.empty((k_size, filters), x.dtype)
        # one buffer for all tiles: it takes the windows, and once those are used, their gradients
        buffer = np.empty((tile, ow, kh, span), x.dtype)
        for n in range(chunk, n_images, CHUNKS):
            for first in range(0, oh, tile):
                rows = min(tile, oh - first)
                columns = buffer[:rows]
                columns_2d = columns.reshape(rows * ow, k_size)
                d = dy[n, first : first + rows].reshape(rows * ow, filters)
                if len(sums) > 0:
                    _gather(x[n], kh, kw, sh, sw, first, columns)
                    np.dot(columns_2d.T, d, partial)  # (K, P) @ (P, F) -> (K, F)
                    for k in range(k_size):
                        for f in range(filters):
                            sums[chunk, k, f] += partial[k, f]
                if len(dx) > 0:
                    np.dot(d, flat_t, columns_2d)  # (P, F) @ (F, K) -> (P, K)
                    _scatter(columns, kh, sh, sw, first, dx[n])
