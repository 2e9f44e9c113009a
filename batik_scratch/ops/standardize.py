"""Each picture's own mean and deviation, over all its values: x (N, M) has one row per picture.

    y = (x - mean) / s,  s = sqrt(variance + epsilon)        dx = (dy - mean(dy) - y mean(dy y)) / s

A picture is one thread's. Its sums are float64, whatever its values are.
"""

import numpy as np

from .jit import compiled, prange, runs_plain


def forward_plain(x: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """x (N, M) -> y (N, M) and s (N,); the square is z z, not |z|^2, so that the complex step can go through it."""
    centred = x - x.mean(axis=1, keepdims=True)  # (N, M)
    deviation = np.sqrt((centred * centred).mean(axis=1) + epsilon)  # (N,)
    return centred / deviation[:, None], deviation


def backward_plain(dy: np.ndarray, y: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """dy, y (N, M), s (N,) -> dx (N, M)."""
    direct = dy - dy.mean(axis=1, keepdims=True)  # (N, M): the mean moves with every value
    return (direct - y * (dy * y).mean(axis=1, keepdims=True)) / deviation[:, None]  # and so does the deviation


def forward(x: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """`forward_plain` on all threads."""
    if runs_plain(x):
        return forward_plain(x, epsilon)
    y, deviation = np.empty(x.shape, x.dtype), np.empty(len(x), x.dtype)
    _forward(np.ascontiguousarray(x), epsilon, y, deviation)
    return y, deviation


def backward(dy: np.ndarray, y: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """`backward_plain` on all threads."""
    if runs_plain(dy):
        return backward_plain(dy, y, deviation)
    dx = np.empty(y.shape, y.dtype)
    _backward(np.ascontiguousarray(dy), y, deviation, dx)
    return dx


@compiled(parallel=True, fastmath={"reassoc"})
def _forward(x, epsilon, y, deviation):
    images, values = x.shape
    for n in prange(images):
        total = 0.0
        for m in range(values):
            total += x[n, m]
        mean = total / values
        squares = 0.0
        for m in range(values):
            centred = x[n, m] - mean
            squares += centred * centred
        deviation[n] = np.sqrt(squares / values + epsilon)
        inverse = 1 / np.sqrt(squares / values + epsilon)
        for m in range(values):
            y[n, m] = (x[n, m] - mean) * inverse


@compiled(parallel=True, fastmath={"reassoc"})
def _backward(dy, y, deviation, dx):
    images, values = y.shape
    for n in prange(images):
        total = 0.0
        along = 0.0
        for m in range(values):
            total += dy[n, m]
            along += dy[n, m] * y[n, m]
        mean, slope, inverse = total / values, along / values, 1 / np.float64(deviation[n])
        for m in range(values):
            dx[n, m] = (dy[n, m] - mean - y[n, m] * slope) * inverse
