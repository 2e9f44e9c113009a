"""Cross-validation: every image validates once, its copies beside it."""

import warnings

import numpy as np
from sklearn.model_selection import StratifiedKFold

from ..errors import InputError


def stratified_folds(labels: np.ndarray, folds: int, seed: int = 0, groups: np.ndarray | None = None) -> np.ndarray:
    """The fold of each row (N,), 0 to folds - 1, so that every class has its share in each.

    labels (N,) are classes. Rows of equal `groups` (N,) are copies of one picture and share the fold to which the
    group's first row is drawn. Raises InputError if a class has fewer pictures than there are folds.
    """
    labels = np.asarray(labels)
    if folds < 2:
        raise InputError(f"folds: needs a whole number >= 2, got {folds!r}")
    _, first, unit = np.unique(
        np.arange(len(labels)) if groups is None else groups, return_index=True, return_inverse=True
    )
    for label in np.unique(labels):
        pictures = int((labels[first] == label).sum())
        if pictures < folds:
            raise InputError(
                f"folds: class {label} has {pictures} different pictures; {folds} folds need {folds} of each class. "
                "Add images, or ask for fewer folds"
            )
    fold = np.empty(len(first), np.int64)  # (pictures,)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number, (_, held_out) in enumerate(splitter.split(first, labels[first])):
            fold[held_out] = number
    return fold[unit]  # (N,)
