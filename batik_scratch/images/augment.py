"""Augmentation: a new variant of every training image in every epoch, with Keras' names.

Matrices are composed as in Keras' ImageDataGenerator: rotation, shift, shear and zoom about the image's centre. They
map output pixels to input pixels, so a zoom above 1 shrinks the content. The width shift moves along the width; Keras
swaps the two shift axes (keras issue 17398). Crops and quarter turns join the same matrix: one pass over the pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .warp import FILL_MODES, Transforms, warp


@dataclass(frozen=True)
class ImageAugmenter:
    """Draws one transform for each image and applies it: `augmenter(images, rng)`.

    rotation_range        degrees, either way
    width_shift_range, height_shift_range    fractions of the width and height, either way
    shear_range           degrees, either way
    zoom_range            z draws each axis' factor from [1 - z, 1 + z] independently; or (low, high)
    horizontal_flip, vertical_flip    with probability 1/2
    brightness_range      (low, high) factor, or None
    channel_shift_range   added to all values of an image, either way, in units of the images
    fill_mode, cval       "nearest", "reflect", "constant" (with cval, in units of the images) or "wrap"
    rescale               factor on the result; 1/255 for uint8 images; None leaves it
    crop_area             (low, high), shares of the area in (0, 1]: a random window of it fills the picture; or None
    quarter_turns         by 0, 90, 180 or 270 degrees, each with probability 1/4, exactly; square images alone. With
                          one flip or both, all eight ways to lay a square are equally likely

    Order: crop, affine transform, flips, quarter turns, channel shift, brightness, rescale. Before rescaling, values
    are kept within 0..255 (uint8 images) or 0..1 (floats). After the crop, the window is "the image" whose centre and
    sides the other options speak of; where they look past its edge, they see the picture around it before any fill.
    """

    rotation_range: float = 0.0
    width_shift_range: float = 0.0
    height_shift_range: float = 0.0
    shear_range: float = 0.0
    zoom_range: float | Sequence[float] = 0.0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    brightness_range: Sequence[float] | None = None
    channel_shift_range: float = 0.0
    fill_mode: str = "nearest"
    cval: float = 0.0
    rescale: float | None = 1 / 255
    crop_area: Sequence[float] | None = None
    quarter_turns: bool = False

    def __post_init__(self) -> None:
        for name in ("rotation_range", "width_shift_range", "height_shift_range", "shear_range", "channel_shift_range"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value < float("inf")):
                raise InputError(f"ImageAugmenter: {name} needs a number >= 0, got {value!r}")
        low, _ = self.zoom_limits
        if low <= 0:
            raise InputError(
                f"ImageAugmenter: zoom_range is below 1, or (low, high) with low above 0; got {self.zoom_range!r}"
            )
        if self.fill_mode not in FILL_MODES:
            raise InputError(f"ImageAugmenter: fill_mode is one of {', '.join(FILL_MODES)}; got {self.fill_mode!r}")
        area = (1, 1) if self.crop_area is None else self.crop_area
        if not (isinstance(area, Sequence) and len(area) == 2 and 0 < area[0] <= area[1] <= 1):
            raise InputError(
                f"ImageAugmenter: crop_area is (low, high) with 0 < low <= high <= 1, or None; got {self.crop_area!r}"
            )

    @property
    def zoom_limits(self) -> tuple[float, float]:
        """The smallest and the largest zoom factor."""
        if isinstance(self.zoom_range, int | float):
            return 1 - self.zoom_range, 1 + self.zoom_range
        low, high = self.zoom_range
        return low, high

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """images (N, H, W, C), uint8 or floats in [0, 1] -> float32 (N, H, W, C)."""
        n, h, w, _ = images.shape
        top = 255.0 if images.dtype == np.uint8 else 1.0
        rescale = 1.0 if self.rescale is None else self.rescale
        return warp(images, self.draw(n, h, w, rng), self.fill_mode, self.cval, top, rescale)

    def draw(self, n: int, h: int, w: int, rng: np.random.Generator) -> Transforms:
        """Transforms for n images of h x w.

        Every option draws its random numbers, even if it is off: so switching one on changes no other's draws. Crops
        and quarter turns, which came later, draw from a stream of their own, which `rng` spawns if they are on.

        InputError if there are quarter turns of images that are not square.
        """
        unit = rng.uniform(-1, 1, (n, 5))  # rotation, row shift, column shift, shear, channel shift
        zoom = rng.uniform(*self.zoom_limits, (n, 2))
        flips = rng.random((n, 2)) < 0.5
        low, high = self.brightness_range or (1.0, 1.0)
        brightness = rng.uniform(low, high, n)
        turn, shear = np.deg2rad(unit[:, 0] * self.rotation_range), np.deg2rad(unit[:, 3] * self.shear_range)
        matrices = affine_matrices(
            turn, unit[:, 1] * self.height_shift_range * h, unit[:, 2] * self.width_shift_range * w, shear, zoom, h, w
        )
        for axis, (wanted, length) in enumerate([(self.vertical_flip, h), (self.horizontal_flip, w)]):
            if wanted:
                chosen = flips[:, axis]
                matrices[chosen, :, 2] += (length - 1) * matrices[chosen, :, axis]  # output i reads output length-1-i
                matrices[chosen, :, axis] *= -1
        if self.crop_area is not None or self.quarter_turns:
            matrices = self._cropped_and_turned(matrices, h, w, rng.spawn(1)[0])
        return Transforms(matrices, unit[:, 4] * self.channel_shift_range, brightness)

    def _cropped_and_turned(self, matrices: np.ndarray, h: int, w: int, rng: np.random.Generator) -> np.ndarray:
        """The matrices (N, 2, 3) with a crop before them and quarter turns after them, as far as those are on."""
        turns, unit = rng.integers(4, size=len(matrices)), rng.random((len(matrices), 4))  # (N,) and (N, 4)
        if self.crop_area is not None:
            matrices = cropped(matrices, *windows(unit, *self.crop_area), h, w)
        if self.quarter_turns:
            if h != w:
                raise InputError(
                    f"ImageAugmenter: quarter_turns needs square images, got {h} x {w}; "
                    "make them square before, or leave quarter_turns out"
                )
            matrices = turned(matrices, turns, h)
        return matrices


def windows(unit: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Random windows, as Inception was trained (Szegedy et al., 2015): sides and starts (N, 2), rows and columns.

    unit      (N, 4) uniform in [0, 1): for area, proportion, row and column
    sides     as shares of the picture's. Their product, the area, is uniform in [low, high]; width by height is
              log-uniform in [3/4, 4/3], as far as the window fits. It is relative to the picture's own proportion: so
              the content is stretched by it, of an oblong picture too
    starts    the window's first row and column, as shares of the last: uniform from 0 to 1 - side

    A window reads from inside the picture alone: output row i is row side i + start (H - 1) of the picture.
    """
    area = low + (high - low) * unit[:, 0]  # (N,)
    least, most = np.log(np.maximum(3 / 4, area)), np.log(np.minimum(4 / 3, 1 / area))  # (N,) both: no side exceeds 1
    proportion = np.exp(least + (most - least) * unit[:, 1])  # (N,)
    sides = np.minimum(np.sqrt(np.stack([area / proportion, area * proportion], axis=1)), 1)  # (N, 2)
    return sides, (1 - sides) * unit[:, 2:]  # (N, 2) both


def cropped(matrices: np.ndarray, sides: np.ndarray, starts: np.ndarray, h: int, w: int) -> np.ndarray:
    """matrices (N, 2, 3) that read from such windows of an h x w picture where they read from the picture before."""
    matrices = matrices * sides[:, :, None]  # (N, 2, 3)
    matrices[:, :, 2] += starts * [h - 1, w - 1]
    return matrices


def turned(matrices: np.ndarray, turns: np.ndarray, n: int) -> np.ndarray:
    """The same after k quarter turns against the clock, like `np.rot90`: output (i, j) then is (j, n - 1 - i) before.

    matrices (N, 2, 3), turns (N,) of 0..3, n the square's side. Columns change places and signs, so nothing is rounded.
    """
    down, right, offset = np.moveaxis(matrices, 2, 0)  # (N, 2) each
    for k in (1, 2, 3):
        again = (turns >= k)[:, None]  # (N, 1)
        down, right, offset = (
            np.where(again, -right, down),
            np.where(again, down, right),
            np.where(again, offset + (n - 1) * right, offset),
        )
    return np.stack([down, right, offset], axis=2)  # (N, 2, 3)


def affine_matrices(
    turn: np.ndarray, down: np.ndarray, right: np.ndarray, shear: np.ndarray, zoom: np.ndarray, h: int, w: int
) -> np.ndarray:
    """(N, 2, 3) from angles in radians (N,), shifts in pixels (N,) and zoom factors (N, 2), about the image's centre.

    R = [[cos, -sin], [sin, cos]],  S = [[1, -sin(shear)], [0, cos(shear)]],  Z = diag(zoom)
    A = R S Z,  and the centre goes to the centre shifted by R (down, right)
    """
    cos, sin = np.cos(turn), np.sin(turn)
    rotation = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)  # (N, 2, 2)
    one, zero = np.ones_like(shear), np.zeros_like(shear)
    shearing = np.array([[one, -np.sin(shear)], [zero, np.cos(shear)]]).transpose(2, 0, 1)  # (N, 2, 2)
    linear = rotation @ shearing * zoom[:, None, :]  # (N, 2, 2)
    centre = np.array([(h - 1) / 2, (w - 1) / 2])
    shift = np.einsum("nab,nb->na", rotation, np.stack([down, right], axis=1))  # (N, 2)
    offset = centre + shift - linear @ centre  # (N, 2)
    return np.concatenate([linear, offset[:, :, None]], axis=2)  # (N, 2, 3)
