"""The four matrices of the Winograd sandwich as code, on whole rows of tiles; conv_winograd.py has the mathematics.

A matrix acts from both sides, B' d B: down the columns, then along the rows. Each of these is the same small 1-D
transform, written out below as the additions that it is and run over long contiguous lines, so that the compiler turns it
into vector instructions. The numbers of one place e lie together, so a line of one row of tiles is T*C long.
"""

import numpy as np

from .jit import kernel as compiled

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
def _four(rows, first, step, low, n):
    """Four lines rows[first + i*step][low : low + n]."""
    return (
        rows[first][low : low + n],
        rows[first + step][low : low + n],
        rows[first + 2 * step][low : low + n],
        rows[first + 3 * step][low : low + n],
    )


@compiled()
def _six(rows, first, step, low, n):
    """Six lines rows[first + i*step][low : low + n]."""
    return (
        *_four(rows, first, step, low, n),
        rows[first + 4 * step][low : low + n],
        rows[first + 5 * step][low : low + n],
    )


@compiled()
def _map_b_t(d, e):
    d0, d1, d2, d3, d4, d5 = d
    e0, e1, e2, e3, e4, e5 = e
    for k in range(e0.size):
        e0[k], e1[k], e2[k], e3[k], e4[k], e5[k] = b_t(d0[k], d1[k], d2[k], d3[k], d4[k], d5[k])


@compiled()
def _add_b(e, d):
    e0, e1, e2, e3, e4, e5 = e
    d0, d1, d2, d3, d4, d5 = d
    for k in range(d0.size):
        g0, g1, g2, g3, g4, g5 = b(e0[k], e1[k], e2[k], e3[k], e4[k], e5[k])
        d0[k] += g0
        d1[k] += g1
        d2[k] += g2
        d3[k] += g3
        d4[k] += g4
        d5[k] += g5


@compiled()
def _map_a_t(m, y):
    m0, m1, m2, m3, m4, m5 = m
    y0, y1, y2, y3 = y
    for k in range(y0.size):
        y0[k], y1[k], y2[k], y3[k] = a_t(m0[k], m1[k], m2[k], m3[k], m4[k], m5[k])


@compiled()
def _map_a_t_plus(m, bias, y):
    m0, m1, m2, m3, m4, m5 = m
    y0, y1, y2, y3 = y
    for k in range(y0.size):
        g0, g1, g2, g3 = a_t(m0[k], m1[k], m2[k], m3[k], m4[k], m5[k])
        y0[k], y1[k], y2[k], y3[k] = g0 + bias[k], g1 + bias[k], g2 + bias[k], g3 + bias[k]


@compiled()
def _map_a(y, m):
    y0, y1, y2, y3 = y
    m0, m1, m2, m3, m4, m5 = m
    for k in range(y0.size):
        m0[k], m1[k], m2[k], m3[k], m4[k], m5[k] = a(y0[k], y1[k], y2[k], y3[k])


@compiled()
def _image_lines(image, row, outside):
    """Six rows of an image (H, W*C) from `row`; below its edge, the line `outside`."""
    h = image.shape[0]
    return (
        image[row] if row < h else outside,
        image[row + 1] if row + 1 < h else outside,
        image[row + 2] if row + 2 < h else outside,
        image[row + 3] if row + 3 < h else outside,
        image[row + 4] if row + 4 < h else outside,
        image[row + 5] if row + 5 < h else outside,
    )


@compiled()
def input_tiles(image, row, lines, zeros, v, low):
    """V = B' d B of one row of tiles: image (H, W*C) into v (36, P, C), from tile `low` on.

    lines (6, 4T+2, C) is room for B' d; what lies right of the image stays zero there.
    """
    n, (_, width, channels) = image.shape[1], lines.shape
    _map_b_t(_image_lines(image, row, zeros), _six(lines.reshape(6, width * channels), 0, 1, 0, n))
    for e in range(6):
        for t in range((width - 2) // 4):
            d0, d1, d2 = lines[e, 4 * t], lines[e, 4 * t + 1], lines[e, 4 * t + 2]  # (C,)
            d3, d4, d5 = lines[e, 4 * t + 3], lines[e, 4 * t + 4], lines[e, 4 * t + 5]
            v0, v1, v2 = v[6 * e, low + t], v[6 * e + 1, low + t], v[6 * e + 2, low + t]  # (C,)
            v3, v4, v5 = v[6 * e + 3, low + t], v[6 * e + 4, low + t], v[6 * e + 5, low + t]
            for c in range(channels):
                v0[c], v1[c], v2[c], v3[c], v4[c], v5[c] = b_t(d0[c], d1[c], d2[c], d3[c], d4[c], d5[c])


@compiled()
def add_input_tiles(dv, low, row, lines, spill, dimage):
    """The adjoint of `input_tiles`: dimage (H, W*C) += B dV B', adding where tiles overlap."""
    n, (_, width, channels) = dimage.shape[1], lines.shape
    lines[:, :2] = 0
    for e in range(6):
        for t in range((width - 2) // 4):
            d0, d1, d2 = lines[e, 4 * t], lines[e, 4 * t + 1], lines[e, 4 * t + 2]  # (C,)
            d3, d4, d5 = lines[e, 4 * t + 3], lines[e, 4 * t + 4], lines[e, 4 * t + 5]
            v0, v1, v2 = dv[6 * e, low + t], dv[6 * e + 1, low + t], dv[6 * e + 2, low + t]  # (C,)
            v3, v4, v5 = dv[6 * e + 3, low + t], dv[6 * e + 4, low + t], dv[6 * e + 5, low + t]
            for c in range(channels):
                g0, g1, g2, g3, g4, g5 = b(v0[c], v1[c], v2[c], v3[c], v4[c], v5[c])
                d0[c] += g0
                d1[c] += g1
                d2[c] = g2
                d3[c] = g3
                d4[c] = g4
                d5[c] = g5
    _add_b(_six(lines.reshape(6, width * channels), 0, 1, 0, n), _image_lines(dimage, row, spill))


@compiled()
def output_tiles(m, low, bias, half, y):
    """Y = A' M A + bias of one row of tiles: m (36, P*F) from `low` on; half (24, T*F) room; y (16, T*F), bias (T*F,)."""
    n = y.shape[1]
    for e in range(6):  # down the columns: half[4 * e + row]
        _map_a_t(_six(m, e, 6, low, n), _four(half, 4 * e, 1, 0, n))
    for row in range(4):
        _map_a_t_plus(_six(half, row, 4, 0, n), bias, _four(y, 4 * row, 1, 0, n))


@compiled()
def gradient_tiles(dy, half, dm, low):
    """dM = A dY A' of one row of tiles, the adjoint of `output_tiles`: dy (16, T*F) into dm (36, P*F)."""
    n = dy.shape[1]
    for row in range(4):
        _map_a(_four(dy, 4 * row, 1, 0, n), _six(half, row, 4, 0, n))
    for e in range(6):
        _map_a(_four(half, 4 * e, 1, 0, n), _six(dm, e, 6, low, n))
