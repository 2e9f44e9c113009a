"""Batch normalisation of a table x (M, C): one row per place of the batch, one column per channel.

    mean_c, variance_c = over the M rows              y = gamma (x - mean) / sqrt(variance + epsilon) + beta

The plain backward pass follows the chain rule line by line; the compiled one has its terms gathered, so that it reads
x and dy twice: once for two sums per channel, once for dx. Sums are float64 whatever x is, and those of the variance
are taken about the first row: squares about zero would lose it where a channel's mean is far larger than its deviation.
"""

import numpy as np

from .chunks import CHUNKS
from .jit import compiled, prange, runs_plain
from .lines import clear_line

Gradients = tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]  # dx, dgamma, dbeta


def moments_plain(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance (C,) of x (M, C), divided by M and not by M - 1; float64 whatever x is.

    Complex numbers stay complex, and the square is z z, not |z|^2: only so can the complex step go through it.
    """
    mean = x.mean(axis=0, dtype=_wide(x))  # (C,)
    centred = x - mean  # (M, C)
    return mean, (centred * centred).mean(axis=0)


def normalise_plain(
    x: np.ndarray, mean: np.ndarray, variance: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float
) -> np.ndarray:
    """y (M, C) = gamma (x - mean) / sqrt(variance + epsilon) + beta, all others (C,)."""
    return (gamma * (x - mean) / np.sqrt(variance + epsilon) + beta).astype(x.dtype)


def backward_plain(
    x: np.ndarray,
    dy: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    gamma: np.ndarray,
    epsilon: float,
    of_the_batch: bool,
    need_dx: bool = True,
    need_grads: bool = True,
) -> Gradients:
    """dy (M, C) -> dx (M, C), dgamma, dbeta (C,); what is not needed is None.

    of_the_batch    mean and variance were computed from x, so that they move with it; else they are constants
    """
    inverse = 1 / np.sqrt(variance + epsilon)  # (C,)
    centred = x - mean  # (M, C)
    dbeta = dy.sum(axis=0, dtype=_wide(x)).astype(x.dtype)  # (C,)
    dgamma = (dy * centred * inverse).sum(axis=0).astype(x.dtype)  # (C,)
    grads = (dgamma, dbeta) if need_grads else (None, None)
    if not need_dx:
        return None, *grads
    dnormed = gamma * dy  # (M, C)
    dx = dnormed * inverse  # (M, C): the direct way
    if of_the_batch:
        dvariance = (dnormed * centred).sum(axis=0) * -0.5 * inverse**3  # (C,)
        dmean = -dx.sum(axis=0)  # (C,)
        dx = dx + dvariance * 2 * centred / len(x) + dmean / len(x)  # (M, C): and the ways through both statistics
    return dx.astype(x.dtype), *grads


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`moments_plain` on all threads, reading x once."""
    if runs_plain(x):
        return moments_plain(x)
    sums = np.empty((CHUNKS, 2, x.shape[1]))
    x = np.ascontiguousarray(x)
    _sums(x, sums)
    first, second = sums.sum(axis=0) / len(x)  # (C,) both: of x - x[0], and of its square
    return x[0] + first, np.maximum(second - first * first, 0)  # not max(...), which loses NaN


def normalise(
    x: np.ndarray, mean: np.ndarray, variance: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float
) -> np.ndarray:
    """`normalise_plain` on all threads, reading x once."""
    if runs_plain(x):
        return normalise_plain(x, mean, variance, gamma, beta, epsilon)
    y = np.empty(x.shape, x.dtype)  # (M, C)
    scale = gamma / np.sqrt(variance + epsilon)  # (C,)
    wide = [np.asarray(values, np.float64) for values in (mean, scale, beta)]
    _normalise(np.ascontiguousarray(x), *wide, y)
    return y


def backward(
    x: np.ndarray,
    dy: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    gamma: np.ndarray,
    epsilon: float,
    of_the_batch: bool,
    need_dx: bool = True,
    need_grads: bool = True,
) -> Gradients:
    """`backward_plain` on all threads, its terms gathered:

    dx = gamma / s (dy - mean(dy) - n mean(dy n)),    s = sqrt(variance + epsilon), n = (x - mean) / s
    """
    if runs_plain(x):
        return backward_plain(x, dy, mean, variance, gamma, epsilon, of_the_batch, need_dx, need_grads)
    x, dy, mean = np.ascontiguousarray(x), np.ascontiguousarray(dy), np.asarray(mean, np.float64)
    inverse = 1 / np.sqrt(np.asarray(variance, np.float64) + epsilon)  # (C,)
    dbeta = dgamma = np.zeros(x.shape[1])  # (C,)
    if need_grads or (need_dx and of_the_batch):
        sums = np.empty((CHUNKS, 2, x.shape[1]))
        _gradient_sums(x, dy, mean, sums)
        dbeta, about_mean = sums.sum(axis=0)  # (C,) both
        dgamma = about_mean * inverse
    dx = None
    if need_dx:
        dx = np.empty(x.shape, x.dtype)  # (M, C)
        direct, share = gamma * inverse, of_the_batch / len(x)
        _dx(x, dy, mean, direct, direct * share * dbeta, direct * share * inverse * dgamma, dx)
    return dx, *((dgamma.astype(x.dtype), dbeta.astype(x.dtype)) if need_grads else (None, None))


def _wide(x: np.ndarray) -> np.dtype:
    return np.result_type(x.dtype, np.float64)


@compiled(parallel=True)
def _sums(x, sums):
    rows, channels = x.shape
    for chunk in prange(len(sums)):
        first, second = sums[chunk, 0], sums[chunk, 1]  # (C,) both
        clear_line(first)
        clear_line(second)
        for m in range(chunk * rows // CHUNKS, (chunk + 1) * rows // CHUNKS):
            for c in range(channels):
                value = np.float64(x[m, c]) - np.float64(x[0, c])
                first[c] += value
                second[c] += value * value


@compiled(parallel=True)
def _normalise(x, mean, scale, beta, y):
    for m in prange(len(x)):
        for c in range(x.shape[1]):
            y[m, c] = (x[m, c] - mean[c]) * scale[c] + beta[c]


@compiled(parallel=True)
def _gradient_sums(x, dy, mean, sums):
    rows, channels = x.shape
    for chunk in prange(len(sums)):
        first, second = sums[chunk, 0], sums[chunk, 1]  # (C,) both
        clear_line(first)
        clear_line(second)
        for m in range(chunk * rows // CHUNKS, (chunk + 1) * rows // CHUNKS):
            for c in range(channels):
                first[c] += dy[m, c]
                second[c] += dy[m, c] * (x[m, c] - mean[c])


@compiled(parallel=True)
def _dx(x, dy, mean, direct, constant, slope, dx):
    for m in prange(len(x)):
        for c in range(x.shape[1]):
            dx[m, c] = direct[c] * dy[m, c] - constant[c] - slope[c] * (x[m, c] - mean[c])
