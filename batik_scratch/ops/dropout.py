"""Dropout's mask and its product in one pass over memory, on all threads."""

import numpy as np

from .jit import compiled, prange, runs_plain


def forward_plain(x: np.ndarray, bits: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """y = x M and M of x's shape: 0 where bits (uint16) are below rate * 2^16, else 1 / (1 - rate)."""
    mask = np.where(bits >= round(rate * 2**16), x.dtype.type(1 / (1 - rate)), x.dtype.type(0))
    return x * mask, mask


def forward(x: np.ndarray, bits: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """`forward_plain` on all threads."""
    if runs_plain(x):
        return forward_plain(x, bits, rate)
    y, mask = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    scale = x.dtype.type(1 / (1 - rate))
    flat = np.ascontiguousarray(x).reshape(-1)
    _forward(flat, bits.reshape(-1), round(rate * 2**16), scale, y.reshape(-1), mask.reshape(-1))
    return y, mask


@compiled(parallel=True)
def _forward(x, bits, threshold, scale, y, mask):
    for i in prange(x.size):
        mask[i] = scale if bits[i] >= threshold else 0
        y[i] = x[i] * mask[i]
