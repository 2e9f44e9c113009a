"""The kernel's side of the Winograd sandwich: weights to the 36 numbers, and gradients back; see conv_winograd.py.

    U = G k G'      nine weights to 36 numbers, for each channel and filter
    dk = G' dU G    the adjoint

While a network is trained both are made anew in every pass; else U waits for the next one (workspace.py). G is
written out as the additions that it is, and run over lines of C*F numbers, a block at a time.
"""

from typing import Any

import numpy as np

from .jit import compiled, prange
from .lines import add_line, copy_line

QUARTER, HALF = np.float32(0.25), np.float32(0.5)  # exact, so float64 stays float64

# Any value from 1 on is right; it decides about speed.
BLOCK = 1024  # numbers of a line that are transformed together: what they make stays in the second cache


def transformed(kernel: np.ndarray) -> np.ndarray:
    """U (36, C, F) of a kernel (3, 3, C, F): G k G'."""
    u = np.empty((36, *kernel.shape[2:]), kernel.dtype)
    transform(np.ascontiguousarray(kernel).reshape(9, -1), sixth(kernel), u.reshape(36, -1))
    return u


def turned(kernel: np.ndarray) -> np.ndarray:
    """U (36, F, C), each matrix turned over, as the backward kernel reads it."""
    return transformed(kernel.swapaxes(2, 3))


def sixth(array: np.ndarray) -> Any:
    """1/6 as a number of the array's type, or float32 arithmetic would turn into float64."""
    return array.dtype.type(1 / 6)


@compiled()
def g(k0, k1, k2, sixth):
    """G k: three weights to six numbers; `sixth` is 1/6, of their type."""
    p, q = (k0 + k2) * sixth, k1 * sixth
    r, s = (QUARTER * k0 + k2) * sixth, HALF * q
    return QUARTER * k0, -p - q, q - p, r + s, r - s, k2


@compiled()
def g_t(e0, e1, e2, e3, e4, e5, sixth):
    """G' e, the adjoint of G: six numbers back to the three weights that they came from."""
    p, q = (e1 + e2) * sixth, (e2 - e1) * sixth
    r, s = (e3 + e4) * sixth, (e3 - e4) * sixth
    return QUARTER * (e0 + r) - p, q + HALF * s, r - p + e5


@compiled()
def _to_six(k0, k1, k2, e0, e1, e2, e3, e4, e5, sixth):
    for i in range(e0.size):
        e0[i], e1[i], e2[i], e3[i], e4[i], e5[i] = g(k0[i], k1[i], k2[i], sixth)


@compiled()
def _to_three(e0, e1, e2, e3, e4, e5, k0, k1, k2, sixth):
    for i in range(k0.size):
        k0[i], k1[i], k2[i] = g_t(e0[i], e1[i], e2[i], e3[i], e4[i], e5[i], sixth)


@compiled(parallel=True)
def transform(kernel, sixth, u):
    """U = G k G': kernel (9, C*F) into u (36, C*F)."""
    n = kernel.shape[1]
    for block in prange((n + BLOCK - 1) // BLOCK):
        low, high = block * BLOCK, min((block + 1) * BLOCK, n)
        half = np.empty((18, high - low), kernel.dtype)  # G k: half[3 * row + column]
        for v in range(3):
            k0, k1, k2 = kernel[v][low:high], kernel[3 + v][low:high], kernel[6 + v][low:high]
            _to_six(k0, k1, k2, half[v], half[3 + v], half[6 + v], half[9 + v], half[12 + v], half[15 + v], sixth)
        for e in range(0, 36, 6):
            u0, u1, u2 = u[e][low:high], u[e + 1][low:high], u[e + 2][low:high]
            u3, u4, u5 = u[e + 3][low:high], u[e + 4][low:high], u[e + 5][low:high]
            _to_six(half[e // 2], half[e // 2 + 1], half[e // 2 + 2], u0, u1, u2, u3, u4, u5, sixth)


@compiled(parallel=True)
def transform_back(du, sixth, dkernel):
    """dk = G' dU G, with dU the sum of du (parts, 36, C*F) over its first axis, in that order; dkernel (9, C*F)."""
    n = dkernel.shape[1]
    for block in prange((n + BLOCK - 1) // BLOCK):
        low, high = block * BLOCK, min((block + 1) * BLOCK, n)
        total = np.empty((6, high - low), du.dtype)
        half = np.empty((18, high - low), du.dtype)  # dU G: half[3 * row + column]
        for row in range(6):
            for e in range(6):
                copy_line(du[0, 6 * row + e][low:high], total[e])
                for part in range(1, len(du)):
                    add_line(du[part, 6 * row + e][low:high], total[e])
            h0, h1, h2 = half[3 * row], half[3 * row + 1], half[3 * row + 2]
            _to_three(total[0], total[1], total[2], total[3], total[4], total[5], h0, h1, h2, sixth)
        for v in range(3):
            k0, k1, k2 = dkernel[v][low:high], dkernel[3 + v][low:high], dkernel[6 + v][low:high]
            h0, h1, h2 = half[v], half[3 + v], half[6 + v]
            _to_three(h0, h1, h2, half[9 + v], half[12 + v], half[15 + v], k0, k1, k2, sixth)
