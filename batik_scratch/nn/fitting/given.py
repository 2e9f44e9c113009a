"""What `fit` is given: which images are trained on, which are held out, and how much each counts in the loss."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...errors import InputError
from .batches import Batches, as_batches

HeldOut = tuple[Any, ...]  # x, y and perhaps weights; batches and None; nothing


def divided(
    x: Any, y: Any, sample_weight: Any, validation_data: Any, share: float
) -> tuple[Any, Any, np.ndarray | None, HeldOut]:
    """What is trained on, x, y and weights (N,) or None, and what is held out.

    That is `validation_data`, or the last `share` of the arrays. InputError if both are asked for, or what does not
    go with batches (y None).
    """
    if y is None and (share or sample_weight is not None):
        raise InputError(
            "fit: validation_split and sample_weight are for arrays x and y; an iterable has validation_data beside "
            "it, and may give batches of (x, y, weights)"
        )
    if share and validation_data is not None:
        raise InputError("fit: needs validation_data or validation_split, got both; leave one out")
    if y is not None:
        x, y = np.asarray(x), np.asarray(y)
    if sample_weight is not None:
        sample_weight = check_sample_weight(sample_weight, len(x))
    if share:
        arrays = (x, y) if sample_weight is None else (x, y, sample_weight)
        (x, y, *rest), held_out = split_off(arrays, share)
        return x, y, rest[0] if rest else None, held_out
    if validation_data is None:
        return x, y, sample_weight, ()
    return x, y, sample_weight, validation_data if isinstance(validation_data, tuple) else (validation_data, None)


def held_out_batches(held_out: HeldOut, batch_size: int) -> Batches | None:
    """What is held out, in batches and in order; None for nothing."""
    if not held_out:
        return None
    x, y, *weights = held_out
    return as_batches(x, y, batch_size, None, check_sample_weight(weights[0], len(x)) if weights else None)


class ClassWeighted:
    """Batches (x, y) or (x, y, weights) with every weight (1 where none is given) multiplied by its class's."""

    def __init__(self, batches: Batches, class_weight: Mapping[int, float]) -> None:
        self.batches, self.class_weight = batches, class_weight

    @property
    def epoch(self) -> int:
        """The epoch whose order and augmentation these are; what is weighted may have one."""
        return getattr(self.batches, "epoch", 0)

    @epoch.setter
    def epoch(self, number: int) -> None:
        if hasattr(self.batches, "epoch"):
            self.batches.epoch = number

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        for x, y, *weights in self.batches:
            of_class = np.array([self.class_weight.get(int(label), 1.0) for label in y])  # (N,)
            yield x, y, of_class * (weights[0] if weights else 1.0)


def check_class_weight(class_weight: Mapping[int, float]) -> dict[int, float]:
    """{class: weight}; InputError unless classes are whole numbers and weights are finite and not negative."""
    try:
        checked = {int(label): float(weight) for label, weight in dict(class_weight).items()}
    except (TypeError, ValueError):
        checked = None
    if checked is None or not all(np.isfinite(w) and w >= 0 for w in checked.values()):
        raise InputError(
            f"fit: class_weight needs {{class: weight}}, weights of at least 0, such as {{0: 1, 1: 2.5}}; "
            f"got {class_weight!r}"
        )
    return checked


def check_sample_weight(sample_weight: Any, images: int) -> np.ndarray:
    """sample_weight (N,) as numbers; InputError unless there is one for each image, finite and not negative."""
    weights = np.asarray(sample_weight)
    if weights.shape != (images,) or weights.dtype.kind not in "fiub":
        raise InputError(
            f"fit: sample_weight needs one number per image, ({images},); got {weights.dtype} of shape {weights.shape}"
        )
    weights = weights.astype(np.float64)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise InputError("fit: sample_weight needs finite numbers of at least 0, got others; 0 leaves an image out")
    return weights


def split_off(arrays: tuple[Any, ...], share: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Arrays of N entries -> those to train on and those to validate on: the last `share` of N, as in Keras.

    The cut is at floor(N (1 - share)), before anything is shuffled. InputError if either part were empty.
    """
    if isinstance(share, bool) or not isinstance(share, int | float | np.number) or not 0 < share < 1:
        raise InputError(f"fit: validation_split is a share of the images, above 0 and below 1; got {share!r}")
    n = len(arrays[0])
    if any(len(a) != n for a in arrays):
        raise InputError(f"fit: needs one label per image: got {n} images and {len(arrays[1])} labels")
    cut = int(n * (1 - share))
    if not 0 < cut < n:
        raise InputError(
            f"fit: validation_split={share} of {n} images leaves {cut} to train on and {n - cut} to validate on; "
            "give more images or another share"
        )
    return tuple(a[:cut] for a in arrays), tuple(a[cut:] for a in arrays)
