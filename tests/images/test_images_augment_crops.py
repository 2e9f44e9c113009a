"""Random windows and quarter turns: how they are drawn, where they read, and that no other option notices them."""

import numpy as np
import pytest
from scipy.stats import kstest, uniform

from batik_scratch import images
from batik_scratch.errors import InputError

H, W, MANY = 30, 70, 3000  # sizes that cannot be taken for each other
OTHERS = {
    "rotation_range": 40,
    "width_shift_range": 0.2,
    "height_shift_range": 0.3,
    "shear_range": 25,
    "zoom_range": (0.6, 1.5),
    "horizontal_flip": True,
    "vertical_flip": True,
    "brightness_range": (0.5, 1.6),
    "channel_shift_range": 60,
}
NEW = {"crop_area": (0.2, 0.9), "quarter_turns": True}


def draw(n=MANY, h=H, w=W, seed=3, **options):
    return images.ImageAugmenter(**options).draw(n, h, w, np.random.default_rng(seed))


def windows_of(transforms, h=H, w=W):
    """Sides (N, 2), and starts (N, 2) as shares of the room that they have, of transforms that only crop."""
    a = transforms.matrices
    assert (a[:, 0, 1] == 0).all() and (a[:, 1, 0] == 0).all()
    sides = a[:, [0, 1], [0, 1]]
    return sides, a[:, :, 2] / ((1 - sides) * [h - 1, w - 1])


def assert_uniform(values, low, high):
    assert low <= values.min() and values.max() <= high
    assert kstest(values, uniform(low, high - low).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("low", "high"), [(0.3, 1.0), (0.08, 0.5), (0.75, 0.8)])
def test_a_windows_share_of_the_area_is_uniform_and_its_place_too(low, high):
    sides, places = windows_of(draw(crop_area=(low, high)))
    assert_uniform(sides.prod(axis=1), low - 1e-12, high + 1e-12)
    for axis in (0, 1):
        assert_uniform(places[:, axis], 0, 1 + 1e-9)


def test_a_window_stretches_by_three_quarters_to_four_thirds_as_far_as_it_fits():
    sides, _ = windows_of(draw(crop_area=(0.3, 0.7)))
    assert_uniform(np.log(sides[:, 1] / sides[:, 0]), np.log(3 / 4), np.log(4 / 3))
    sides, _ = windows_of(draw(crop_area=(0.8, 1.0)))
    stretch = np.log(sides[:, 1] / sides[:, 0]) / -np.log(sides.prod(axis=1))
    assert_uniform(stretch, -1 - 1e-9, 1 + 1e-9)  # a window as large as the picture has its proportion
    assert sides.max() <= 1


def test_size_proportion_place_and_turn_know_nothing_of_each_other():
    sides, places = windows_of(draw(crop_area=(0.3, 0.7)))
    turns = draw(h=W, quarter_turns=True).matrices[:, :, 0]
    columns = [sides.prod(axis=1), sides[:, 1] / sides[:, 0], *places.T, *turns.T]
    assert np.abs(np.corrcoef(columns) - np.eye(6)).max() < 0.08
    assert np.abs([np.corrcoef(column[1:], column[:-1])[0, 1] for column in columns]).max() < 0.08


@pytest.mark.parametrize("area", [(0.05, 0.05), (0.3, 1.0), (0.97, 1.0), (1, 1)])
def test_a_window_shows_the_picture_and_never_what_is_outside(area):
    rows, columns = np.mgrid[:20, :33]
    batch = np.tile(np.stack([rows, columns], axis=2).astype(np.uint8), (200, 1, 1, 1))  # (200, 20, 33, 2)
    augmenter = images.ImageAugmenter(crop_area=area, fill_mode="constant", cval=255, rescale=None)
    got = augmenter(batch, np.random.default_rng(0))
    assert got.max() <= 32
    sides, _ = windows_of(augmenter.draw(200, 20, 33, np.random.default_rng(0)), 20, 33) if area != (1, 1) else (1, 1)
    assert np.allclose(np.ptp(got[..., 0], axis=(1, 2)), (sides * np.array([19, 32]))[..., 0], atol=1e-4)
    assert np.allclose(np.ptp(got[..., 1], axis=(1, 2)), (sides * np.array([19, 32]))[..., 1], atol=1e-4)


def test_the_whole_picture_as_window_changes_no_bit():
    batch = np.random.default_rng(1).integers(0, 256, (9, 5, 8, 3), dtype=np.uint8)
    whole = images.ImageAugmenter(crop_area=(1, 1), rescale=None, fill_mode="constant", cval=9)
    assert np.array_equal(whole(batch, np.random.default_rng(0)), batch)


def test_a_quarter_turn_alone_is_rot90_to_the_last_bit_each_a_quarter_of_the_times():
    batch = np.random.default_rng(2).integers(0, 256, (2000, 3, 3, 2), dtype=np.uint8)
    got = images.ImageAugmenter(quarter_turns=True, rescale=None)(batch, np.random.default_rng(0))
    turned = np.stack([np.rot90(batch, k, axes=(1, 2)) for k in range(4)])  # (4, 2000, 3, 3, 2)
    times = (got == turned).all(axis=(2, 3, 4)).sum(axis=1)  # (4,)
    assert times.sum() == 2000 and np.allclose(times, 500, atol=80)


@pytest.mark.parametrize("flips", [["horizontal_flip"], ["vertical_flip"], ["horizontal_flip", "vertical_flip"]])
@pytest.mark.parametrize("mode", ["nearest", "constant", "reflect", "wrap"])
def test_with_a_flip_or_both_all_eight_views_are_equally_likely_and_exact(flips, mode):
    batch = np.random.default_rng(2).integers(0, 256, (4000, 4, 4, 1), dtype=np.uint8)
    options = dict.fromkeys(flips, True) | {"quarter_turns": True, "rescale": None, "fill_mode": mode, "cval": 7}
    got = images.ImageAugmenter(**options)(batch, np.random.default_rng(0))
    times = [(got == view).all(axis=(1, 2, 3)).sum() for view in images.eight_views(batch)]
    assert sum(times) == 4000 and np.allclose(times, 500, atol=100)


def three_by_three(matrices):
    return np.concatenate([matrices, np.tile([[[0.0, 0, 1]]], (len(matrices), 1, 1))], axis=1)  # (N, 3, 3)


@pytest.mark.parametrize("left_out", [*OTHERS, *NEW])
def test_crop_comes_first_and_turn_last_and_neither_changes_what_any_other_option_draws(left_out):
    """Also in the second batch of a generator, and with any one option left out."""

    def two_batches(**options):
        augmenter, rng = images.ImageAugmenter(**options), np.random.default_rng(3)
        drawn = [augmenter.draw(60, W, W, rng) for _ in range(2)]
        return drawn, rng.bit_generator.state

    rest = {name: value for name, value in (OTHERS | NEW).items() if name != left_out}
    together, after = two_batches(**rest)
    others, before = two_batches(**{name: value for name, value in rest.items() if name in OTHERS})
    crop, turn = (two_batches(**{name: NEW[name]} if name in rest else {})[0] for name in NEW)
    assert before == after  # nothing is taken from the stream that all the batches of an epoch share
    for got, other, cropping, turning in zip(together, others, crop, turn, strict=True):
        expected = [three_by_three(part.matrices) for part in (cropping, other, turning)]
        assert np.allclose(got.matrices, (expected[0] @ expected[1] @ expected[2])[:, :2])
        assert np.array_equal(got.offsets, other.offsets) and np.array_equal(got.brightness, other.brightness)
    for part, name in ((crop, "crop_area"), (turn, "quarter_turns")):
        assert (name == left_out) == np.array_equal(part[0].matrices, part[1].matrices)


def test_what_lies_around_the_window_is_seen_before_any_fill():
    batch = np.full((300, 40, 40, 1), 50, np.uint8)
    augmenter = images.ImageAugmenter(crop_area=(0.2, 0.2), rotation_range=45, fill_mode="constant", cval=0)
    a = augmenter.draw(300, 40, 40, np.random.default_rng(0)).matrices
    corners = np.einsum("nab,bk->nak", a, [[0, 0, 39, 39], [0, 39, 0, 39], [1, 1, 1, 1]])  # (N, 2, 4)
    inside = ((corners >= 0) & (corners <= 39)).all(axis=(1, 2))
    got = augmenter(batch, np.random.default_rng(0))
    assert 50 < inside.sum() < 300 and np.allclose(got[inside], 50 / 255) and (got[~inside] == 0).any()


def test_epochs_differ_repeat_and_can_be_resumed_with_crops_and_turns():
    pixels = np.random.default_rng(3).integers(0, 256, (10, 6, 6, 3), dtype=np.uint8)

    def epochs(first, count):
        batches = images.AugmentedBatches(pixels, np.arange(10), 4, images.ImageAugmenter(**NEW), seed=7)
        batches.epoch = first
        return [np.concatenate([x for x, _ in batches]) for _ in range(count)]

    whole = epochs(0, 3)
    assert np.array_equal(whole, epochs(0, 3)) and np.array_equal(whole[1:], epochs(1, 2))
    assert not np.array_equal(whole[0], whole[1])


def test_quarter_turns_of_oblong_images_are_refused():
    augmenter = images.ImageAugmenter(quarter_turns=True)
    with pytest.raises(InputError, match="quarter_turns needs square images, got 5 x 8; make them square"):
        augmenter(np.zeros((2, 5, 8, 3), np.uint8), np.random.default_rng(0))


@pytest.mark.parametrize("area", [(0, 1), (-0.1, 0.5), (0.5, 1.1), (0.6, 0.5), (0.5,), (), 0.5, (np.nan, 1)])
def test_a_window_that_is_no_share_of_the_area_is_refused(area):
    with pytest.raises(InputError, match=r"crop_area is .low, high. with 0 < low <= high <= 1, or None; got ") as error:
        images.ImageAugmenter(crop_area=area)
    assert repr(area) in str(error.value)
