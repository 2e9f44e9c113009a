"""The photograph of the cloth: light, white balance, blur, noise, JPEG, a border or a caption now and then."""

import io
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from .fields import Array


def expose(
    colour: Array, shade: Array, mask: Array, rng: np.random.Generator, difficulty: float
) -> tuple[Array, Array, dict[str, Any]]:
    """The photo, uint8 (H, W, 3), of cloth colours (H, W, 3) of 0..255; the part of the mask (H, W) that it shows; what
    was drawn.
    """
    size = len(colour)
    axis = np.linspace(-1, 1, size)
    slope = rng.uniform(-0.35, 0.35, 2) * difficulty
    # exposure, white balance, contrast, grain and compression differ even in the easiest set: otherwise the colours or
    # the size of a file would give its motif away
    light = rng.uniform(0.8 - 0.1 * difficulty, 1.1 + 0.05 * difficulty) * (
        1 + slope[0] * axis[:, None] + slope[1] * axis[None]
    )
    balance = 1 + rng.normal(0, 0.06 + 0.03 * difficulty, 3)
    blur = rng.uniform(0.15, 0.45 + difficulty) * size / 150
    grain, quality = rng.uniform(0, 6 + 10 * difficulty), int(rng.integers(70 - int(30 * difficulty), 96))
    contrast = rng.uniform(0.75 - 0.2 * difficulty, 1.0)

    photo = colour * (light * shade)[..., None] * balance  # (H, W, 3)
    photo = 128 + contrast * (photo - 128)
    photo = gaussian_filter(photo, (blur, blur, 0), mode="nearest")
    photo += rng.normal(0, grain + 1e-9, photo.shape)
    frame = str(rng.choice(["none", "border", "caption", "background"], p=[0.82, 0.07, 0.06, 0.05]))
    photo, mask = _frame(photo, mask, frame, rng)
    pixels = np.clip(np.rint(photo), 0, 255).astype(np.uint8)
    drawn = {"blur": round(float(blur), 3), "noise": round(float(grain), 2), "jpeg_quality": quality, "frame": frame}
    return _through_jpeg(pixels, quality), mask, drawn


def _frame(photo: Array, mask: Array, frame: str, rng: np.random.Generator) -> tuple[Array, Array]:
    """Cover the edge with a border, a caption bar or a plain table; what is covered leaves the mask."""
    size = len(photo)
    width, tint, side = (
        int(rng.integers(max(size // 30, 1), max(size // 9, 2))),
        rng.uniform(20, 245),
        int(rng.integers(4)),
    )
    if frame == "none":
        return photo, mask
    shown = np.ones((size, size), bool)
    if frame == "border":
        shown[:] = False
        shown[width:-width, width:-width] = True
    elif frame == "caption":
        shown[-width:] = False
    else:
        shown = np.rot90(shown, side).copy()
        shown[: 2 * width] = False
        shown = np.rot90(shown, side)
    photo = np.where(shown[..., None], photo, tint)
    if frame == "caption":
        letters = rng.random(size) < 0.55
        photo[-width + width // 3 : -max(width // 3, 1), letters] = 255 - tint
    return photo, mask & shown


def _through_jpeg(pixels: Array, quality: int) -> Array:
    """The artefacts of JPEG: compressed and read again."""
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, "JPEG", quality=quality)
    return np.asarray(Image.open(memory).convert("RGB"))
