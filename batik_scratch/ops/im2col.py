"""im2col: each window of the image becomes one row of a matrix, so that a convolution becomes a product.

`col2im` is its adjoint, <im2col(x), C> = <x, col2im(C)>: a pixel that was copied into several windows collects
the gradient of each copy. That is why it adds, and never assigns.
"""

import numpy as np

from .shapes import window_count


def im2col(x: np.ndarray, window: tuple[int, int], strides: tuple[int, int] = (1, 1)) -> np.ndarray:
    """Copy every window of x (N, H, W, C) into a row: (N, OH, OW, K), K = kh*kw*C in the kernel's own order."""
    kh, kw = window
    sh, sw = strides
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(1, 2))  # (N, H-kh+1, W-kw+1, C, kh, kw)
    windows = windows[:, ::sh, ::sw].transpose(0, 1, 2, 4, 5, 3)  # (N, OH, OW, kh, kw, C)
    return windows.reshape(*windows.shape[:3], -1)  # (N, OH, OW, K)


def col2im(
    columns: np.ndarray, shape: tuple[int, ...], window: tuple[int, int], strides: tuple[int, int] = (1, 1)
) -> np.ndarray:
    """Add every row of `columns` (N, OH, OW, K) back to where im2col took it from; returns x's `shape` (N, H, W, C)."""
    n, h, w, c = shape
    kh, kw = window
    sh, sw = strides
    oh, ow = window_count(h, kh, sh), window_count(w, kw, sw)
    columns = columns.reshape(n, oh, ow, kh, kw, c)
    x = np.zeros(shape, columns.dtype)  # (N, H, W, C)
    for i in range(kh):
        for j in range(kw):
            x[:, i : i + oh * sh : sh, j : j + ow * sw : sw] += columns[:, :, :, i, j]  # (N, OH, OW, C)
    return x
