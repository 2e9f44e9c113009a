"""The second look at two pictures: laid onto each other as well as crops allow, do they agree place by place?"""

import functools

import numpy as np
from scipy.ndimage import uniform_filter

PARTS = 8  # parts of a pixel in which ends are counted
REACH = 2  # pixels by which each edge of one picture may lie inside or outside the other: 3% of 64
CELL = 8  # pixels of a side of the places that are judged one by one
FLOOR = 3.0  # grey levels of local contrast below which a pixel says little
TEXTURED = 0.1  # mean square of the local contrast from which on a place counts


def local_contrast(pictures: np.ndarray) -> np.ndarray:
    """uint8 (N, S, S) -> float32 (N, S, S): each pixel against its 9 x 9 neighbours, in their standard deviations.

    So light, gamma and contrast are forgotten, and a watermark changes only the places where it is.
    """
    flat = pictures.astype(np.float32)  # (N, S, S)
    flat -= uniform_filter(flat, (0, 9, 9))
    return flat / np.sqrt(uniform_filter(flat * flat, (0, 9, 9)) + FLOOR**2)


def best_fit(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`a` (S, S), each axis shifted and stretched by up to REACH pixels at its ends, as it fits `b` (S, S) best.

    With R and C the stretches of rows and columns, <R a C', b> = <a C', R' b>: each axis is stretched once per
    candidate, and one matrix product compares all pairs of candidates. Steps of a pixel come first, then of its parts.
    """
    side = len(a)
    rows, columns = (0, 0), (0, 0)
    for step, reach in ((PARTS, REACH), (PARTS // 2, 1), (PARTS // 4, 1), (1, 1)):
        around = [step * k for k in range(-reach, reach + 1)]
        row_ends, column_ends = ([(p + x, q + y) for x in around for y in around] for p, q in (rows, columns))
        r, c = (_stretches(side, tuple(ends)) for ends in (row_ends, column_ends))  # (K, S, S) both
        left = a @ c.transpose(0, 2, 1)  # (K, S, S)
        right = r.transpose(0, 2, 1) @ b  # (K, S, S)
        table = right.reshape(len(r), -1) @ left.reshape(len(c), -1).T  # (K, K)
        best_row, best_column = divmod(int(table.argmax()), len(c))
        rows, columns = row_ends[best_row], column_ends[best_column]
    return stretch(side, *rows) @ a @ stretch(side, *columns).T


def rough_fit(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Largest product (P,) of pairs (P, S, S), the ends of each axis being moved by a pixel or not."""
    n, side = a.shape[:2]
    if not n:
        return np.zeros(0, np.float32)
    bank = _stretches(side, tuple((PARTS * p, PARTS * q) for p in (-1, 0, 1) for q in (-1, 0, 1)))  # (K, S, S)
    left = a[:, None] @ bank.transpose(0, 2, 1)  # (P, K, S, S)
    right = bank.transpose(0, 2, 1) @ b[:, None]  # (P, K, S, S)
    table = left.reshape(n, len(bank), -1) @ right.reshape(n, len(bank), -1).transpose(0, 2, 1)  # (P, K, K)
    return table.max(axis=(1, 2), initial=-1)  # (P,)


def agreement(a: np.ndarray, b: np.ndarray) -> tuple[float, int]:
    """Median correlation of the places of two (S, S) where at least one has texture, and how many places that are.

    A watermark, or whatever else covers less than half of a picture, does not move the median much.
    """
    n = len(a) // CELL
    x, y = (v.reshape(n, CELL, n, CELL).transpose(0, 2, 1, 3).reshape(n * n, -1) for v in (a, b))  # (n^2, CELL^2)
    xx, yy, xy = (np.einsum("ck,ck->c", p, q) for p, q in ((x, x), (y, y), (x, y)))  # (n^2,) each
    counts = np.maximum(xx, yy) > TEXTURED * CELL**2  # (n^2,)
    each = xy[counts] / np.sqrt(xx[counts] * yy[counts] + 1e-6)
    return (float(np.median(each)) if len(each) else 0.0), len(each)


@functools.lru_cache(1024)
def stretch(side: int, first: int, last: int) -> np.ndarray:
    """The matrix (S, S) by which a row's ends come from `first` and S - 1 + `last`, both in PARTS of a pixel.

    Cubic interpolation after Catmull and Rom; beyond the edge the last pixel is repeated.
    """
    place = np.linspace(first / PARTS, side - 1 + last / PARTS, side).clip(0, side - 1)  # (S,)
    low = np.minimum(place.astype(int), side - 2)  # (S,)
    t = place - low  # (S,)
    outer = -0.5 * t * (1 - t) ** 2, -0.5 * t**2 * (1 - t)  # (S,) both: the pixels before and after the two nearest
    inner = 1 + t**2 * (1.5 * t - 2.5), t * (0.5 + 2 * t - 1.5 * t**2)  # (S,) both
    matrix = np.zeros((side, side), np.float32)
    for offset, weight in zip((-1, 0, 1, 2), (outer[0], *inner, outer[1]), strict=True):
        np.add.at(matrix, (np.arange(side), (low + offset).clip(0, side - 1)), weight)
    return matrix


@functools.lru_cache(256)
def _stretches(side: int, ends: tuple[tuple[int, int], ...]) -> np.ndarray:
    return np.stack([stretch(side, *e) for e in ends])  # (K, S, S)
