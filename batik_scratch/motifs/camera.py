"""Where each pixel of the photograph lies on the cloth: rotation, scale, crop, perspective, folds.

No pixel is moved. For every pixel of the photograph its place on the cloth is computed, and motif, dyes and mask are
evaluated at that place. Nothing is resampled, so the mask is exact.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .fields import Array


@dataclass(frozen=True)
class View:
    """Cloth coordinates x, y (H, W) of every pixel, the pixel's size there, the folds' shade, and what was drawn."""

    x: Array
    y: Array
    pixel: float
    shade: Array
    drawn: dict[str, Any]


def take_view(rng: np.random.Generator, size: int, difficulty: float) -> View:
    """A view of the cloth for size x size pixels; at difficulty 0 straight from the front, at 1 far from it."""
    span = rng.uniform(1.6, 2.0 + 1.2 * difficulty)  # tile heights across the picture
    turn = rng.normal(0, 0.35 * np.sqrt(difficulty))
    tilt_x, tilt_y = rng.uniform(-0.35, 0.35, 2) * difficulty
    centre_x, centre_y = rng.uniform(-20, 20, 2)
    fold_height, fold_angle = rng.uniform(0, 0.05) * difficulty, rng.uniform(0, np.pi)
    fold_length, fold_phase = rng.uniform(0.5, 1.5), rng.uniform(0, 2 * np.pi)
    hung = int(rng.integers(1, 4)) if rng.random() < 0.75 * np.sqrt(difficulty) else 0  # quarter turns: as it will

    axis = (np.arange(size) + 0.5) / size - 0.5
    j, i = np.meshgrid(axis, axis)  # (H, W) both, -0.5..0.5
    depth = 1 + tilt_x * j + tilt_y * i  # perspective: what is farther shows more cloth per pixel
    j, i = np.rot90(j * depth, hung), np.rot90(i * depth, hung)
    c, s = np.cos(turn), np.sin(turn)
    x, y = span * (c * j - s * i), span * (s * j + c * i)
    across = (np.cos(fold_angle) * x + np.sin(fold_angle) * y) * 2 * np.pi / fold_length + fold_phase
    wave = np.sin(across) + 0.35 * np.sin(2.3 * across + 1)
    x, y = x + fold_height * wave * np.cos(fold_angle), y + fold_height * wave * np.sin(fold_angle)
    shade = 1 + 5 * fold_height * np.cos(across)  # a slope turned to the light is brighter
    drawn = {
        "span": round(span, 3),
        "rotation_degrees": round(float(np.rad2deg(turn)), 2),
        "quarter_turns": hung,
        "tilt": round(float(np.hypot(tilt_x, tilt_y)), 3),
        "fold": round(float(fold_height), 4),
    }
    return View((x + centre_x).astype(np.float32), (y + centre_y).astype(np.float32), span / size, shade, drawn)
