"""Which number is white: greys of 16 bits, 32 bits and floating point, brought to eight bits by one rule.

White is the smallest full scale that no pixel exceeds: 1 for floats in [0, 1], else 255, 1023, 4095, 16383 or 65535,
the largest numbers of 8, 10, 12, 14 and 16 bits. So a camera's 12 bits in a 16-bit file are not turned almost black. A
picture that fits no scale (negative numbers, more than 65535) is refused, and so is a 16-bit colour picture that uses
the lowest quarter of its range alone: Pillow has then thrown its low bits away.
"""

from collections.abc import Mapping

import numpy as np
from PIL import Image

SCALES = (255, 1023, 4095, 16383, 65535)
SLACK = 0.002  # how far floats may leave [0, 1], as resampled ones do
DARK = 64  # of 255


class NoScale(ValueError):
    """The numbers of a picture fit no scale."""


def to_eight_bits(values: np.ndarray) -> tuple[np.ndarray, int]:
    """(H, W) of integers or floats -> uint8, and the number that became white; NoScale where none fits.

    A float that is no number counts as 0.
    """
    with np.errstate(invalid="ignore"):  # a damaged file may hold any bits, signalling NaN among them
        greys = values.astype(np.float32)  # (H, W), the one large copy: what follows works in place
        np.nan_to_num(greys, copy=False, posinf=np.inf, neginf=-np.inf)
    low, high = greys.min(initial=0), greys.max(initial=0)
    slack = SLACK if values.dtype.kind == "f" else 0
    scales = (1, *SCALES) if 0 < high <= 1 + slack else (65535,) if high == 0 else SCALES
    white = next((scale for scale in scales if high <= scale + slack), None)
    if white is None or low < -slack:
        raise NoScale(
            f"its numbers run from {low:g} to {high:g}, which is no scale of brightness: save it with 0 for black and "
            "1, 255 or 65535 for white"
        )
    np.clip(greys, 0, white, out=greys)
    greys *= np.float32(255 / white)
    return np.rint(greys, out=greys).astype(np.uint8), white


def stored_in_sixteen(image: Image.Image) -> bool:
    """Whether a picture that is not decoded yet has 16 bits a channel, of which Pillow will keep the upper eight."""
    modes = [tile[3] if isinstance(tile[3], str) else str((tile[3] or ("",))[0]) for tile in getattr(image, "tile", [])]
    return image.mode in ("RGB", "RGBA", "LA", "RGBX", "CMYK") and any(";16" in mode for mode in modes)


def check_bright(image: Image.Image) -> None:
    """NoScale if no channel of a 16-bit colour picture, its low bits gone, is brighter than a quarter of white."""
    colours = image.convert("RGB")
    brightest = int(np.asarray(colours).max(initial=0))
    if 0 < brightest < DARK:
        raise NoScale(
            f"has 16 bits a channel and uses the lowest {brightest + 1} of 256 levels, so it would be read almost "
            "black; save it with its brightest value near 65535, or in 8 bits"
        )


def scale_words(whites: Mapping[str, int]) -> list[str]:
    """What is worth saying of {number taken for white: files}: nothing where all are full 16 bits, or floats to 1."""
    unusual = {white: count for white, count in whites.items() if white not in ("1", "65535")}
    if not unusual and len(whites) < 2:
        return []
    rising = sorted((int(white), count) for white, count in whites.items())
    told = ", ".join(f"{count} with white at {white}" for white, count in rising)
    return [f"brightness of greys with more than 8 bits (white is the smallest full scale that holds them): {told}"]
