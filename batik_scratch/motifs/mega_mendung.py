"""Mega mendung: clouds, stretched along the weft, nested like contour lines, their ends drawn out and curled.

A cloud is a union of lobes over a flat belly; its bands are the iso-lines of its distance field.
"""

import numpy as np

from .fields import Array, bezier, circle, ellipse, smooth_union, spiral, stroke, tile, union
from .motif import Geometry, banded


def mega_mendung(x: Array, y: Array, rng: np.random.Generator) -> Geometry:
    """Clouds in shifted rows, alone or each with a small one beside it.

    All look one way, or every second cloud is mirrored, or every second row stands upside down.
    """
    size, offset, stretch = rng.uniform(0.58, 0.84), rng.uniform(0.3, 0.7), rng.uniform(1.15, 1.85)
    facing = str(rng.choice(["along", "mirrored", "upside_down"]))
    company = bool(rng.random() < 0.6)
    period_x, period_y = (1.53 if company else 1.15) * stretch, rng.uniform(0.86, 1.02)
    u, v, column, row = tile(x / size, y / size, period_x, period_y, offset)
    if facing == "mirrored":
        u = np.where((row + column) % 2 == 0, u, -u)
    elif facing == "upside_down":
        v = np.where(row % 2 == 0, v, -v)
    lobes, curled = int(rng.integers(3, 6)), bool(rng.random() < 0.65)
    distance, curls = _cloud(u, v, 0.42 * stretch, lobes, rng)
    if company:  # a small cloud in the gap between two large ones, which is the tile's left and right end
        gap_x, gap_y, _, _ = tile(x / size - period_x / 2, y / size, period_x, period_y, offset)
        lift, scale = rng.uniform(-0.1, 0.1), rng.uniform(0.5, 0.7)
        small, small_curls = _cloud(gap_x / scale, (gap_y - lift) / scale, 0.36 * stretch, 3, rng)
        distance, curls = np.minimum(distance, small * scale), np.minimum(curls, small_curls * scale)
    bands = int(rng.choice([5, 5, 7]))
    distance, curls = size * distance, size * curls
    tone, line = banded(distance, float(0.24 * size / bands), bands, bool(rng.random() < 0.5))
    line = line - 0.006
    if curled:
        line = np.minimum(line, curls - 0.011)
    drawn = {
        "size_of_tile": round(size, 3),
        "lobes": lobes,
        "bands": bands,
        "stretch": round(stretch, 3),
        "facing": facing,
    }
    return Geometry(distance, tone, line, drawn | {"company": company, "curled": curled})


def _cloud(u: Array, v: Array, half: float, lobes: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """One cloud, about 2 half wide: (distance, distance to the curls in its lobes)."""
    places = np.linspace(-0.62, 0.62, lobes) * half + rng.normal(0, 0.03, lobes)
    peak = rng.uniform(-0.5, 0.5)  # where it towers: the middle, or towards an end
    radii = (0.16 + 0.1 * np.cos((places / half - peak) * 1.5)) * rng.uniform(0.82, 1.15, lobes)
    lifts = rng.uniform(-0.12, 0.05, lobes)
    body = ellipse(u, v, 0, 0.05, 0.8 * half, 0.15)
    for cx, cy, r in zip(places, lifts, radii, strict=True):
        body = smooth_union(body, circle(u, v, cx, cy, r), 0.04)
    depth = rng.uniform(0.05, 0.13)
    belly = union(ellipse(u, v, cx, 0.16, 0.16, depth) for cx in (places[1:] + places[:-1]) / 2)
    body = smooth_union(body, belly, 0.03)
    tails = union(_tail(u, v, side, half, rng) for side in (-1, 1))
    curls = union(
        spiral(u, v, cx, cy, 0.42 * r, 1.9, rng.uniform(0, 6.28), 1 if cx < 0 else -1)
        for cx, cy, r in zip(places[::2], lifts[::2], radii[::2], strict=True)
    )
    return smooth_union(body, tails, 0.05), curls


def _tail(u: Array, v: Array, side: int, half: float, rng: np.random.Generator) -> Array:
    """An end of the cloud, drawn out to a point that dips or rises."""
    sweep = rng.uniform(-0.2, 0.2)
    path = bezier((0.65 * half, 0.06), (0.9 * half, 0.1), (1.0 * half, sweep), (1.16 * half, 0.7 * sweep), 6)
    return stroke(side * u, v, path, np.linspace(0.12, 0.01, 6))
