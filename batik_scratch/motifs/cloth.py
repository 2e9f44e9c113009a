"""The cloth: ground with fillings, dyed motif, wax lines, crackle, bleeding, weave."""

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from .camera import View
from .fields import Array, coverage
from .isen import FILLINGS
from .motif import Geometry
from .palettes import PALETTES
from .texture import LUMA

PITCHES = (0.06, 0.2)
LINE = 0.013  # half the width of a wax line, in tile heights


def dye(
    view: View, geometry: Geometry, rng: np.random.Generator, difficulty: float
) -> tuple[Array, Array, dict[str, Any]]:
    """Colours of the cloth, float (H, W, 3) of 0..255, the mask of its motif (H, W), and what was drawn.

    Whatever the motif, the same random numbers are drawn. The mask is that of the motif as dyed: if the dye crept, so
    did the mask's edge.
    """
    palette, second = (PALETTES[i] for i in rng.integers(len(PALETTES), size=2))
    dyes = np.array(palette.tones)  # (5, 3)
    if two_dyes := bool(rng.random() < 0.4):  # some cloth went to another town for its second colour
        dyes[:3] = second.tones[:3]
    # a light motif on a dark ground, or the other way round: the harder the set, the more often
    dark_motif = bool(rng.random() < 0.5 * difficulty**2)
    ground_luma, lumas = (rng.uniform(195, 225), (45, 150)) if dark_motif else (rng.uniform(45, 90), (95, 215))
    tones = np.stack([with_luma(c, y) for c, y in zip(dyes, np.linspace(*lumas, 5), strict=True)])  # (5, 3)
    wax = with_luma(np.array(palette.wax, float), 240)
    bleed = rng.uniform(0.0, 0.01 + 0.02 * difficulty)
    distance = geometry.distance + bleed * _noise(rng, view.x.shape, 3)  # dye creeps under the wax: the edge wanders
    inside = coverage(distance, view.pixel + bleed)[..., None]  # (H, W, 1)

    ground = np.broadcast_to(with_luma(np.array(palette.ground, float), ground_luma), (*view.x.shape, 3))
    ground, filling = _filled(view, rng, ground, wax, difficulty)
    low = np.clip(geometry.tone, 0, 4)
    dyed = np.stack([np.interp(low, np.arange(5), tones[:, channel]) for channel in range(3)], axis=-1)  # (H, W, 3)
    dyed, inner_filling = _filled(view, rng, dyed, tones[0] if rng.random() < 0.5 else wax, difficulty)
    colour = ground * (1 - inside) + dyed * inside  # (H, W, 3)

    outline = coverage(np.abs(distance) - LINE, view.pixel)
    inner = coverage(geometry.line, view.pixel) * inside[..., 0]
    lines = (0.95 * np.maximum(outline, 0.8 * inner))[..., None]  # (H, W, 1)
    colour = colour * (1 - lines) + wax * lines

    crackle = rng.uniform(0, 0.6) * (rng.random() < 0.5)
    if crackle:
        veins = np.abs(_noise(rng, view.x.shape, 5) + 0.5 * _noise(rng, view.x.shape, 2))
        colour *= (1 - crackle * 0.55 * np.exp(-((veins / 0.06) ** 2)))[..., None]
    weave = rng.uniform(0.01, 0.05)
    threads = np.sin(view.x * 260) * np.sin(view.y * 260) if view.pixel < 0.012 else _noise(rng, view.x.shape, 0)
    colour *= (1 + weave * threads)[..., None]
    names = palette.name + (f"+{second.name}" if two_dyes else "")
    drawn = {"palette": names, "dark_motif": dark_motif, "filling": filling, "inner_filling": inner_filling}
    drawn |= {"crackle": round(float(crackle), 3)}
    return np.clip(colour, 0, 255), distance < 0, drawn


def with_luma(colour: Array, luma: float) -> Array:
    """The colour (3,) made darker (towards black) or lighter (towards white) until its luma is `luma`, 0..255."""
    now = float(colour @ LUMA)
    return colour * (luma / now) if now >= luma else 255 - (255 - colour) * ((255 - luma) / (255 - now))


def _filled(view: View, rng: np.random.Generator, colour: Array, mark: Array, difficulty: float) -> tuple[Array, str]:
    """The colours (H, W, 3) with a filling of colour `mark` strewn over them, or none; and the filling's name.

    It may run in any direction, whatever the motif: the directions of a cloth's lines say nothing about its class.
    """
    name = str(rng.choice([*FILLINGS, "plain"]))
    pitch, strength = np.exp(rng.uniform(*np.log(PITCHES))), rng.uniform(0.15, 0.4 + 0.5 * difficulty)
    turn = rng.uniform(0, 2 * np.pi)
    if name == "plain":
        return colour, name
    c, s = np.cos(turn), np.sin(turn)
    marks = FILLINGS[name](c * view.x - s * view.y, s * view.x + c * view.y, pitch, view.pixel)
    marks = (strength * marks)[..., None]  # (H, W, 1)
    return colour * (1 - marks) + mark * marks, name


def _noise(rng: np.random.Generator, shape: tuple[int, ...], blur: float) -> Array:
    """Smooth noise (H, W) of unit variance; `blur` is its grain, in pixels of a 150-pixel picture."""
    values = rng.standard_normal(shape)
    if blur:
        values = gaussian_filter(values, blur * shape[0] / 150, mode="wrap")
        values /= max(values.std(), 1e-9)
    return values
