"""Each augmentation option alone: what it does to its axis, within which bounds, how distributed; then all together."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform
from scipy.stats import kstest, uniform

from batik_scratch.errors import InputError
from batik_scratch.images import ImageAugmenter

H, W, MANY = 30, 70, 3000  # sizes that cannot be taken for each other


def draw(n=MANY, h=H, w=W, seed=3, **options):
    return ImageAugmenter(**options).draw(n, h, w, np.random.default_rng(seed))


def about_centre(linear):
    """Input places of output (i, j, 1) where only `linear` (N, 2, 2) acts, about the middle of the picture."""
    centre = np.array([(H - 1) / 2, (W - 1) / 2])
    return np.concatenate([linear, (centre - linear @ centre)[:, :, None]], axis=2)  # (N, 2, 3)


def assert_uniform(values, low, high):
    assert low <= values.min() and values.max() <= high
    assert kstest(values, uniform(low, high - low).cdf).pvalue > 1e-3


def assert_nothing_else(transforms, but=""):
    if but != "matrices":
        assert np.allclose(transforms.matrices, [[1, 0, 0], [0, 1, 0]])
    if but != "offsets":
        assert (transforms.offsets == 0).all()
    if but != "brightness":
        assert (transforms.brightness == 1).all()


def test_without_options_every_image_stays_where_it_is():
    assert_nothing_else(draw(n=50))


def test_rotation_is_in_degrees_either_way_about_the_centre():
    transforms = draw(rotation_range=25)
    a = transforms.matrices
    turn = np.arctan2(a[:, 1, 0], a[:, 0, 0])
    cos, sin = np.cos(turn), np.sin(turn)
    assert np.allclose(a, about_centre(np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)))
    assert_uniform(np.rad2deg(turn), -25, 25)
    assert_nothing_else(transforms, "matrices")


@pytest.mark.parametrize(("option", "axis", "length"), [("width_shift_range", 1, W), ("height_shift_range", 0, H)])
def test_a_shift_is_a_fraction_of_its_own_side(option, axis, length):
    transforms = draw(**{option: 0.2})
    shift = transforms.matrices[:, :, 2]  # (N, 2) rows, columns
    assert np.allclose(transforms.matrices[:, :, :2], np.eye(2)) and (shift[:, 1 - axis] == 0).all()
    assert_uniform(shift[:, axis], -0.2 * length, 0.2 * length)
    assert_nothing_else(transforms, "matrices")


def test_shear_slants_along_the_rows_and_squeezes_the_columns():
    transforms = draw(shear_range=35)
    a = transforms.matrices
    shear = np.arcsin(-a[:, 0, 1])
    one, zero = np.ones(MANY), np.zeros(MANY)
    assert np.allclose(a, about_centre(np.array([[one, -np.sin(shear)], [zero, np.cos(shear)]]).transpose(2, 0, 1)))
    assert_uniform(np.rad2deg(shear), -35, 35)
    assert_nothing_else(transforms, "matrices")


@pytest.mark.parametrize(
    ("zoom_range", "low", "high"), [(0.3, 0.7, 1.3), ((1.2, 1.9), 1.2, 1.9), ([0.25, 0.5], 0.25, 0.5)]
)
def test_zoom_draws_each_axis_of_its_own(zoom_range, low, high):
    transforms = draw(zoom_range=zoom_range)
    zoom = transforms.matrices[:, [0, 1], [0, 1]]  # (N, 2)
    assert np.allclose(transforms.matrices, about_centre(zoom[:, :, None] * np.eye(2)))
    for axis in (0, 1):
        assert_uniform(zoom[:, axis], low, high)
    assert abs(np.corrcoef(zoom.T)[0, 1]) < 0.06
    assert ImageAugmenter(zoom_range=zoom_range).zoom_limits == (low, high)
    assert_nothing_else(transforms, "matrices")


@pytest.mark.parametrize(("option", "axis", "length"), [("horizontal_flip", 1, W), ("vertical_flip", 0, H)])
def test_half_of_the_images_flip_along_the_axis_asked_for(option, axis, length):
    transforms = draw(**{option: True})
    upright = np.array([[1.0, 0, 0], [0, 1, 0]])
    flipped = upright.copy()
    flipped[axis] = [0, 0, length - 1]
    flipped[axis, axis] = -1
    is_flipped = (transforms.matrices == flipped).all(axis=(1, 2))
    assert (is_flipped ^ (transforms.matrices == upright).all(axis=(1, 2))).all()
    assert 0.47 < is_flipped.mean() < 0.53
    assert_nothing_else(transforms, "matrices")


def test_the_two_flips_know_nothing_of_each_other():
    signs = np.sign(draw(horizontal_flip=True, vertical_flip=True).matrices[:, [0, 1], [0, 1]])  # (N, 2)
    shares = [np.mean((signs == wanted).all(axis=1)) for wanted in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    assert np.allclose(shares, 0.25, atol=0.03)


def test_channel_shift_and_brightness_stay_in_their_ranges():
    transforms = draw(channel_shift_range=40)
    assert_uniform(transforms.offsets, -40, 40)
    assert_nothing_else(transforms, "offsets")
    transforms = draw(brightness_range=(0.6, 1.7))
    assert_uniform(transforms.brightness, 0.6, 1.7)
    assert_nothing_else(transforms, "brightness")


ALL = {
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


def three_by_three(matrices):
    return np.concatenate([matrices, np.tile([[[0.0, 0, 1]]], (len(matrices), 1, 1))], axis=1)  # (N, 3, 3)


def test_all_together_are_rotation_shift_shear_zoom_as_in_keras_and_then_the_flips():
    """An option changes nothing of what the others draw, so that each one's matrix can be drawn alone."""
    n, alone = 60, {name: draw(60, **{name: value}) for name, value in ALL.items()}
    matrix = {name: three_by_three(transforms.matrices) for name, transforms in alone.items()}
    shift = matrix["width_shift_range"] @ matrix["height_shift_range"]
    to_centre, back = np.eye(3), np.eye(3)
    to_centre[:2, 2] = (H - 1) / 2, (W - 1) / 2
    back[:2, 2] = -to_centre[:2, 2]
    middle = [back @ matrix[f"{name}_range"] @ to_centre for name in ("rotation", "shear", "zoom")]
    expected = to_centre @ middle[0] @ shift @ middle[1] @ middle[2] @ back  # (N, 3, 3)
    expected = expected @ matrix["vertical_flip"] @ matrix["horizontal_flip"]
    together = draw(n, **ALL)
    assert np.allclose(together.matrices, expected[:, :2])
    assert np.array_equal(together.offsets, alone["channel_shift_range"].offsets)
    assert np.array_equal(together.brightness, alone["brightness_range"].brightness)


@pytest.mark.parametrize("left_out", ALL)
def test_an_option_more_or_less_leaves_what_the_others_draw_in_this_batch_and_the_next(left_out):
    both = []
    for options in (ALL, {name: value for name, value in ALL.items() if name != left_out}):
        augmenter, rng = ImageAugmenter(**options), np.random.default_rng(3)
        both.append([augmenter.draw(5, H, W, rng) for _ in range(2)])
    moves = left_out not in ("channel_shift_range", "brightness_range")
    for whole, rest in zip(*both, strict=True):
        assert moves or np.array_equal(whole.matrices, rest.matrices)
        assert left_out == "channel_shift_range" or np.array_equal(whole.offsets, rest.offsets)
        assert left_out == "brightness_range" or np.array_equal(whole.brightness, rest.brightness)


def test_no_two_draws_move_together():
    """Rotation, shifts, shear, zooms, flips, channel shift and brightness: nothing is drawn once for two."""
    alone = {name: draw(**{name: value}) for name, value in ALL.items()}
    number = {name: alone[name].matrices.reshape(MANY, 6) for name in ALL}
    columns = [
        number["rotation_range"][:, 3],
        number["width_shift_range"][:, 5],
        number["height_shift_range"][:, 2],
        number["shear_range"][:, 1],
        number["zoom_range"][:, 0],
        number["zoom_range"][:, 4],
        number["horizontal_flip"][:, 4],
        number["vertical_flip"][:, 0],
        alone["channel_shift_range"].offsets,
        alone["brightness_range"].brightness,
    ]
    correlation = np.abs(np.corrcoef(columns) - np.eye(len(columns)))
    assert correlation.max() < 0.08
    neighbours = [np.corrcoef(column[1:], column[:-1])[0, 1] for column in columns]
    assert np.abs(neighbours).max() < 0.08  # each image draws for itself


@pytest.mark.parametrize("dtype", ["uint8", "float64", "float32"])
@pytest.mark.parametrize("mode", ["nearest", "constant", "reflect", "wrap"])
def test_calling_it_is_drawing_reading_by_scipy_shifting_brightening_and_rescaling(dtype, mode):
    rng = np.random.default_rng(8)
    top = 255 if dtype == "uint8" else 1
    batch = (rng.random((4, 6, 9, 3)) * top).astype(dtype)
    options = ALL | {"channel_shift_range": 0.3 * top, "fill_mode": mode, "cval": 0.7 * top}
    augmenter = ImageAugmenter(**options, rescale=0.5)
    transforms = augmenter.draw(4, 6, 9, np.random.default_rng(21))
    expected = np.empty(batch.shape)
    how = {"mode": "grid-wrap" if mode == "wrap" else mode, "order": 1, "cval": 0.7 * top}
    for n, c in np.ndindex(4, 3):
        a = transforms.matrices[n]
        read = affine_transform(batch[n, :, :, c].astype(float), a[:, :2], a[:, 2], **how)
        shifted = np.clip(read + transforms.offsets[n], 0, top)
        expected[n, :, :, c] = 0.5 * np.clip(shifted * transforms.brightness[n], 0, top)
    got = augmenter(batch, np.random.default_rng(21))
    assert got.dtype == np.float32 and np.allclose(got, expected, atol=1e-5 * top)


def test_the_generator_alone_decides_and_goes_on():
    batch = np.random.default_rng(1).integers(0, 256, (3, 5, 8, 1), dtype=np.uint8)
    augmenter = ImageAugmenter(rotation_range=30)
    rng = np.random.default_rng(5)
    first, second = augmenter(batch, rng), augmenter(batch, rng)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, augmenter(batch, np.random.default_rng(5)))
    assert not np.array_equal(first, augmenter(batch, np.random.default_rng(6)))


def test_defaults_scale_bytes_to_one_repeat_the_edge_and_fill_with_black():
    batch = np.array([[[[51], [255]]]], np.uint8)
    assert np.allclose(ImageAugmenter()(batch, np.random.default_rng(0)).ravel(), [0.2, 1])
    assert np.allclose(ImageAugmenter(rescale=None)(batch, np.random.default_rng(0)).ravel(), [51, 255])
    plain = ImageAugmenter()
    assert (plain.fill_mode, plain.cval, plain.rescale) == ("nearest", 0, 1 / 255)
    assert not (plain.horizontal_flip or plain.vertical_flip or plain.brightness_range)


RANGES = ["rotation_range", "width_shift_range", "height_shift_range", "shear_range", "channel_shift_range"]


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("value", [-0.001, float("inf"), float("nan"), "3", None, (1, 2)])
def test_a_range_is_a_finite_number_from_zero_up(name, value):
    with pytest.raises(InputError, match=f"{name} needs a number >= 0") as error:
        ImageAugmenter(**{name: value})
    assert repr(value) in str(error.value)


@pytest.mark.parametrize("name", RANGES)
def test_zero_and_whole_numbers_are_ranges(name):
    assert getattr(ImageAugmenter(**{name: 0}), name) == 0 and getattr(ImageAugmenter(**{name: 2}), name) == 2


@pytest.mark.parametrize("value", [1, 1.0, 1.5, (0, 2), (-0.5, 1), (0.0, 1.0)])
def test_a_zoom_that_reaches_zero_is_refused(value):
    with pytest.raises(InputError, match="zoom_range is below 1"):
        ImageAugmenter(zoom_range=value)


def test_a_zoom_just_above_zero_is_allowed():
    assert ImageAugmenter(zoom_range=0.99).zoom_limits == pytest.approx((0.01, 1.99))
    assert ImageAugmenter(zoom_range=(0.01, 0.02)).zoom_limits == (0.01, 0.02)
