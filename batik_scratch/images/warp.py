"""Turning, shifting, shearing, zooming and flipping a batch of images in one pass over its pixels.

Every output pixel asks where it came from: (row, column) = A (i, j, 1), A a 2x3 matrix per image. The value there is
the bilinear mean of the four neighbours; what lies outside is filled. `warp_plain` says it with NumPy, image by image;
`warp` runs over all threads, with channel shift, brightness and rescaling in the same pass.
"""

from dataclasses import dataclass

import numpy as np

from ..ops import threads
from ..ops.jit import compiled, plain_reason, prange

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
        position = np.mod(position, n)
        return np.where(position < n, position, 0)  # a hair below 0 is rounded to n itself
    return np.clip(position, 0, n - 1)


def neighbour(index: np.ndarray, n: int, fill_mode: str) -> np.ndarray:
    """The next index; past the end it stays, or starts again if the axis wraps."""
    return (index + 1) % n if fill_mode == "wrap" else np.minimum(index + 1, n - 1)


def warp(
    images: np.ndarray, transforms: Transforms, fill_mode: str, cval: float, top: float, rescale: float
) -> np.ndarray:
    """`warp_plain` on all threads, in single precision."""
    if plain_reason() is not None:
        return warp_plain(images, transforms, fill_mode, cval, top, rescale)
    out = np.empty(images.shape, np.float32)
    scalars = np.stack([transforms.offsets, transforms.brightness], axis=1).astype(np.float32)  # (N, 2)
    mode = FILL_MODES.index(fill_mode)
    numbers = np.float32(cval), np.float32(top), np.float32(rescale)
    with threads.one_blas_thread():
        blocks = min(len(images), threads.count())
        _warp(
            np.ascontiguousarray(images), transforms.matrices.astype(np.float64), scalars, mode, *numbers, blocks, out
        )
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
def _warp(images, matrices, scalars, mode, cval, top, rescale, blocks, out):
    n_images, h, w, channels = images.shape
    for block in prange(blocks):
        source = np.empty(h * w * channels, np.float32)  # one image: each pixel is asked for four times, converted once
        for n in range(block * n_images // blocks, (block + 1) * n_images // blocks):
            pixels = images[n].ravel()
            for p in range(source.size):
                source[p] = pixels[p]
            _warp_one(source, matrices[n], scalars[n, 0], scalars[n, 1], mode, cval, top, rescale, out[n])


@compiled()
def _warp_one(source, a, offset, brightness, mode, cval, top, rescale, out):
    h, w, channels = out.shape
    zero = np.float32(0)
    plain = offset == 0 and brightness == 1 and mode != 2  # a mean of pixels needs no clipping
    stride = np.uint64(channels)  # unsigned: numba asks of every signed index whether it counts from the end
    for i in range(h):
        target = out[i].ravel()
        for j in range(w):
            # 1. where output pixel (i, j) came from, brought back into the image
            row = a[0, 0] * i + a[0, 1] * j + a[0, 2]
            column = a[1, 0] * i + a[1, 1] * j + a[1, 2]
            outside = row < 0 or row > h - 1 or column < 0 or column > w - 1
            if outside:
                row, column = _fold(row, h, mode), _fold(column, w, mode)
            # 2. its four neighbours there, as places in `source`; past an edge that is the pixel itself, or it wraps
            r0, c0 = int(row), int(column)
            below = w if r0 + 1 < h else (-r0 * w if mode == 3 else 0)  # from here to the next row, in pixels
            right = 1 if c0 + 1 < w else (-c0 if mode == 3 else 0)
            dr, dc = np.float32(row - r0), np.float32(column - c0)
            here = r0 * w + c0
            p00, p01 = np.uint64(here) * stride, np.uint64(here + right) * stride
            p10, p11 = np.uint64(here + below) * stride, np.uint64(here + below + right) * stride
            q = np.uint64(j) * stride
            # 3. their bilinear mean, channel by channel: between two columns, twice, then between the two rows
            for c in range(stride):
                upper = source[p00 + c] + dc * (source[p01 + c] - source[p00 + c])
                lower = source[p10 + c] + dc * (source[p11 + c] - source[p10 + c])
                value = upper + dr * (lower - upper)
                if not plain:
                    value = cval if mode == 2 and outside else value
                    value = min(max(value + offset, zero), top)
                    value = min(max(value * brightness, zero), top)
                target[q + c] = value * rescale
