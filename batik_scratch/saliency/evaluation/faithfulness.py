"""Did the network use what the map marks? Take those pixels away, or show only them, and ask the network again.

Petsiuk, Das & Saenko, 2018, "RISE", arXiv:1806.07421. Both give a mean probability of the explained class over the way
from no pixel to all pixels: low is good for deletion, high for insertion. What a covered pixel shows matters as much as
the order, so there are two: the image's mean colour, and the image blurred.
"""

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from ...errors import InputError

if TYPE_CHECKING:
    from ...nn import Sequential

BASELINES = ("mean", "blur")


def deletion(
    model: "Sequential",
    images: np.ndarray,
    maps: np.ndarray,
    classes: np.ndarray,
    baseline: str = "mean",
    steps: int = 20,
) -> np.ndarray:
    """Mean probability (N,) of `classes` (N,) while the most important pixels are covered first; lower is better.

    images (N, H, W, C) in [0, 1], maps (N, H, W); `steps` equal parts of the pixels.
    """
    return _along_the_way(model, images, covered(images, baseline), maps, classes, steps)


def insertion(
    model: "Sequential",
    images: np.ndarray,
    maps: np.ndarray,
    classes: np.ndarray,
    baseline: str = "blur",
    steps: int = 20,
) -> np.ndarray:
    """Mean probability (N,) of `classes` (N,) while the most important pixels are shown first; higher is better."""
    return _along_the_way(model, covered(images, baseline), images, maps, classes, steps)


def covered(images: np.ndarray, baseline: str) -> np.ndarray:
    """The images (N, H, W, C) with nothing left to see: their mean colour, or a blur of a tenth of their size."""
    if baseline not in BASELINES:
        raise InputError(f"baseline is one of {', '.join(BASELINES)}; got {baseline!r}")
    if baseline == "mean":
        return np.broadcast_to(images.mean(axis=(1, 2), keepdims=True), images.shape)
    width = images.shape[1] / 10
    return gaussian_filter(images, (0, width, width, 0))


def _along_the_way(
    model: "Sequential", start: np.ndarray, end: np.ndarray, maps: np.ndarray, classes: np.ndarray, steps: int
) -> np.ndarray:
    """Mean of p(class) over steps + 1 pictures, from `start` to `end`, pixels changed in the order of the map."""
    n, h, w = maps.shape
    place = np.empty((n, h * w), np.int64)  # of each pixel in the order of importance, the most important is 0
    order = np.argsort(-maps.reshape(n, -1), axis=1, kind="stable")  # (N, H*W)
    np.put_along_axis(place, order, np.arange(h * w)[None], axis=1)
    place = place.reshape(n, h, w)
    levels = []
    for step in range(steps + 1):
        changed = (place < step * h * w / steps)[..., None]  # (N, H, W, 1)
        probabilities = model.predict(np.where(changed, end, start).astype(model.dtype))  # (N, U)
        levels.append(probabilities[np.arange(n), classes])
    return np.trapezoid(np.stack(levels), dx=1 / steps, axis=0)  # (N,)
