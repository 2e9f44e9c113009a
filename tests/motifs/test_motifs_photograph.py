"""The camera and the photograph: each effect alone, with its strength, and none of it where the set is easy."""

import functools
import io

import numpy as np
import pytest
from PIL import Image

from batik_scratch.motifs.camera import take_view
from batik_scratch.motifs.photograph import expose

N = 48


def views(difficulty, count=400, size=8):
    return [take_view(np.random.default_rng([5, seed]), size, difficulty) for seed in range(count)]


def test_at_difficulty_0_the_camera_looks_straight_at_flat_cloth():
    for view in views(0.0, 30, 16):
        rows, columns = np.diff(view.y[:, :1], axis=0), np.diff(view.x[:1], axis=1)
        assert np.allclose(rows, view.pixel, atol=1e-5) and np.allclose(columns, view.pixel, atol=1e-5)
        assert np.allclose(view.x, view.x[:1]) and np.allclose(view.y, view.y[:, :1]) and (view.shade == 1).all()
        assert 1.6 <= 16 * view.pixel <= 2.0 and view.drawn["span"] == pytest.approx(16 * view.pixel, abs=1e-3)
        assert [view.drawn[key] for key in ("rotation_degrees", "quarter_turns", "tilt", "fold")] == [0, 0, 0, 0]


def test_a_view_is_single_precision_and_anywhere_on_the_cloth():
    found = views(0.3)
    assert found[0].x.dtype == found[0].y.dtype == np.float32 and found[0].x.shape == (8, 8)
    centres = np.array([[view.x.mean(), view.y.mean()] for view in found])
    assert np.abs(centres).max() < 20.5 and (np.ptp(centres, axis=0) > 38).all()
    assert abs(np.corrcoef(centres.T)[0, 1]) < 0.15


@pytest.mark.parametrize("difficulty", [0.25, 1.0])
def test_what_the_camera_draws_grows_with_the_difficulty(difficulty):
    drawn = [view.drawn for view in views(difficulty)]
    of = {key: np.array([one[key] for one in drawn], float) for key in drawn[0]}
    assert 1.6 <= of["span"].min() < 1.63 and 1.97 + 1.15 * difficulty < of["span"].max() <= 2.0 + 1.2 * difficulty
    assert of["rotation_degrees"].std() == pytest.approx(np.rad2deg(0.35 * np.sqrt(difficulty)), rel=0.12)
    assert abs(of["rotation_degrees"].mean()) < 0.15 * of["rotation_degrees"].std()
    assert 0.4 * difficulty < of["tilt"].max() <= 0.35 * np.sqrt(2) * difficulty + 1e-3
    assert of["fold"].min() < 0.002 and 0.047 * difficulty < of["fold"].max() <= 0.05 * difficulty + 1e-4
    hung = of["quarter_turns"]
    assert np.mean(hung > 0) == pytest.approx(0.75 * np.sqrt(difficulty), abs=0.08)
    assert set(hung) == {0, 1, 2, 3} and np.bincount(hung.astype(int))[1:].min() > 0.2 * np.sum(hung > 0)


def fitted(view, size):
    """The view as x + iy on its plane about the middle: its turn in degrees, its scale in tiles and its tilt."""
    axis = (np.arange(size) + 0.5) / size - 0.5
    j, i = (grid.ravel() for grid in np.meshgrid(axis, axis))
    terms = np.stack([np.ones_like(j), j, i, j * j, j * i, i * i], axis=1)
    (x0, xj, xi, *_), (y0, yj, yi, *_) = (np.linalg.lstsq(terms, c.ravel(), rcond=None)[0] for c in (view.x, view.y))
    r = np.hypot(view.x.ravel() - x0, view.y.ravel() - y0)
    depth = r / (np.hypot(j, i) * np.hypot(xj, yj))
    tilt = np.linalg.lstsq(terms[:, :3], depth, rcond=None)[0][1:]
    return np.rad2deg(np.arctan2(yj, xj)), np.hypot(xj, yj), np.hypot(*tilt), xj * yi - xi * yj


def test_the_manifest_says_how_far_the_cloth_is_turned_and_tilted_and_how_much_of_it_is_seen():
    compared = set()
    for view in views(1.0, 300, 16):
        if view.drawn["fold"] > 0.002:
            continue
        turn, span, tilt, area = fitted(view, 16)
        # a quarter turn of the picture turns what one reads on the cloth along
        expected = view.drawn["rotation_degrees"] + 90 * view.drawn["quarter_turns"]
        assert abs((turn - expected + 180) % 360 - 180) < 4 and area > 0  # never seen from behind
        assert span == pytest.approx(view.drawn["span"], rel=0.05) and abs(tilt - view.drawn["tilt"]) < 0.06
        assert view.pixel * 16 == pytest.approx(view.drawn["span"], abs=1e-3)
        compared.add(view.drawn["quarter_turns"])
    assert compared == {0, 1, 2, 3}


def test_folds_shade_the_cloth_by_five_times_their_height():
    for view in views(1.0, 60, 40):
        fold = view.drawn["fold"]
        assert np.abs(view.shade - 1).max() <= 5 * fold + 5e-4
        assert np.abs(view.shade - 1).max() >= 4 * fold - 5e-4 and abs(view.shade.mean() - 1) < 2.5 * fold + 1e-3


FLAT = np.full((N, N, 3), 150.0)
ALL, EVEN = np.ones((N, N), bool), np.ones((N, N))


def shot(seed, difficulty=0.0, colour=FLAT, shade=EVEN, mask=ALL):
    return expose(colour, shade, mask, np.random.default_rng([6, seed]), difficulty)


@functools.cache
def flat_shots():
    """Photographs of even grey at difficulty 0."""
    return [shot(seed) for seed in range(700)]


@functools.cache
def many(difficulty):
    """What was drawn for small ones."""
    size = 20
    inputs = np.full((size, size, 3), 150.0), np.ones((size, size)), np.ones((size, size), bool)
    return [expose(*inputs, np.random.default_rng([6, seed]), difficulty)[2] for seed in range(500)]


def clear(difficulty=0.0, noise=1.0, quality=88, count=300, **inputs):
    """Photographs without a frame, of little noise and compression."""
    for seed in range(count):
        photo, mask, drawn = shot(seed, difficulty, **inputs) if inputs or difficulty else flat_shots()[seed]
        if drawn["frame"] == "none" and drawn["noise"] < noise and drawn["jpeg_quality"] > quality:
            yield photo.astype(float), mask, drawn


@pytest.mark.parametrize("difficulty", [0.0, 1.0])
def test_noise_blur_and_compression_grow_with_the_difficulty(difficulty):
    drawn = many(difficulty)
    noise, blur, quality = (np.array([one[key] for one in drawn]) for key in ("noise", "blur", "jpeg_quality"))
    assert noise.min() < 0.4 and 5.7 + 9.5 * difficulty < noise.max() <= 6 + 10 * difficulty
    # in pixels of a picture of 150
    assert blur.min() >= 0.15 * 20 / 150 - 1e-3 and blur.max() <= (0.45 + difficulty) * 20 / 150 + 1e-3
    assert blur.max() - blur.min() > 0.9 * (0.3 + difficulty) * 20 / 150
    assert quality.min() == 70 - 30 * difficulty and quality.max() == 95
    assert abs(np.corrcoef(noise, quality)[0, 1]) < 0.15


def test_a_frame_is_drawn_as_often_whatever_the_difficulty():
    for difficulty in (0.0, 1.0):
        frames = [drawn["frame"] for drawn in many(difficulty)]
        for name, share in {"none": 0.82, "border": 0.07, "caption": 0.06, "background": 0.05}.items():
            assert frames.count(name) / 500 == pytest.approx(share, abs=0.03), name


def test_noise_is_as_strong_as_the_manifest_says():
    grey = np.array([0.299, 0.587, 0.114])  # JPEG halves the resolution of colours, and keeps that of greys
    for photo, _, drawn in clear(noise=9, quality=93):
        assert (photo @ grey).std() == pytest.approx(drawn["noise"] * np.linalg.norm(grey), rel=0.15, abs=0.3)


def test_blur_is_as_wide_as_the_manifest_says_in_both_directions():
    size = 150
    edge = np.full((size, size, 3), 60.0)
    edge[:, size // 2 :] = 180
    widths = []
    for upright in (True, False):
        colour = edge if upright else edge.transpose(1, 0, 2)
        for photo, _, drawn in clear(
            1.0, 5, 70, 60, colour=colour, shade=EVEN[:1, :1], mask=np.ones((size, size), bool)
        ):
            profile = photo.mean(axis=(0 if upright else 1, 2))
            rise = np.diff(profile)[size // 2 - 7 : size // 2 + 6]
            rise -= np.median(np.diff(profile))  # the light's fall
            place = np.arange(13) - 6
            middle = (place * rise).sum() / rise.sum()
            width = np.sqrt(max(0, ((place - middle) ** 2 * rise).sum() / rise.sum()))
            assert abs(middle) < 0.3 and width == pytest.approx(drawn["blur"], abs=0.35)
            widths.append((drawn["blur"], width))
    assert len(widths) >= 8 and np.corrcoef(np.array(widths).T)[0, 1] > 0.9


def test_light_and_balance_differ_between_photographs_and_are_even_at_difficulty_0():
    means = np.array([photo.mean(axis=(0, 1)) for photo, _, _ in clear(noise=3, quality=80)])  # (P, 3)
    balance = means / means.mean(axis=1, keepdims=True)
    assert 0.03 < balance.std(axis=0).max() < 0.08 and means.mean(axis=1).min() < 135 < 155 < means.mean(axis=1).max()
    for photo, _, _ in clear():
        parts = photo.reshape(2, N // 2, 2, N // 2, 3).mean(axis=(1, 3))  # (2, 2, 3)
        assert np.ptp(parts, axis=(0, 1)).max() < 2.5


def test_at_difficulty_1_the_light_falls_from_one_side_by_up_to_35_percent():
    slopes = []
    for photo, _, _ in clear(1.0, noise=6, quality=70):
        grey = photo.mean(axis=2)
        down, across = (np.polyfit(np.linspace(-1, 1, N), grey.mean(axis=axis), 1)[0] for axis in (1, 0))
        slopes.append([down / grey.mean(), across / grey.mean()])
    slopes = np.array(slopes)
    assert len(slopes) > 15 and (np.abs(slopes).max(axis=0) > 0.17).all() and np.abs(slopes).max() < 0.45
    assert (slopes.min(axis=0) < -0.1).all() and (slopes.max(axis=0) > 0.1).all()


def test_shade_and_colours_come_through_in_their_places():
    shade = np.ones((N, N))
    shade[:, : N // 2] = 0.6
    colour = FLAT.copy()
    colour[: N // 2] = 190.0, 150.0, 110.0
    for photo, _, _ in clear(colour=colour, shade=shade):
        corner = photo[:20, -20:].mean(axis=(0, 1))  # full light, the colour
        dark, plain = photo[:20, :20].mean(axis=(0, 1)), photo[-20:, -20:].mean(axis=(0, 1))
        assert (corner > dark + 20).all() and corner[0] > plain[0] + 15 and corner[2] < plain[2] - 15


def test_contrast_is_lost_about_mid_grey():
    colour = np.stack([np.full((N, N), 10.0)] * 3, axis=-1)
    colour[:, N // 2 :] = 250
    ranges = [
        np.ptp(np.median(photo, axis=(0, 2))[[5, -5]]) for photo, _, _ in clear(noise=3, quality=80, colour=colour)
    ]
    assert 125 < min(ranges) < 190 and 215 < max(ranges) < 256


def of_frame(name):
    found = [(photo.astype(int), mask, drawn) for photo, mask, drawn in flat_shots() if drawn["frame"] == name]
    assert len(found) > 20
    return found


def test_without_a_frame_the_mask_is_whole():
    assert all(mask.all() for _, mask, _ in of_frame("none"))


def test_a_border_is_as_wide_on_all_sides_of_one_tint_and_leaves_the_mask():
    widths, tints = set(), []
    for photo, mask, _ in of_frame("border"):
        width = int(np.argmax(mask[N // 2]))
        expected = np.zeros((N, N), bool)
        expected[width : N - width, width : N - width] = True
        assert np.array_equal(mask, expected)
        assert np.abs(photo[0] - np.median(photo[0])).mean() < 12
        widths.add(width)
        tints.append(np.median(photo[0]))
    assert widths == {1, 2, 3, 4} and min(tints) < 60 and max(tints) > 200


def test_a_caption_is_a_bar_below_with_letters_of_the_opposite_tint():
    widths = set()
    for photo, mask, _ in of_frame("caption"):
        width = int(N - mask.all(axis=1).sum())
        assert mask[: N - width].all() and not mask[N - width :].any()
        widths.add(width)
        tint = photo[-1].mean()
        if width > 1 and abs(tint - 127) > 60:
            letters = photo[-width + width // 3 : -max(width // 3, 1)].mean(axis=(0, 2))  # (W,)
            assert 0.3 < np.mean(np.abs(letters - tint) > np.abs(255 - 2 * tint) / 2) < 0.8
    assert widths == {1, 2, 3, 4}


def test_a_background_shows_on_one_of_the_four_sides_twice_as_wide():
    sides, widths = set(), set()
    for photo, mask, _ in of_frame("background"):
        covered = [~mask[0].any(), ~mask[:, 0].any(), ~mask[-1].any(), ~mask[:, -1].any()]
        assert sum(covered) == 1
        side = covered.index(True)
        width = int((~mask).sum() / N)
        turned = np.rot90(mask, -side)
        assert not turned[:width].any() and turned[width:].all()
        assert np.rot90(photo, -side)[: max(width - 2, 1)].std() < 12
        sides.add(side)
        widths.add(width)
    assert sides == {0, 1, 2, 3} and widths == {2, 4, 6, 8}


def test_what_was_no_motif_before_stays_none():
    mask = np.zeros((N, N), bool)
    mask[10:30, 20:50] = True
    for seed in range(80):
        found = shot(seed, mask=mask)[1]
        whole = flat_shots()[seed][1]
        assert np.array_equal(found, mask & whole)


def test_a_photograph_is_what_a_jpeg_of_its_quality_keeps():
    """Saved once more with the same quality, it hardly changes; with another, it does."""
    rng = np.random.default_rng(1)
    colour = np.kron(rng.uniform(0, 255, (12, 12, 3)), np.ones((4, 4, 1)))
    for seed in range(6):
        photo, _, drawn = shot(seed, 1.0, colour=colour)
        error = {}
        for quality in (drawn["jpeg_quality"], 30):
            memory = io.BytesIO()
            Image.fromarray(photo).save(memory, "JPEG", quality=quality)
            error[quality] = np.abs(np.asarray(Image.open(memory)).astype(int) - photo).mean()
        assert photo.dtype == np.uint8 and error[drawn["jpeg_quality"]] < 0.5 * error[30]
