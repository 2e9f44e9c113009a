"""Post-processing and the overlay of Fig. 11: pure functions with known answers."""

import numpy as np
import pytest

from batik_scratch import saliency
from batik_scratch.errors import InputError
from batik_scratch.saliency.overlay import BLUE


def test_channels_are_reduced_to_the_largest_absolute_value():
    maps = np.array([[[[1.0, -3.0, 2.0]]]])
    assert saliency.reduce_channels(maps).tolist() == [[[3.0]]]
    assert saliency.reduce_channels(maps, "sum").tolist() == [[[0.0]]]


def test_normalising_clips_at_the_percentile_image_by_image():
    maps = np.stack([np.arange(101.0).reshape(1, 101), 5 * np.arange(101.0).reshape(1, 101)])
    shades = saliency.normalise(maps, percentile=50)
    assert np.allclose(shades[0, 0, :51], np.arange(51) / 50) and (shades[0, 0, 50:] == 1).all()
    assert np.allclose(shades[0], shades[1])


def test_a_constant_map_becomes_zeros():
    with pytest.warns(UserWarning, match="2 constant maps"):
        assert not saliency.normalise(np.full((2, 4, 4), 7.0)).any()


def test_clipping_keeps_the_order_below_the_percentile():
    maps = np.arange(101.0).reshape(1, 101, 1)
    assert np.array_equal(saliency.clip_percentile(maps, 90)[0, :, 0], np.minimum(np.arange(101), 90))


def test_a_heat_map_gets_lighter_all_the_way():
    colours = saliency.heat_map(np.linspace(0, 1, 256).reshape(1, 1, -1))[0, 0].astype(float)
    assert (np.diff(colours @ [0.299, 0.587, 0.114]) >= 0).all() and colours[0].sum() == 0 and colours[-1].min() == 255


def test_a_contour_is_the_rim_of_the_region():
    maps = np.zeros((1, 7, 7))
    maps[0, 2:5, 2:5] = 1
    drawn = saliency.contour(np.zeros((1, 7, 7, 3), np.uint8), maps, colour=(9, 9, 9))[0, :, :, 0] == 9
    expected = maps[0] == 1
    expected[3, 3] = False
    assert np.array_equal(drawn, expected)
    with pytest.raises(InputError, match="normalise"):
        saliency.contour(np.zeros((1, 7, 7, 3), np.uint8), maps * 2)


def test_a_map_with_one_bright_pixel_keeps_it():
    maps = np.zeros((1, 20, 20))
    maps[0, 3, 4] = 2.0
    shades = saliency.normalise(maps)
    assert shades[0, 3, 4] == 1 and shades.sum() == 1


def test_overlay_is_the_image_where_the_map_is_zero_and_blue_where_it_is_one():
    image = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    assert np.array_equal(saliency.overlay(image, np.zeros((6, 5))), image)
    assert (saliency.overlay(image, np.ones((6, 5)), strength=1.0) == BLUE).all()


def test_the_amount_of_blue_depends_on_the_map_alone():
    rng = np.random.default_rng(1)
    shades = rng.random((4, 4))
    dark, bright = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 200, np.uint8)
    kept = (saliency.overlay(bright, shades).astype(int) - saliency.overlay(dark, shades)) / 200  # the image's share
    assert np.allclose(kept, (1 - 0.8 * shades)[..., None], atol=0.01)


def test_a_brighter_map_gives_more_blue():
    image = np.full((1, 11, 3), 90, np.uint8)
    blue = saliency.overlay(image, np.linspace(0, 1, 11)[None])[0, :, 2].astype(int)
    assert (np.diff(blue) > 0).all()


@pytest.mark.parametrize(
    ("images", "maps", "message"),
    [
        (np.zeros((4, 4, 3)), np.zeros((4, 4)), "uint8"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((5, 4)), "same size"),
        (np.zeros((4, 4, 3), np.uint8), np.full((4, 4), 2.0), "normalise"),
        (np.zeros((4, 4, 3), np.uint8), np.full((4, 4), np.nan), "normalise"),
    ],
)
def test_overlay_refuses_what_does_not_fit(images, maps, message):
    with pytest.raises(InputError, match=message):
        saliency.overlay(images, maps)


@pytest.mark.parametrize("function", [saliency.normalise, saliency.clip_percentile])
def test_a_map_with_a_nan_is_an_error_and_not_an_empty_map(function):
    maps = np.arange(25.0).reshape(1, 5, 5)
    maps[0, 2, 2] = np.nan
    with pytest.raises(InputError, match="NaN"):
        function(maps)
    with pytest.raises(InputError, match=r"maps\[None\]"):
        function(np.ones((5, 5)))


def test_no_maps_normalise_to_no_maps():
    assert saliency.normalise(np.zeros((0, 5, 5))).shape == (0, 5, 5)


@pytest.mark.parametrize("images", [np.zeros((1, 6, 5, 3), np.uint8), np.zeros((1, 5, 5, 3), np.float32)])
def test_a_contour_needs_pictures_of_the_maps_size(images):
    with pytest.raises(InputError, match="same size"):
        saliency.contour(images, np.zeros((1, 5, 5)))
