"""From raw maps to shades, colours and overlays: every number by hand, on pictures that are not square."""

import numpy as np
import pytest

from batik_scratch import saliency
from batik_scratch.errors import InputError


def three_maps():
    """(3, 4, 7), of very different ranges; none begins at 0."""
    rng = np.random.default_rng(1)
    return rng.random((3, 4, 7)) * np.array([1.0, 50.0, 0.01])[:, None, None] + 0.3


def percentile_by_hand(values, percentile):
    """The value at that share of the way through the sorted values, in between two where it falls between them."""
    ranked = sorted(values.ravel())
    place = percentile / 100 * (len(ranked) - 1)
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (place - low) * (ranked[high] - ranked[low])


@pytest.mark.parametrize("percentile", [1, 40, 90, 100, None])
def test_shades_are_a_share_of_the_way_from_the_least_to_the_percentile(percentile):
    maps = three_maps()
    found = saliency.normalise(maps) if percentile is None else saliency.normalise(maps, percentile)
    for one, shades in zip(maps, found, strict=True):
        high = percentile_by_hand(one, 99 if percentile is None else percentile)
        expected = np.clip((one - one.min()) / (high - one.min()), 0, 1)
        assert np.allclose(shades, expected, atol=1e-6)
    assert found.dtype == np.float32 and found.shape == (3, 4, 7)


@pytest.mark.parametrize("percentile", [1, 40, 90, 100, None])
def test_clipping_lowers_what_is_above_each_images_own_percentile(percentile):
    maps = three_maps()
    before = maps.copy()
    found = saliency.clip_percentile(maps) if percentile is None else saliency.clip_percentile(maps, percentile)
    for one, clipped in zip(maps, found, strict=True):
        high = percentile_by_hand(one, 99 if percentile is None else percentile)
        assert np.allclose(clipped, [[min(value, high) for value in row] for row in one], atol=1e-12)
    assert np.array_equal(maps, before)


@pytest.mark.parametrize("percentile", [0, -1, 100.5])
@pytest.mark.parametrize("function", [saliency.normalise, saliency.clip_percentile])
def test_a_percentile_lies_above_0_and_is_at_most_100(function, percentile):
    with pytest.raises(InputError, match=f"got {percentile}"):
        function(three_maps(), percentile)


def test_constant_maps_become_zeros_the_others_stay_and_the_callers_line_is_named():
    maps = np.concatenate([np.full((1, 4, 7), 2.5), three_maps(), np.zeros((1, 4, 7))])
    with pytest.warns(UserWarning, match="2 constant maps") as told:
        found = saliency.normalise(maps)
    assert not found[[0, 4]].any() and np.array_equal(found[1:4], saliency.normalise(three_maps()))
    assert told[0].filename == __file__


def test_a_sparse_map_keeps_its_peak_beside_a_map_that_is_clipped():
    maps = three_maps()
    maps[1] = 0.2
    maps[1, 3, 1], maps[1, 0, 6] = 5.2, 2.7
    found = saliency.normalise(maps, 90)  # the 90th percentile of the second is 0.2, no more than its least
    expected = np.zeros((4, 7))
    expected[3, 1], expected[0, 6] = 1, 0.5
    assert np.allclose(found[1], expected) and (found[0] == 1).sum() == 3


def test_channels_are_reduced_pixel_by_pixel():
    maps = np.random.default_rng(2).normal(size=(2, 3, 4, 3))
    for n, h, w in np.ndindex(2, 3, 4):
        assert saliency.reduce_channels(maps)[n, h, w] == max(abs(value) for value in maps[n, h, w])
        assert saliency.reduce_channels(maps, "sum")[n, h, w] == pytest.approx(sum(maps[n, h, w]))
    with pytest.raises(InputError, match="'mean'"):
        saliency.reduce_channels(maps, "mean")


# ---------------------------------------------------------------------- colours


def test_a_heat_map_goes_from_black_over_red_and_yellow_to_white():
    shades = np.array([[[0, 1 / 6, 1 / 3], [1 / 2, 2 / 3, 1]]])
    colours = [[[0, 0, 0], [128, 0, 0], [255, 0, 0]], [[255, 128, 0], [255, 255, 0], [255, 255, 255]]]
    found = saliency.heat_map(shades)
    assert np.array_equal(found[0], colours) and found.dtype == np.uint8
    assert saliency.heat_map(np.zeros((0, 3, 2))).shape == (0, 3, 2, 3)


def rim_by_hand(inside):
    """Pixels of the region with a neighbour, above, below, left or right, in the picture and outside of the region."""
    rim = np.zeros_like(inside)
    for n, h, w in np.argwhere(inside):
        for y, x in ((h - 1, w), (h + 1, w), (h, w - 1), (h, w + 1)):
            if 0 <= y < inside.shape[1] and 0 <= x < inside.shape[2] and not inside[n, y, x]:
                rim[n, h, w] = True
    return rim


@pytest.mark.parametrize("level", [None, 0.25, 0.75, 1.0])
def test_a_contour_is_drawn_on_a_copy_where_the_region_ends_within_the_picture(level):
    rng = np.random.default_rng(3)
    images = rng.integers(0, 250, (3, 9, 14, 3), np.uint8)
    maps = np.kron(rng.integers(0, 5, (3, 3, 4)) / 4, np.ones((1, 3, 3)))
    maps = np.concatenate([maps, maps[:, :, :2]], axis=2)  # (3, 9, 14)
    before = images.copy()
    if level is None:
        found, colour = saliency.contour(images, maps), (255, 255, 0)
        level = 0.5
    else:
        colour = (1, 252, 7)
        found = saliency.contour(images, maps, level, colour)
    rim = rim_by_hand(maps >= level)
    assert rim.any() and (found[rim] == colour).all() and np.array_equal(found[~rim], images[~rim])
    assert np.array_equal(images, before)


@pytest.mark.parametrize(
    "function", [saliency.heat_map, lambda maps: saliency.contour(np.zeros((1, 2, 3, 3), np.uint8), maps)]
)
def test_colours_need_maps_between_0_and_1(function):
    for wrong in (-0.01, 1.01, np.nan):
        maps = np.full((1, 2, 3), 0.5)
        maps[0, 1, 2] = wrong
        with pytest.raises(InputError, match="normalise"):
            function(maps)
    function(np.array([[[0, 0.5, 1], [1, 0, 0]]]))


# ---------------------------------------------------------------------- the overlay


@pytest.mark.parametrize(
    ("given", "strength", "colour"),
    [
        ({}, 0.8, (30, 110, 255)),
        ({"strength": 0.35}, 0.35, (30, 110, 255)),
        ({"strength": 1, "colour": (200, 3, 77)}, 1.0, (200, 3, 77)),
        ({"strength": 0}, 0.0, (30, 110, 255)),
    ],
)
def test_an_overlay_mixes_each_channel_by_the_map(given, strength, colour):
    rng = np.random.default_rng(4)
    images, maps = rng.integers(0, 256, (3, 4, 7, 3), np.uint8), rng.random((3, 4, 7))
    before = images.copy()
    found = saliency.overlay(images, maps, **given)
    for at in np.ndindex(*images.shape):
        w = strength * maps[at[:3]]
        assert abs(float(found[at]) - ((1 - w) * int(images[at]) + w * colour[at[3]])) <= 0.501
    assert found.dtype == np.uint8 and np.array_equal(images, before)
    for image, one, single in zip(images, maps, found, strict=True):
        assert np.array_equal(saliency.overlay(image, one, **given), single)


@pytest.mark.parametrize("strength", [-0.1, 1.1, np.nan])
def test_a_strength_lies_between_0_and_1(strength):
    with pytest.raises(InputError, match="between 0 and 1"):
        saliency.overlay(np.zeros((4, 7, 3), np.uint8), np.zeros((4, 7)), strength)


def test_an_overlay_of_no_images_is_none_and_a_negative_map_is_refused():
    assert saliency.overlay(np.zeros((0, 4, 7, 3), np.uint8), np.zeros((0, 4, 7))).shape == (0, 4, 7, 3)
    with pytest.raises(InputError, match="normalise"):
        saliency.overlay(np.zeros((4, 7, 3), np.uint8), np.full((4, 7), -0.1))
    for images in (np.zeros((4, 7, 4), np.uint8), np.zeros((4, 7), np.uint8), np.zeros((4, 7, 3), np.int64)):
        with pytest.raises(InputError, match="uint8 RGB"):
            saliency.overlay(images, np.zeros((4, 7)))
