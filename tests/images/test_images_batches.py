"""Batches: which images, in which order, with which labels, augmented by which draw."""

import numpy as np
import pytest

from batik_scratch.errors import InputError
from batik_scratch.images import AugmentedBatches, ImageAugmenter

N = 11
PIXELS = np.random.default_rng(3).integers(0, 256, (N, 4, 6, 3), dtype=np.uint8)
LABELS = (np.arange(N) * 7) % 5  # not in order


def epoch(batches):
    x, y = zip(*batches, strict=True)
    return np.concatenate(x), np.concatenate(y), [len(part) for part in x]


def which(x):
    """The row of each image, by its pixels."""
    same = (x[:, None] == (PIXELS / np.float32(255))[None]).all(axis=(2, 3, 4))  # (B, N)
    assert (same.sum(axis=1) == 1).all()
    return same.argmax(axis=1)


def test_without_an_augmenter_the_images_are_only_divided_by_255():
    x, y, sizes = epoch(AugmentedBatches(PIXELS, LABELS, 4, shuffle=False))
    assert x.dtype == np.float32 and np.array_equal(x, PIXELS / np.float32(255))
    assert np.array_equal(y, LABELS) and sizes == [4, 4, 3]


@pytest.mark.parametrize(("size", "expected"), [(1, 11), (5, 3), (10, 2), (11, 1), (12, 1)])
def test_the_number_of_batches_counts_the_short_one(size, expected):
    batches = AugmentedBatches(PIXELS, LABELS, size)
    assert len(batches) == len(list(batches)) == expected


def test_the_default_is_32_images_shuffled_without_augmentation_from_epoch_0_of_seed_0():
    many = np.repeat(PIXELS, 6, axis=0)
    plain = AugmentedBatches(many, np.arange(66))
    same = AugmentedBatches(many, np.arange(66), 32, None, 0, True, np.arange(66))
    assert plain.epoch == 0
    x, y, sizes = epoch(plain)
    assert sizes == [32, 32, 2] and not np.array_equal(y, np.arange(66))
    assert all(np.array_equal(a, b) for a, b in zip((x, y), epoch(same)[:2], strict=True))


def test_shuffled_labels_follow_their_images_and_each_comes_once():
    x, y, _ = epoch(AugmentedBatches(PIXELS, LABELS, 3, seed=5))
    rows = which(x)
    assert sorted(rows) == list(range(N)) and not np.array_equal(rows, np.arange(N))
    assert np.array_equal(y, LABELS[rows])


def test_rows_choose_who_takes_part_in_the_order_given():
    rows = np.array([8, 1, 1, 5, 10])
    batches = AugmentedBatches(PIXELS, LABELS, 2, shuffle=False, rows=rows)
    x, y, sizes = epoch(batches)
    assert len(batches) == 3 and sizes == [2, 2, 1]
    assert which(x).tolist() == rows.tolist() and np.array_equal(y, LABELS[rows])
    x, y, _ = epoch(AugmentedBatches(PIXELS, LABELS, 2, rows=[8, 1, 5, 10], seed=1))
    assert sorted(which(x)) == [1, 5, 8, 10] and np.array_equal(y, LABELS[which(x)])


def orders(seed, epochs=4, **options):
    batches = AugmentedBatches(PIXELS, LABELS, 4, seed=seed, **options)
    return [tuple(which(epoch(batches)[0])) for _ in range(epochs)]


def test_order_depends_on_seed_and_epoch_alone():
    assert len({*orders(5), *orders(6)}) == 8
    assert orders(5) == orders(5)
    later = AugmentedBatches(PIXELS, LABELS, 4, seed=5)
    later.epoch = 2
    assert tuple(which(epoch(later)[0])) == orders(5)[2] and later.epoch == 3


def test_an_epoch_does_not_depend_on_what_was_augmented_before():
    """The order is the same with and without an augmenter: `augment` draws from a stream of its own."""
    shifted = AugmentedBatches(PIXELS, LABELS, 4, ImageAugmenter(channel_shift_range=5), seed=5)
    plain = AugmentedBatches(PIXELS, LABELS, 4, seed=5)
    for _ in range(3):
        assert np.array_equal(epoch(shifted)[1], epoch(plain)[1])


def test_every_image_of_every_batch_draws_for_itself():
    """Equal images, shifted in value: what was added is read off the result."""
    grey = np.full((10, 3, 5, 1), 128, np.uint8)
    batches = AugmentedBatches(grey, np.arange(10), 4, ImageAugmenter(channel_shift_range=50, rescale=None), seed=2)
    first, second = epoch(batches)[0], epoch(batches)[0]
    added = np.concatenate([first, second])[:, 0, 0, 0] - 128
    assert len(set(added.tolist())) == 20 and np.abs(added).max() <= 50
    other = AugmentedBatches(grey, np.arange(10), 4, ImageAugmenter(channel_shift_range=50, rescale=None), seed=3)
    assert not set(epoch(other)[0][:, 0, 0, 0].tolist()) & set(first[:, 0, 0, 0].tolist())


def test_what_is_augmented_how_does_not_depend_on_the_order():
    grey = np.full((7, 3, 5, 1), 128, np.uint8)
    added = []
    for shuffle in (True, False):
        batches = AugmentedBatches(grey, np.arange(7), 3, ImageAugmenter(channel_shift_range=50), 4, shuffle)
        added.append(epoch(batches)[0][:, 0, 0, 0])
    assert np.array_equal(*added)


def test_augmented_batches_come_from_the_images_that_the_labels_name():
    flips = AugmentedBatches(PIXELS, np.arange(N), 4, ImageAugmenter(horizontal_flip=True), seed=9)
    x, y, _ = epoch(flips)
    for image, row in zip(x, y, strict=True):
        original = PIXELS[row] / 255
        assert np.allclose(image, original, atol=1e-6) or np.allclose(image, original[:, ::-1], atol=1e-6)


def test_a_mapped_file_serves_as_well_as_an_array_and_labels_may_be_a_list(tmp_path):
    np.save(tmp_path / "pixels.npy", PIXELS)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    x, y, _ = epoch(AugmentedBatches(mapped, LABELS.tolist(), 4, seed=1))
    expected = epoch(AugmentedBatches(PIXELS, LABELS, 4, seed=1))
    assert np.array_equal(x, expected[0]) and np.array_equal(y, expected[1])


@pytest.mark.parametrize(
    ("images", "labels"), [(PIXELS[0], LABELS[:4]), (PIXELS.astype(float), LABELS), (PIXELS, LABELS[:-1])]
)
def test_other_images_or_labels_are_refused(images, labels):
    with pytest.raises(InputError, match=f"uint8 images.*and {len(labels)} labels"):
        AugmentedBatches(images, labels)


@pytest.mark.parametrize("size", [0, -3])
def test_a_batch_has_at_least_one_image(size):
    with pytest.raises(InputError, match=f"batch_size needs a whole number >= 1, got {size}"):
        AugmentedBatches(PIXELS, LABELS, size)
