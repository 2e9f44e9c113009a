"""The four matrices of the Winograd sandwich as code, on whole rows of tiles; conv_winograd.py has the mathematics.

A matrix acts from both sides, B' d B: down the columns, then along the rows. Each of these is the same small 1-D
transform, written out below as the additions that it is. The same code serves numbers and lanes (lanes.py): LANES
channels or filters side by side go through it at once, in registers.

The numbers of one place e lie together, so the line of T tiles is T*C long. Where lines are walked in whole vectors,
they have room for one vector more, and what is read or written there does not count.
"""

import numpy as np

from .jit import compiled
from .lanes import LANES, load, store
from .pooling import largest_of_four, send_to_winner

TWO, FOUR, FIVE, EIGHT = np.float32(2), np.float32(4), np.float32(5), np.float32(8)  # exact, so float64 stays float64
# whole numbers for which numba does not compile a function again, as it does for each 0, 1, 2 that is written in a call
I0, I1, I2, I3, I4, I5, I8, I12 = map(np.int64, (0, 1, 2, 3, 4, 5, 8, 12))


@compiled(forceinline=True)
def b_t(d0, d1, d2, d3, d4, d5):
    """B' d: six inputs of one line to six numbers."""
    p, q = d4 - FOUR * d2, d3 - FOUR * d1
    r, s = d4 - d2, TWO * (d3 - d1)
    return FOUR * d0 - FIVE * d2 + d4, p + q, p - q, r + s, r - s, FOUR * d1 - FIVE * d3 + d5


@compiled(forceinline=True)
def b(e0, e1, e2, e3, e4, e5):
    """B e, the adjoint of B': six numbers back to the six inputs that they came from."""
    p, q = e2 - e1, e1 + e2
    r, s = TWO * (e4 - e3), e3 + e4
    return FOUR * e0, FOUR * (p + e5) + r, -(FIVE * e0 + FOUR * q + s), -p - r - FIVE * e5, e0 + q + s, e5


@compiled(forceinline=True)
def a_t(m0, m1, m2, m3, m4, m5):
    """A' m: six numbers to the four outputs of one line."""
    p, q = m1 + m2, m1 - m2
    r, s = m3 + m4, m3 - m4
    return m0 + p + r, q + TWO * s, p + FOUR * r, q + EIGHT * s + m5


@compiled(forceinline=True)
def a(y0, y1, y2, y3):
    """A y, the adjoint of A': four gradients of outputs to six numbers."""
    p, q = y0 + y2, y1 + y3
    r, s = y0 + FOUR * y2, TWO * y1 + EIGHT * y3
    return y0, p + q, p - q, r + s, r - s, y3


@compiled()
def input_tiles(image, row, begin, end, lines, zeros, v, low):
    """V = B' d B of the tiles `begin` to `end`, the last excluded, of one row: image (H, W*C) into v (36, P, C).

    The first goes to place `low`. lines (6, 4T+2, C) is room for B' d; what lies right of the image stays zero there.
    Columns of pixels that no tile has are left out.
    """
    channels = lines.shape[2]
    _input_columns(image, row, 4 * begin * channels, (4 * end + 2) * channels, zeros, lines.reshape(6, -1))
    flat, whole = v.reshape(36, -1), channels - channels % LANES
    for e in range(6):
        line = lines[e].reshape(-1)
        for t in range(begin, end):
            p = low + t - begin
            for c in range(0, whole, LANES):
                _input_row(line, (4 * t) * channels + c, channels, flat, 6 * e, p * channels + c)
            d0, d1, d2 = lines[e, 4 * t], lines[e, 4 * t + 1], lines[e, 4 * t + 2]  # (C,)
            d3, d4, d5 = lines[e, 4 * t + 3], lines[e, 4 * t + 4], lines[e, 4 * t + 5]
            v0, v1, v2 = v[6 * e, p], v[6 * e + 1, p], v[6 * e + 2, p]  # (C,)
            v3, v4, v5 = v[6 * e + 3, p], v[6 * e + 4, p], v[6 * e + 5, p]
            for c in range(whole, channels):
                v0[c], v1[c], v2[c], v3[c], v4[c], v5[c] = b_t(d0[c], d1[c], d2[c], d3[c], d4[c], d5[c])


@compiled(forceinline=True)
def _input_row(line, at, channels, v, e, place):
    """LANES channels of one row of a tile, from six pixels of `line` to v[e], ..., v[e + 5]."""
    d0, d1, d2 = load(line, at), load(line, at + channels), load(line, at + 2 * channels)
    d3, d4, d5 = load(line, at + 3 * channels), load(line, at + 4 * channels), load(line, at + 5 * channels)
    v0, v1, v2, v3, v4, v5 = b_t(d0, d1, d2, d3, d4, d5)
    store(v[e], place, v0)
    store(v[e + 1], place, v1)
    store(v[e + 2], place, v2)
    store(v[e + 3], place, v3)
    store(v[e + 4], place, v4)
    store(v[e + 5], place, v5)


@compiled()
def _input_columns(image, row, begin, end, zeros, lines):
    """B' d of six rows of image (H, W*C) from `row`, `zeros` below it; numbers `begin` to `end` to lines (6, ...)."""
    h, n = image.shape[0], min(image.shape[1], end)
    d0, d1 = (image[row] if row < h else zeros), (image[row + 1] if row + 1 < h else zeros)
    d2, d3 = (image[row + 2] if row + 2 < h else zeros), (image[row + 3] if row + 3 < h else zeros)
    d4, d5 = (image[row + 4] if row + 4 < h else zeros), (image[row + 5] if row + 5 < h else zeros)
    d0, d1, d2, d3, d4, d5 = d0[begin:n], d1[begin:n], d2[begin:n], d3[begin:n], d4[begin:n], d5[begin:n]
    e0, e1, e2 = lines[0][begin:n], lines[1][begin:n], lines[2][begin:n]
    e3, e4, e5 = lines[3][begin:n], lines[4][begin:n], lines[5][begin:n]
    for k in range(n - begin):
        e0[k], e1[k], e2[k], e3[k], e4[k], e5[k] = b_t(d0[k], d1[k], d2[k], d3[k], d4[k], d5[k])


@compiled()
def add_input_tiles(dv, low, row, lines, spill, dimage):
    """The adjoint of `input_tiles`: dimage (H, W*C) += B dV B', adding where tiles overlap.

    Neighbouring tiles overlap, every second tile does not: tiles with even and with odd numbers have lines of their own
    in lines (2, 6, 4T+2, C), zero between the tiles. What falls below the image is added to spill (2, W*C): the last
    two of the six lines have one each.
    """
    _, _, width, channels = lines.shape
    flat, whole = dv.reshape(36, -1), channels - channels % LANES
    for e in range(6):
        for t in range((width - 2) // 4):
            line = lines[t % 2, e].reshape(-1)
            for c in range(0, whole, LANES):
                _add_input_row(flat, 6 * e, (low + t) * channels + c, line, 4 * t * channels + c, channels)
            v0, v1, v2 = dv[6 * e, low + t], dv[6 * e + 1, low + t], dv[6 * e + 2, low + t]  # (C,)
            v3, v4, v5 = dv[6 * e + 3, low + t], dv[6 * e + 4, low + t], dv[6 * e + 5, low + t]
            d0, d1, d2 = lines[t % 2, e, 4 * t], lines[t % 2, e, 4 * t + 1], lines[t % 2, e, 4 * t + 2]  # (C,)
            d3, d4, d5 = lines[t % 2, e, 4 * t + 3], lines[t % 2, e, 4 * t + 4], lines[t % 2, e, 4 * t + 5]
            for c in range(whole, channels):
                d0[c], d1[c], d2[c], d3[c], d4[c], d5[c] = b(v0[c], v1[c], v2[c], v3[c], v4[c], v5[c])
    flat = lines.reshape(2, 6, width * channels)
    _add_input_columns(flat[0], flat[1], row, spill, dimage)


@compiled(forceinline=True)
def _add_input_row(dv, e, place, line, at, channels):
    """The adjoint of `_input_row`, to a line in which no other tile has these pixels."""
    v0, v1, v2 = load(dv[e], place), load(dv[e + 1], place), load(dv[e + 2], place)
    v3, v4, v5 = load(dv[e + 3], place), load(dv[e + 4], place), load(dv[e + 5], place)
    d0, d1, d2, d3, d4, d5 = b(v0, v1, v2, v3, v4, v5)
    store(line, at, d0)
    store(line, at + channels, d1)
    store(line, at + 2 * channels, d2)
    store(line, at + 3 * channels, d3)
    store(line, at + 4 * channels, d4)
    store(line, at + 5 * channels, d5)


@compiled()
def _add_input_columns(even, odd, row, spill, dimage):
    """The adjoint of `_input_columns`: six rows of dimage (H, W*C) += B lines, where lines are even + odd (6, ...)."""
    h, n = dimage.shape[0], min(dimage.shape[1], even.shape[1])
    s0, s1 = spill[0], spill[1]
    d0, d1 = (dimage[row] if row < h else s0), (dimage[row + 1] if row + 1 < h else s0)
    d2, d3 = (dimage[row + 2] if row + 2 < h else s0), (dimage[row + 3] if row + 3 < h else s0)
    d4, d5 = (dimage[row + 4] if row + 4 < h else s0), (dimage[row + 5] if row + 5 < h else s1)
    whole = n - n % LANES
    for k in range(0, whole, LANES):
        e0, e1, e2 = _both(even[0], odd[0], k), _both(even[1], odd[1], k), _both(even[2], odd[2], k)
        e3, e4, e5 = _both(even[3], odd[3], k), _both(even[4], odd[4], k), _both(even[5], odd[5], k)
        g0, g1, g2, g3, g4, g5 = b(e0, e1, e2, e3, e4, e5)
        store(d0, k, load(d0, k) + g0)
        store(d1, k, load(d1, k) + g1)
        store(d2, k, load(d2, k) + g2)
        store(d3, k, load(d3, k) + g3)
        store(d4, k, load(d4, k) + g4)
        store(d5, k, load(d5, k) + g5)
    for k in range(whole, n):
        e0, e1, e2 = even[0, k] + odd[0, k], even[1, k] + odd[1, k], even[2, k] + odd[2, k]
        e3, e4, e5 = even[3, k] + odd[3, k], even[4, k] + odd[4, k], even[5, k] + odd[5, k]
        g0, g1, g2, g3, g4, g5 = b(e0, e1, e2, e3, e4, e5)
        d0[k] += g0
        d1[k] += g1
        d2[k] += g2
        d3[k] += g3
        d4[k] += g4
        d5[k] += g5


@compiled(forceinline=True)
def _both(even, odd, k):
    return load(even, k) + load(odd, k)


@compiled(forceinline=True)
def _output_column(m, column, at):
    """A' m of one column of a tile: LANES numbers of m (36, ...) from place `at` on to the column's four outputs."""
    m0, m1, m2 = load(m[column], at), load(m[6 + column], at), load(m[12 + column], at)
    m3, m4, m5 = load(m[18 + column], at), load(m[24 + column], at), load(m[30 + column], at)
    return a_t(m0, m1, m2, m3, m4, m5)


@compiled(forceinline=True)
def _outputs(m, at, bias, k):
    """Four rows of four outputs, A' M A + bias: LANES numbers of m (36, ...) from `at` on, and of bias from k on."""
    h0, h1, h2 = _output_column(m, I0, at), _output_column(m, I1, at), _output_column(m, I2, at)
    h3, h4, h5 = _output_column(m, I3, at), _output_column(m, I4, at), _output_column(m, I5, at)
    more = load(bias, k)
    return (
        _output_row(h0[0], h1[0], h2[0], h3[0], h4[0], h5[0], more),
        _output_row(h0[1], h1[1], h2[1], h3[1], h4[1], h5[1], more),
        _output_row(h0[2], h1[2], h2[2], h3[2], h4[2], h5[2], more),
        _output_row(h0[3], h1[3], h2[3], h3[3], h4[3], h5[3], more),
    )


@compiled(forceinline=True)
def _output_row(h0, h1, h2, h3, h4, h5, bias):
    y0, y1, y2, y3 = a_t(h0, h1, h2, h3, h4, h5)
    return y0 + bias, y1 + bias, y2 + bias, y3 + bias


@compiled(forceinline=True)
def _store_row(row, y, place, k):
    store(y[place], k, row[0])
    store(y[place + 1], k, row[1])
    store(y[place + 2], k, row[2])
    store(y[place + 3], k, row[3])


@compiled()
def output_tiles(m, low, n, bias, y):
    """Y = A' M A + bias of tiles that are n numbers long together: m (36, ...) from `low` on -> y (16, n or more).

    bias (n or more,) is repeated for each tile.
    """
    for k in range(0, n, LANES):
        y0, y1, y2, y3 = _outputs(m, low + k, bias, k)
        _store_row(y0, y, I0, k)
        _store_row(y1, y, I4, k)
        _store_row(y2, y, I8, k)
        _store_row(y3, y, I12, k)


@compiled()
def pooled_output_tiles(m, low, n, bias, places, y, winner):
    """`output_tiles`, ReLU and 2x2 max-pooling: a tile is four windows, y (4, n or more); winner likewise, or (0, 0).

    places (5,) as `pooling.largest_of_four` reads them.
    """
    for k in range(0, n, LANES):
        first, second, third, fourth = _outputs(m, low + k, bias, k)
        y0, won0 = largest_of_four(first[0], first[1], second[0], second[1], places)
        y1, won1 = largest_of_four(first[2], first[3], second[2], second[3], places)
        y2, won2 = largest_of_four(third[0], third[1], fourth[0], fourth[1], places)
        y3, won3 = largest_of_four(third[2], third[3], fourth[2], fourth[3], places)
        store(y[0], k, y0)
        store(y[1], k, y1)
        store(y[2], k, y2)
        store(y[3], k, y3)
        if len(winner) > 0:
            store(winner[0], k, won0)
            store(winner[1], k, won1)
            store(winner[2], k, won2)
            store(winner[3], k, won3)


@compiled(forceinline=True)
def _store_gradients(g0, g1, g2, g3, dm, at):
    """dM = A dY A' of LANES tiles and filters: four rows of four gradients to dm (36, ...), from place `at` on."""
    h0, h1 = a(g0[0], g0[1], g0[2], g0[3]), a(g1[0], g1[1], g1[2], g1[3])
    h2, h3 = a(g2[0], g2[1], g2[2], g2[3]), a(g3[0], g3[1], g3[2], g3[3])
    _store_gradient_column(h0[0], h1[0], h2[0], h3[0], dm, I0, at)
    _store_gradient_column(h0[1], h1[1], h2[1], h3[1], dm, I1, at)
    _store_gradient_column(h0[2], h1[2], h2[2], h3[2], dm, I2, at)
    _store_gradient_column(h0[3], h1[3], h2[3], h3[3], dm, I3, at)
    _store_gradient_column(h0[4], h1[4], h2[4], h3[4], dm, I4, at)
    _store_gradient_column(h0[5], h1[5], h2[5], h3[5], dm, I5, at)


@compiled(forceinline=True)
def _store_gradient_column(h0, h1, h2, h3, dm, column, at):
    m0, m1, m2, m3, m4, m5 = a(h0, h1, h2, h3)
    store(dm[column], at, m0)
    store(dm[6 + column], at, m1)
    store(dm[12 + column], at, m2)
    store(dm[18 + column], at, m3)
    store(dm[24 + column], at, m4)
    store(dm[30 + column], at, m5)


@compiled()
def gradient_tiles(dy, n, dm, low):
    """dM = A dY A', the adjoint of `output_tiles`: dy (16, n or more) into dm (36, ...) from `low` on."""
    for k in range(0, n, LANES):
        g0 = load(dy[0], k), load(dy[1], k), load(dy[2], k), load(dy[3], k)
        g1 = load(dy[4], k), load(dy[5], k), load(dy[6], k), load(dy[7], k)
        g2 = load(dy[8], k), load(dy[9], k), load(dy[10], k), load(dy[11], k)
        g3 = load(dy[12], k), load(dy[13], k), load(dy[14], k), load(dy[15], k)
        _store_gradients(g0, g1, g2, g3, dm, low + k)


@compiled()
def pooled_gradient_tiles(dy, winner, n, dm, low):
    """The adjoint of `pooled_output_tiles`: dy and winner (4, n or more) into dm (36, ...) from `low` on."""
    for k in range(0, n, LANES):
        y00, y01, y10, y11 = send_to_winner(load(dy[0], k), winner[0], k)
        y02, y03, y12, y13 = send_to_winner(load(dy[1], k), winner[1], k)
        y20, y21, y30, y31 = send_to_winner(load(dy[2], k), winner[2], k)
        y22, y23, y32, y33 = send_to_winner(load(dy[3], k), winner[3], k)
        g0, g1 = (y00, y01, y02, y03), (y10, y11, y12, y13)
        g2, g3 = (y20, y21, y22, y23), (y30, y31, y32, y33)
        _store_gradients(g0, g1, g2, g3, dm, low + k)
