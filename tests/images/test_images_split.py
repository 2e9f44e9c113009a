"""The split: shares per class, groups whole, a seed, and clear refusals."""

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from batik_scratch.errors import InputError
from batik_scratch.images import stratified_split

LABELS = np.random.default_rng(2).permutation(np.repeat([3, 7, 1], [40, 12, 24]))


@pytest.mark.parametrize(("fraction", "counts"), [(0.25, (6, 10, 3)), (0.5, (12, 20, 6)), (0.75, (18, 30, 9))])
def test_every_class_gives_its_share_to_validation(fraction, counts):
    split = stratified_split(LABELS, fraction, seed=4)
    assert [np.sum(LABELS[split.validation] == label) for label in (1, 3, 7)] == list(counts)
    assert np.array_equal(np.sort(np.concatenate([split.train, split.validation])), np.arange(76))
    for rows in (split.train, split.validation):
        assert np.array_equal(rows, np.sort(rows))


def test_a_quarter_validates_unless_asked_otherwise_by_seed_0():
    split, same = stratified_split(LABELS), stratified_split(LABELS, 0.25, 0)
    assert len(split.validation) == 19 and np.array_equal(split.validation, same.validation)


@pytest.mark.parametrize("seed", [0, 5, 2**32 - 1, 2**32 + 5])
def test_who_validates_is_what_scikit_learn_draws_with_the_seed(seed):
    _, expected = train_test_split(np.arange(76), test_size=0.25, random_state=seed % 2**32, stratify=LABELS)
    assert np.array_equal(stratified_split(LABELS, seed=seed).validation, np.sort(expected))


def test_seeds_differ():
    drawn = {tuple(stratified_split(LABELS, seed=seed).validation) for seed in range(20)}
    assert len(drawn) == 20


def test_groups_are_drawn_whole_and_only_once_whatever_their_numbers():
    """70 pictures, some of them twice or three times: as if each picture were drawn, and its copies went with it."""
    rng = np.random.default_rng(6)
    picture = rng.permutation(np.concatenate([np.arange(70), [4, 4, 9, 33, 60]]))
    names = rng.permutation(1000)[:70] - 300
    labels = picture % 3
    split = stratified_split(labels, 0.3, seed=8, groups=names[picture])
    assert not set(picture[split.train]) & set(picture[split.validation])
    assert len(set(picture[split.validation])) == 21
    by_name = np.argsort(names)  # groups are drawn in the order of their numbers
    _, expected = train_test_split(np.arange(70), test_size=0.3, random_state=8, stratify=by_name % 3)
    assert set(picture[split.validation]) == set(by_name[expected])


def test_a_group_across_classes_counts_for_its_first_rows_class():
    labels = np.array([0, 1] * 8 + [1, 0])
    groups = np.array([*range(16), 0, 1])
    for seed in range(6):
        split = stratified_split(labels, 0.5, seed, groups)
        firsts = split.validation[split.validation < 16]
        assert np.bincount(labels[firsts]).tolist() == [4, 4]
        assert (16 in split.validation) == (0 in split.validation)
        assert (17 in split.validation) == (1 in split.validation)


def test_four_images_of_a_class_are_enough_and_three_are_not():
    split = stratified_split(np.repeat([5, 2], 4))
    assert len(split.validation) == 2
    with pytest.raises(InputError, match="class 2 has 3 images; each class needs at least 4"):
        stratified_split(np.array([5] * 9 + [2] * 3))


@pytest.mark.parametrize("fraction", [0, 1, -0.25, 1.5, 0.0, 1.0])
def test_a_share_of_nothing_or_everything_is_refused(fraction):
    with pytest.raises(InputError, match=f"above 0 and below 1, got {fraction!r}"):
        stratified_split(LABELS, fraction)


def test_a_share_too_small_for_every_class_is_refused():
    with pytest.raises(InputError, match="both sides"):
        stratified_split(np.repeat([0, 1, 2], 4), 0.1)


def test_a_class_of_one_picture_copied_is_refused():
    labels = np.repeat([0, 1], [8, 5])
    with pytest.raises(InputError, match="both sides"):
        stratified_split(labels, groups=np.array([*range(8), 9, 9, 9, 9, 9]))


def test_a_class_that_falls_to_one_side_is_named():
    """Class 2 is copies of class 1's pictures only: nothing of it is drawn, and its rows go where those go."""
    labels = np.array([0] * 8 + [1] * 8 + [2] * 4)
    groups = np.array([*range(16), 8, 8, 8, 8])
    with pytest.raises(InputError, match="class 2 would be on one side only"):
        stratified_split(labels, 0.5, groups=groups)
