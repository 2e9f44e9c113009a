"""Keratonan: the court's cloth. Mirrored Garuda wings over a split gate on rocks, vines with curls between them."""

import numpy as np

from .fields import Array, bezier, box, capsule, circle, ellipse, spiral, stroke, tile, union
from .motif import Geometry, banded


def keratonan(x: Array, y: Array, rng: np.random.Generator) -> Geometry:
    """Pairs of wings (lar), a gate (gapura) and rocks (wadasan) on a mirror axis; every second row may hang."""
    period_x, period_y = rng.uniform(1.5, 1.75), rng.uniform(1.15, 1.3)
    offset = float(rng.choice([0.0, 0.5]))
    u, v, _, row = tile(x, y, period_x, period_y, offset)
    if hanging := bool(rng.random() < 0.4):
        v = np.where(row % 2 == 0, v, -v)
    m = np.abs(u)  # the mirror: everything below is drawn once, on the right
    feathers, layers = int(rng.integers(5, 9)), int(rng.integers(1, 3))
    wings, ribs = _wing(m, v, rng, feathers, layers)
    gate = _gate(m, v, rng)
    rocks = _rocks(m, v, rng)
    lotus = union([ellipse(m, v, 0.09 * k, -0.34 - 0.02 * k, 0.045, 0.11, 0.5 * k) for k in range(3)])
    vine, vine_line = _vine(m, v, rng)
    distance = union([wings, gate, rocks, lotus, vine])
    inner, contour = banded(distance, rng.uniform(0.022, 0.034), 3, bool(rng.random() < 0.5))
    tone = np.where(wings <= distance + 1e-6, 0.5 * inner + 1.5, inner)
    return Geometry(
        distance,
        tone,
        union([contour - 0.006, ribs, vine_line]),
        {"feathers": feathers, "layers": layers, "row_offset": offset, "hanging": hanging},
    )


def _wing(m: Array, v: Array, rng: np.random.Generator, feathers: int, layers: int) -> tuple[Array, Array]:
    """A fan of feathers, longest outside: (distance, distance to the feathers' shafts)."""
    root = np.array([0.1, 0.06])
    spread = np.linspace(rng.uniform(-1.35, -1.15), rng.uniform(0.2, 0.5), feathers)
    length = rng.uniform(0.42, 0.54)
    shapes, shafts = [ellipse(m, v, 0.1, 0.04, 0.1, 0.13, -0.5)], []
    for layer in range(layers):
        for k, angle in enumerate(spread):
            reach = length * (1 - 0.38 * layer) * (1 - 0.05 * abs(k - 1.5))
            tip = root + reach * np.array([np.cos(angle), np.sin(angle)])
            bend = root + 0.6 * reach * np.array([np.cos(angle - 0.22), np.sin(angle - 0.22)])
            shapes.append(stroke(m, v, np.array([root, bend, tip]), np.array([0.03, 0.044, 0.02])))
            shafts.append(stroke(m, v, np.array([root, bend, tip]), np.zeros(3)) - 0.006)
    return union(shapes), union(shafts)


def _gate(m: Array, v: Array, rng: np.random.Generator) -> Array:
    """Half of a split gate: steps that narrow upwards beside an open passage."""
    steps, width = int(rng.integers(3, 5)), rng.uniform(0.12, 0.16)
    return union(
        [
            box(m, v, 0.03 + width * (1 - 0.2 * k) / 2, 0.36 - 0.062 * k, width * (1 - 0.22 * k) / 2, 0.036)
            for k in range(steps)
        ]
    )


def _rocks(m: Array, v: Array, rng: np.random.Generator) -> Array:
    """Wadasan: stacked, rounded, leaning lumps."""
    n = int(rng.integers(3, 5))
    centres = [(0.27 + 0.11 * k, 0.44 - 0.028 * k * (k % 2) + rng.normal(0, 0.01)) for k in range(n)]
    return union(ellipse(m, v, cx, cy, 0.085, rng.uniform(0.055, 0.085), 0.3) for cx, cy in centres)


def _vine(m: Array, v: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A tendril to the tile's edge, with leaves and a curl."""
    rise = rng.uniform(0.16, 0.26)
    path = bezier((0.3, 0.3), (0.46, rise), (0.58, 0.36), (0.72, rise), 8)
    stem = stroke(m, v, path, np.full(8, 0.014))
    leaves = [
        ellipse(m, v, px, py + side * 0.045, 0.05, 0.02, side * 0.7)
        for (px, py), side in zip(path[1:7:2], (1, -1, 1), strict=True)
    ]
    curl = spiral(m, v, 0.7, -0.4, 0.05, 2.2, rng.uniform(0, 6.28), 1)
    bud = circle(m, v, 0.7, -0.4, 0.1)
    stalk = capsule(m, v, (0.62, -0.3), (0.5, -0.14), 0.012, 0.02)
    return union([stem, *leaves, bud, stalk]), curl - 0.009
