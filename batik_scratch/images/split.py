"""Who trains and who validates: stratified by class, by identity, with a seed."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split

from ..errors import InputError
from .folders import MIN_PER_CLASS


@dataclass(frozen=True)
class Split:
    """Row numbers of the training and of the validation images, both sorted."""

    train: np.ndarray
    validation: np.ndarray


def stratified_split(
    labels: np.ndarray, validation_fraction: float = 0.25, seed: int = 0, groups: np.ndarray | None = None
) -> Split:
    """Split rows 0..N-1 so that every class has its share on both sides.

    labels (N,) are classes. Rows of equal `groups` (N,) are copies of one picture and stay together, on the side to
    which the group's first row is drawn. Raises InputError if a class has fewer than 4 images, or if all of it falls to
    one side.
    """
    labels = np.asarray(labels)
    for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
        if count < MIN_PER_CLASS:
            raise InputError(f"split: class {label} has {count} images; each class needs at least {MIN_PER_CLASS}")
    if not 0 < validation_fraction < 1:
        raise InputError(f"split: validation_fraction is above 0 and below 1, got {validation_fraction!r}")
    _, first, unit = np.unique(
        np.arange(len(labels)) if groups is None else groups, return_index=True, return_inverse=True
    )
    try:
        _, held_out = train_test_split(
            np.arange(len(first)), test_size=validation_fraction, random_state=seed % 2**32, stratify=labels[first]
        )
    except ValueError as error:  # a class whose pictures are all copies of one another, or too small a share
        raise InputError(
            f"split: the classes cannot all be on both sides ({error}); add images, or change the share"
        ) from None
    is_validation = np.isin(unit, held_out)  # (N,)
    train, validation = np.flatnonzero(~is_validation), np.flatnonzero(is_validation)
    missing = set(np.unique(labels)) - (set(labels[train]) & set(labels[validation]))
    if missing:
        raise InputError(
            f"split: class {min(missing)} would be on one side only; give it more images, or change the validation "
            "share"
        )
    return Split(train, validation)
