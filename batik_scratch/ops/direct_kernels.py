"""The compiled side of conv_direct.py: the walk over images, a row of squares at a time, which direct_squares.py does.

Filters are padded with zeros to whole vectors of lanes, FP of them. What a row of squares needs is laid out in lines
first, zero beyond the edge of the image, so that every square is alike.
"""

import numpy as np

from .chunks import CHUNKS
from .direct_squares import (
    add_kernel_gradients,
    add_pixel_gradients,
    add_pooled_kernel_gradients,
    add_pooled_pixel_gradients,
    convolve_and_pool_row,
    convolve_row,
)
from .jit import compiled, prange
from .lanes import LANES
from .lines import add_line, clear_line, copy_line

# Any value from 1 on is right; it decides about speed.
ROWS = 8  # rows of squares a task


@compiled()
def _take_pixels(image, first, pixels):
    """Four rows of an image (H, W, C), from `first` on, to pixels (4, P, C); zero outside."""
    h, w, channels = image.shape
    for r in range(4):
        line, n = pixels[r].reshape(-1), 0
        if first + r < h:
            n = min(w * channels, line.size)  # pooling may leave a column out
            copy_line(image[first + r].reshape(-1), line[:n])
        clear_line(line[n:])


@compiled()
def _take_pooled(dy, padded, line):
    """A row of pooled gradients dy (S, F) to line (S*FP,)."""
    squares, filters = dy.shape
    for j in range(squares):
        copy_line(dy[j], line[j * padded : j * padded + filters])
        clear_line(line[j * padded + filters : (j + 1) * padded])


@compiled()
def _take_all(dy, i, padded, g):
    """The gradients dy (OH, OW, F) of row i of squares to g (4, S*FP), zero beyond the edge."""
    oh, ow, filters = dy.shape
    clear_line(g.reshape(-1))
    for a in range(min(2, oh - 2 * i)):
        for j in range(ow):
            at = j // 2 * padded
            copy_line(dy[2 * i + a, j], g[2 * a + j % 2][at : at + filters])


@compiled()
def _add_lines(lines, first, dimage):
    """The rows of dimage (H, W, C) from `first` on += lines (4, Q)."""
    h, w, channels = dimage.shape
    for r in range(min(4, h - first)):
        n = min(w * channels, lines.shape[1])
        add_line(lines[r][:n], dimage[first + r].reshape(-1)[:n])


@compiled(parallel=True)
def forward_pooled(x, k, bias, places, y, winner):
    """x (N, H, W, C), k (FP/LANES*C*9*LANES,), bias (FP,) -> y (N, PH, PW, F), winner (N, PH, PW*FP) unless empty."""
    n_images, down, squares, filters = y.shape
    padded = bias.size
    tasks = (down + ROWS - 1) // ROWS
    for task in prange(n_images * tasks):
        n, first = task // tasks, task % tasks * ROWS
        pixels = np.empty((4, 2 * squares + 2, x.shape[3]), x.dtype)
        best = np.empty(squares * padded, x.dtype)
        nobody = np.empty(0, np.uint8)
        for i in range(first, min(first + ROWS, down)):
            _take_pixels(x[n], 2 * i, pixels)
            out = y[n, i].reshape(-1) if padded == filters else best
            convolve_and_pool_row(pixels, k, bias, places, out, winner[n, i] if len(winner) > 0 else nobody)
            if padded > filters:
                for j in range(squares):
                    copy_line(best[j * padded :], y[n, i, j])


@compiled(parallel=True)
def forward(x, k, bias, y):
    """x (N, H, W, C), k (FP/LANES*C*9*LANES,), bias (FP,) -> y (N, OH, OW, F)."""
    n_images, oh, ow, _ = y.shape
    padded, squares, down = bias.size, (ow + 1) // 2, (oh + 1) // 2
    tasks = (down + ROWS - 1) // ROWS
    for task in prange(n_images * tasks):
        n, first = task // tasks, task % tasks * ROWS
        pixels = np.empty((4, 2 * squares + 2, x.shape[3]), x.dtype)
        outputs = np.empty((4, squares * padded), x.dtype)
        for i in range(first, min(first + ROWS, down)):
            _take_pixels(x[n], 2 * i, pixels)
            convolve_row(pixels, k, bias, outputs)
            for a in range(min(2, oh - 2 * i)):
                for j in range(ow):
                    copy_line(outputs[2 * a + j % 2][j // 2 * padded :], y[n, 2 * i + a, j])


@compiled(parallel=True)
def backward(x, kernels, dy, padded, pooled, winner, dx, dk, dbias):
    """dy, shaped as y of `forward` or `forward_pooled` -> dx (N, H, W, C) and partial sums of the other gradients.

    These are dk (CHUNKS, FP/LANES, C, 9*LANES) and dbias (CHUNKS, FP); `kernels` are as `add_pooled_pixel_gradients`
    reads them. An empty dx or dk is not wanted. Each chunk walks through every CHUNKS-th image, a row at a time.
    """
    need_dx, need_grads = len(dx) > 0, len(dk) > 0
    n_images, oh, ow, _ = dy.shape
    channels = x.shape[3]
    down, squares = (oh, ow) if pooled else ((oh + 1) // 2, (ow + 1) // 2)
    for chunk in prange(CHUNKS):
        pixels = np.empty((4, 2 * squares + 2, channels), x.dtype)
        line = np.empty(squares * padded, x.dtype)
        g = np.empty((0 if pooled else 4, squares * padded), x.dtype)
        lines = np.empty((4, (2 * squares + 2) * channels + LANES), x.dtype)  # the last lanes may be beyond
        sums = np.empty(dk.shape[1:], x.dtype)
        if need_grads:
            clear_line(dk[chunk].reshape(-1))
            clear_line(dbias[chunk])
        for n in range(chunk, n_images, CHUNKS):
            if need_dx:
                clear_line(dx[n].reshape(-1))
            for i in range(down):
                if pooled:
                    _take_pooled(dy[n, i], padded, line)
                else:
                    _take_all(dy[n], i, padded, g)
                if need_grads:
                    clear_line(sums.reshape(-1))
                    _take_pixels(x[n], 2 * i, pixels)
                    if pooled:
                        add_pooled_kernel_gradients(pixels, line, winner[n, i], padded, sums, dbias[chunk])
                    else:
                        add_kernel_gradients(pixels, g, padded, sums, dbias[chunk])
                    add_line(sums.reshape(-1), dk[chunk].reshape(-1))
                if need_dx:
                    clear_line(lines.reshape(-1))
                    if pooled:
                        add_pooled_pixel_gradients(kernels, line, winner[n, i], padded, channels, lines)
                    else:
                        add_pixel_gradients(kernels, g, padded, channels, lines)
                    _add_lines(lines, 2 * i, dx[n])
