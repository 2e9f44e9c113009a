"""Plain versions on large batches: a few images at a time, so that their copies do not fill the memory."""

from collections.abc import Callable, Iterator

import numpy as np

AT_ONCE = 2**22  # numbers that are copied at once: 16 to 64 MB

Gradients = tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]


def few_images(n: int, values: int) -> Iterator[slice]:
    """Cut a batch of n images, each of which needs `values` numbers, into slices of at most AT_ONCE, or one image."""
    step = max(1, AT_ONCE // max(1, values))
    for first in range(0, n, step):
        yield slice(first, first + step)


def forward(
    plain: Callable[..., np.ndarray],
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    strides: tuple[int, int],
    y: np.ndarray,
    values: int,
) -> np.ndarray:
    """Fill y with plain(x, kernel, bias, strides), which copies `values` numbers per image, and return it."""
    for some in few_images(len(x), values):
        y[some] = plain(x[some], kernel, bias, strides)
    return y


def backward(
    plain: Callable[..., Gradients],
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    strides: tuple[int, int],
    need_dx: bool,
    need_grads: bool,
    values: int,
) -> Gradients:
    """plain(x, kernel, dy, strides, need_dx, need_grads): each image has its own dx, and dkernel is a sum over all."""
    dx = np.empty(x.shape, x.dtype) if need_dx else None  # (N, H, W, C)
    dkernel = np.zeros(kernel.shape, x.dtype) if need_grads else None  # (kh, kw, C, F)
    for some in few_images(len(x), values):
        dx_some, dkernel_some, _ = plain(x[some], kernel, dy[some], strides, need_dx, need_grads)
        if dx is not None:
            dx[some] = dx_some
        if dkernel is not None:
            dkernel += dkernel_some
    return dx, dkernel, dy.sum(axis=(0, 1, 2)) if need_grads else None  # dbias (F,)
