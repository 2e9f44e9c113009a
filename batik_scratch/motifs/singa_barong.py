"""Singa barong: the royal carriage as a chimera. An elephant's trunk with a trident, a lion-dragon's head, a scaled
body with wings, spoked wheels and a parasol; pairs face each other across a stepped gate."""

import numpy as np

from .fields import Array, bezier, box, capsule, circle, ellipse, stroke, tile, union
from .motif import Geometry, banded


def singa_barong(x: Array, y: Array, rng: np.random.Generator) -> Geometry:
    """A beast in each half of the tile, mirrored; all rows stand upright."""
    period_x, period_y = rng.uniform(1.95, 2.2), rng.uniform(1.18, 1.35)
    offset = float(rng.choice([0.0, 0.5]))
    u, v, _, _ = tile(x, y, period_x, period_y, offset)
    m = np.abs(u)  # the pair: both look at the mirror axis
    m = m - 0.02
    spokes, scales = int(rng.integers(6, 11)), rng.uniform(0.05, 0.075)
    lean = rng.uniform(-0.03, 0.03)
    head = (0.36, -0.14 + lean)
    trunk = bezier(head, (0.2, 0.02), (0.12, -0.1), (0.17, rng.uniform(-0.34, -0.26)), 9)
    body = union(
        [
            ellipse(m, v, 0.62, 0.06, 0.27, 0.13, rng.uniform(-0.1, 0.1)),
            capsule(m, v, (0.46, 0.02), head, 0.09, 0.08),
            circle(m, v, *head, 0.1),
            ellipse(m, v, head[0] - 0.05, head[1] + 0.07, 0.06, 0.03, 0.5),  # jaw
        ]
    )
    mane = union(
        capsule(m, v, head, (head[0] + 0.16 * np.cos(a), head[1] + 0.16 * np.sin(a)), 0.03, 0.012)
        for a in np.linspace(-2.1, 0.4, int(rng.integers(5, 8)))
    )
    trident = union(capsule(m, v, (0.17, -0.34), (0.17 + dx, -0.46), 0.012, 0.008) for dx in (-0.05, 0.0, 0.05))
    wing, ribs = _wing(m, v, rng)
    wheel, spoke_lines = _wheels(m, v, spokes)
    tail = stroke(
        m,
        v,
        bezier((0.86, 0.04), (0.98, -0.05), (0.9, -0.2), (0.98, rng.uniform(-0.34, -0.26)), 7),
        np.linspace(0.035, 0.015, 7),
    )
    legs = union(capsule(m, v, (cx, 0.1), (cx - 0.03, 0.32), 0.045, 0.035) for cx in (0.46, 0.58, 0.7))
    gate = union(
        [box(m, v, 0.0, 0.38 - 0.07 * k, 0.11 * (1 - 0.22 * k), 0.036) for k in range(int(rng.integers(3, 5)))]
    )
    distance = union(
        [
            body,
            mane,
            trident,
            wing,
            wheel,
            tail,
            legs,
            gate,
            stroke(m, v, trunk, np.linspace(0.055, 0.02, 9)),
            _parasol(m, v, rng),
        ]
    )
    tone, contour = banded(distance, rng.uniform(0.026, 0.038), 3, bool(rng.random() < 0.5))
    su, sv, _, _ = tile(m, v, scales, 0.6 * scales, 0.5)
    scaling = np.maximum(np.abs(np.hypot(su, sv + 0.3 * scales) - 0.55 * scales) - 0.005, body + 0.02)
    eye = np.abs(circle(m, v, head[0] - 0.02, head[1] - 0.03, 0.022)) - 0.007
    line = union([contour - 0.006, ribs, spoke_lines, scaling, eye])
    return Geometry(distance, tone, line, {"spokes": spokes, "scales": round(scales, 3), "row_offset": offset})


def _wing(m: Array, v: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A raised wing on the back: (distance, distance to its shafts)."""
    n, root = int(rng.integers(4, 7)), (0.6, -0.02)
    tips = [(root[0] + 0.34 * np.cos(a), root[1] + 0.34 * np.sin(a)) for a in np.linspace(-1.5, -0.5, n)]
    return union(capsule(m, v, root, t, 0.03, 0.028) for t in tips), union(
        capsule(m, v, root, t, 0, 0) for t in tips
    ) - 0.005


def _wheels(m: Array, v: Array, spokes: int) -> tuple[Array, Array]:
    """Two spoked wheels of the carriage: (distance, distance to rims and spokes)."""
    shapes, lines = [], []
    for cx in (0.5, 0.8):
        r, angle = np.hypot(m - cx, v - 0.36), np.arctan2(v - 0.36, m - cx)
        sector = np.mod(angle * spokes / (2 * np.pi) + 0.5, 1) - 0.5
        spoke = np.maximum(r * np.abs(np.sin(sector * 2 * np.pi / spokes)) - 0.006, r - 0.1)
        shapes.append(r - 0.125)
        lines.append(np.minimum(np.abs(r - 0.098) - 0.007, spoke))
    return union(shapes), union(lines)


def _parasol(m: Array, v: Array, rng: np.random.Generator) -> Array:
    """A tasselled parasol on a pole behind the beast."""
    cx, top = rng.uniform(0.72, 0.84), rng.uniform(-0.48, -0.42)
    dome = np.maximum(ellipse(m, v, cx, top + 0.06, 0.14, 0.1), v - (top + 0.06))
    tassels = union(circle(m, v, cx + dx, top + 0.08, 0.018) for dx in (-0.11, -0.04, 0.04, 0.11))
    return union([dome, tassels, capsule(m, v, (cx, top), (cx, 0.0), 0.012, 0.012)])
