"""Convolution, ReLU and 2x2 max-pooling of an image with few channels, in one pass and without im2col.

With three channels a 3x3 window has 27 numbers, too few to pay for copying windows into a matrix. Instead the image is
split by the parity of rows and columns into four images of half the size, p[a][b][i, j] = x[2i + a, 2j + b]. One pooling
window then looks at 4x4 pixels, which are neighbours in these:

    x[2i + r, 2j + s] = p[r % 2][s % 2][i + r // 2, j + s // 2]      r, s = 0..3
    its four outputs    y_ab[i, j] = b + sum_{u,v} k[u, v] x[2i + a + u, 2j + b + v]      a, b = 0, 1

so all four are sums of shifted lines, one vector instruction for sixteen pooling windows, and the largest of the four is
all that is stored. The backward pass has the same shape: the winners' gradients g_ab meet the same sixteen
pixels for dk, and the same nine weights for dx.

`*_plain` composes the plain convolution, ReLU and pooling. Lines of several image rows lie behind each other, S apart,
so that the innermost loops are long; what stands in a line's last S - PW places is never stored.
"""

import numpy as np

from . import conv_im2col, pooling, relu
from .jit import compiled, prange
from .pooling import best_of_four, max_of_four, send_to_winner
from .workspace import Workspace

# Any values are right that leave PLANE room for 3 lines of the widest image and 2 * LANES (`rows_per_task` is 0 for wider ones).
FEW_CHANNELS = 8  # below this, a pass without im2col is faster than Winograd's
PLANE = 1232  # numbers per parity image of some rows: a constant, so that the compiler knows that lines do not overlap
LANES = 16  # a line's length is a multiple of this, so that no loop has a remainder
CHUNKS = 8  # partial sums of the kernel's gradient: fixed, so that bits do not depend on the number of threads

Gradients = tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]


def forward_plain(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x (N, H, W, C), kernel (3, 3, C, F), bias (F,) -> y and winner (N, PH, PW, F); a winner is 0..3, or 4 where y is 0."""
    y = conv_im2col.forward_plain(x, kernel, bias)  # (N, OH, OW, F)
    pooled, winner = pooling.forward_plain(relu.forward_plain(y)[0], (2, 2), (2, 2))  # (N, PH, PW, F) both
    return pooled, np.where(pooled > 0, winner, pooling.DEAD)


def line_length(width: int) -> int:
    """S: the half-width of a parity image, rounded up to whole vectors."""
    return -(-((width + 1) // 2) // LANES) * LANES


def rows_per_task(width: int) -> int:
    """Pooled rows whose lines, with a row before and one behind, fit into PLANE; below 1 the image is too wide."""
    return (PLANE - 2 * LANES) // line_length(width) - 2


def winner_shape(x_shape: tuple[int, ...], filters: int) -> tuple[int, int, int, int]:
    """The shape of the winners' array that `forward_pooled` fills: (N, blocks, F, rows*S), for its own use."""
    n, h, w, _ = x_shape
    rows = rows_per_task(w)
    return n, -(-((h - 2) // 2) // rows), filters, rows * line_length(w)


def forward_pooled(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, y: np.ndarray, winner: np.ndarray | None = None
) -> None:
    """Fill y (N, PH, PW, F) from x (N, H, W, C), kernel (3, 3, C, F), bias (F,); and `winner`, of `winner_shape`, if given."""
    if winner is None:
        winner = np.empty((0, *winner_shape(x.shape, kernel.shape[3])[1:]), np.uint8)
    by_filter = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))  # (F, C, 3, 3)
    _forward(np.ascontiguousarray(x), by_filter, bias, rows_per_task(x.shape[2]), y, winner)


def backward_pooled(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    winner: np.ndarray,
    dx: np.ndarray | None,
    need_grads: bool,
    room: Workspace,
) -> Gradients:
    """dy (N, PH, PW, F) -> dx (N, H, W, C), filled where it is given, dkernel (3, 3, C, F) and dbias (F,)."""
    by_filter = kernel.transpose(3, 2, 0, 1)  # (F, C, 3, 3)
    turned = np.ascontiguousarray(by_filter[:, :, ::-1, ::-1])
    chunks = CHUNKS if need_grads else 0
    sums = room.take("sums", (chunks, *by_filter.shape), x.dtype)  # (CHUNKS, F, C, 3, 3)
    dbias = room.take("dbias", (chunks, kernel.shape[3]), x.dtype)  # (CHUNKS, F)
    target = np.empty((0, 0, 0, 0), x.dtype) if dx is None else dx
    rows = rows_per_task(x.shape[2])
    _backward(np.ascontiguousarray(x), turned, np.ascontiguousarray(dy), rows, winner, target, sums, dbias)
    if not need_grads:
        return dx, None, None
    return dx, np.ascontiguousarray(sums.sum(axis=0).transpose(2, 3, 1, 0)), dbias.sum(axis=0)


@compiled()
def _split(image, first, count, s, planes):
    """Rows 2*first... of an image (H, W, C), 2*count of them, into its parity images, planes (C, 2, 2, PLANE)."""
    _, w, channels = image.shape
    for i in range(count):
        for a in range(2):
            r = 2 * (first + i) + a
            for b in range(2):
                width = (w - b + 1) // 2
                for c in range(channels):
                    line = planes[c, a, b, i * s : (i + 1) * s]
                    for j in range(width):
                        line[j] = image[r, 2 * j + b, c]
                    line[width:] = 0


@compiled()
def _add_joined(planes, first, count, s, dimage):
    """The adjoint of `_split`: dimage (H, W, C) += the parity images (C, 2, 2, PLANE) of its rows 2*first..."""
    _, w, channels = dimage.shape
    for i in range(count):
        for a in range(2):
            row = dimage[2 * (first + i) + a]
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


@compiled(fastmath={"contract"})
def _nine(y, w, x0, x1, x2, x3, x4, x5, x6, x7, x8):
    """y + nine weights times nine pixels: nine fused multiply-adds, one after the other."""
    three = y + w[0] * x0 + w[1] * x1 + w[2] * x2
    six = three + w[3] * x3 + w[4] * x4 + w[5] * x5
    return six + w[6] * x6 + w[7] * x7 + w[8] * x8


@compiled()
def _two_rows(p, j):
    """The pixels x[2i, 2j : 2j + 4] and x[2i + 1, 2j : 2j + 4] from parity images p (4*PLANE,) that begin at row i."""
    upper = p[j], p[j + PLANE], p[j + 1], p[j + PLANE + 1]
    lower = p[j + 2 * PLANE], p[j + 3 * PLANE], p[j + 2 * PLANE + 1], p[j + 3 * PLANE + 1]
    return (*upper, *lower)


@compiled()
def _weights(k):
    """The nine numbers of k (3, 3)."""
    return k[0, 0], k[0, 1], k[0, 2], k[1, 0], k[1, 1], k[1, 2], k[2, 0], k[2, 1], k[2, 2]


@compiled(fastmath={"contract"})
def _convolve(k, p, start, s, n, y):
    """Add k (3, 3) over parity images p (4*PLANE,), from place `start` on, to n places of the four outputs y (4*PLANE,)."""
    w = _weights(k)
    a, b = p[start:], p[start + s :]  # a window's two upper pixel rows, and its two lower ones
    for j in range(n):
        x00, x01, x02, x03, x10, x11, x12, x13 = _two_rows(a, j)
        x20, x21, x22, x23, x30, x31, x32, x33 = _two_rows(b, j)
        y[j] = _nine(y[j], w, x00, x01, x02, x10, x11, x12, x20, x21, x22)
        y[j + PLANE] = _nine(y[j + PLANE], w, x01, x02, x03, x11, x12, x13, x21, x22, x23)
        y[j + 2 * PLANE] = _nine(y[j + 2 * PLANE], w, x10, x11, x12, x20, x21, x22, x30, x31, x32)
        y[j + 3 * PLANE] = _nine(y[j + 3 * PLANE], w, x11, x12, x13, x21, x22, x23, x31, x32, x33)


@compiled(fastmath={"contract"})
def _convolve_two(k, other, p, s, n, y):
    """`_convolve` for two filters at a time, which share what is loaded: y (8*PLANE,)."""
    w, v = _weights(k), _weights(other)
    a, b = p, p[s:]
    for j in range(n):
        x00, x01, x02, x03, x10, x11, x12, x13 = _two_rows(a, j)
        x20, x21, x22, x23, x30, x31, x32, x33 = _two_rows(b, j)
        y[j] = _nine(y[j], w, x00, x01, x02, x10, x11, x12, x20, x21, x22)
        y[j + PLANE] = _nine(y[j + PLANE], w, x01, x02, x03, x11, x12, x13, x21, x22, x23)
        y[j + 2 * PLANE] = _nine(y[j + 2 * PLANE], w, x10, x11, x12, x20, x21, x22, x30, x31, x32)
        y[j + 3 * PLANE] = _nine(y[j + 3 * PLANE], w, x11, x12, x13, x21, x22, x23, x31, x32, x33)
        y[j + 4 * PLANE] = _nine(y[j + 4 * PLANE], v, x00, x01, x02, x10, x11, x12, x20, x21, x22)
        y[j + 5 * PLANE] = _nine(y[j + 5 * PLANE], v, x01, x02, x03, x11, x12, x13, x21, x22, x23)
        y[j + 6 * PLANE] = _nine(y[j + 6 * PLANE], v, x10, x11, x12, x20, x21, x22, x30, x31, x32)
        y[j + 7 * PLANE] = _nine(y[j + 7 * PLANE], v, x11, x12, x13, x21, x22, x23, x31, x32, x33)


@compiled(fastmath={"contract", "reassoc"})
def _add_products(dy, n, p, s, dk):
    """dk (3, 3) += the products of n places of the outputs' gradients dy (4*PLANE,) with the pixels that each weight met."""
    a, b = p, p[s:]
    s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = dy[0] * 0
    for j in range(n):
        x00, x01, x02, x03, x10, x11, x12, x13 = _two_rows(a, j)
        x20, x21, x22, x23, x30, x31, x32, x33 = _two_rows(b, j)
        g00, g01, g10, g11 = dy[j], dy[j + PLANE], dy[j + 2 * PLANE], dy[j + 3 * PLANE]
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
def _forward(x, k, bias, rows, y, winner):
    """x (N, H, W, C), k (F, C, 3, 3), bias (F,) -> y (N, PH, PW, F), winner (N, blocks, F, rows*S) unless it is empty."""
    n_images, ph, pw, filters = y.shape
    channels = x.shape[3]
    blocks, s = winner.shape[1], winner.shape[3] // rows
    for task in prange(n_images * blocks):
        n, first = task // blocks, task % blocks * rows
        count = min(rows, ph - first)
        places = count * s
        planes = np.zeros((channels, 2, 2, PLANE), x.dtype)
        sums = np.empty((8, PLANE), x.dtype)
        best = np.empty((filters, places), x.dtype)
        _split(x[n], first, count + 1, s, planes)
        for f in range(0, filters, 2):
            g = min(f + 1, filters - 1)  # an odd last filter is done twice
            sums[:4, :places] = bias[f]
            sums[4:, :places] = bias[g]
            for c in range(channels):
                _convolve_two(k[f, c], k[g, c], planes[c].reshape(4 * PLANE), s, places, sums.reshape(8 * PLANE))
            for q, h in ((0, f), (4, g)):
                if len(winner) > 0:
                    best_of_four(sums[q], sums[q + 1], sums[q + 2], sums[q + 3], best[h], winner[n, first // rows, h])
                else:
                    max_of_four(sums[q], sums[q + 1], sums[q + 2], sums[q + 3], best[h])
        for i in range(count):
            for j in range(pw):
                out = y[n, first + i, j]
                for f in range(filters):
                    out[f] = best[f, i * s + j]


@compiled(parallel=True)
def _backward(x, turned, dy, rows, winner, dx, dk, dbias):
    """dy (N, PH, PW, F) -> dx (N, H, W, C), partial sums dk (CHUNKS, F, C, 3, 3) and dbias (CHUNKS, F).

    turned (F, C, 3, 3) is the kernel rotated by 180 degrees. An empty dx or dk is not wanted.
    """
    n_images, ph, _, filters = dy.shape
    channels = x.shape[3]
    blocks, s = winner.shape[1], winner.shape[3] // rows
    before = s + LANES  # zeros around the gradients: the windows above and to the left of the first
    for chunk in prange(CHUNKS):
        planes = np.zeros((channels, 2, 2, PLANE), x.dtype)
        dplanes = np.zeros((channels, 2, 2, PLANE), x.dtype)
        lines = np.zeros((filters, rows * s), x.dtype)
        padded = np.zeros((4, PLANE), x.dtype)
        g = np.zeros((4, PLANE), x.dtype)
        if len(dk) > 0:
            dk[chunk] = 0
            dbias[chunk] = 0
        for n in range(chunk, n_images, CHUNKS):
            if len(dx) > 0:
                dx[n] = 0
            for block in range(blocks):
                first = block * rows
                count = min(rows, ph - first)
                places = count * s
                if len(dk) > 0:
                    _split(x[n], first, count + 1, s, planes)
                _by_filter(dy[n, first : first + count], s, lines)
                dplanes[:] = 0
                padded[:] = 0
                for f in range(filters):
                    send_to_winner(lines[f][:places], winner[n, block, f], g[0], g[1], g[2], g[3])
                    if len(dk) > 0:
                        for c in range(channels):
                            _add_products(
                                g.reshape(4 * PLANE), places, planes[c].reshape(4 * PLANE), s, dk[chunk, f, c]
                            )
                        for q in range(4):
                            dbias[chunk, f] += _total(g[q][:places])
                    if len(dx) > 0:
                        for q in range(4):
                            padded[q, before : before + places] = g[q, :places]
                        for c in range(channels):
                            # a pixel collects from the windows that saw it: the turned kernel over the gradients, from
                            # the window above and to the left on: place before - S - 1
                            out = dplanes[c].reshape(4 * PLANE)
                            _convolve(turned[f, c], padded.reshape(4 * PLANE), LANES - 1, s, places + s, out)
                if len(dx) > 0:
                    _add_joined(dplanes, first, count + 1, s, dx[n])


def fits(width): return rows_per_task(width) > 0
forward = conv_im2col.forward
backward = conv_im2col.backward
