"""The compiled side of conv_direct.py: some rows of squares at a time, from pixels to outputs and back.

A parity image of some rows is one line of PLANE numbers: its rows lie behind each other, S apart, so that the innermost
loops are long. S is a multiple of LANES; what stands in a row's last places, beyond the squares, is zero or never
stored. The four parity images lie behind each other too, p (4*PLANE,), and so do the four outputs of all squares,
y (4*PLANE,). Square j of these rows has its outputs at j, j + PLANE, j + 2*PLANE and j + 3*PLANE.
"""

import numpy as np

from .chunks import CHUNKS
from .jit import compiled, prange
from .pooling import best_of_four, max_of_four, send_to_winner

# Any values are right that leave PLANE room for 3 lines of the widest image and 2 * LANES.
PLANE = 1232  # numbers per parity image: a constant, so that the compiler knows that lines do not overlap
LANES = 16  # a row's length is a multiple of this, so that no loop has a remainder


@compiled()
def _split(image, first, count, s, planes):
    """Rows 2*first... of an image (H, W, C), 2*count of them, into its parity images (C, 2, 2, PLANE); zero outside."""
    h, w, channels = image.shape
    for i in range(count):
        for a in range(2):
            r = 2 * (first + i) + a
            for b in range(2):
                width = (w - b + 1) // 2 if r < h else 0
                for c in range(channels):
                    line = planes[c, a, b, i * s : (i + 1) * s]
                    for j in range(width):
                        line[j] = image[r, 2 * j + b, c]
                    line[width:] = 0


@compiled()
def _add_joined(planes, first, count, s, image):
    """The adjoint of `_split`: image (H, W, C) += the parity images (C, 2, 2, PLANE) of its rows 2*first..."""
    h, w, channels = image.shape
    for i in range(count):
        for a in range(2):
            r = 2 * (first + i) + a
            if r < h:
                row = image[r]
                for j in range(w):
                    for c in range(channels):
                        row[j, c] += planes[c, a, j % 2, i * s + j // 2]


@compiled()
def _by_filter(dy, s, lines):
    """Some rows of dy (rows, PW, F) laid out as a line per filter (F, rows*S)."""
    rows, width, filters = dy.shape
    for i in range(rows):
        for j in range(width):
            for f in range(filters):
                lines[f, i * s + j] = dy[i, j, f]


@compiled()
def _two_rows(p, j):
    """A square's pixels x00 x01 x02 x03, x10 x11 x12 x13, from parity images p that begin at its row."""
    upper = p[j], p[j + PLANE], p[j + 1], p[j + PLANE + 1]
    lower = p[j + 2 * PLANE], p[j + 3 * PLANE], p[j + 2 * PLANE + 1], p[j + 3 * PLANE + 1]
    return (*upper, *lower)


@compiled()
def _sixteen(p, below, j):
    """Square j's pixels x00 ... x33, row by row: two rows from p, two from `below`, which is p one row further."""
    return (*_two_rows(p, j), *_two_rows(below, j))


@compiled()
def _weights(k):
    """The nine numbers of k (3, 3)."""
    return k[0, 0], k[0, 1], k[0, 2], k[1, 0], k[1, 1], k[1, 2], k[2, 0], k[2, 1], k[2, 2]


@compiled(fastmath={"contract"})
def _nine(y, w, x0, x1, x2, x3, x4, x5, x6, x7, x8):
    """y + nine weights times nine pixels: nine fused multiply-adds, one after the other."""
    three = y + w[0] * x0 + w[1] * x1 + w[2] * x2
    six = three + w[3] * x3 + w[4] * x4 + w[5] * x5
    return six + w[6] * x6 + w[7] * x7 + w[8] * x8


@compiled(fastmath={"contract"})
def _add_square(w, x, y, j):
    """The four outputs of square j in y: each += nine weights w times nine of the sixteen pixels x."""
    x00, x01, x02, x03, x10, x11, x12, x13, x20, x21, x22, x23, x30, x31, x32, x33 = x
    y[j] = _nine(y[j], w, x00, x01, x02, x10, x11, x12, x20, x21, x22)
    y[j + PLANE] = _nine(y[j + PLANE], w, x01, x02, x03, x11, x12, x13, x21, x22, x23)
    y[j + 2 * PLANE] = _nine(y[j + 2 * PLANE], w, x10, x11, x12, x20, x21, x22, x30, x31, x32)
    y[j + 3 * PLANE] = _nine(y[j + 3 * PLANE], w, x11, x12, x13, x21, x22, x23, x31, x32, x33)


@compiled(fastmath={"contract"})
def _convolve(k, p, start, s, n, y):
    """Add k (3, 3) over parity images p, from place `start` on, to the outputs y (4*PLANE,) of n squares."""
    w = _weights(k)
    upper, lower = p[start:], p[start + s :]
    for j in range(n):
        _add_square(w, _sixteen(upper, lower, j), y, j)


@compiled(fastmath={"contract"})
def _convolve_two(k, other, p, s, n, y):
    """`_convolve` for two filters at a time, which share what is loaded: y (8*PLANE,)."""
    w, v = _weights(k), _weights(other)
    upper, lower = p, p[s:]
    for j in range(n):
        x = _sixteen(upper, lower, j)
        _add_square(w, x, y, j)
        _add_square(v, x, y, j + 4 * PLANE)


@compiled(fastmath={"contract", "reassoc"})
def _add_products(g, n, p, s, dk):
    """dk (3, 3) += the gradients g (4*PLANE,) of n squares' outputs, times the pixels that each weight met."""
    upper, lower = p, p[s:]
    s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = g[0] * 0
    for j in range(n):
        x00, x01, x02, x03, x10, x11, x12, x13, x20, x21, x22, x23, x30, x31, x32, x33 = _sixteen(upper, lower, j)
        g00, g01, g10, g11 = g[j], g[j + PLANE], g[j + 2 * PLANE], g[j + 3 * PLANE]
        s00 += g00 * x00 + g01 * x01 + g10 * x10 + g11 * x11
        s01 += g00 * x01 + g01 * x02 + g10 * x11 + g11 * x12
        s02 += g00 * x02 + g01 * x03 + g10 * x12 + g11 * x13
        s10 += g00 * x10 + g01 * x11 + g10 * x20 + g11 * x21
        s11 += g00 * x11 + g01 * x12 + g10 * x21 + g11 * x22
        s12 += g00 * x12 + g01 * x13 + g10 * x22 + g11 * x23
        s20 += g00 * x20 + g01 * x21 + g10 * x30 + g11 * x31
        s21 += g00 * x21 + g01 * x22 + g10 * x31 + g11 * x32
        s22 += g00 * x22 + g01 * x23 + g10 * x32 + g11 * x33
    for i, total in enumerate((s00, s01, s02, s10, s11, s12, s20, s21, s22)):
        dk[i // 3, i % 3] += total


@compiled(fastmath={"contract", "reassoc"})
def _total(values):
    total = values[0] * 0
    for j in range(values.size):
        total += values[j]
    return total


@compiled(parallel=True)
def forward(x, k, bias, rows, s, y):
    """x (N, H, W, C), k (F, C, 3, 3), bias (F,) -> y (N, OH, OW, F), `rows` rows of squares a task."""
    n_images, oh, _, filters = y.shape
    channels = x.shape[3]
    squares = (oh + 1) // 2  # rows of them in an image; the last may have an upper half alone
    blocks = (squares + rows - 1) // rows
    for task in prange(n_images * blocks):
        n, first = task // blocks, task % blocks * rows
        count = min(rows, squares - first)
        places = count * s
        planes = np.zeros((channels, 2, 2, PLANE), x.dtype)
        sums = np.empty((filters, 2, 2, PLANE), x.dtype)
        # the 3x3 windows of the last squares reach one row of pixels further
        _split(x[n], first, count + 1, s, planes)
        for f in range(filters):
            sums[f] = bias[f]
            for c in range(channels):
                _convolve(k[f, c], planes[c].reshape(4 * PLANE), 0, s, places, sums[f].reshape(4 * PLANE))
        # a square's outputs lie in y as a square's pixels do in an image
        y[n, 2 * first : 2 * (first + count)] = 0
        _add_joined(sums, first, count, s, y[n])


@compiled(parallel=True)
def forward_pooled(x, k, bias, rows, s, y, winner):
    """`forward`, ReLU, and of each square the largest alone, into y (N, PH, PW, F).

    winner (N, blocks, F, rows*S) takes which one that was; if it is (0, blocks, F, rows*S), nobody asks.
    """
    n_images, ph, pw, filters = y.shape
    channels = x.shape[3]
    blocks = winner.shape[1]
    for task in prange(n_images * blocks):
        n, first = task // blocks, task % blocks * rows
        count = min(rows, ph - first)
        places = count * s
        planes = np.zeros((channels, 2, 2, PLANE), x.dtype)
        sums = np.empty((8, PLANE), x.dtype)
        best = np.empty((filters, places), x.dtype)
        _split(x[n], first, count + 1, s, planes)
        for one in range(0, filters, 2):  # two filters at a time
            two = min(one + 1, filters - 1)  # an odd last filter is done twice
            sums[:4, :places] = bias[one]
            sums[4:, :places] = bias[two]
            for c in range(channels):
                _convolve_two(k[one, c], k[two, c], planes[c].reshape(4 * PLANE), s, places, sums.reshape(8 * PLANE))
            for q, f in ((0, one), (4, two)):
                if len(winner) > 0:
                    best_of_four(sums[q], sums[q + 1], sums[q + 2], sums[q + 3], best[f], winner[n, first // rows, f])
                else:
                    max_of_four(sums[q], sums[q + 1], sums[q + 2], sums[q + 3], best[f])
        # from a line per filter to the filters side by side
        for i in range(count):
            for j in range(pw):
                out = y[n, first + i, j]
                for f in range(filters):
                    out[f] = best[f, i * s + j]


@compiled()
def _add_kernel_gradients(g, places, planes, s, dk, dbias):
    """Add to dk (C, 3, 3) and dbias (1,) of one filter, from the gradients g (4, PLANE) of its squares."""
    for c in range(len(dk)):
        _add_products(g.reshape(4 * PLANE), places, planes[c].reshape(4 * PLANE), s, dk[c])
    for q in range(4):
        dbias[0] += _total(g[q][:places])


@compiled(parallel=True)
def backward(x, turned, dy, rows, s, pooled, winner, dx, dk, dbias):
    """dy, shaped as y of `forward` or `forward_pooled` -> dx (N, H, W, C) and partial sums of the other gradients.

    These are dk (CHUNKS, F, C, 3, 3) and dbias (CHUNKS, F). turned (F, C, 3, 3) is the kernel rotated by 180 degrees.
    An empty dx or dk is not wanted. Each chunk walks through every CHUNKS-th image, some rows of squares at a time.
    """
    need_dx, need_grads = len(dx) > 0, len(dk) > 0
    (n_images, height, _, filters), channels = dy.shape, x.shape[3]
    before = s + LANES  # zeros before the gradients: the squares above and to the left of the first
    squares = height if pooled else (height + 1) // 2
    for chunk in prange(CHUNKS):
        planes = np.zeros((channels, 2, 2, PLANE), x.dtype)
        dplanes = np.zeros((channels, 2, 2, PLANE), x.dtype)
        lines = np.zeros((filters, rows * s), x.dtype)
        gradients = np.zeros((1 if pooled else filters, 2, 2, PLANE), x.dtype)
        padded = np.zeros((4, PLANE), x.dtype)
        if need_grads:
            dk[chunk] = 0
            dbias[chunk] = 0
        for n in range(chunk, n_images, CHUNKS):
            if need_dx:
                dx[n] = 0
            for first in range(0, squares, rows):
                count = min(rows, squares - first)
                places = count * s
                if need_grads:
                    _split(x[n], first, count + 1, s, planes)  # the pixels that the weights met
                if pooled:
                    _by_filter(dy[n, first : first + count], s, lines)
                else:
                    _split(dy[n], first, count, s, gradients)
                dplanes[:] = 0
                padded[:] = 0
                for f in range(filters):
                    g = gradients[0 if pooled else f].reshape(4, PLANE)
                    if pooled:
                        send_to_winner(lines[f][:places], winner[n, first // rows, f], g[0], g[1], g[2], g[3])
                    if need_grads:
                        _add_kernel_gradients(g, places, planes, s, dk[chunk, f], dbias[chunk, f : f + 1])
                    if need_dx:
                        for q in range(4):
                            padded[q, before : before + places] = g[q, :places]
                        # a pixel collects from every window that saw it: the turned kernel goes over the gradients,
                        # from the square above and to the left on. (As a function of its own, a tenth slower.)
                        for c in range(channels):
                            out = dplanes[c].reshape(4 * PLANE)
                            _convolve(turned[f, c], padded.reshape(4 * PLANE), LANES - 1, s, places + s, out)
                if need_dx:
                    _add_joined(dplanes, first, count + 1, s, dx[n])
