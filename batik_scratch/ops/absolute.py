"""Absolute value and its sign, over flat arrays on all threads."""

import numpy as np

from .jit import compiled, prange, runs_plain


def forward_plain(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x -> |x| and its sign, int8: -1, 0 or 1, of x's shape; complex numbers are z or -z, by their real part."""
    sign = (x.real > 0).astype(np.int8) - (x.real < 0)  # 0 for NaN, too
    return np.where(x.real < 0, -x, x), sign


def backward_plain(dy: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """dy -> dx = dy sign; int8 keeps dy's type of numbers."""
    return dy * sign


def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`forward_plain` on all threads."""
    if runs_plain(x):
        return forward_plain(x)
    y, sign = np.empty(x.shape, x.dtype), np.empty(x.shape, np.int8)
    _forward(np.ascontiguousarray(x).reshape(-1), y.reshape(-1), sign.reshape(-1))
    return y, sign


def backward(dy: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """`backward_plain` on all threads."""
    if runs_plain(dy):
        return backward_plain(dy, sign)
    dx = np.empty(dy.shape, dy.dtype)
    _backward(np.ascontiguousarray(dy).reshape(-1), sign.reshape(-1), dx.reshape(-1))
    return dx


@compiled(parallel=True)
def _forward(x, y, sign):
    for i in prange(x.size):
        sign[i] = (1 if x[i] > 0 else 0) - (1 if x[i] < 0 else 0)
        y[i] = -x[i] if x[i] < 0 else x[i]


@compiled(parallel=True)
def _backward(dy, sign, dx):
    for i in prange(dy.size):
        dx[i] = dy[i] * sign[i]
