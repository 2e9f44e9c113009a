"""Convolution, ReLU and 2x2 max-pooling one after the other: what the passes that do all three at once are held to.

A winner is the place in its window, 0..3 in reading order, or pooling.DEAD if the ReLU shut even the largest.
"""

from collections.abc import Callable

import numpy as np

from . import few_by_few, pooling, relu
from .few_by_few import Gradients


def output_shape(x_shape: tuple[int, ...], filters: int) -> tuple[int, int, int, int]:
    """(N, PH, PW, F) for 3x3 kernels on x (N, H, W, C)."""
    n, h, w, _ = x_shape
    return n, (h - 2) // 2, (w - 2) // 2, filters


def forward(
    convolve: Callable[..., np.ndarray], x: np.ndarray, kernel: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """x (N, H, W, C), kernel (3, 3, C, F), bias (F,) -> y and winner, (N, PH, PW, F) both."""
    gated, _ = relu.forward_plain(convolve(x, kernel, bias))  # (N, OH, OW, F)
    y, winner = pooling.forward_plain(gated, (2, 2), (2, 2))
    return y, np.where(y > 0, winner, pooling.DEAD).astype(np.uint8)


def backward(
    convolve_back: Callable[..., Gradients],
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    winner: np.ndarray,
    need_dx: bool,
    need_grads: bool,
) -> Gradients:
    """dy, winner (N, PH, PW, F) -> dx (N, H, W, C), dkernel (3, 3, C, F), dbias (F,); what is not needed is None."""
    n, h, w, _ = x.shape
    alive = winner != pooling.DEAD
    dgated = pooling.backward_plain(
        np.where(alive, dy, 0), np.where(alive, winner, 0), (n, h - 2, w - 2, dy.shape[3]), (2, 2), (2, 2)
    )  # (N, OH, OW, F): a winner that is alive is above zero, so its ReLU is open
    return convolve_back(x, kernel, dgated, (1, 1), need_dx, need_grads)


def fill(
    plain: Callable[..., tuple[np.ndarray, np.ndarray]],
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    y: np.ndarray,
    winner: np.ndarray | None,
) -> None:
    """Fill y, and winner if it is given, with plain(x, kernel, bias), a few images at a time."""
    for some in few_by_few.few_images(len(x), _values(x, kernel)):
        y[some], won = plain(x[some], kernel, bias)
        if winner is not None:
            winner[some] = won


def fill_back(
    plain: Callable[..., Gradients],
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    winner: np.ndarray,
    dx: np.ndarray | None,
    need_grads: bool,
) -> Gradients:
    """plain(x, kernel, dy, winner, need_dx, need_grads), a few images at a time; dx is filled if it is given."""

    def some_gradients(some: slice) -> Gradients:
        return plain(x[some], kernel, dy[some], winner[some], dx is not None, need_grads)

    return few_by_few.backward(some_gradients, x, kernel, dx, need_grads, _values(x, kernel))


def _values(x: np.ndarray, kernel: np.ndarray) -> int:
    """About how many numbers are on the way from an image to its windows' winners."""
    return 4 * x.shape[1] * x.shape[2] * sum(kernel.shape[2:])
