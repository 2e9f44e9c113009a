"""Turning, shifting, shearing, zooming and flipping a batch of images in one pass over its pixels.

Every output pixel asks where it came from: (row, column) = A (i, j, 1), A a 2x3 matrix per image. The value there is
the bilinear mean of the four neighbours; what lies outside is filled. `warp_plain` says it with NumPy, image by image;
`warp` runs over all threads, with channel shift, brightness and rescaling in the same pass.
"""

from dataclasses import dataclass

import numba
import numpy as np

from ..ops import threads
from ..ops.jit import kernel as compiled

FILL_MODES = ("nearest", "reflect", "constant", "wrap")


@dataclass(frozen=True)
class Transforms:
    """What happens to each image of a batch.

    matrices      (N, 2, 3): from output (i, j, 1) to input (row, column), flips included
    offsets       (N,): added to every value, clipped to [0, top]
    brightness    (N,): multiplied afterwards, clipped to [0, top]
    """

    matrices: np.ndarray
    offsets: np.ndarray
    brightness: np.ndarray


def warp_plain(
    images: np.ndarray, transforms: Transforms, fill_mode: str, cval: float, top: float, rescale: float
) -> np.ndarray:
    """images (N, H, W, C) of values 0..top -> float32 (N, H, W, C), times `rescale`."""
    n, h, w, _ = images.shape
    i, j = np.mgrid[:h, :w]  # (H, W) both
    out = np.empty(images.shape, np.float32)
    for image in range(n):
        a = transforms.matrices[image]  # (2, 3)
        row, column = (a[k, 0] * i + a[k, 1] * j + a[k, 2] for k in (0, 1))  # (H, W) both
        outside = (row < 0) | (row > h - 1) | (column < 0) | (column > w - 1)  # (H, W)
        row, column = fold(row, h, fill_mode), fold(column, w, fill_mode)
        r0, c0 = np.floor(row).astype(int), np.floor(column).astype(int)  # (H, W) both
        r1, c1 = neighbour(r0, h, fill_mode), neighbour(c0, w, fill_mode)
        dr, dc = (row - r0)[..., None], (column - c0)[..., None]  # (H, W, 1) both
        x = images[image].astype(np.float64)  # (H, W, C)
        value = (1 - dr) * ((1 - dc) * x[r0, c0] + dc * x[r0, c1]) + dr * ((1 - dc) * x[r1, c0] + dc * x[r1, c1])
        if fill_mode == "constant":
            value[outside] = cval
        value = np.clip(value + transforms.offsets[image], 0, top)
        out[image] = np.clip(value * transforms.brightness[image], 0, top) * rescale  # (H, W, C)
    return out


def fold(position: np.ndarray, n: int, fill_mode: str) -> np.ndarray:
    """Bring positions on an axis of length n into [0, n - 1] ("wrap": [0, n)), as the fill mode says.

    nearest  aaaa|abcd|dddd     reflect  dcba|abcd|dcba     wrap  abcd|abcd|abcd
    """
    if fill_mode == "reflect":
        position = np.mod(position + 0.5, 2 * n)
        position = np.where(position > n, 2 * n - position, position) - 0.5
    elif fill_mode == "wrap":
        return np.mod(position, n)
    return np.clip(position, 0, n - 1)


def neighbour(index: np.ndarray, n: int, fill_mode: str) -> np.ndarray:
    """The next index; past the end it stays, or starts again where the axis wraps."""
    return (index + 1) % n if fill_mode == "wrap" else np.minimum(index + 1, n - 1)


def warp(
    images: np.ndarray, transforms: Transforms, fill_mode: str, cval: float, top: float, rescale: float
) -> np.ndarray:
    """`warp_plain` on all threads, in single precision."""
    out = np.empty(images.shape, np.float32)
    scalars = np.stack([transforms.offsets, transforms.brightness], axis=1).astype(np.float32)  # (N, 2)
    mode = FILL_MODES.index(fill_mode)
    numbers = np.float32(cval), np.float32(top), np.float32(rescale)
    with threads.one_blas_thread():
        _warp(np.ascontiguousarray(images), transforms.matrices.astype(np.float64), scalars, mode, *numbers, out)
    return out


@compiled()
def _fold(position, n, mode):
    if mode == 1:  # reflect
        position = (position + 0.5) % (2.0 * n)
        position = (2.0 * n - position if position > n else position) - 0.5
    elif mode == 3:  # wrap
        position = position % n
        return position if position < n else 0.0  # rounding can give n itself
    return min(max(position, 0.0), n - 1.0)


@compiled(parallel=True)
def _warp(images, matrices, scalars, mode, cval, top, rescale, out):
    n_images, h, w, channels = images.shape
    zero = np.float32(0)
    for task in numba.prange(n_images * h):
        n, i = task // h, task % h
        a = matrices[n]
        for j in range(w):
            row = a[0, 0] * i + a[0, 1] * j + a[0, 2]
            column = a[1, 0] * i + a[1, 1] * j + a[1, 2]
            outside = row < 0 or row > h - 1 or column < 0 or column > w - 1
            if outside:
                row, column = _fold(row, h, mode), _fold(column, w, mode)
            r0, c0 = int(row), int(column)
            r1 = r0 + 1 if r0 + 1 < h else (0 if mode == 3 else r0)
            c1 = c0 + 1 if c0 + 1 < w else (0 if mode == 3 else c0)
            dr, dc = np.float32(row - r0), np.float32(column - c0)
            w00, w01 = (1 - dr) * (1 - dc), (1 - dr) * dc
            w10, w11 = dr * (1 - dc), dr * dc
            for c in range(channels):
                value = w00 * images[n, r0, c0, c] + w01 * images[n, r0, c1, c]
                value += w10 * images[n, r1, c0, c] + w11 * images[n, r1, c1, c]
                if mode == 2 and outside:
                    value = cval
                value = min(max(np.float32(value + scalars[n, 0]), zero), top)
                out[n, i, j, c] = min(max(np.float32(value * scalars[n, 1]), zero), top) * rescale
