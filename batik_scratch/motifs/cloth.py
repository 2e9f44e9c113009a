"""The cloth: ground with fillings, dyed motif, wax lines, crackle, bleeding, weave."""

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from .camera import View
from .fields import Array, coverage
from .isen import FILLINGS
from .motif import Geometry
from .palettes import PALETTES

LINE = 0.013  # half the width of a wax line, in tile heights


def dye(view: View, geometry: Geometry, rng: np.random.Generator, difficulty: float) -> tuple[Array, dict[str, Any]]:
    """Colours of the cloth, float (H, W, 3) of 0..255, and what was drawn. The same draws for every motif."""
    palette = PALETTES[rng.integers(len(PALETTES))]
    swapped = rng.random() < 0.5  # light motif on dark ground, or the other way round
    tones = palette.tones if swapped else palette.tones[::-1]  # (5, 3)
    bleed = rng.uniform(0.0, 0.01 + 0.02 * difficulty)
    wobble = bleed * _noise(rng, view.x.shape, 3)  # dye creeps under the wax: the edge wanders
    inside = coverage(geometry.distance + wobble, view.pixel + bleed)[..., None]  # (H, W, 1)

    ground, filling = _filled_ground(view, rng, np.array(palette.ground, float), np.array(palette.wax, float))
    low = np.clip(geometry.tone, 0, 4)
    dyed = np.stack([np.interp(low, np.arange(5), tones[:, channel]) for channel in range(3)], axis=-1)  # (H, W, 3)
    colour = ground * (1 - inside) + dyed * inside  # (H, W, 3)

    outline = coverage(np.abs(geometry.distance + wobble) - LINE, view.pixel)
    inner = coverage(geometry.line, view.pixel) * inside[..., 0]
    lines = (0.95 * np.maximum(outline, 0.8 * inner))[..., None]  # (H, W, 1)
    colour = colour * (1 - lines) + np.array(palette.wax, float) * lines

    crackle = rng.uniform(0, 0.6) * (rng.random() < 0.5)
    if crackle:
        veins = np.abs(_noise(rng, view.x.shape, 5) + 0.5 * _noise(rng, view.x.shape, 2))
        colour *= (1 - crackle * 0.55 * np.exp(-((veins / 0.06) ** 2)))[..., None]
    weave = rng.uniform(0.01, 0.05)
    threads = np.sin(view.x * 260) * np.sin(view.y * 260) if view.pixel < 0.012 else _noise(rng, view.x.shape, 0)
    colour *= (1 + weave * threads)[..., None]
    drawn = {"palette": palette.name, "light_motif": bool(swapped), "filling": filling, "crackle": round(float(crackle), 3)}
    return np.clip(colour, 0, 255), drawn


def _filled_ground(view: View, rng: np.random.Generator, ground: Array, wax: Array) -> tuple[Array, str]:
    """The ground's colour with a filling in wax strewn over it, or none: (H, W, 3) and the filling's name."""
    name = str(rng.choice([*FILLINGS, "plain"]))
    pitch, strength = rng.uniform(0.07, 0.14), rng.uniform(0.25, 0.7)
    colour = np.broadcast_to(ground, (*view.x.shape, 3))
    if name == "plain":
        return colour, name
    marks = (strength * FILLINGS[name](view.x, view.y, pitch, view.pixel))[..., None]  # (H, W, 1)
    return colour * (1 - marks) + wax * marks, name


def _noise(rng: np.random.Generator, shape: tuple[int, ...], blur: float) -> Array:
    """Smooth noise (H, W) of unit variance; `blur` is its grain, in pixels of a 150-pixel picture."""
    values = rng.standard_normal(shape)
    if blur:
        values = gaussian_filter(values, blur * shape[0] / 150, mode="wrap")
        values /= max(values.std(), 1e-9)
    return values
