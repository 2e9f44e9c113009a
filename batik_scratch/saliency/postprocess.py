"""From a raw signed map to one between 0 and 1: pure functions, each doing one thing."""

import warnings

import numpy as np

from ..errors import InputError


def reduce_channels(maps: np.ndarray, how: str = "max_abs") -> np.ndarray:
    """(N, H, W, C) -> (N, H, W): the largest absolute value of the channels (Simonyan et al.), or their signed sum."""
    if how == "max_abs":
        return np.abs(maps).max(axis=-1)
    if how == "sum":
        return maps.sum(axis=-1)
    raise InputError(f'how is "max_abs" or "sum", got {how!r}')


def clip_percentile(maps: np.ndarray, percentile: float = 99.0) -> np.ndarray:
    """(N, H, W) -> (N, H, W): values above each image's own `percentile` become that value."""
    _check_percentile(percentile)
    _check_maps(maps, "clip_percentile")
    return np.minimum(maps, np.percentile(maps, percentile, axis=(1, 2), keepdims=True))


def normalise(maps: np.ndarray, percentile: float = 99.0) -> np.ndarray:
    """(N, H, W) of non-negative values -> (N, H, W) float32 in [0, 1], image by image.

    Values above the image's `percentile` become 1, so that a few wild pixels do not darken the rest. A constant map
    says nothing: it becomes zeros, with a warning.
    """
    _check_percentile(percentile)
    _check_maps(maps, "normalise")
    if not np.size(maps):
        return np.zeros(np.shape(maps), np.float32)
    n, h, w = np.shape(maps)
    flat = np.asarray(maps, np.float64).reshape(n, h * w)  # (N, H*W)
    low = flat.min(axis=1, keepdims=True)  # (N, 1)
    high = np.percentile(flat, percentile, axis=1, keepdims=True)  # (N, 1)
    peak = flat.max(axis=1, keepdims=True)  # (N, 1)
    span = np.where(high > low, high, peak) - low  # (N, 1): of a map that is almost all low, the peak becomes 1
    if constant := int((span == 0).sum()):
        warnings.warn(f"{constant} constant maps say nothing and become zeros", UserWarning, stacklevel=2)
    scaled = np.divide(flat - low, span, out=np.zeros_like(flat), where=span > 0)  # (N, H*W)
    return np.clip(scaled, 0, 1).astype(np.float32).reshape(np.shape(maps))


def heat_map(maps: np.ndarray) -> np.ndarray:
    """Maps in [0, 1] (N, H, W) -> colours uint8 (N, H, W, 3), from black over red and yellow to white.

    Lightness rises all the way, so that the order is seen without colours too.
    """
    _check_unit(maps, "heat_map")
    level = np.asarray(maps, np.float64)[..., None] * 3  # (N, H, W, 1)
    return np.rint(np.clip(level - np.array([0.0, 1.0, 2.0]), 0, 1) * 255).astype(np.uint8)  # (N, H, W, 3)


def contour(
    images: np.ndarray, maps: np.ndarray, level: float = 0.5, colour: tuple[int, int, int] = (255, 255, 0)
) -> np.ndarray:
    """Images uint8 (N, H, W, 3) and a line, one pixel wide, around the places whose maps (N, H, W) reach `level`."""
    _check_unit(maps, "contour")
    if np.asarray(images).dtype != np.uint8 or np.shape(images) != (*np.shape(maps), 3):
        raise InputError(
            f"contour: needs uint8 images (N, H, W, 3) and maps (N, H, W) of the same size; "
            f"got {np.asarray(images).dtype} {np.shape(images)} and {np.shape(maps)}"
        )
    inside = np.pad(np.asarray(maps) >= level, ((0, 0), (1, 1), (1, 1)), mode="edge")  # (N, H+2, W+2)
    surrounded = inside[:, :-2, 1:-1] & inside[:, 2:, 1:-1] & inside[:, 1:-1, :-2] & inside[:, 1:-1, 2:]  # (N, H, W)
    drawn = np.array(images)
    drawn[inside[:, 1:-1, 1:-1] & ~surrounded] = colour
    return drawn


def _check_percentile(percentile: float) -> None:
    if not 0 < percentile <= 100:
        raise InputError(f"percentile is above 0 and at most 100, got {percentile!r}")


def _check_maps(maps: np.ndarray, who: str) -> None:
    if np.ndim(maps) != 3:
        raise InputError(f"{who}: needs maps (N, H, W), got shape {np.shape(maps)}; maps[None] makes one a batch")
    if not np.isfinite(maps).all():
        raise InputError(f"{who}: needs finite maps; there is a NaN or an infinity in them")


def _check_unit(maps: np.ndarray, who: str) -> None:
    if np.size(maps) and not (np.min(maps) >= 0 and np.max(maps) <= 1):
        raise InputError(f"{who}: maps need values in [0, 1]; use normalise(maps) first")
