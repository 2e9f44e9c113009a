"""Convolution as its definition: seven loops, one multiplication. Slow, and the truth the others are held to.

y[n, i, j, f] = b[f] + sum_{u, v, c} x[n, i*sh + u, j*sw + v, c] * k[u, v, c, f]

The functions are compiled by numba; `forward.py_func` is the same text run by plain Python.
"""

import numpy as np

from .jit import compiled


@compiled()
def forward(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, strides: tuple[int, int] = (1, 1)) -> np.ndarray:
    """x (N, H, W, C), kernel (kh, kw, C, F), bias (F,) -> y (N, OH, OW, F), windows inside the image only."""
    n_images, h, w, channels = x.shape
    kh, kw, _, filters = kernel.shape
    sh, sw = strides
    oh, ow = (h - kh) // sh + 1, (w - kw) // sw + 1
    y = np.empty((n_images, oh, ow, filters), x.dtype)  # (N, OH, OW, F)
    for n in range(n_images):
        for i in range(oh):
            for j in range(ow):
                for f in range(filters):
                    total = bias[f]
                    for u in range(kh):
                        for v in range(kw):
                            for c in range(channels):
                                total += x[n, i * sh + u, j * sw + v, c] * kernel[u, v, c, f]
                    y[n, i, j, f] = total
    return y


@compiled()
def _adjoint(x, kernel, dy, strides):
    n_images, oh, ow, filters = dy.shape
    kh, kw, channels, _ = kernel.shape
    sh, sw = strides
    dx = np.zeros_like(x)  # (N, H, W, C)
    dkernel = np.zeros_like(kernel)  # (kh, kw, C, F)
    dbias = np.zeros(filters, kernel.dtype)  # (F,)
    for n in range(n_images):
        for i in range(oh):
            for j in range(ow):
                for f in range(filters):
                    g = dy[n, i, j, f]
                    dbias[f] += g
                    for u in range(kh):
                        for v in range(kw):
                            for c in range(channels):
                                dx[n, i * sh + u, j * sw + v, c] += g * kernel[u, v, c, f]
                                dkernel[u, v, c, f] += g * x[n, i * sh + u, j * sw + v, c]
    return dx, dkernel, dbias


def backward(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    strides: tuple[int, int] = (1, 1),
    need_dx: bool = True,
    need_grads: bool = True,
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """The same loops with y's gradient going in: each product hands dy on to both of its factors.

    dy (N, OH, OW, F) -> dx (N, H, W, C), dkernel (kh, kw, C, F), dbias (F,); what is not needed is None.
    """
    dx, dkernel, dbias = _adjoint(x, kernel, dy, strides)
    return (dx if need_dx else None), *((dkernel, dbias) if need_grads else (None, None))
