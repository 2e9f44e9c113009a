"""A product with many features and few units, split over the features so that all threads share it.

    Y = X W + b        dW = X' dY        dX = dY W'        X (N, D), W (D, U)

With D much larger than N and U the work is to carry W through the processor once. Each task takes a block of W's rows:
its part of dW and of dX is its own, and its share of Y is a partial sum; those are added in a fixed order.
"""

import numba
import numpy as np

from . import threads
from .jit import kernel as compiled

BLOCKS = 16  # at least; never chosen by the number of threads, on which bits must not depend
SMALL_PRODUCT = 10**6  # multiply-adds up to which OpenBLAS for AVX-512 skips its packing, and is twice as fast
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
    """`forward_plain`; on all threads where the kernel is large."""
    if _plain_is_best(x, kernel):
        return forward_plain(x, kernel, bias)
    partial = np.empty((_blocks(x, kernel), len(x), kernel.shape[1]), x.dtype)  # (blocks, N, U)
    with threads.one_blas_thread():
        _forward(np.ascontiguousarray(x), kernel, partial)
    return partial.sum(axis=0) + bias  # (N, U)


def backward(
    x: np.ndarray, kernel: np.ndarray, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """`backward_plain`; on all threads where the kernel is large."""
    if _plain_is_best(x, kernel):
        return backward_plain(x, kernel, dy, need_dx, need_grads)
    nothing = np.empty((0, 0), x.dtype)
    dx = np.empty(x.shape, x.dtype) if need_dx else nothing  # (N, D)
    dkernel = np.empty(kernel.shape, x.dtype) if need_grads else nothing  # (D, U)
    with threads.one_blas_thread():
        _backward(np.ascontiguousarray(x), kernel, np.ascontiguousarray(dy), _blocks(x, kernel), dx, dkernel)
    return (dx if need_dx else None), *((dkernel, dy.sum(axis=0)) if need_grads else (None, None))


def _plain_is_best(x: np.ndarray, kernel: np.ndarray) -> bool:
    return kernel.size < LARGE or x.dtype.kind == "c"


def _blocks(x: np.ndarray, kernel: np.ndarray) -> int:
    """Into how many parts the features are split: each part's product is small."""
    return max(BLOCKS, -(-len(x) * kernel.size // SMALL_PRODUCT))


@compiled(parallel=True)
def _forward(x, kernel, partial):
    features, blocks = x.shape[1], len(partial)
    for block in numba.prange(blocks):
        low, high = block * features // blocks, (block + 1) * features // blocks
        part = x[:, low:high].copy()  # BLAS wants it in one piece
        np.dot(part, kernel[low:high], partial[block])  # (N, part) @ (part, U) -> (N, U)


@compiled(parallel=True)
def _backward(x, kernel, dy, blocks, dx, dkernel):
    features = kernel.shape[0]
    for block in numba.prange(blocks):
        low, high = block * features // blocks, (block + 1) * features // blocks
        if len(dkernel) > 0:
            part = x[:, low:high].copy()
            np.dot(part.T, dy, dkernel[low:high])  # (part, N) @ (N, U) -> (part, U)
        if len(dx) > 0:
            dx[:, low:high] = np.dot(dy, kernel[low:high].T)  # (N, U) @ (U, part) -> (N, part)
