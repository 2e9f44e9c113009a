"""Which pictures are the same picture, by constructed thumbnails whose correlation is known."""

import numpy as np
import pytest
from PIL import Image

from batik_scratch.images import duplicates
from batik_scratch.images.duplicates import grey_thumbnail, near_duplicate_groups, orientations


def thumbnails(count, seed=0):
    """Pictures (count, 24, 24) of 8 x 8 random blocks: no two alike."""
    values = np.random.default_rng(seed).integers(40, 216, (count, 8, 8))
    return np.kron(values, np.ones((1, 3, 3), int)).astype(np.uint8)


def correlation(a, b):
    return np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1]


def test_a_thumbnail_is_the_mean_grey_of_each_cell():
    pixels = np.random.default_rng(1).integers(0, 256, (48, 72, 3), dtype=np.uint8)
    grey = pixels @ np.array([0.299, 0.587, 0.114])
    cells = grey.reshape(24, 2, 24, 3).mean(axis=(1, 3))
    assert np.abs(grey_thumbnail(pixels) - cells).max() <= 1.5


def test_different_pictures_are_each_their_own_group_in_order():
    assert near_duplicate_groups(thumbnails(40)).tolist() == list(range(40))


@pytest.mark.parametrize("turn", range(8))
def test_each_of_the_eight_flips_and_turns_is_found(turn):
    three = thumbnails(3)
    versions = [three[1], *[np.rot90(three[1], k) for k in (1, 2, 3)]]
    versions += [version[:, ::-1] for version in versions]
    groups = near_duplicate_groups(np.stack([*three, versions[turn]]))
    assert groups.tolist() == [0, 1, 2, 1]
    assert near_duplicate_groups(np.stack([versions[turn], *three])).tolist() == [0, 1, 0, 2]


def test_the_eight_orientations_are_all_different_and_each_is_once():
    picture = thumbnails(2, seed=5)
    turned = orientations(picture)
    assert len(turned) == 8 and all(t.shape == (2, 24, 24) for t in turned)
    assert len({t[1].tobytes() for t in turned}) == 8
    expected = {np.rot90(view, k).tobytes() for view in (picture[1], picture[1].T) for k in range(4)}
    assert {t[1].tobytes() for t in turned} == expected


def mixed(picture, other, wanted):
    """`picture` with noise of `other` added until the two correlate by `wanted`."""
    a, b = (p.astype(float) - p.mean() for p in (picture, other))
    b -= a * (a * b).sum() / (a * a).sum()
    b *= np.sqrt((a * a).sum() / (b * b).sum())
    return np.clip(np.rint(128 + 0.8 * (wanted * a + np.sqrt(1 - wanted**2) * b)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("wanted", "same"), [(0.99, True), (0.953, True), (0.947, False), (0.9, False)])
def test_from_a_correlation_of_095_on_it_is_the_same_picture(wanted, same):
    # a picture that is bright below and right, and noise that is fine: their hashes stay alike
    ramp = np.add.outer(np.arange(24) ** 1.3, 3.0 * np.arange(24)) + 3 * np.sin(np.arange(24))
    picture = np.rint(ramp * 200 / ramp.max()).astype(np.uint8)
    fine = np.tile([[1, -1], [-1, 1]], (12, 12)) * np.linspace(0.3, 1, 24)[:, None]
    changed = mixed(picture, fine, wanted)
    assert abs(correlation(picture, changed) - wanted) < 0.002
    assert near_duplicate_groups(np.stack([picture, changed])).tolist() == ([0, 0] if same else [0, 1])


def test_brighter_and_flatter_copies_are_the_same_picture_and_negatives_are_not():
    original = thumbnails(1, seed=4)[0]
    flatter, negative = (original * 0.4 + 90).astype(np.uint8), 255 - original
    assert near_duplicate_groups(np.stack([original, flatter, negative])).tolist() == [0, 0, 1]


def test_pictures_of_almost_one_colour_are_like_nothing():
    flat = np.full((3, 24, 24), 100, np.uint8)
    flat[1:, 3, 4] += 3  # the same speck twice
    assert near_duplicate_groups(flat).tolist() == [0, 1, 2]
    strong = np.full((2, 24, 24), 100, np.uint8)
    strong[:, :, 12:] += 3  # an edge of three grey levels is a picture
    assert near_duplicate_groups(strong).tolist() == [0, 0]


def test_a_copy_needs_only_one_quarter_of_the_hash():
    """Three quarters of the rows have changed order, in values that hardly count for the correlation."""
    picture = np.full((24, 24), 20.0)
    picture[:6] = np.add.outer(np.zeros(6), np.random.default_rng(3).permutation(24) * 9)
    for quarter in range(4):
        a = np.roll(picture, 6 * quarter, axis=0)
        b = a.copy()
        rows = [row for row in range(24) if row // 6 != quarter]
        a[rows] += np.linspace(0, 4, 24)
        b[rows] += np.linspace(4, 0, 24)
        pair = np.rint(np.stack([a, b])).astype(np.uint8)
        assert correlation(*pair) > 0.98
        assert near_duplicate_groups(pair).tolist() == [0, 0]


def test_groups_are_chained_and_numbered_by_their_first_image():
    one = thumbnails(6, seed=7)
    line = np.stack([one[0], one[1], np.rot90(one[2]), one[3], one[1][::-1], one[2], one[0], np.rot90(one[1], 3)])
    assert near_duplicate_groups(line).tolist() == [0, 1, 2, 3, 1, 2, 0, 1]


def test_equal_files_are_one_group_even_where_the_picture_tells_nothing():
    flat = np.full((5, 24, 24), 9, np.uint8)
    assert near_duplicate_groups(flat, [b"a", b"b", b"a", b"c", b"b"]).tolist() == [0, 1, 0, 2, 1]
    assert near_duplicate_groups(flat).tolist() == [0, 1, 2, 3, 4]
    assert near_duplicate_groups(flat, [b"a", b"b", b"a", b"a", b"d"]).tolist() == [0, 1, 0, 0, 2]


@pytest.mark.parametrize("chunk", [1, 2, 3, 1769, 1770, 10**6])
def test_every_pair_is_compared_however_many_at_once(monkeypatch, chunk):
    """30 pairs of copies that all share a quarter: 1770 candidates."""
    ground = thumbnails(1, seed=9)[0]
    many = np.repeat(thumbnails(30, seed=8), 2, axis=0)
    many[:, :6] = ground[:6]  # a quarter in common
    monkeypatch.setattr(duplicates, "CHUNK", chunk)
    assert near_duplicate_groups(many).tolist() == np.repeat(np.arange(30), 2).tolist()


def test_what_too_many_images_share_is_no_sign_of_a_copy():
    """65 images with one quarter in common, of which two are copies by that quarter alone."""
    ground = np.random.default_rng(3).permutation(24) * 9
    for count, expected in ((duplicates.MAX_BUCKET, True), (duplicates.MAX_BUCKET + 1, False)):
        many = np.full((count, 24, 24), 20.0)
        many[:, :6] += ground
        rng = np.random.default_rng(1)
        many[:, 6:] += rng.permuted(np.broadcast_to(np.linspace(0, 4, 24), (count, 18, 24)), axis=2)
        groups = near_duplicate_groups(np.rint(many).astype(np.uint8))
        assert (len(set(groups.tolist())) == 1) is expected


def test_a_photo_and_its_smaller_turned_copy_are_alike_after_reading(tmp_path):
    rng = np.random.default_rng(2)
    photo = Image.fromarray(np.kron(rng.integers(0, 255, (6, 9, 3)), np.ones((10, 10, 1))).astype(np.uint8))
    small = photo.resize((45, 30), Image.Resampling.LANCZOS).transpose(Image.Transpose.ROTATE_90)
    seen = [grey_thumbnail(np.asarray(picture.resize((64, 64)))) for picture in (photo, small)]
    assert near_duplicate_groups(np.stack(seen)).tolist() == [0, 0]
