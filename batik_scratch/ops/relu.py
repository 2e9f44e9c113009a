"""ReLU and its gate, over flat arrays on all threads."""

import numpy as np

from .jit import compiled, prange, runs_plain


def forward_plain(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x -> max(x, 0) and the gate x > 0, of x's shape; complex numbers are gated by their real part."""
    gate = x.real > 0
    return np.where(gate | np.isnan(x), x, 0), gate


def backward_plain(dy: np.ndarray, gate: np.ndarray) -> np.ndarray:
    """dy -> dx = dy where the gate is open, else 0."""
    return np.where(gate, dy, 0)


def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`forward_plain` on all threads."""
    if runs_plain(x):
        return forward_plain(x)
    y, gate = np.empty(x.shape, x.dtype), np.empty(x.shape, np.bool_)
    _forward(np.ascontiguousarray(x).reshape(-1), y.reshape(-1), gate.reshape(-1))
    return y, gate


def backward(dy: np.ndarray, gate: np.ndarray) -> np.ndarray:
    """`backward_plain` on all threads."""
    if runs_plain(dy):
        return backward_plain(dy, gate)
    dx = np.empty(dy.shape, dy.dtype)
    _backward(np.ascontiguousarray(dy).reshape(-1), gate.reshape(-1), dx.reshape(-1))
    return dx


@compiled(parallel=True)
def _forward(x, y, gate):
    for i in prange(x.size):
        gate[i] = x[i] > 0
        y[i] = 0 if x[i] <= 0 else x[i]  # NaN is not <= 0, so it passes through and is noticed


@compiled(parallel=True)
def _backward(dy, gate, dx):
    for i in prange(dy.size):
        dx[i] = dy[i] if gate[i] else 0
