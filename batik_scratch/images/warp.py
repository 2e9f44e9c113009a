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
        source = np.empty((h + 1, (w + 1) * channels), out.dtype)
        for n in range(block * n_images // blocks, (block + 1) * n_images // blocks):
            _with_one_more(images[n], mode == 3, source)
            _warp_one(source, matrices[n], scalars[n, 0], scalars[n, 1], mode, cval, top, rescale, out[n])


@compiled()
def _with_one_more(image, wraps, source):
    """image (H, W, C) into source (H+1, (W+1)*C), with the column and the row that come after the last ones.

    So every pixel has a neighbour to its right and one below. Each is asked for four times, and converted once.
    """
    h, w, channels = image.shape
    for i in range(h):
        pixels, line = image[i].ravel(), source[i]
        for k in range(w * channels):
            line[k] = pixels[k]
        for c in range(channels):
            line[w * channels + c] = line[c if wraps else (w - 1) * channels + c]
    for k in range(source.shape[1]):
        source[h, k] = source[0 if wraps else h - 1, k]


@compiled()
def _places(a, i, h, w, mode, rows, columns, outside):
    """Where the pixels of output row i came from: rows, columns (W,), brought back into the image if `outside` it."""
    row, column = a[0, 0] * i, a[1, 0] * i
    for j in range(w):
        rows[j], columns[j] = row + a[0, 1] * j + a[0, 2], column + a[1, 1] * j + a[1, 2]
        outside[j] = rows[j] < 0 or rows[j] > h - 1 or columns[j] < 0 or columns[j] > w - 1
    if mode == 0 or mode == 2:  # the nearest edge, and in lanes: no pixel is asked for itself
        for j in range(w):
            rows[j], columns[j] = min(max(rows[j], 0.0), h - 1.0), min(max(columns[j], 0.0), w - 1.0)
    else:
        for j in range(w):
            if outside[j]:
                rows[j], columns[j] = _fold(rows[j], h, mode), _fold(columns[j], w, mode)


@compiled(forceinline=True)
def _mean(source, p, right, down, dr, dc):
    """The bilinear mean of four neighbours: between two columns, twice, then between the two rows."""
    upper = source[p] + dc * (source[p + right] - source[p])
    lower = source[p + down] + dc * (source[p + down + right] - source[p + down])
    return upper + dr * (lower - upper)


@compiled()
def _warp_one(source, a, offset, brightness, mode, cval, top, rescale, out):
    h, w, channels = out.shape
    rows, columns, outside = np.empty(w), np.empty(w), np.empty(w, np.bool_)
    dr, dc, place = np.empty(w, out.dtype), np.empty(w, out.dtype), np.empty(w, np.uint64)
    # unsigned: numba asks of every signed index whether it counts from the end
    flat, right, down = source.reshape(-1), np.uint64(channels), np.uint64(source.shape[1])
    for i in range(h):
        target = out[i].ravel()
        # 1. where the pixels of this row came from
        _places(a, i, h, w, mode, rows, columns, outside)
        # 2. the upper left of the four neighbours there, as a place in `flat`, and how far from it
        for j in range(w):
            r0, c0 = int(rows[j]), int(columns[j])
            dr[j], dc[j] = np.float32(rows[j] - r0), np.float32(columns[j] - c0)
            place[j] = r0 * source.shape[1] + c0 * channels
        # 3. their mean, channel by channel
        for j in range(w):
            for c in range(right):
                target[np.uint64(j) * right + c] = _mean(flat, place[j] + c, right, down, dr[j], dc[j])
        if mode == 2:
            for j in range(w):
                for c in range(channels):
                    target[j * channels + c] = cval if outside[j] else target[j * channels + c]
        _finish(target, offset, brightness, top, rescale, offset != 0 or brightness != 1 or mode == 2)


@compiled()
def _finish(values, offset, brightness, top, rescale, changes):
    """Channel shift, brightness and rescaling of a line, in place; a mean of pixels alone needs no clipping."""
    zero = np.float32(0)
    if changes:
        for k in range(values.size):
            shifted = min(max(values[k] + offset, zero), top)
            values[k] = min(max(shifted * brightness, zero), top)
    for k in range(values.size):
        values[k] *= rescale
