"""Mega mendung: clouds, stretched along the weft, nested like contour lines, their ends drawn out and curled.

The cloud is a union of lobes; its bands are the iso-lines of its distance field.
"""

import numpy as np

from .fields import Array, capsule, circle, ellipse, smooth_union, spiral, tile, union
from .motif import Geometry, banded


def mega_mendung(x: Array, y: Array, rng: np.random.Generator) -> Geometry:
    """Clouds in rows, each row shifted; every second one may be mirrored."""
    offset = rng.uniform(0.3, 0.7)
    stretch, lobes, bands = rng.uniform(1.35, 1.9), int(rng.integers(3, 6)), int(rng.integers(4, 7))
    period_x, period_y = 1.18 * stretch, rng.uniform(0.86, 1.02)
    u, v, column, row = tile(x, y, period_x, period_y, offset)
    if mirrored := bool(rng.random() < 0.5):
        u = np.where((row + column) % 2 == 0, u, -u)
    half = 0.42 * stretch
    places = np.linspace(-0.62, 0.62, lobes) * half + rng.normal(0, 0.02, lobes)
    radii = (0.17 + 0.1 * np.cos(places / half * 1.5)) * rng.uniform(0.85, 1.15, lobes)
    lifts = rng.uniform(-0.1, 0.06, lobes)
    body = ellipse(u, v, 0, 0.05, 0.8 * half, 0.15)
    for cx, cy, r in zip(places, lifts, radii, strict=True):
        body = smooth_union(body, circle(u, v, cx, cy, r), 0.04)
    lower = [ellipse(u, v, cx, 0.16, 0.16, 0.11) for cx in (places[1:] + places[:-1]) / 2]
    body = smooth_union(body, union(lower), 0.03)
    tail = rng.uniform(0.06, 0.16)
    left = capsule(u, v, (-0.7 * half, 0.08), (-1.12 * half, 0.08 + tail), 0.12, 0.012)
    right = capsule(u, v, (0.7 * half, 0.04), (1.12 * half, 0.04 - tail), 0.12, 0.012)
    distance = smooth_union(body, np.minimum(left, right), 0.05)
    width = float(0.26 / bands)
    tone, line = banded(distance, width, bands, bool(rng.random() < 0.5))
    curls = [
        spiral(u, v, cx, cy, 0.42 * r, 1.9, rng.uniform(0, 6.28), 1 if cx < 0 else -1)
        for cx, cy, r in zip(places[::2], lifts[::2], radii[::2], strict=True)
    ]
    return Geometry(
        distance,
        tone,
        np.minimum(line - 0.007, union(curls) - 0.011),
        {
            "lobes": lobes,
            "bands": bands,
            "stretch": round(stretch, 3),
            "row_offset": round(offset, 3),
            "mirrored": mirrored,
        },
    )
