"""The compiled side of conv_winograd.py: a few rows of tiles at a time, from images to tiles, through BLAS, and back."""

import numba
import numpy as np

from .jit import kernel as compiled
from .pooling import best_of_four, send_to_winner
from .winograd_transforms import add_input_tiles, gradient_tiles, input_tiles, output_tiles

CHUNKS = 8  # partial sums of the kernel's gradient: fixed, so that bits do not depend on the number of threads


@compiled()
def _store(tiles, row, y):
    """Tiles (16, T, F) to the rows 4*row... of y (OH, OW, F); what lies outside is dropped."""
    oh, ow, f = y.shape
    for r in range(min(4, oh - 4 * row)):
        for j in range(ow):
            source, target = tiles[4 * r + j % 4, j // 4], y[4 * row + r, j]
            for k in range(f):
                target[k] = source[k]


@compiled()
def _load(dy, row, tiles):
    """The adjoint of `_store`: rows of dy (OH, OW, F) to tiles (16, T, F), zero outside."""
    oh, ow, f = dy.shape
    tiles[:] = 0
    for r in range(min(4, oh - 4 * row)):
        for j in range(ow):
            source, target = dy[4 * row + r, j], tiles[4 * r + j % 4, j // 4]
            for k in range(f):
                target[k] = source[k]


@compiled()
def _store_pooled(tiles, row, best, y, winner):
    """ReLU and 2x2 max-pooling of tiles (16, T*F), to the rows 2*row and 2*row + 1 of y (PH, PW, F).

    A tile holds four windows; winner (4, T*F) says who won in each. best (T*F,) is room.
    """
    ph, pw, f = y.shape
    by_tile = best.reshape(-1, f)
    for window in range(4):
        r, s = window // 2, window % 2
        first = 8 * r + 2 * s
        best_of_four(tiles[first], tiles[first + 1], tiles[first + 4], tiles[first + 5], best, winner[window])
        if 2 * row + r < ph:
            for j in range(s, pw, 2):
                source, target = by_tile[j // 2], y[2 * row + r, j]
                for k in range(f):
                    target[k] = source[k]


@compiled()
def _load_pooled(dy, winner, row, best, tiles):
    """The adjoint of `_store_pooled`: dy (PH, PW, F) goes to the winners' places in tiles (16, T*F)."""
    ph, pw, f = dy.shape
    by_tile = best.reshape(-1, f)
    for window in range(4):
        r, s = window // 2, window % 2
        first = 8 * r + 2 * s
        best[:] = 0
        if 2 * row + r < ph:
            for j in range(s, pw, 2):
                source, target = dy[2 * row + r, j], by_tile[j // 2]
                for k in range(f):
                    target[k] = source[k]
        send_to_winner(best, winner[window], tiles[first], tiles[first + 1], tiles[first + 4], tiles[first + 5])


@compiled(parallel=True)
def forward(x, u, bias, group, pooled, y, winner):
    """x (N, H, W, C), u (36, C, F), bias (F,) into y: (N, OH, OW, F), or pooled (N, OH//2, OW//2, F) with `winner`.

    The rows of tiles of all images are numbered through; `group` of them make one step. winner (N, TH, 4, T*F).
    """
    n_images, h, w, channels = x.shape
    filters = u.shape[2]
    down, tiles = (h + 1) // 4, (w + 1) // 4  # ceil((h - 2) / 4)
    total = n_images * down
    for task in numba.prange((total + group - 1) // group):
        first = task * group
        rows = min(group, total - first)
        v = np.empty((36, rows * tiles, channels), x.dtype)
        m = np.empty((36, rows * tiles * filters), x.dtype)
        lines = np.zeros((6, 4 * tiles + 2, channels), x.dtype)
        zeros = np.zeros(w * channels, x.dtype)
        half = np.empty((24, tiles * filters), x.dtype)
        out = np.empty((16, tiles * filters), x.dtype)
        best = np.empty(tiles * filters, x.dtype)
        bias_line = np.empty(tiles * filters, x.dtype)
        for t in range(tiles):
            bias_line[t * filters : (t + 1) * filters] = bias
        for r in range(rows):
            n, row = (first + r) // down, (first + r) % down
            input_tiles(x[n].reshape(h, w * channels), 4 * row, lines, zeros, v, r * tiles)
        for e in range(36):
            np.dot(v[e], u[e], m[e].reshape(-1, filters))  # (P, C) @ (C, F) -> (P, F)
        for r in range(rows):
            n, row = (first + r) // down, (first + r) % down
            output_tiles(m, r * tiles * filters, bias_line, half, out)
            if pooled:
                _store_pooled(out, row, best, y[n], winner[n, row])
            else:
                _store(out.reshape(16, tiles, filters), row, y[n])


@compiled(parallel=True)
def backward(x, u, dy, winner, group, pooled, dx, du, dbias):
    """dy, as `forward` left y, into dx (N, H, W, C) and the partial sums du (CHUNKS, 36, C, F), dbias (CHUNKS, F).

    An empty dx or du is not wanted. Each chunk walks through every CHUNKS-th image, `group` rows of tiles at a time.
    """
    need_dx, need_grads = len(dx) > 0, len(du) > 0
    n_images, h, w, channels = x.shape
    filters = u.shape[2]
    down, tiles = (h + 1) // 4, (w + 1) // 4
    for chunk in numba.prange(CHUNKS):
        v = np.empty((36, group * tiles, channels), x.dtype)
        dm = np.empty((36, group * tiles * filters), x.dtype)
        lines = np.zeros((6, 4 * tiles + 2, channels), x.dtype)
        dlines = np.empty((6, 4 * tiles + 2, channels), x.dtype)
        zeros = np.zeros(w * channels, x.dtype)
        spill = np.zeros(w * channels, x.dtype)  # what falls below the image
        half = np.empty((24, tiles * filters), x.dtype)
        out = np.empty((16, tiles * filters), x.dtype)
        best = np.empty(tiles * filters, x.dtype)
        partial = np.empty((channels, filters), x.dtype)
        if need_grads:
            du[chunk] = 0
            dbias[chunk] = 0
        total = (n_images - chunk + CHUNKS - 1) // CHUNKS * down
        for first in range(0, total, group):
            rows = min(group, total - first)
            p = rows * tiles
            for r in range(rows):
                n, row = chunk + (first + r) // down * CHUNKS, (first + r) % down
                if pooled:
                    _load_pooled(dy[n], winner[n, row], row, best, out)
                else:
                    _load(dy[n], row, out.reshape(16, tiles, filters))
                gradient_tiles(out, half, dm, r * tiles * filters)
                if need_grads:
                    input_tiles(x[n].reshape(h, w * channels), 4 * row, lines, zeros, v, r * tiles)
            if need_grads:
                for e in range(36):
                    v_e, dm_e = v[e][:p], dm[e].reshape(-1, filters)[:p]
                    np.dot(v_e.T, dm_e, partial)  # (C, P) @ (P, F) -> (C, F)
                    du[chunk, e] += partial
                # A' has a row of ones: at place (1, 1) stands the sum of the tile's gradients
                sums = dm[7].reshape(-1, filters)
                for k in range(p):
                    dbias[chunk] += sums[k]
            if need_dx:
                for e in range(36):
                    v_e, dm_e = v[e][:p], dm[e].reshape(-1, filters)[:p]
                    np.dot(dm_e, u[e].T, v_e)  # (P, F) @ (F, C) -> (P, C)
                for r in range(rows):
                    n, row = chunk + (first + r) // down * CHUNKS, (first + r) % down
                    if row == 0:
                        dx[n] = 0
                    add_input_tiles(v, r * tiles, 4 * row, dlines, spill, dx[n].reshape(h, w * channels))
