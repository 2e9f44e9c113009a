"""Saliency maps of a study's images, and the second data set that they make."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image
from tqdm import tqdm

from .. import nn, saliency
from .config import TwoStageConfig

BATCH = 32  # images asked about at a time


def raw_maps(model: nn.Sequential, pixels: np.ndarray) -> np.ndarray:
    """|d logit of the predicted class / d pixel|, largest channel: (N, H, W) float32, of uint8 pixels (N, H, W, 3)."""
    x = pixels.astype(np.float32) / 255  # (N, H, W, 3)
    return saliency.reduce_channels(saliency.Gradient(model).attribute(x))  # (N, H, W)


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


def overlaid_names(paths: Iterable[str]) -> list[str]:
    """A PNG name for each image path, class folder kept; x.jpg and x.png of one folder stay apart."""
    taken: set[str] = set()
    names = []
    for index, path in enumerate(paths):
        pure = PurePosixPath(path)
        own = f"{pure.parts[0]}/{pure.stem}.png"
        numbered = (f"{pure.parts[0]}/image_{number:06d}.png" for number in count(index))
        name = next(name for name in chain([own] * (len(own) <= 200), numbered) if name not in taken)
        taken.add(name)
        names.append(name)
    return names


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 (H, W, 3) to a file called .png, at its own size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
