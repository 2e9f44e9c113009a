"""Plain versions on large batches: a few images at a time, so that their copies do not fill the memory."""

from collections.abc import Callable, Iterator

import numpy as np

AT_ONCE = 2**22  # numbers that are copied at once: 16 to 64 MB

Gradients = tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]  # dx, dkernel, dbias


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
    plain: Callable[[slice], Gradients],
    x: np.ndarray,
    kernel: np.ndarray,
    dx: np.ndarray | None,
    need_grads: bool,
    values: int,
) -> Gradients:
    """The gradients that plain(some) gives for some images of x: each has its own dx, the others are sums over all.

    dx is filled if it is given.
    """
    dkernel = np.zeros(kernel.shape, x.dtype)  # (kh, kw, C, F)
    dbias = np.zeros(kernel.shape[3], x.dtype)  # (F,)
    for some in few_images(len(x), values):
        dx_some, dkernel_some, dbias_some = plain(some)
        if dx is not None:
            dx[some] = dx_some
        if need_grads:
            dkernel += dkernel_some
            dbias += dbias_some
    return dx, *((dkernel, dbias) if need_grads else (None, None))
