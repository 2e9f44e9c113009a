"""Did the network use what the map marks? Take those pixels away, or show only them, and ask the network again.

Petsiuk, Das & Saenko, 2018, "RISE", arXiv:1806.07421. Both give a mean probability of the explained class over the way
from no pixel to all pixels: low is good for deletion, high for insertion. What a covered pixel shows matters as much as
the order, so there are two: the image's mean colour, and the image blurred.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from ...errors import InputError
from ...nn import Sequential

BASELINES = ("mean", "blur")


def deletion(
    model: Sequential,
    images: np.ndarray,
    maps: np.ndarray,
    classes: np.ndarray,
    baseline: str = "mean",
    steps: int = 20,
) -> np.ndarray:
    """Mean probability (N,) of `classes` (N,) while the most important pixels are covered first; lower is better.

    images (N, H, W, C) in [0, 1], maps (N, H, W); `steps` equal parts of the pixels.
    """
    _check(model, images, maps, classes, steps)
    return _along_the_way(model, images, covered(images, baseline), maps, classes, steps)


def insertion(
    model: Sequential,
    images: np.ndarray,
    maps: np.ndarray,
    classes: np.ndarray,
    baseline: str = "blur",
    steps: int = 20,
) -> np.ndarray:
    """Mean probability (N,) of `classes` (N,) while the most important pixels are shown first; higher is better."""
    _check(model, images, maps, classes, steps)
    return _along_the_way(model, covered(images, baseline), images, maps, classes, steps)


def covered(images: np.ndarray, baseline: str) -> np.ndarray:
    """The images (N, H, W, C) with nothing left to see: their mean colour, or a blur of a tenth of their height."""
    if baseline not in BASELINES:
        raise InputError(f"baseline is one of {', '.join(BASELINES)}; got {baseline!r}")
    if baseline == "mean":
        return np.broadcast_to(images.mean(axis=(1, 2), keepdims=True), images.shape)
    width = images.shape[1] / 10
    return gaussian_filter(images, (0, width, width, 0))


def _along_the_way(
    model: Sequential, start: np.ndarray, end: np.ndarray, maps: np.ndarray, classes: np.ndarray, steps: int
) -> np.ndarray:
    """Mean of p(class) over steps + 1 pictures, from `start` to `end`, pixels changed in the order of the map."""
    n, h, w, channels = end.shape
    order = np.argsort(-maps.reshape(n, h * w), axis=1, kind="stable")[..., None]  # (N, H*W, 1), most important first
    picture = np.array(start, model.dtype).reshape(n, h * w, channels)  # (N, H*W, C), changed step by step
    goal = np.asarray(end, model.dtype).reshape(n, h * w, channels)  # (N, H*W, C)
    levels, done = [], 0
    for step in range(steps + 1):
        due = -(-step * h * w // steps)
        changed = order[:, done:due]  # (N, K, 1)
        np.put_along_axis(picture, changed, np.take_along_axis(goal, changed, axis=1), axis=1)
        done = due
        probabilities = model.predict(picture.reshape(n, h, w, channels))  # (N, U)
        levels.append(probabilities[np.arange(n), classes])
    return np.trapezoid(np.stack(levels), dx=1 / steps, axis=0)  # (N,)


def _check(model: Sequential, images: np.ndarray, maps: np.ndarray, classes: np.ndarray, steps: int) -> None:
    if np.ndim(images) != 4 or np.shape(maps) != np.shape(images)[:3] or np.shape(classes) != np.shape(images)[:1]:
        raise InputError(
            "needs images (N, H, W, C), a map (H, W) of each and a class of each; "
            f"got shapes {np.shape(images)}, {np.shape(maps)} and {np.shape(classes)}"
        )
    if not (np.isfinite(maps).all() and np.isfinite(images).all()):
        raise InputError("needs finite images and maps; there is a NaN or an infinity in them")
    outputs = (model.output_shape or (0,))[0]
    if len(classes) and not 0 <= np.min(classes) <= np.max(classes) < outputs:
        raise InputError(f"classes are 0..{outputs - 1}; got {np.min(classes)}..{np.max(classes)}")
    if steps < 1:
        raise InputError(f"steps needs a whole number >= 1, got {steps!r}")
