"""Saliency maps with 8 bits, and images under them."""

import warnings

import numpy as np

from .. import nn, saliency
from ..study import TwoStageConfig
from ..study.data import BATCH
from ..study.maps import raw_maps


def network_maps(
    config: TwoStageConfig, model: nn.Sequential, pixels: np.ndarray, classes: np.ndarray | None = None
) -> np.ndarray:
    """Maps uint8 (N, S, S) of pixels uint8 (N, S, S, 3), for the predicted class or for `classes` (N,)."""
    maps = np.empty(pixels.shape[:3], np.uint8)
    for start in range(0, len(pixels), BATCH):
        part = slice(start, start + BATCH)
        raw = raw_maps(model, np.asarray(pixels[part]), None if classes is None else classes[part])
        maps[part] = eight_bits(config, raw)
    return maps


def eight_bits(config: TwoStageConfig, raw: np.ndarray) -> np.ndarray:
    """Raw maps (N, S, S), normalised as the study does, as uint8: 255 is full. A map that says nothing is all 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # constant maps: a network that has learnt nothing makes them
        return np.rint(255 * saliency.normalise(raw, config.saliency_percentile)).astype(np.uint8)


def lay_over(config: TwoStageConfig, pixels: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Pixels uint8 (N, S, S, 3) under the blue of maps uint8 (N, S, S), as the study lays it on."""
    covered = np.empty(pixels.shape, np.uint8)
    for start in range(0, len(pixels), BATCH):  # in parts, since it is done with floats
        part = slice(start, start + BATCH)
        covered[part] = saliency.overlay(
            np.asarray(pixels[part]), maps[part].astype(np.float32) / 255, config.overlay_strength
        )
    return covered
