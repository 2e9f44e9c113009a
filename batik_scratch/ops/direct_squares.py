"""A row of squares in lanes: what the compiled walks of direct_kernels.py do with the row that they have laid out.

    pixels     its four rows of the image, zero beyond the edge: (4, 2*S + 2, C), S squares
    y, g       y00, y01, y10, y11 of every square, or their gradients: four lines (4, S*FP)
    k          the weights: (FP/LANES, C, 3, 3, LANES), flat

Filters are padded with zeros to whole vectors, FP of them; lanes.py says what a lane is. The small functions become
part of their caller (`forceinline`): what they hand over then stays in registers.
"""

import numpy as np

from .jit import compiled
from .lanes import LANES, add_product, keep, load, spread, store
from .pooling import DEAD, largest_of_four, send_to_winner


@compiled(forceinline=True)
def _two_squares(pixels, line, channels, j, k, at, other, bias, low, high):
    """The four outputs of square j, for two vectors of filters, which share the pixels that are loaded.

    y for the LANES filters from `low` on, z for those from `high` on; pixels flat, its rows `line` long; k flat, with
    their weights (C, 3, 3, LANES) from `at` and from `other` on.
    """
    y00 = y01 = y10 = y11 = load(bias, low)
    z00 = z01 = z10 = z11 = load(bias, high)
    for c in range(channels):
        for u in range(3):
            for v in range(3):
                place = (c * 9 + u * 3 + v) * LANES
                w, m = load(k, at + place), load(k, other + place)
                pixel = u * line + (2 * j + v) * channels + c
                x00, x01 = spread(pixels, pixel), spread(pixels, pixel + channels)
                x10, x11 = spread(pixels, pixel + line), spread(pixels, pixel + line + channels)
                y00, z00 = add_product(y00, x00, w), add_product(z00, x00, m)
                y01, z01 = add_product(y01, x01, w), add_product(z01, x01, m)
                y10, z10 = add_product(y10, x10, w), add_product(z10, x10, m)
                y11, z11 = add_product(y11, x11, w), add_product(z11, x11, m)
    return y00, y01, y10, y11, z00, z01, z10, z11


@compiled()
def convolve_row(pixels, k, bias, y):
    """k and bias (FP,) over pixels (4, 2*S + 2, C), to all outputs y (4, S*FP)."""
    padded, channels = bias.size, pixels.shape[2]
    line, step = pixels.shape[1] * channels, channels * 9 * LANES
    flat = pixels.reshape(-1)
    for low in range(0, padded, 2 * LANES):
        high = min(low + LANES, padded - LANES)  # an odd last vector is done twice
        at, other = low // LANES * step, high // LANES * step
        for j in range(y.shape[1] // padded):
            y00, y01, y10, y11, z00, z01, z10, z11 = _two_squares(
                flat, line, channels, j, k, at, other, bias, low, high
            )
            _store_four(y, j * padded + low, y00, y01, y10, y11)
            _store_four(y, j * padded + high, z00, z01, z10, z11)


@compiled(forceinline=True)
def _store_four(y, at, y00, y01, y10, y11):
    """A vector to each of four lines."""
    store(y[0], at, y00)
    store(y[1], at, y01)
    store(y[2], at, y10)
    store(y[3], at, y11)


@compiled()
def convolve_and_pool_row(pixels, k, bias, places, best, winner):
    """`convolve_row`, ReLU, and of each square the largest alone: best (S*FP,), and winner (S*FP,) unless it is empty.

    places (5,) are 0, 1, 2, 3, 4, what a winner may be, as numbers of the same type.
    """
    padded, channels = bias.size, pixels.shape[2]
    line, step = pixels.shape[1] * channels, channels * 9 * LANES
    flat = pixels.reshape(-1)
    for low in range(0, padded, 2 * LANES):
        high = min(low + LANES, padded - LANES)  # an odd last vector is done twice
        at, other = low // LANES * step, high // LANES * step
        for j in range(best.size // padded):
            y00, y01, y10, y11, z00, z01, z10, z11 = _two_squares(
                flat, line, channels, j, k, at, other, bias, low, high
            )
            y, place = largest_of_four(y00, y01, y10, y11, places)
            z, other_place = largest_of_four(z00, z01, z10, z11, places)
            store(best, j * padded + low, y)
            store(best, j * padded + high, z)
            if winner.size > 0:
                store(winner, j * padded + low, place)
                store(winner, j * padded + high, other_place)


@compiled(forceinline=True)
def _four(total, g, x, h, y, i, z, j, w):
    """total + g x + h y + i z + j w, lane by lane."""
    return add_product(add_product(add_product(add_product(total, g, x), h, y), i, z), j, w)


@compiled(forceinline=True)
def _four_pixels(pixels, at, step):
    """Four neighbours in a row of one channel, each in all lanes."""
    return spread(pixels, at), spread(pixels, at + step), spread(pixels, at + 2 * step), spread(pixels, at + 3 * step)


@compiled(forceinline=True)
def _nine(sums, a, b, d, e, pixels, at, line, channels):
    """sums (9 vectors, one a weight) += the gradients a, b, d, e of a square's outputs times the pixels they met.

    The square's first pixel lies at `at` in pixels, flat, its rows `line` long.
    """
    s00, s01, s02, s10, s11, s12, s20, s21, s22 = sums
    x00, x01, x02, x03 = _four_pixels(pixels, at, channels)
    x10, x11, x12, x13 = _four_pixels(pixels, at + line, channels)
    x20, x21, x22, x23 = _four_pixels(pixels, at + 2 * line, channels)
    x30, x31, x32, x33 = _four_pixels(pixels, at + 3 * line, channels)
    s00 = _four(s00, a, x00, b, x01, d, x10, e, x11)
    s01 = _four(s01, a, x01, b, x02, d, x11, e, x12)
    s02 = _four(s02, a, x02, b, x03, d, x12, e, x13)
    s10 = _four(s10, a, x10, b, x11, d, x20, e, x21)
    s11 = _four(s11, a, x11, b, x12, d, x21, e, x22)
    s12 = _four(s12, a, x12, b, x13, d, x22, e, x23)
    s20 = _four(s20, a, x20, b, x21, d, x30, e, x31)
    s21 = _four(s21, a, x21, b, x22, d, x31, e, x32)
    s22 = _four(s22, a, x22, b, x23, d, x32, e, x33)
    return s00, s01, s02, s10, s11, s12, s20, s21, s22


@compiled(forceinline=True)
def _load_nine(dk):
    first = load(dk, 0), load(dk, LANES), load(dk, 2 * LANES), load(dk, 3 * LANES), load(dk, 4 * LANES)
    return *first, load(dk, 5 * LANES), load(dk, 6 * LANES), load(dk, 7 * LANES), load(dk, 8 * LANES)


@compiled(forceinline=True)
def _store_nine(sums, dk):
    for place, total in enumerate(sums):
        store(dk, place * LANES, total)


@compiled()
def _add_products(pixels, line, channels, c, g, low, padded, dk):
    """dk (9*LANES,) += each weight of channel c, for the LANES filters from `low` on: gradients times pixels.

    pixels flat, its rows `line` long; g (4, S*FP).
    """
    g00, g01, g10, g11 = g[0], g[1], g[2], g[3]
    sums = _load_nine(dk)
    for j in range(g.shape[1] // padded):
        at = j * padded + low
        a, b, d, e = load(g00, at), load(g01, at), load(g10, at), load(g11, at)
        sums = _nine(sums, a, b, d, e, pixels, 2 * j * channels + c, line, channels)
    _store_nine(sums, dk)


@compiled()
def _add_pooled_products(pixels, line, channels, c, dy, winner, low, padded, dk):
    """`_add_products` of pooled gradients dy (S*FP,), with winner (S*FP,)."""
    sums = _load_nine(dk)
    for j in range(dy.size // padded):
        at = j * padded + low
        a, b, d, e = send_to_winner(load(dy, at), winner, at)
        sums = _nine(sums, a, b, d, e, pixels, 2 * j * channels + c, line, channels)
    _store_nine(sums, dk)


@compiled()
def add_kernel_gradients(pixels, g, padded, dk, dbias):
    """dk (FP/LANES, C, 9*LANES) and dbias (FP,) += what gradients g (4, S*FP) and pixels (4, P, C) make together."""
    channels = pixels.shape[2]
    flat = pixels.reshape(-1)
    for low in range(0, padded, LANES):
        for c in range(channels):
            _add_products(flat, flat.size // 4, channels, c, g, low, padded, dk[low // LANES, c])
        total = load(dbias, low)
        for at in range(low, g.shape[1], padded):
            total = total + (load(g[0], at) + load(g[1], at)) + (load(g[2], at) + load(g[3], at))
        store(dbias, low, total)


@compiled()
def add_pooled_kernel_gradients(pixels, dy, winner, padded, dk, dbias):
    """`add_kernel_gradients` of pooled gradients dy (S*FP,), with winner (S*FP,)."""
    channels = pixels.shape[2]
    flat = pixels.reshape(-1)
    for low in range(0, padded, LANES):
        for c in range(channels):
            _add_pooled_products(flat, flat.size // 4, channels, c, dy, winner, low, padded, dk[low // LANES, c])
        total = load(dbias, low)
        for at in range(low, dy.size, padded):
            g = load(dy, at)
            total = total + (g - keep(g, winner, at, DEAD))
        store(dbias, low, total)


@compiled(forceinline=True)
def _who_won(winner, place):
    """The winner at a place that is not negative, which numba would ask at every one."""
    return np.int64(winner[np.uintp(place)])


@compiled(forceinline=True)
def _four_rows(g, kernels, at, r0, r1, r2, r3):
    """A square's four rows of pixels, += g times the weights that lie in kernels from place `at` on."""
    r0, r1 = add_product(r0, g, load(kernels, at)), add_product(r1, g, load(kernels, at + LANES))
    r2, r3 = add_product(r2, g, load(kernels, at + 2 * LANES)), add_product(r3, g, load(kernels, at + 3 * LANES))
    return r0, r1, r2, r3


@compiled(forceinline=True)
def _add_to_rows(lines, at, r0, r1, r2, r3):
    """The four lines, from place `at` on, += a row of pixels each."""
    sums = load(lines[0], at) + r0, load(lines[1], at) + r1, load(lines[2], at) + r2, load(lines[3], at) + r3
    _store_four(lines, at, sums[0], sums[1], sums[2], sums[3])


@compiled()
def add_pooled_pixel_gradients(kernels, dy, winner, padded, channels, lines):
    """lines (4, Q) += what the pooled gradients dy (S*FP,), with winner (S*FP,), give to the pixels of their squares.

    kernels flat (parts, FP, 5, 4, LANES): a filter's weights where they lie in the square's 4x4 pixels, for each place
    that its winner may have; nothing if it is dead. So here the numbers of a row of pixels stand in lanes.
    """
    zero = load(kernels, 16 * LANES)
    for part in range(len(kernels) // (padded * 20 * LANES)):
        for j in range(dy.size // padded):
            r0 = r1 = r2 = r3 = zero
            for f in range(padded):
                place = (part * padded + f) * 5 + _who_won(winner, j * padded + f)
                g = spread(dy, j * padded + f)
                r0, r1, r2, r3 = _four_rows(g, kernels, place * 4 * LANES, r0, r1, r2, r3)
            _add_to_rows(lines, 2 * j * channels + part * LANES, r0, r1, r2, r3)


@compiled()
def add_pixel_gradients(kernels, dy, padded, channels, lines):
    """`add_pooled_pixel_gradients` of gradients dy (4, S*FP) of all four outputs of each square."""
    zero = load(kernels, 16 * LANES)
    for part in range(len(kernels) // (padded * 20 * LANES)):
        for j in range(dy.shape[1] // padded):
            r0 = r1 = r2 = r3 = zero
            for f in range(padded):
                for q in range(4):
                    place = (part * padded + f) * 5 + q
                    g = spread(dy[q], j * padded + f)
                    r0, r1, r2, r3 = _four_rows(g, kernels, place * 4 * LANES, r0, r1, r2, r3)
            _add_to_rows(lines, 2 * j * channels + part * LANES, r0, r1, r2, r3)
