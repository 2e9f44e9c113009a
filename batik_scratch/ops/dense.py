"""A product with many features and few units, split over the features so that all threads share it.

    Y = X W + b        dW = X' dY        dX = dY W'        X (N, D), W (D, U)

With D much larger than N and U the work is to carry W through the processor once. Each task takes a block of W's rows:
its part of dW and of dX is its own, and its share of Y is a partial sum; those are added in a fixed order.
"""

import numpy as np

from . import threads
from .jit import compiled, prange, runs_plain
from .lines import add_line

# Any values from 1 on are right; they decide about speed and about the order of sums.
BLOCKS = 16  # fixed, so that bits do not depend on the number of threads
LARGE = 2**16  # values of W from which splitting pays


def forward_plain(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """x (N, D), kernel (D, U), bias (U,) -> y (N, U)."""
    return x @ kernel + bias


def backward_plain(
    x: np.ndarray, kernel: np.ndarray, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """dy (N, U) -> dx (N, D), dkernel (D, U), dbias (U,); what is not needed is None."""
    dx = dy @ kernel.T if need_dx else None  # (N, U) @ (U, D) -> (N, D)
    if not need_grads:
        return dx, None, None
    return dx, x.T @ dy, dy.sum(axis=0)  # (D, N) @ (N, U) -> (D, U); (U,)


def forward(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """`forward_plain`; on all threads if the kernel is large."""
    if _plain_is_best(x, kernel):
        return forward_plain(x, kernel, bias)
    sums = np.zeros((1 + BLOCKS, len(x), kernel.shape[1]), x.dtype)  # (1 + BLOCKS, N, U): y, and each block's share
    with threads.one_blas_thread():
        _forward(np.ascontiguousarray(x), kernel, bias, _part(x, kernel), sums[0], sums[1:])
    return sums[0]  # (N, U)


def backward(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    need_dx: bool = True,
    need_grads: bool = True,
    room: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """`backward_plain`; on all threads if the kernel is large. Then dkernel lies in `room` (D, U), if it is given."""
    if _plain_is_best(x, kernel):
        return backward_plain(x, kernel, dy, need_dx, need_grads)
    nothing = np.empty((0, 0), x.dtype)
    dx = np.empty(x.shape, x.dtype) if need_dx else nothing  # (N, D)
    dkernel = nothing
    if need_grads:
        dkernel = np.empty(kernel.shape, x.dtype) if room is None else room  # (D, U)
    with threads.one_blas_thread():
        dy, dy_t = np.ascontiguousarray(dy), np.ascontiguousarray(dy.T)  # (N, U), (U, N)
        _backward(np.ascontiguousarray(x), kernel, dy, dy_t, _part(x, kernel), dx, dkernel)
    return (dx if need_dx else None), *((dkernel, dy.sum(axis=0)) if need_grads else (None, None))


def _plain_is_best(x: np.ndarray, kernel: np.ndarray) -> bool:
    return kernel.size < LARGE or runs_plain(x)


def _part(x: np.ndarray, kernel: np.ndarray) -> int:
    """How many features one product takes: a small product if the batch allows it."""
    return max(64, threads.SMALL_PRODUCT // (len(x) * kernel.shape[1]))


@compiled(parallel=True)
def _forward(x, kernel, bias, part, y, partial):
    """X W + bias added to y (N, U), with room for each block's share in partial (BLOCKS, N, U): both zero before."""
    features = x.shape[1]
    for block in prange(BLOCKS):
        # this block's features, a part at a time; its share of Y is a sum of its own
        end = (block + 1) * features // BLOCKS
        product = np.empty(y.shape, x.dtype)  # (N, U)
        for low in range(block * features // BLOCKS, end, part):
            high = min(low + part, end)
            columns = x[:, low:high].copy()  # BLAS wants it in one piece
            np.dot(columns, kernel[low:high], product)  # (N, part) @ (part, U) -> (N, U)
            _add(partial[block], product)
    for block in range(BLOCKS):
        _add(y, partial[block])
    for n in range(len(y)):
        add_line(bias, y[n])


@compiled(parallel=True)
def _backward(x, kernel, dy, dy_t, part, dx, dkernel):
    features = kernel.shape[0]
    for block in prange(BLOCKS):
        # rows of dW and columns of dX belong to one block alone, so nothing is added up between threads
        start, end = block * features // BLOCKS, (block + 1) * features // BLOCKS
        if len(dkernel) > 0:
            for low in range(start, end, part):
                high = min(low + part, end)
                columns = x[:, low:high].copy()
                np.dot(columns.T, dy, dkernel[low:high])  # (part, N) @ (N, U) -> (part, U)
        if len(dx) > 0:
            product = np.empty((part, len(x)), x.dtype)
            for low in range(start, end, part):
                rows = product[: min(low + part, end) - low]
                # dX' and not dX: BLAS takes twice as long where it has to turn W over
                np.dot(kernel[low : low + len(rows)], dy_t, rows)  # (part, U) @ (U, N) -> (part, N)
                _turn(rows, dx[:, low : low + len(rows)])


# `a += b` as a loop: of arrays, numba would compile for three seconds what it says if shapes differ
@compiled()
def _add(total, values):
    for n in range(values.shape[0]):
        for i in range(values.shape[1]):
            total[n, i] += values[n, i]


@compiled()
def _turn(rows, dx):
    """dx (N, part) = rows' (part, N)."""
    for n in range(dx.shape[0]):
        for i in range(dx.shape[1]):
            dx[n, i] = rows[i, n]
