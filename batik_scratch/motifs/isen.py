"""Isen: the small fillings between and inside the motifs. Each is a coverage 0..1 over cloth coordinates."""

from collections.abc import Callable

import numpy as np

from .fields import Array, coverage, spiral, tile

Filling = Callable[[Array, Array, float, Array | float], Array]


def cecek(x: Array, y: Array, pitch: float, pixel: Array | float) -> Array:
    """Dots in rows, each row shifted by half."""
    u, v, _, _ = tile(x, y, pitch, pitch, 0.5)
    return coverage(np.hypot(u, v) - 0.22 * pitch, pixel)


def sisik(x: Array, y: Array, pitch: float, pixel: Array | float) -> Array:
    """Fish scales: rows of arcs, each row shifted by half."""
    u, v, _, _ = tile(x, y, pitch, 0.6 * pitch, 0.5)
    below = np.abs(np.hypot(u, v + 0.3 * pitch) - 0.55 * pitch) - 0.05 * pitch
    return coverage(below, pixel)


def sawut(x: Array, y: Array, pitch: float, pixel: Array | float) -> Array:
    """Hatching: short strokes side by side in rows."""
    u, v, _, _ = tile(x, y, 0.5 * pitch, 1.4 * pitch, 0.5)
    return coverage(np.maximum(np.abs(u) - 0.06 * pitch, np.abs(v) - 0.5 * pitch), pixel)


def ukel(x: Array, y: Array, pitch: float, pixel: Array | float) -> Array:
    """Small curls."""
    u, v, column, row = tile(x, y, 1.6 * pitch, 1.6 * pitch, 0.5)
    flip = np.where((column + row) % 2 == 0, 1.0, -1.0)
    return coverage(spiral(u * flip, v, 0, 0, 0.32 * pitch, 1.7, 0.4, 1) - 0.07 * pitch, pixel)


def kembang(x: Array, y: Array, pitch: float, pixel: Array | float) -> Array:
    """Small flowers of four petals, far apart."""
    u, v, _, _ = tile(x, y, 2.4 * pitch, 2.4 * pitch, 0.5)
    a, b = np.abs(u), np.abs(v)
    petals = np.hypot(np.maximum(a, b) - 0.4 * pitch, 1.6 * np.minimum(a, b)) - 0.24 * pitch
    return coverage(np.maximum(petals, 0.1 * pitch - np.hypot(u, v)), pixel)


FILLINGS: dict[str, Filling] = {"cecek": cecek, "sisik": sisik, "sawut": sawut, "ukel": ukel, "kembang": kembang}
