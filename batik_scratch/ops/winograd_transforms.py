"""The four matrices of the Winograd sandwich as code, on whole rows of tiles; conv_winograd.py has the mathematics.

A matrix acts from both sides, B' d B: down the columns, then along the rows. Each of these is the same small 1-D
transform, written out below as the additions that it is and run over contiguous lines, so that the compiler turns it
into vector instructions. The loops over long lines are functions of their own: merged into a larger one, they are too
much for the compiler. The numbers of one place e lie together, so the line of T tiles is T*C long.
"""

import numpy as np

from .jit import compiled

TWO, FOUR, FIVE, EIGHT = np.float32(2), np.float32(4), np.float32(5), np.float32(8)  # exact, so float64 stays float64


@compiled()
def b_t(d0, d1, d2, d3, d4, d5):
    """B' d: six inputs of one line to six numbers."""
    p, q = d4 - FOUR * d2, d3 - FOUR * d1
    r, s = d4 - d2, TWO * (d3 - d1)
    return FOUR * d0 - FIVE * d2 + d4, p + q, p - q, r + s, r - s, FOUR * d1 - FIVE * d3 + d5


@compiled()
def b(e0, e1, e2, e3, e4, e5):
    """B e, the adjoint of B': six numbers back to the six inputs that they came from."""
    p, q = e2 - e1, e1 + e2
    r, s = TWO * (e4 - e3), e3 + e4
    return FOUR * e0, FOUR * (p + e5) + r, -(FIVE * e0 + FOUR * q + s), -p - r - FIVE * e5, e0 + q + s, e5


@compiled()
def a_t(m0, m1, m2, m3, m4, m5):
    """A' m: six numbers to the four outputs of one line."""
    p, q = m1 + m2, m1 - m2
    r, s = m3 + m4, m3 - m4
    return m0 + p + r, q + TWO * s, p + FOUR * r, q + EIGHT * s + m5


@compiled()
def a(y0, y1, y2, y3):
    """A y, the adjoint of A': four gradients of outputs to six numbers."""
    p, q = y0 + y2, y1 + y3
    r, s = y0 + FOUR * y2, TWO * y1 + EIGHT * y3
    return y0, p + q, p - q, r + s, r - s, y3


@compiled()
def input_tiles(image, row, lines, zeros, v, low):
    """V = B' d B of one row of tiles: image (H, W*C) into v (36, P, C), from tile `low` on.

    lines (6, 4T+2, C) is room for B' d; what lies right of the image stays zero there.
    """
    _, width, channels = lines.shape
    _input_columns(image, row, zeros, lines.reshape(6, width * channels))
    for e in range(6):
        for t in range((width - 2) // 4):
            d0, d1, d2 = lines[e, 4 * t], lines[e, 4 * t + 1], lines[e, 4 * t + 2]  # (C,)
            d3, d4, d5 = lines[e, 4 * t + 3], lines[e, 4 * t + 4], lines[e, 4 * t + 5]
            v0, v1, v2 = v[6 * e, low + t], v[6 * e + 1, low + t], v[6 * e + 2, low + t]  # (C,)
            v3, v4, v5 = v[6 * e + 3, low + t], v[6 * e + 4, low + t], v[6 * e + 5, low + t]
            for c in range(channels):
                v0[c], v1[c], v2[c], v3[c], v4[c], v5[c] = b_t(d0[c], d1[c], d2[c], d3[c], d4[c], d5[c])


@compiled()
def _input_columns(image, row, zeros, lines):
    """B' d down the columns: six rows of an image (H, W*C) from `row`, `zeros` below its edge, into lines (6, ...)."""
    h, n = image.shape
    d0, d1 = (image[row] if row < h else zeros), (image[row + 1] if row + 1 < h else zeros)
    d2, d3 = (image[row + 2] if row + 2 < h else zeros), (image[row + 3] if row + 3 < h else zeros)
    d4, d5 = (image[row + 4] if row + 4 < h else zeros), (image[row + 5] if row + 5 < h else zeros)
    e0, e1, e2, e3, e4, e5 = lines[0][:n], lines[1][:n], lines[2][:n], lines[3][:n], lines[4][:n], lines[5][:n]
    for k in range(n):
        e0[k], e1[k], e2[k], e3[k], e4[k], e5[k] = b_t(d0[k], d1[k], d2[k], d3[k], d4[k], d5[k])


@compiled()
def add_input_tiles(dv, low, row, lines, spill, dimage):
    """The adjoint of `input_tiles`: dimage (H, W*C) += B dV B', adding where tiles overlap.

    Neighbouring tiles overlap, every second tile does not: tiles with even and with odd numbers have lines of their own
    in lines (3, 6, 4T+2, C), zero between the tiles, and the third takes their sum. What falls below the image is added
    to spill (2, W*C): the last two of the six lines have one each.
    """
    _, _, width, channels = lines.shape
    for e in range(6):
        for t in range((width - 2) // 4):
            v0, v1, v2 = dv[6 * e, low + t], dv[6 * e + 1, low + t], dv[6 * e + 2, low + t]  # (C,)
            v3, v4, v5 = dv[6 * e + 3, low + t], dv[6 * e + 4, low + t], dv[6 * e + 5, low + t]
            d0, d1, d2 = lines[t % 2, e, 4 * t], lines[t % 2, e, 4 * t + 1], lines[t % 2, e, 4 * t + 2]  # (C,)
            d3, d4, d5 = lines[t % 2, e, 4 * t + 3], lines[t % 2, e, 4 * t + 4], lines[t % 2, e, 4 * t + 5]
            for c in range(channels):
                d0[c], d1[c], d2[c], d3[c], d4[c], d5[c] = b(v0[c], v1[c], v2[c], v3[c], v4[c], v5[c])
    flat = lines.reshape(3, 6, width * channels)
    for e in range(6):
        _sum(flat[0, e], flat[1, e], flat[2, e])
    _add_input_columns(flat[2], row, spill, dimage)


@compiled()
def _sum(even, odd, total):
    for k in range(total.size):
        total[k] = even[k] + odd[k]


@compiled()
def _add_input_columns(lines, row, spill, dimage):
    """The adjoint of `_input_columns`: six rows of dimage (H, W*C) += B lines."""
    h, n = dimage.shape
    e0, e1, e2, e3, e4, e5 = lines[0][:n], lines[1][:n], lines[2][:n], lines[3][:n], lines[4][:n], lines[5][:n]
    s0, s1 = spill[0], spill[1]
    d0, d1 = (dimage[row] if row < h else s0), (dimage[row + 1] if row + 1 < h else s0)
    d2, d3 = (dimage[row + 2] if row + 2 < h else s0), (dimage[row + 3] if row + 3 < h else s0)
    d4, d5 = (dimage[row + 4] if row + 4 < h else s0), (dimage[row + 5] if row + 5 < h else s1)
    for k in range(n):
        g0, g1, g2, g3, g4, g5 = b(e0[k], e1[k], e2[k], e3[k], e4[k], e5[k])
        d0[k] += g0
        d1[k] += g1
        d2[k] += g2
        d3[k] += g3
        d4[k] += g4
        d5[k] += g5


@compiled()
def output_tiles(m, low, n, bias, half, y):
    """Y = A' M A + bias of tiles that are n numbers long together: m (36, P*F) from `low` on -> y (16, n).

    half (24, n) is room for A' M: half[4 * column + row]. bias (n,) is repeated for each tile.
    """
    for column in range(6):
        _output_column(m, column, low, n, half)
    for row in range(4):
        _output_row(half, row, n, bias, y)


@compiled()
def _output_column(m, column, low, n, half):
    m0, m1, m2 = m[column][low : low + n], m[6 + column][low : low + n], m[12 + column][low : low + n]
    m3, m4, m5 = m[18 + column][low : low + n], m[24 + column][low : low + n], m[30 + column][low : low + n]
    h0, h1, h2, h3 = half[4 * column], half[4 * column + 1], half[4 * column + 2], half[4 * column + 3]
    for k in range(n):
        h0[k], h1[k], h2[k], h3[k] = a_t(m0[k], m1[k], m2[k], m3[k], m4[k], m5[k])


@compiled()
def _output_row(half, row, n, bias, y):
    h0, h1, h2, h3, h4, h5 = half[row], half[4 + row], half[8 + row], half[12 + row], half[16 + row], half[20 + row]
    y0, y1, y2, y3 = y[4 * row], y[4 * row + 1], y[4 * row + 2], y[4 * row + 3]
    for k in range(n):
        s0, s1, s2, s3 = a_t(h0[k], h1[k], h2[k], h3[k], h4[k], h5[k])
        y0[k], y1[k], y2[k], y3[k] = s0 + bias[k], s1 + bias[k], s2 + bias[k], s3 + bias[k]


@compiled()
def gradient_tiles(dy, n, half, dm, low):
    """dM = A dY A', the adjoint of `output_tiles`: dy (16, n) into dm (36, P*F) from `low` on."""
    for row in range(4):
        _gradient_row(dy, row, n, half)
    for column in range(6):
        _gradient_column(half, column, n, dm, low)


@compiled()
def _gradient_row(dy, row, n, half):
    y0, y1, y2, y3 = dy[4 * row], dy[4 * row + 1], dy[4 * row + 2], dy[4 * row + 3]
    h0, h1, h2, h3, h4, h5 = half[row], half[4 + row], half[8 + row], half[12 + row], half[16 + row], half[20 + row]
    for k in range(n):
        h0[k], h1[k], h2[k], h3[k], h4[k], h5[k] = a(y0[k], y1[k], y2[k], y3[k])


@compiled()
def _gradient_column(half, column, n, dm, low):
    h0, h1, h2, h3 = half[4 * column], half[4 * column + 1], half[4 * column + 2], half[4 * column + 3]
    m0, m1, m2 = dm[column][low : low + n], dm[6 + column][low : low + n], dm[12 + column][low : low + n]
    m3, m4, m5 = dm[18 + column][low : low + n], dm[24 + column][low : low + n], dm[30 + column][low : low + n]
    for k in range(n):
        m0[k], m1[k], m2[k], m3[k], m4[k], m5[k] = a(h0[k], h1[k], h2[k], h3[k])
