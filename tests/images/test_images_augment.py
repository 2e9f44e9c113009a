"""Augmentation against closed forms, and the fast pass against the plain one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batik_scratch import images
from batik_scratch.errors import InputError
from batik_scratch.images.augment import affine_matrices
from batik_scratch.images.warp import FILL_MODES, Transforms, warp, warp_plain
from batik_scratch.ops import threads


def moved(image, turn=0.0, down=0.0, right=0.0, shear=0.0, zoom=(1.0, 1.0), mode="nearest", cval=0.0):
    """One float image (H, W, C) in [0, 1] under one transform."""
    one = lambda value: np.array([value], float)  # noqa: E731
    matrices = affine_matrices(one(turn), one(down), one(right), one(shear), np.array([zoom], float), *image.shape[:2])
    return warp(image[None], Transforms(matrices, np.zeros(1), np.ones(1)), mode, cval, 1.0, 1.0)[0]


@pytest.fixture
def image():
    return np.random.default_rng(0).random((7, 7, 3)).astype(np.float32)


def test_nothing_asked_changes_nothing(image):
    assert np.array_equal(moved(image), image)
    batch = np.random.default_rng(1).integers(0, 256, (3, 5, 6, 3), dtype=np.uint8)
    got = images.ImageAugmenter()(batch, np.random.default_rng(0))
    assert np.allclose(got, batch / 255, atol=1e-7) and got.dtype == np.float32


def test_a_quarter_turn_is_rot90(image):
    assert np.allclose(moved(image, turn=np.pi / 2), np.rot90(image, -1), atol=1e-5)


def test_a_shift_reads_from_further_down_and_right(image):
    assert np.allclose(moved(image, down=2)[:5], image[2:], atol=1e-6)
    assert np.allclose(moved(image, right=3)[:, :4], image[:, 3:], atol=1e-6)


def test_half_a_pixel_is_the_mean_of_two(image):
    assert np.allclose(moved(image, right=0.5)[:, :6], (image[:, :6] + image[:, 1:]) / 2, atol=1e-6)


def test_a_zoom_above_one_shrinks_the_content():
    image = np.zeros((9, 9, 1), np.float32)
    image[2:7, 2:7] = 1
    assert moved(image, zoom=(2, 2)).sum() < image.sum() < moved(image, zoom=(0.5, 0.5)).sum()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("nearest", [2, 2, 2, 1, 0]),
        ("reflect", [1, 2, 2, 1, 0]),
        ("wrap", [1, 0, 2, 1, 0]),
        ("constant", [9, 9, 2, 1, 0]),
    ],
)
def test_fill_modes(mode, expected):
    row = np.array([0, 1, 2, 3, 4], np.float32).reshape(1, 5, 1) / 10
    row = np.concatenate([row[:, 2::-1], row[:, :2] * 0 - 1], axis=1)[:, :3]  # 2 1 0
    got = moved(np.repeat(row, 3, 0), right=-2, mode=mode, cval=0.9)[1]
    assert np.allclose(got.ravel()[:3] * 10, expected[:3] if mode != "wrap" else [1, 0, 2], atol=1e-5)


@given(
    st.integers(1, 3),
    st.integers(2, 9),
    st.integers(2, 9),
    st.sampled_from(FILL_MODES),
    st.booleans(),
    st.integers(0, 9999),
)
def test_the_fast_pass_agrees_with_the_plain_one(n, h, w, mode, as_uint8, seed):
    rng = np.random.default_rng(seed)
    batch = rng.integers(0, 256, (n, h, w, 2), dtype=np.uint8) if as_uint8 else rng.random((n, h, w, 2))
    top = 255.0 if as_uint8 else 1.0
    augmenter = images.ImageAugmenter(40, 0.3, 0.3, 20, 0.3, True, True, (0.5, 1.5), 0.2 * top, mode)
    transforms = augmenter.draw(n, h, w, rng)
    arguments = (transforms, mode, 0.3 * top, top, 1 / top)
    difference = np.abs(warp(batch, *arguments) - warp_plain(batch, *arguments))
    # at a jump (the edge of "constant", the seam of "wrap") rounding may choose the other side
    assert np.quantile(difference, 0.97) < 2e-5


@pytest.mark.parametrize("count", [0, 1, 5])
def test_an_image_does_not_depend_on_how_many_threads_share_the_batch(count):
    batch = np.random.default_rng(2).integers(0, 256, (count, 9, 8, 3), dtype=np.uint8)
    augmenter = images.ImageAugmenter(40, 0.3, 0.3, zoom_range=0.3)
    most, got = threads.count(), []
    for used in (1, most):
        threads.use(used)
        got.append(augmenter(batch, np.random.default_rng(0)))
    assert got[0].shape == batch.shape and np.array_equal(*got)


def test_flips_alone_are_exact():
    batch = np.random.default_rng(2).integers(0, 256, (40, 4, 5, 3), dtype=np.uint8)
    got = images.ImageAugmenter(horizontal_flip=True, rescale=None)(batch, np.random.default_rng(0))
    flipped = np.array([np.allclose(g, b[:, ::-1]) for g, b in zip(got, batch, strict=True)])
    same = np.array([np.allclose(g, b) for g, b in zip(got, batch, strict=True)])
    assert (flipped ^ same).all() and 8 < flipped.sum() < 32


def test_epochs_differ_repeat_and_can_be_resumed():
    pixels = np.random.default_rng(3).integers(0, 256, (10, 6, 6, 3), dtype=np.uint8)
    labels = np.arange(10)

    def make():
        return images.AugmentedBatches(pixels, labels, 4, images.ImageAugmenter(20, zoom_range=0.2), seed=7)

    def epoch(batches):
        x, y = zip(*batches, strict=True)
        return np.concatenate(x), np.concatenate(y)

    batches = make()
    first, second = epoch(batches), epoch(batches)
    assert len(batches) == 3 and sorted(first[1]) == list(range(10))
    assert not np.array_equal(first[1], second[1])
    resumed = make()
    resumed.epoch = 1
    assert all(np.array_equal(a, b) for a, b in zip(epoch(resumed), second, strict=True))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rotation_range": -1}, "rotation_range"),
        ({"zoom_range": 1.0}, "zoom_range"),
        ({"fill_mode": "mirror"}, "nearest"),
    ],
)
def test_wrong_options_are_explained(wrong, message):
    with pytest.raises(InputError, match=message):
        images.ImageAugmenter(**wrong)
