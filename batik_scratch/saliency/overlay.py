"""The overlay of the paper's Fig. 11: blue over the photo, brighter where the map says more."""

import numpy as np

from ..errors import InputError

BLUE = (30, 110, 255)  # RGB


def overlay(
    images: np.ndarray, maps: np.ndarray, strength: float = 0.8, colour: tuple[int, int, int] = BLUE
) -> np.ndarray:
    """Images uint8 (N, H, W, 3) or (H, W, 3) under maps in [0, 1] (N, H, W) or (H, W) -> uint8 of the images' shape.

    out = (1 - w) image + w colour,  w = strength * map

    The weight, and so the amount of blue laid on, depends on the map alone, never on the image's content.
    """
    images, maps = np.asarray(images), np.asarray(maps)
    if images.dtype != np.uint8 or images.shape[-1:] != (3,) or maps.shape != images.shape[:-1]:
        raise InputError(
            f"overlay: needs uint8 RGB images (..., H, W, 3) and maps (..., H, W) of the same size; "
            f"got {images.dtype} {images.shape} and {maps.shape}"
        )
    if not 0 <= strength <= 1:
        raise InputError(f"overlay: strength is between 0 and 1, got {strength!r}")
    if maps.size and not (maps.min() >= 0 and maps.max() <= 1):
        raise InputError("overlay: maps need values in [0, 1]; use normalise(maps) first")
    weight = np.float32(strength) * maps[..., None].astype(np.float32)  # (..., H, W, 1)
    mixed = images * (1 - weight) + np.array(colour, np.float32) * weight  # (..., H, W, 3)
    return np.rint(mixed).astype(np.uint8)
