"""Average-pooling: the mean of each window. All its places have the same share, forwards and backwards."""

import numpy as np

from .jit import compiled, prange, runs_plain
from .shapes import window_count


def forward_plain(x: np.ndarray, pool: tuple[int, int], strides: tuple[int, int]) -> np.ndarray:
    """x (N, H, W, C) -> y (N, OH, OW, C): one place of every window after the other is added."""
    y = np.zeros(_output_shape(x.shape, pool, strides), x.dtype)  # (N, OH, OW, C)
    for u, v in np.ndindex(pool):
        y += _places(x, u, v, y.shape, strides)
    return y / (pool[0] * pool[1])


def backward_plain(
    dy: np.ndarray, shape: tuple[int, ...], pool: tuple[int, int], strides: tuple[int, int]
) -> np.ndarray:
    """dy (N, OH, OW, C) -> dx of x's `shape` (N, H, W, C); where windows overlap, a pixel collects from each."""
    dx = np.zeros(shape, dy.dtype)  # (N, H, W, C)
    share = dy / (pool[0] * pool[1])  # (N, OH, OW, C)
    for u, v in np.ndindex(pool):
        places = _places(dx, u, v, dy.shape, strides)
        places += share
    return dx


def forward(x: np.ndarray, pool: tuple[int, int], strides: tuple[int, int]) -> np.ndarray:
    """`forward_plain` on all threads."""
    if runs_plain(x):
        return forward_plain(x, pool, strides)
    y = np.empty(_output_shape(x.shape, pool, strides), x.dtype)  # (N, OH, OW, C)
    share = x.dtype.type(1 / (pool[0] * pool[1]))
    _forward(np.ascontiguousarray(x), pool[0], pool[1], strides[0], strides[1], share, y)
    return y


def backward(dy: np.ndarray, shape: tuple[int, ...], pool: tuple[int, int], strides: tuple[int, int]) -> np.ndarray:
    """`backward_plain` on all threads; one image is one thread's, so overlapping windows may add freely."""
    if runs_plain(dy):
        return backward_plain(dy, shape, pool, strides)
    dx = np.empty(shape, dy.dtype)  # (N, H, W, C)
    share = dy.dtype.type(1 / (pool[0] * pool[1]))
    _backward(np.ascontiguousarray(dy), pool[0], pool[1], strides[0], strides[1], share, dx)
    return dx


def _output_shape(shape: tuple[int, ...], pool: tuple[int, int], strides: tuple[int, int]) -> tuple[int, ...]:
    n, h, w, c = shape
    return n, window_count(h, pool[0], strides[0]), window_count(w, pool[1], strides[1]), c


def _places(x: np.ndarray, u: int, v: int, shape: tuple[int, ...], strides: tuple[int, int]) -> np.ndarray:
    """A view of x (N, H, W, C): place (u, v) of every window, of the `shape` (N, OH, OW, C) of the pooled images."""
    (sh, sw), (_, oh, ow, _) = strides, shape
    return x[:, u : u + (oh - 1) * sh + 1 : sh, v : v + (ow - 1) * sw + 1 : sw]


@compiled(parallel=True)
def _forward(x, ph, pw, sh, sw, share, y):
    n_images, oh, ow, channels = y.shape
    for task in prange(n_images * oh):  # a row of windows
        n, i = task // oh, task % oh
        for j in range(ow):
            total = y[n, i, j]  # (C,)
            total[:] = 0
            for u in range(ph):
                for v in range(pw):
                    place = x[n, i * sh + u, j * sw + v]  # (C,)
                    for c in range(channels):
                        total[c] += place[c]
            for c in range(channels):
                total[c] *= share


@compiled(parallel=True)
def _backward(dy, ph, pw, sh, sw, share, dx):
    n_images, oh, ow, channels = dy.shape
    for n in prange(n_images):
        dx[n] = 0
        for i in range(oh):
            for j in range(ow):
                for u in range(ph):
                    for v in range(pw):
                        place = dx[n, i * sh + u, j * sw + v]  # (C,)
                        for c in range(channels):
                            place[c] += share * dy[n, i, j, c]
