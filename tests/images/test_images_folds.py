"""Folds: every row validates once, classes in their shares, copies together, a seed, and clear refusals."""

import numpy as np
import pytest

from batik_scratch.errors import InputError
from batik_scratch.images import stratified_folds

LABELS = np.random.default_rng(2).permutation(np.repeat([3, 7, 1], [40, 12, 24]))


def test_every_class_gives_its_share_to_every_fold():
    fold = stratified_folds(LABELS, 4, seed=5)
    for label, count in ((1, 6), (3, 10), (7, 3)):
        assert np.bincount(fold[label == LABELS]).tolist() == [count] * 4


def test_seeds_differ_and_repeat():
    drawn = {tuple(stratified_folds(LABELS, 4, seed)) for seed in (0, 1, 2, 2**31)}
    assert len(drawn) == 4
    assert np.array_equal(stratified_folds(LABELS, 4, 3), stratified_folds(LABELS, 4, 3))


def test_copies_share_a_fold_and_count_once():
    rng = np.random.default_rng(4)
    picture = rng.permutation(np.concatenate([np.arange(40), np.arange(0, 40, 3)]))
    for seed in range(5):
        fold = stratified_folds(picture % 2, 4, seed, picture)
        for one in range(40):
            assert len(set(fold[picture == one])) == 1
        first = [fold[picture == one][0] for one in range(40)]
        assert np.bincount(first).tolist() == [10] * 4


def test_too_few_pictures_for_the_folds_are_refused_copies_not_counted():
    with pytest.raises(InputError, match="class 1 has 3 different pictures; 4 folds need 4"):
        stratified_folds(np.repeat([0, 1], [8, 3]), 4)
    with pytest.raises(InputError, match="class 1 has 2 different"):
        stratified_folds(np.repeat([0, 1], [4, 4]), 4, groups=np.array([0, 1, 2, 3, 4, 4, 4, 5]))
    with pytest.raises(InputError, match="needs a whole number >= 2"):
        stratified_folds(LABELS, 1)
