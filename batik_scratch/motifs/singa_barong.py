"""Singa barong: the royal carriage as a chimera. An elephant's trunk with a trident, a lion-dragon's head, a scaled
body with wings, spoked wheels and a parasol; pairs face each other across a stepped gate, or part from it."""

from typing import NamedTuple

import numpy as np

from .fields import Array, bezier, box, capsule, circle, ellipse, stroke, tile, union
from .motif import Geometry, banded


class Part(NamedTuple):
    """A part of the beast: distances to its outline and to the lines drawn in it."""

    shape: Array
    lines: Array


def singa_barong(x: Array, y: Array, rng: np.random.Generator) -> Geometry:
    """A beast in each half of the tile, mirrored; all rows stand upright."""
    period_x, period_y = rng.uniform(1.95, 2.2), rng.uniform(1.16, 1.32)
    offset = float(rng.choice([0.0, 0.5]))
    u, v, _, _ = tile(x, y, period_x, period_y, offset)
    parting = bool(rng.random() < 0.35)
    m = period_x / 2 - np.abs(u) if parting else np.abs(u) - 0.02  # the pair looks at the axis, or away from it
    spokes, wheels = int(rng.integers(5, 11)), int(rng.integers(1, 4))
    head = (rng.uniform(0.33, 0.4), rng.uniform(-0.2, -0.08))
    scales = rng.uniform(0.05, 0.075)
    parts = [
        _body(m, v, head, scales, rng),
        _head(m, v, head, rng),
        _wing(m, v, rng),
        _wheels(m, v, wheels, spokes),
        _plain(_limbs(m, v, rng)),
        _plain(_gate(m, v, rng)),
        _plain(_parasol(m, v, rng)),
    ]
    distance = union(part.shape for part in parts)
    tone, contour = banded(distance, rng.uniform(0.026, 0.038), 3, bool(rng.random() < 0.5))
    line = union([contour - 0.006, *(part.lines for part in parts)])
    drawn = {"spokes": spokes, "wheels": wheels, "scales": round(scales, 3), "parting": parting}
    return Geometry(distance, tone, line, drawn | {"row_offset": offset})


def _plain(shape: Array) -> Part:
    return Part(shape, np.full_like(shape, 9.0))


def _body(m: Array, v: Array, head: tuple[float, float], scales: float, rng: np.random.Generator) -> Part:
    """A barrel with scales, and the neck."""
    barrel = ellipse(m, v, 0.62, 0.06, 0.27, rng.uniform(0.11, 0.15), rng.uniform(-0.15, 0.15))
    shape = np.minimum(barrel, capsule(m, v, (0.46, 0.02), head, 0.1, 0.08))
    su, sv, _, _ = tile(m, v, scales, 0.6 * scales, 0.5)
    arcs = np.abs(np.hypot(su, sv + 0.3 * scales) - 0.55 * scales) - 0.005
    return Part(shape, np.maximum(arcs, shape + 0.02))


def _head(m: Array, v: Array, head: tuple[float, float], rng: np.random.Generator) -> Part:
    """Skull, jaw, mane and trunk; the trunk, raised or lowered, may hold a trident."""
    hx, hy = head
    raised, reach = rng.random() < 0.65, rng.uniform(0.12, 0.2)
    end = (reach, rng.uniform(-0.34, -0.24)) if raised else (reach, rng.uniform(0.08, 0.2))
    bend = (0.12, -0.1) if raised else (0.1, -0.02)
    trunk = stroke(m, v, bezier(head, (0.2, 0.02), bend, end, 9), np.linspace(0.058, 0.02, 9))
    mane = union(
        capsule(m, v, head, (hx + 0.17 * np.cos(a), hy + 0.17 * np.sin(a)), 0.03, 0.012)
        for a in np.linspace(-2.1, 0.4, int(rng.integers(5, 9)))
    )
    shapes = [circle(m, v, hx, hy, 0.1), ellipse(m, v, hx - 0.05, hy + 0.07, 0.06, 0.03, 0.5), trunk, mane]
    if raised:
        shapes += [capsule(m, v, end, (end[0] + dx, end[1] - 0.14), 0.014, 0.008) for dx in (-0.06, 0.0, 0.06)]
    return Part(union(shapes), np.abs(circle(m, v, hx - 0.02, hy - 0.03, 0.022)) - 0.007)


def _wing(m: Array, v: Array, rng: np.random.Generator) -> Part:
    """A raised wing on the back, with the shafts of its feathers."""
    n, root, length = int(rng.integers(3, 7)), (0.6, -0.02), rng.uniform(0.28, 0.38)
    fan = np.linspace(rng.uniform(-1.7, -1.4), rng.uniform(-0.7, -0.4), n)
    tips = [(root[0] + length * np.cos(a), root[1] + length * np.sin(a)) for a in fan]
    feathers = union(capsule(m, v, root, tip, 0.03, 0.03) for tip in tips)
    return Part(feathers, union(capsule(m, v, root, tip, 0, 0) for tip in tips) - 0.005)


def _wheels(m: Array, v: Array, wheels: int, spokes: int) -> Part:
    """The carriage's wheels, the fewer the larger, with rims and spokes."""
    radius = {1: 0.17, 2: 0.135, 3: 0.11}[wheels]
    shapes, lines = [], []
    for cx in np.linspace(0.66 - 0.15 * (wheels - 1), 0.66 + 0.15 * (wheels - 1), wheels):
        cy = 0.48 - radius
        r, angle = np.hypot(m - cx, v - cy), np.arctan2(v - cy, m - cx)
        sector = np.mod(angle * spokes / (2 * np.pi) + 0.5, 1) - 0.5
        spoke = np.maximum(r * np.abs(np.sin(sector * 2 * np.pi / spokes)) - 0.006, r - 0.8 * radius)
        shapes.append(r - radius)
        lines.append(np.minimum(np.abs(r - 0.8 * radius) - 0.007, spoke))
    return Part(union(shapes), union(lines))


def _limbs(m: Array, v: Array, rng: np.random.Generator) -> Array:
    """Legs, walking or standing, and a tail."""
    legs, stride = int(rng.integers(2, 5)), rng.uniform(-0.06, 0.04)
    places = np.linspace(0.44, 0.8, legs)
    standing = [capsule(m, v, (cx, 0.1), (cx + stride * (-1) ** k, 0.36), 0.045, 0.033) for k, cx in enumerate(places)]
    tip = (rng.uniform(0.9, 1.0), rng.uniform(-0.36, -0.1))
    tail = stroke(m, v, bezier((0.86, 0.04), (0.98, 0.0), (0.86, -0.15), tip, 7), np.linspace(0.04, 0.016, 7))
    return union([*standing, tail])


def _gate(m: Array, v: Array, rng: np.random.Generator) -> Array:
    """The stepped gate on the axis."""
    steps, half = int(rng.integers(3, 6)), rng.uniform(0.1, 0.14)
    return union(box(m, v, 0.0, 0.42 - 0.07 * k, half * (1 - 0.19 * k), 0.037) for k in range(steps))


def _parasol(m: Array, v: Array, rng: np.random.Generator) -> Array:
    """A tasselled parasol on a pole behind the beast, or a pennant."""
    cx, top = rng.uniform(0.7, 0.86), rng.uniform(-0.5, -0.42)
    pole = capsule(m, v, (cx, top), (cx, 0.0), 0.012, 0.012)
    if rng.random() < 0.3:
        return np.minimum(pole, capsule(m, v, (cx, top + 0.05), (cx + 0.16, top + 0.08), 0.055, 0.008))
    half = rng.uniform(0.11, 0.16)
    dome = np.maximum(ellipse(m, v, cx, top + 0.06, half, 0.1), v - (top + 0.06))
    tassels = union(circle(m, v, cx + dx * half, top + 0.08, 0.018) for dx in (-0.8, -0.27, 0.27, 0.8))
    return union([dome, tassels, pole])
