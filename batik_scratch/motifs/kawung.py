"""Kawung: four oval palm fruits around a cross, in a diagonal lattice. Optional: not one of the paper's classes."""

import numpy as np

from .fields import Array, ellipse, tile, union
from .motif import Geometry, banded


def kawung(x: Array, y: Array, rng: np.random.Generator) -> Geometry:
    """Ovals of neighbouring crosses nearly touch; each has a seed line and two or three bands."""
    period, fat = rng.uniform(0.62, 0.8), rng.uniform(0.42, 0.56)
    u, v, _, _ = tile(x, y, period, period, 0.0)
    a, b = np.abs(u), np.abs(v)
    reach = 0.25 * period
    distance = ellipse(a, b, reach, reach, 1.28 * reach, 1.28 * reach * fat, np.pi / 4)
    bands = int(rng.integers(2, 4))
    tone, contour = banded(distance, rng.uniform(0.022, 0.03), bands, bool(rng.random() < 0.5))
    along, across = (a + b) / np.sqrt(2), np.abs(a - b) / np.sqrt(2)
    seed = np.maximum(across - 0.008, np.abs(along - np.sqrt(2) * reach) - 0.09 * period)
    cross = np.minimum(np.maximum(u * u, v * v) ** 0.5, np.hypot(a - period / 2, b - period / 2)) - 0.022
    line = union([contour - 0.006, seed])
    return Geometry(np.minimum(distance, cross), tone, line, {"period": round(period, 3), "bands": bands})
