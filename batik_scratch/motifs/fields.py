"""Hand-written geometry: signed distance fields, negative inside, in cloth units.

A shape is a function of the coordinates x, y (arrays of any shape, broadcast). There is no polygon and no canvas: a
photograph and its mask are evaluated at the same points, and fit exactly. Formulas of the primitives follow Quilez, "2D
distance functions" (iquilezles.org/articles/distfunctions2d).
"""

from collections.abc import Iterable, Sequence

import numpy as np

Array = np.ndarray


def circle(x: Array, y: Array, cx: float, cy: float, r: float) -> Array:
    """Distance to a circle's edge."""
    return np.hypot(x - cx, y - cy) - r


def ellipse(x: Array, y: Array, cx: float, cy: float, rx: float, ry: float, turn: float = 0.0) -> Array:
    """Distance to an ellipse turned by `turn` radians, to first order: f |g| / |grad f| with f = |g| - 1."""
    dx, dy = x - cx, y - cy
    c, s = np.cos(turn), np.sin(turn)
    px, py = (c * dx + s * dy) / rx, (c * dy - s * dx) / ry
    k = np.hypot(px, py)
    return k * (k - 1) / np.maximum(np.hypot(px / rx, py / ry), 1e-6)


def capsule(x: Array, y: Array, a: Sequence[float], b: Sequence[float], ra: float, rb: float) -> Array:
    """Distance to a line from a to b whose radius runs from ra to rb."""
    bx, by = b[0] - a[0], b[1] - a[1]
    dx, dy = x - a[0], y - a[1]
    along = np.clip((dx * bx + dy * by) / max(bx * bx + by * by, 1e-12), 0, 1)
    return np.hypot(dx - along * bx, dy - along * by) - (ra + along * (rb - ra))


def stroke(x: Array, y: Array, points: Array, radii: Array) -> Array:
    """Distance to a line through points (P, 2) with the radius of each point (P,)."""
    pairs = zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True)
    return union(capsule(x, y, a, b, ra, rb) for a, b, ra, rb in pairs)


def box(x: Array, y: Array, cx: float, cy: float, half_w: float, half_h: float, rounding: float = 0.0) -> Array:
    """Distance to an upright rectangle."""
    dx, dy = np.abs(x - cx) - half_w + rounding, np.abs(y - cy) - half_h + rounding
    return np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - rounding


def spiral(x: Array, y: Array, cx: float, cy: float, pitch: float, turns: float, start: float, hand: int) -> Array:
    """Distance to the centre line of an Archimedean spiral r = pitch * turn, `turns` long, left- or right-handed."""
    dx, dy = x - cx, y - cy
    r = np.hypot(dx, dy)
    turn = np.mod(hand * (np.arctan2(dy, dx) - start) / (2 * np.pi), 1)  # 0..1
    whole = np.clip(np.rint(r / pitch - turn), 0, np.floor(turns - 1e-9))
    reach = whole + turn
    inside = reach <= turns
    return np.where(inside, np.abs(r - pitch * reach), np.abs(r - pitch * np.clip(whole - 1 + turn, 0, None)))


def union(fields: Iterable[Array]) -> Array:
    """The nearest of several shapes."""
    result = None
    for field in fields:
        result = field if result is None else np.minimum(result, field)
    assert result is not None
    return result


def smooth_union(a: Array, b: Array, k: float) -> Array:
    """Union whose seam is filleted over a width k (polynomial smooth minimum)."""
    h = np.clip(0.5 + 0.5 * (b - a) / k, 0, 1)
    return b + (a - b) * h - k * h * (1 - h)


def bezier(a: Sequence[float], b: Sequence[float], c: Sequence[float], d: Sequence[float], n: int = 8) -> Array:
    """n points (n, 2) of a cubic Bezier curve."""
    t = np.linspace(0, 1, n)[:, None]
    p, q, r, s = (np.asarray(point, float) for point in (a, b, c, d))
    return (1 - t) ** 3 * p + 3 * t * (1 - t) ** 2 * q + 3 * t * t * (1 - t) * r + t**3 * s


def tile(x: Array, y: Array, period_x: float, period_y: float, offset: float) -> tuple[Array, Array, Array, Array]:
    """Fold the plane into one tile centred on 0; every row is shifted by `offset` periods.

    Returns x and y inside the tile, and the tile's column and row numbers.
    """
    row = np.rint(y / period_y)
    shifted = x - offset * period_x * row
    column = np.rint(shifted / period_x)
    return shifted - column * period_x, y - row * period_y, column, row


def coverage(distance: Array, pixel: Array | float) -> Array:
    """Share of a pixel that a shape covers, 0..1, from the distance at its centre and its size."""
    return np.clip(0.5 - distance / pixel, 0, 1)
