"""From a raw signed map to one between 0 and 1: pure functions, each doing one thing."""

import numpy as np

from ..errors import InputError


def reduce_channels(maps: np.ndarray, how: str = "max_abs") -> np.ndarray:
    """(N, H, W, C) -> (N, H, W): the largest absolute value of the channels (Simonyan et al.), or their signed sum."""
    if how == "max_abs":
        return np.abs(maps).max(axis=-1)
    if how == "sum":
        return maps.sum(axis=-1)
    raise InputError(f'how is "max_abs" or "sum", got {how!r}')


def normalise(maps: np.ndarray, percentile: float = 99.0) -> np.ndarray:
    """(N, H, W) of non-negative values -> (N, H, W) float32 in [0, 1], image by image.

    Values above the image's `percentile` become 1, so that a few wild pixels do not darken the rest. A constant map
    says nothing and becomes zeros.
    """
    if not 0 < percentile <= 100:
        raise InputError(f"percentile is above 0 and at most 100, got {percentile!r}")
    flat = np.asarray(maps, np.float64).reshape(len(maps), -1)  # (N, H*W)
    low = flat.min(axis=1, keepdims=True)  # (N, 1)
    high = np.percentile(flat, percentile, axis=1, keepdims=True)  # (N, 1)
    span = np.where(
        high > low, high - low, flat.max(axis=1, keepdims=True) - low
    )  # (N, 1): a sparse map keeps its peak
    scaled = np.divide(flat - low, span, out=np.zeros_like(flat), where=span > 0)  # (N, H*W)
    return np.clip(scaled, 0, 1).astype(np.float32).reshape(np.shape(maps))
