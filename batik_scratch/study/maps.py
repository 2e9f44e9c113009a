"""Saliency maps of a study's images, and the images under them."""

from collections.abc import Iterator, Sequence

import numpy as np
from tqdm import tqdm

from .. import nn, saliency
from .config import TwoStageConfig
from .data import BATCH, to_unit
from .training import probabilities, views_of


def raw_maps(model: nn.Sequential, pixels: np.ndarray, classes: np.ndarray | None = None) -> np.ndarray:
    """|d logit / d pixel|, largest channel: (N, H, W) float32, of uint8 pixels (N, H, W, 3).

    The logit is that of the predicted class, or that of `classes` (N,). A model that answers over several views is
    asked so too: the class that is explained is the one that is reported.
    """
    x = to_unit(pixels)  # (N, H, W, 3)
    target: np.ndarray | str = "predicted" if classes is None else classes
    if classes is None and views_of(model) > 1:
        target = probabilities(model, x).argmax(axis=1)  # (N,)
    attributions = saliency.Gradient(model).attribute(x, target)  # (N, H, W, 3)
    return saliency.reduce_channels(attributions)  # (N, H, W)


def overlay_maps(config: TwoStageConfig, pixels: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Blue laid over pixels uint8 (N, H, W, 3) by raw maps (N, H, W), as configured."""
    return saliency.overlay(pixels, saliency.normalise(maps, config.saliency_percentile), config.overlay_strength)


def map_in_batches(
    model: nn.Sequential, pixels: np.ndarray, rows: Sequence[int] | np.ndarray, title: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rows, raw maps) a batch at a time, under a progress bar."""
    rows = np.asarray(rows)
    with tqdm(total=len(rows), desc=title, unit="image", leave=False, disable=None) as bar:
        for start in range(0, len(rows), BATCH):
            chosen = rows[start : start + BATCH]
            yield chosen, raw_maps(model, np.asarray(pixels[chosen]))
            bar.update(len(chosen))
