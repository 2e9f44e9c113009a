"""Keratonan: the court's cloth. Mirrored Garuda wings (lar) over a split gate on rocks, with curled vines between."""

import numpy as np

from .fields import Array, bezier, box, capsule, circle, ellipse, spiral, stroke, tile, union
from .motif import Geometry, banded


def keratonan(x: Array, y: Array, rng: np.random.Generator) -> Geometry:
    """Wings, a gate (gapura) or a lotus, and rocks (wadasan) on a mirror axis; every second row may hang."""
    period_x, period_y = rng.uniform(1.45, 1.8), rng.uniform(1.1, 1.3)
    offset = float(rng.choice([0.0, 0.5]))
    u, v, _, row = tile(x, y, period_x, period_y, offset)
    if hanging := bool(rng.random() < 0.4):
        v = np.where(row % 2 == 0, v, -v)
    m = np.abs(u)  # the mirror: everything below is drawn once, on the right
    feathers, layers = int(rng.integers(4, 9)), int(rng.integers(1, 3))
    pose = str(rng.choice(["raised", "spread", "drooping"]))
    wings, ribs = _wing(m, v, pose, feathers, layers, rng)
    crown = "gate" if rng.random() < 0.75 else "lotus"
    lotus = union(ellipse(m, v, 0.09 * k, -0.34 - 0.02 * k, 0.045, 0.11, 0.5 * k) for k in range(3))
    base = _gate(m, v, rng) if crown == "gate" else _lotus(m, v, 0.3, rng)
    vine, vine_line = _vine(m, v, rng)
    parts = [wings, base, vine, *([_rocks(m, v, rng)] if rng.random() < 0.8 else [])]
    if pose != "raised" or rng.random() < 0.5:
        parts.append(lotus)
    distance = union(parts)
    inner, contour = banded(distance, rng.uniform(0.022, 0.034), 3, bool(rng.random() < 0.5))
    tone = np.where(wings <= distance + 1e-6, 0.5 * inner + 1.5, inner)
    drawn = {"feathers": feathers, "layers": layers, "pose": pose, "crown": crown, "hanging": hanging}
    return Geometry(distance, tone, union([contour - 0.006, ribs, vine_line]), drawn | {"row_offset": offset})


def _wing(m: Array, v: Array, pose: str, feathers: int, layers: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """A fan of feathers, longest outside: (distance, distance to the feathers' shafts)."""
    root = np.array([0.1, 0.06])
    turn = {"raised": -0.15, "spread": 0.1, "drooping": 0.4}[pose]
    spread = np.linspace(rng.uniform(-1.35, -1.1), rng.uniform(0.1, 0.4), feathers) + turn
    length, fat = rng.uniform(0.42, 0.56), rng.uniform(0.9, 1.3) * min(1.4, 6.5 / feathers)
    shapes, shafts = [ellipse(m, v, 0.1, 0.04, 0.1, 0.13, -0.5)], []
    for layer in range(layers):
        for k, angle in enumerate(spread):
            reach = length * (1 - 0.38 * layer) * (1 - 0.05 * abs(k - 1.5))
            tip = root + reach * np.array([np.cos(angle), np.sin(angle)])
            bend = root + 0.6 * reach * np.array([np.cos(angle - 0.22), np.sin(angle - 0.22)])
            path = np.array([root, bend, tip])
            shapes.append(stroke(m, v, path, fat * np.array([0.03, 0.044, 0.02])))
            shafts.append(stroke(m, v, path, np.zeros(3)) - 0.006)
    return union(shapes), union(shafts)


def _gate(m: Array, v: Array, rng: np.random.Generator) -> Array:
    """Half of a split gate: steps that narrow upwards beside an open passage."""
    steps, width, gap = int(rng.integers(3, 6)), rng.uniform(0.13, 0.2), rng.uniform(0.02, 0.05)
    return union(
        box(m, v, gap + width * (1 - 0.2 * k) / 2, 0.4 - 0.062 * k, width * (1 - 0.2 * k) / 2, 0.036)
        for k in range(steps)
    )


def _lotus(m: Array, v: Array, cy: float, rng: np.random.Generator) -> Array:
    """Half of an open lotus: petals around the axis."""
    petals, length = int(rng.integers(3, 5)), rng.uniform(0.12, 0.16)
    turns = np.linspace(-np.pi / 2, 0.1, petals)
    return union(
        ellipse(m, v, 0.75 * length * np.cos(a), cy + 0.75 * length * np.sin(a), length, 0.05, a) for a in turns
    )


def _rocks(m: Array, v: Array, rng: np.random.Generator) -> Array:
    """Wadasan: stacked, rounded, leaning lumps."""
    n, lean = int(rng.integers(3, 5)), rng.uniform(-0.3, 0.5)
    centres = [(0.27 + 0.11 * k, 0.44 - rng.uniform(0.02, 0.06) * (k % 2)) for k in range(n)]
    return union(ellipse(m, v, cx, cy, 0.085, rng.uniform(0.055, 0.085), lean) for cx, cy in centres)


def _vine(m: Array, v: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A tendril to the tile's edge, with leaves, and a curled bud above: (distance, distance to the curl's line)."""
    rise, sag = rng.uniform(0.14, 0.28), rng.uniform(0.28, 0.4)
    path = bezier((0.3, 0.3), (0.46, rise), (0.58, sag), (0.72, rise), 8)
    stem = stroke(m, v, path, np.full(8, 0.014))
    leaves = [
        ellipse(m, v, px, py + side * 0.045, 0.05, 0.02, side * 0.7)
        for (px, py), side in zip(path[1:7:2], (1, -1, 1), strict=True)
    ]
    cx, cy, r = rng.uniform(0.58, 0.7), rng.uniform(-0.44, -0.34), rng.uniform(0.07, 0.11)
    curl = spiral(m, v, cx, cy, 0.5 * r, 2.2, rng.uniform(0, 6.28), 1)
    stalk = capsule(m, v, (cx - 0.08, cy + 0.1), (0.5, -0.14), 0.012, 0.02)
    return union([stem, *leaves, circle(m, v, cx, cy, r), stalk]), curl - 0.009
