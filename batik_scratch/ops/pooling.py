"""Max-pooling: the largest value of each window, and which one it was.

The backward pass needs only that index: the upstream gradient goes to the winner, and if windows overlap, a
pixel that won several collects from each. Ties go to the first maximum in reading order.
"""

import numpy as np

from .few_by_few import few_images
from .jit import compiled, prange, runs_plain
from .lanes import choose, keep, larger, spread
from .shapes import window_count

DEAD = np.uint8(4)  # a window whose maximum the ReLU shuts: no place in it gets a gradient


def forward_plain(x: np.ndarray, pool: tuple[int, int], strides: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """x (N, H, W, C) -> y (N, OH, OW, C) and each winner's index inside its window, int64 in 0..ph*pw-1."""
    (ph, pw), (sh, sw) = pool, strides
    windows = np.lib.stride_tricks.sliding_window_view(x, (ph, pw), axis=(1, 2))[:, ::sh, ::sw]
    windows = windows.reshape(*windows.shape[:4], ph * pw)  # (N, OH, OW, C, ph*pw)
    winner = windows.real.argmax(axis=-1)  # (N, OH, OW, C)
    return np.take_along_axis(windows, winner[..., None], axis=-1)[..., 0], winner


def backward_plain(
    dy: np.ndarray, winner: np.ndarray, shape: tuple[int, ...], pool: tuple[int, int], strides: tuple[int, int]
) -> np.ndarray:
    """dy, winner (N, OH, OW, C) -> dx of x's `shape` (N, H, W, C)."""
    n, i, j, c = np.ogrid[tuple(slice(length) for length in winner.shape)]
    rows = i * strides[0] + winner // pool[1]  # (N, OH, OW, C)
    columns = j * strides[1] + winner % pool[1]  # (N, OH, OW, C)
    dx = np.zeros(shape, dy.dtype)  # (N, H, W, C)
    np.add.at(dx, (n, rows, columns, c), dy)  # adds: `dx[...] = dy` would keep the last overlap only
    return dx


def forward(x: np.ndarray, pool: tuple[int, int], strides: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """`forward_plain` on all threads; winners are uint8 if a window has at most 256 places."""
    n, h, w, c = x.shape
    shape = (n, window_count(h, pool[0], strides[0]), window_count(w, pool[1], strides[1]), c)
    y = np.empty(shape, x.dtype)  # (N, OH, OW, C)
    winner = np.empty(shape, np.uint8 if pool[0] * pool[1] <= 256 else np.int64)  # (N, OH, OW, C)
    if runs_plain(x):
        for some in few_images(n, y[:1].size * pool[0] * pool[1]):
            y[some], winner[some] = forward_plain(x[some], pool, strides)
        return y, winner
    _forward(np.ascontiguousarray(x), pool[0], pool[1], strides[0], strides[1], y, winner)
    return y, winner


def backward(
    dy: np.ndarray, winner: np.ndarray, shape: tuple[int, ...], pool: tuple[int, int], strides: tuple[int, int]
) -> np.ndarray:
    """`backward_plain` on all threads; one image is one thread's, so overlapping windows may add freely."""
    dx = np.empty(shape, dy.dtype)  # (N, H, W, C)
    if runs_plain(dy):
        for some in few_images(shape[0], 4 * dy[:1].size):  # each winner has four indices
            dx[some] = backward_plain(dy[some], winner[some], dx[some].shape, pool, strides)
        return dx
    _backward(np.ascontiguousarray(dy), winner, pool[1], strides[0], strides[1], dx)
    return dx


@compiled(forceinline=True)
def largest_of_four(y00, y01, y10, y11, places):
    """ReLU and 2x2 max-pooling in lanes: the largest of four and its place 0..3, or 0 and DEAD.

    places (5,) are 0, 1, 2, 3 and DEAD, as numbers of the same type.
    """
    zero, one, two, three = spread(places, 0), spread(places, 1), spread(places, 2), spread(places, 3)
    dead = spread(places, 4)
    upper, lower = larger(y00, y01), larger(y10, y11)
    place = choose(upper, lower, choose(y00, y01, zero, one), choose(y10, y11, two, three))
    top = larger(upper, lower)
    total = (y00 + y01) + (y10 + y11)
    # NaN is not larger than anything, and must not be lost: a diverged network must not look healthy
    best = choose(total, total, larger(top, zero), total)
    return best, choose(total, total, choose(zero, top, dead, place), dead)


@compiled(forceinline=True)
def send_to_winner(dy, winner, at):
    """The adjoint of `largest_of_four`: the gradients dy (lanes) to the four, by the winners (bytes) from `at` on."""
    return keep(dy, winner, at, 0), keep(dy, winner, at, 1), keep(dy, winner, at, 2), keep(dy, winner, at, 3)


@compiled(parallel=True)
def _forward(x, ph, pw, sh, sw, y, winner):
    n_images, oh, ow, channels = y.shape
    for task in prange(n_images * oh):  # a row of windows
        n, i = task // oh, task % oh
        for j in range(ow):
            best, index = y[n, i, j], winner[n, i, j]  # (C,)
            # the window's first place is the best so far; channels innermost, as they lie side by side
            for c in range(channels):
                best[c] = x[n, i * sh, j * sw, c]
                index[c] = 0
            for u in range(ph):
                for v in range(pw):
                    place = x[n, i * sh + u, j * sw + v]  # (C,)
                    for c in range(channels):
                        # NaN wins and stays, as in np.argmax: a diverged network must not look healthy
                        better = place[c] > best[c] or (place[c] != place[c] and best[c] == best[c])
                        index[c] = u * pw + v if better else index[c]
                        best[c] = place[c] if better else best[c]


@compiled(parallel=True)
def _backward(dy, winner, pw, sh, sw, dx):
    n_images, oh, ow, channels = dy.shape
    for n in prange(n_images):
        dx[n] = 0
        for i in range(oh):
            for j in range(ow):
                for c in range(channels):
                    index = np.int64(winner[n, i, j, c])
                    dx[n, i * sh + index // pw, j * sw + index % pw, c] += dy[n, i, j, c]
