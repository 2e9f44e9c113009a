"""The compiled side of conv_winograd.py: some rows of tiles at a time, from images to tiles, through BLAS, and back."""

import numpy as np

from .jit import compiled, prange
from .lanes import LANES
from .lines import add_line, clear_line, copy_line
from .winograd_transforms import (
    I0,
    add_input_tiles,
    gradient_tiles,
    input_tiles,
    output_tiles,
    pooled_gradient_tiles,
    pooled_output_tiles,
)


@compiled()
def _store(tiles, row, begin, end, y):
    """Tiles `begin` to `end`, the last excluded, of a row of them (16, ...) to y (OH, OW, F); none outside."""
    oh, ow, f = y.shape
    for r in range(min(4, oh - 4 * row)):
        for j in range(4 * begin, min(4 * end, ow)):
            copy_line(tiles[4 * r + j % 4][(j // 4 - begin) * f :], y[4 * row + r, j])


@compiled()
def _load(dy, row, tiles):
    """The adjoint of `_store` of a whole row: dy (OH, OW, F) to tiles (16, T*F or more), zero outside."""
    oh, ow, f = dy.shape
    clear_line(tiles.reshape(-1))
    for r in range(min(4, oh - 4 * row)):
        for j in range(ow):
            copy_line(dy[4 * row + r, j], tiles[4 * r + j % 4][j // 4 * f : (j // 4 + 1) * f])


@compiled()
def _store_pooled(windows, row, begin, end, y):
    """The four windows of each of these tiles (4, ...) to y (PH, PW, F); none outside."""
    ph, pw, f = y.shape
    for r in range(min(2, ph - 2 * row)):
        for j in range(2 * begin, min(2 * end, pw)):
            copy_line(windows[2 * r + j % 2][(j // 2 - begin) * f :], y[2 * row + r, j])


@compiled()
def _load_pooled(dy, row, windows):
    """The adjoint of `_store_pooled` of a whole row: windows (4, T*F or more), zero outside."""
    ph, pw, f = dy.shape
    clear_line(windows.reshape(-1))
    for r in range(min(2, ph - 2 * row)):
        for j in range(pw):
            copy_line(dy[2 * row + r, j], windows[2 * r + j % 2][j // 2 * f : (j // 2 + 1) * f])


@compiled()
def _room_for_tiles(p, channels, line, dtype):
    """V (36, P, C) and M (36, line), side by side: of one large piece the system takes back less than of two."""
    room = np.empty(36 * (p * channels + line), dtype)
    v, m = room[: 36 * p * channels], room[36 * p * channels :]
    return v.reshape(36, p, channels), m.reshape(36, line)


@compiled(parallel=True)
def forward(x, u, bias, places, down, tiles, steps, pooled, y, winner):
    """x (N, H, W, C), u (36, C, F), bias (F,) into y: (N, OH, OW, F), or pooled (N, OH//2, OW//2, F) with `winner`.

    The tiles of all images, `down` rows of so many `tiles` an image, are numbered through, and shared out evenly among
    the steps. winner is (N, down, 4, tiles*F), or empty if nobody asks. places (5,) as `pooling.largest_of_four` reads
    them.
    """
    n_images, h, w, channels = x.shape
    filters = u.shape[2]
    total, line = n_images * down * tiles, tiles * filters
    for step in prange(steps):
        first, last = step * total // steps, (step + 1) * total // steps
        p = last - first
        v, m = _room_for_tiles(p, channels, p * filters + LANES, x.dtype)
        lines = np.zeros((6, 4 * tiles + 2, channels), x.dtype)
        zeros = np.zeros(w * channels, x.dtype)
        out = np.empty((4 if pooled else 16, line + LANES), x.dtype)
        won = np.empty((4 if len(winner) > 0 else 0, line + LANES), np.uint8)
        bias_line = np.zeros(line + LANES, x.dtype)
        for t in range(tiles):
            bias_line[t * filters : (t + 1) * filters] = bias
        rows = range(first // tiles, (last + tiles - 1) // tiles)  # the first and the last may be in part
        # 1. all tiles of this step to the domain of the 36 numbers
        for r in rows:
            n, row, begin, end = r // down, r % down, max(0, first - r * tiles), min(tiles, last - r * tiles)
            low = r * tiles + begin - first
            input_tiles(x[n].reshape(h, w * channels), 4 * row, begin, end, lines, zeros, v, low)
        # 2. there the convolution is a product number by number, summed over the channels: 36 matrix products
        for e in range(36):
            np.dot(v[e], u[e], m[e][: p * filters].reshape(-1, filters))  # (P, C) @ (C, F) -> (P, F)
        # 3. back to outputs, a row of tiles at a time, and on to where y wants them
        for r in rows:
            n, row, begin, end = r // down, r % down, max(0, first - r * tiles), min(tiles, last - r * tiles)
            low, length = (r * tiles + begin - first) * filters, (end - begin) * filters
            if pooled:
                pooled_output_tiles(m, low, length, bias_line, places, out, won)
                _store_pooled(out, row, begin, end, y[n])
                for window in range(len(won)):
                    copy_line(won[window], winner[n, row, window][begin * filters : end * filters])
            else:
                output_tiles(m, low, length, bias_line, out)
                _store(out, row, begin, end, y[n])


@compiled()
def _add_gradients(v, dm, p, first, partial, du, dbias):
    """Add to du (36, C, F) and dbias (F,): the products of the first p tiles of V (36, P, C) and dM (36, ...).

    If these are the `first`, du holds nothing yet.
    """
    filters = dbias.size
    for e in range(36):
        v_e, dm_e = v[e][:p], dm[e][: p * filters].reshape(-1, filters)
        np.dot(v_e.T, dm_e, du[e] if first else partial)  # (C, P) @ (P, F) -> (C, F)
        if not first:
            add_line(partial.reshape(-1), du[e].reshape(-1))
    # A has a row of ones: at place (1, 1) stands the sum of the tile's gradients
    for k in range(p):
        add_line(dm[7][k * filters : (k + 1) * filters], dbias)


@compiled()
def _output_gradients(dy, winner, pooled, row, line, out, won, dm, low):
    """dM = A dY A' of one row of tiles of an image, `line` numbers, into dm (36, ...) from place `low` on.

    dy (OH, OW, F) as it is, or dy (PH, PW, F) by way of its winners (TH, 4, T*F). out and won are room.
    """
    if pooled:
        _load_pooled(dy, row, out)
        for window in range(4):
            copy_line(winner[row, window], won[window][:line])
        pooled_gradient_tiles(out, won, line, dm, low)
    else:
        _load(dy, row, out)
        gradient_tiles(out, line, dm, low)


@compiled()
def _input_products(dm, u_t, p, filters, dv):
    """dV_e = dM_e U_e' of the first p tiles: dm (36, ...), u_t (36, F, C), into dv (36, P, C)."""
    for e in range(36):
        dv_e, dm_e = dv[e][:p], dm[e][: p * filters].reshape(-1, filters)
        np.dot(dm_e, u_t[e], dv_e)  # (P, F) @ (F, C) -> (P, C)


@compiled()
def _add_to_images(dv, first, rows, begin, end, down, tiles, dlines, spill, dx):
    """B dV B' of the rows of tiles from number `first` on to dx (N, H, W, C), of a part that has those in begin..end-1.

    Lines of dx that belong to the part are set to zero before; to spill (2, W*C) goes what falls below the last one.
    """
    _, h, w, channels = dx.shape
    for r in range(rows):
        n, row = (first + r) // down, (first + r) % down
        below = h if (n + 1) * down <= end else 4 * (end - n * down)  # the first line that is not the part's
        if row == 0 or first + r == begin:
            clear_line(dx[n][4 * row : below].reshape(-1))
        if first + r == end - 1:
            clear_line(spill.reshape(-1))  # what fell below an image is rounding alone, and not of this one
        add_input_tiles(dv, r * tiles, 4 * row, dlines, spill, dx[n][:below].reshape(below, w * channels))


@compiled()
def _join(spill, end, down, dx):
    """Add what a part left in spill (2, W*C), if its last row of tiles, before number `end`, is not an image's last."""
    n, row = end // down, end % down
    if row > 0:
        add_line(spill[0], dx[n, 4 * row].reshape(-1))
        add_line(spill[1], dx[n, 4 * row + 1].reshape(-1))


@compiled(parallel=True)
def backward(x, u_t, dy, winner, down, tiles, parts, group, pooled, dx, du, dbias):
    """dy, as `forward` left y, into dx (N, H, W, C) and the partial sums du (parts, 36, C, F), dbias (parts, F).

    u_t (36, F, C) is U with each matrix turned over: BLAS is a third slower if it must turn it at each product.

    An empty dx or du is not wanted. The rows of tiles, `down` an image with so many `tiles` each, are numbered through
    and shared out evenly among the parts; each walks through its own, at most `group` at a time. A part that ends
    inside an image does not touch the two lines of dx in which its last tiles overlap with the next part's: they wait
    in `spill` until all are done.
    """
    need_dx, need_grads = len(dx) > 0, len(du) > 0
    n_images, h, w, channels = x.shape
    filters = u_t.shape[1]
    total, line = n_images * down, tiles * filters
    spill = np.zeros((parts, 2, w * channels), x.dtype)
    for part in prange(parts):
        v, dm = _room_for_tiles(group * tiles, channels, group * line + LANES, x.dtype)
        lines = np.zeros((6, 4 * tiles + 2, channels), x.dtype)
        dlines = np.zeros((2, 6, 4 * tiles + 2, channels), x.dtype)
        zeros = np.zeros(w * channels, x.dtype)
        out = np.empty((4 if pooled else 16, line + LANES), x.dtype)
        won = np.empty((4, line + LANES), np.uint8)
        partial = np.empty((channels, filters), x.dtype)
        if need_grads:
            clear_line(dbias[part])
        begin, end = part * total // parts, (part + 1) * total // parts
        steps = (end - begin + group - 1) // group
        for step in range(steps):
            first = begin + step * (end - begin) // steps
            rows = begin + (step + 1) * (end - begin) // steps - first
            for r in range(rows):
                n, row = (first + r) // down, (first + r) % down
                _output_gradients(dy[n], winner[n], pooled, row, line, out, won, dm, r * line)
                if need_grads:
                    input_tiles(x[n].reshape(h, w * channels), 4 * row, I0, tiles, lines, zeros, v, r * tiles)
            if need_grads:
                _add_gradients(v, dm, rows * tiles, step == 0, partial, du[part], dbias[part])
            if need_dx:
                _input_products(dm, u_t, rows * tiles, filters, v)  # V is done with: its room takes dV
                _add_to_images(v, first, rows, begin, end, down, tiles, dlines, spill[part], dx)
    if need_dx:
        for part in range(1, parts):
            _join(spill[part - 1], part * total // parts, down, dx)
