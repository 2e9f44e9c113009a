"""Which pictures are the same picture: made copies are found, and what only looks alike is not."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from batik_scratch import motifs
from batik_scratch.images import alignment, candidates, stratified_split
from batik_scratch.images.duplicates import SIDE, grey_thumbnail, near_duplicate_groups, without_borders

TURNS = [None, *Image.Transpose]


def thumbnails(count, seed=0):
    """Pictures (count, 64, 64) of 8 x 8 random blocks: no two alike."""
    values = np.random.default_rng(seed).integers(40, 216, (count, 8, 8))
    return np.kron(values, np.ones((1, 8, 8), int)).astype(np.uint8)


def cloth(seed, side=192):
    """A picture of spots of several sizes in uneven light."""
    rng = np.random.default_rng(seed)
    grey = sum(
        w * np.sign(gaussian_filter(rng.standard_normal((side, side)), s)) for w, s in ((50, 3), (30, 7), (20, 20))
    )
    return Image.fromarray(np.clip(128 + grey, 0, 255).astype(np.uint8)).convert("RGB")


def repeat(seed, times=14, side=192):
    """A fine regular repeat of one tile, in uneven light."""
    rng = np.random.default_rng(seed)
    tile = gaussian_filter(rng.standard_normal((24, 24)), 2.5, mode="wrap")
    grey = np.tile(128 + 60 * np.sign(tile), (times, times)) * np.linspace(*rng.uniform(0.8, 1.1, 2), 24 * times)
    noise = rng.normal(0, 3, grey.shape)
    return Image.fromarray(np.clip(grey + noise, 0, 255).astype(np.uint8)).resize((side, side)).convert("RGB")


def jpeg(image, quality=60):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def watermarked(image):
    marked = image.copy()
    pen = ImageDraw.Draw(marked, "RGBA")
    pen.text((10, 90), "SAMPLE", fill=(255, 255, 255, 150), font_size=40)
    pen.ellipse((110, 10, 180, 80), (200, 30, 30, 160))
    return marked


def framed(image, grey=250):
    large = Image.new("RGB", [side * 11 // 10 for side in image.size], (grey,) * 3)
    large.paste(image, [side // 20 for side in image.size])
    return large


CHANGES = {
    "encoded again": jpeg,
    "smaller": lambda image: image.resize((90, 80)),
    "cropped by 3%": lambda image: image.crop((6, 6, 186, 186)),
    "cropped unevenly": lambda image: image.crop((0, 6, 190, 188)),
    "watermarked": watermarked,
    "framed": framed,
    "framed in black": lambda image: jpeg(framed(image, 0), 85),
    "gamma": lambda image: image.point(lambda v: round(255 * (v / 255) ** 0.6)),
    "turned, cropped": lambda image: jpeg(image.transpose(TURNS[3]).crop((5, 3, 188, 187))),
}


def groups_of(*images):
    return near_duplicate_groups(np.stack([grey_thumbnail(np.asarray(image)) for image in images])).tolist()


def test_a_thumbnail_shows_greys_and_no_moire():
    slope = np.add.outer(np.arange(128), np.arange(192)) * 0.7
    pixels = np.stack([slope, slope * 0.5, 255 - slope], axis=2).astype(np.uint8)
    cells = (pixels @ np.array([0.299, 0.587, 0.114])).reshape(64, 2, 64, 3).mean(axis=(1, 3))
    assert np.abs(grey_thumbnail(pixels) - cells)[2:-2, 2:-2].max() <= 1.5
    stripes = np.broadcast_to(128 + 100 * np.sin(np.arange(150) * 2 * np.pi / 3.1), (150, 150)).astype(np.uint8)
    assert np.ptp(grey_thumbnail(np.stack([stripes] * 3, axis=2))[:, 4:-4].astype(int)) <= 25


def test_different_pictures_are_each_their_own_group_in_order():
    assert near_duplicate_groups(thumbnails(40)).tolist() == list(range(40))
    assert near_duplicate_groups(thumbnails(1)).tolist() == [0]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_the_same_picture(change):
    assert groups_of(cloth(1), cloth(2), CHANGES[change](cloth(1))) == [0, 1, 0]


@pytest.mark.parametrize("turn", TURNS)
def test_each_of_the_eight_flips_and_turns_is_found(turn):
    three = [cloth(seed) for seed in (1, 2, 3)]
    copy = three[1] if turn is None else three[1].transpose(turn)
    assert groups_of(*three, copy) == [0, 1, 2, 1]
    assert groups_of(copy, *three) == [0, 1, 0, 2]


@pytest.mark.parametrize("turn", TURNS[::2])
def test_copies_of_fine_repeats_are_found_and_other_cloths_of_such_repeats_are_not(turn):
    pictures = [repeat(seed) for seed in range(6)]
    copy = jpeg(pictures[2] if turn is None else pictures[2].transpose(turn))
    assert groups_of(*pictures, copy) == [0, 1, 2, 3, 4, 5, 2]


@pytest.mark.parametrize("turn", TURNS)
def test_texture_finds_repeats_whichever_way_they_lie(monkeypatch, turn):
    monkeypatch.setattr(candidates, "LEAST_LAYOUT", 2)  # the layout finds none
    monkeypatch.setattr(candidates, "ALIKE_LAYOUT", 2)
    original = repeat(3)
    pictures = [original, repeat(4), jpeg(original if turn is None else original.transpose(turn), 85)]
    assert groups_of(*pictures) == [0, 1, 0]


def blurred(seed, shapes=6, side=192):
    """A picture without edges: a few smooth hills and hollows, as skies and X-rays have."""
    heights = np.random.default_rng(seed).uniform(0, 255, (shapes, shapes)).astype(np.uint8)
    return Image.fromarray(heights).resize((side, side), Image.Resampling.BICUBIC).convert("RGB")


@pytest.mark.parametrize("change", sorted(set(CHANGES) - {"watermarked"}))
def test_of_many_blurred_pictures_copies_are_found_and_hardly_another_pair_is_looked_at_twice(change):
    """They are like themselves a little shifted, all alike in texture, and yet no repeats: 30 pictures ask for 435
    pairs in 8 ways each, and each second look takes milliseconds."""
    pictures = [blurred(seed) for seed in range(30)]
    copies = [CHANGES[change](picture) for picture in pictures[::5]]
    both = np.stack([grey_thumbnail(np.asarray(picture)) for picture in (*pictures, *copies)])
    assert near_duplicate_groups(both).tolist() == [*range(30), *range(0, 30, 5)]
    assert len(candidates.candidate_pairs(candidates.describe(both))[0]) < 40


def test_brighter_and_flatter_copies_are_the_same_picture_and_negatives_are_not():
    original = thumbnails(1, seed=4)[0]
    flatter, negative = (original * 0.4 + 90).astype(np.uint8), 255 - original
    assert near_duplicate_groups(np.stack([original, flatter, negative])).tolist() == [0, 0, 1]


def test_smooth_pictures_are_compared_by_their_layout():
    y, x = np.mgrid[:64, :64] / 63
    slope, hill = (
        np.rint(60 + 120 * v).astype(np.uint8) for v in (0.3 * x + 0.7 * y**1.3, np.sin(3 * x) * np.sin(3 * y))
    )
    assert near_duplicate_groups(np.stack([slope, hill, slope.T[::-1]])).tolist() == [0, 1, 0]


def test_pictures_of_almost_one_colour_are_like_nothing():
    flat = np.full((3, 64, 64), 100, np.uint8)
    flat[1:, 8:11, 10:13] += 3  # the same speck twice
    assert near_duplicate_groups(flat).tolist() == [0, 1, 2]
    strong = np.full((2, 64, 64), 100, np.uint8)
    strong[:, :, 32:] += 3  # an edge of three grey levels is a picture
    assert near_duplicate_groups(strong).tolist() == [0, 0]


def test_groups_are_chained_and_numbered_by_their_first_image():
    one = thumbnails(6, seed=7)
    line = np.stack([one[0], one[1], np.rot90(one[2]), one[3], one[1][::-1], one[2], one[0], np.rot90(one[1], 3)])
    assert near_duplicate_groups(line).tolist() == [0, 1, 2, 3, 1, 2, 0, 1]


def test_equal_files_are_one_group_even_where_the_picture_tells_nothing():
    flat = np.full((5, 64, 64), 9, np.uint8)
    assert near_duplicate_groups(flat, [b"a", b"b", b"a", b"c", b"b"]).tolist() == [0, 1, 0, 2, 1]
    assert near_duplicate_groups(flat).tolist() == [0, 1, 2, 3, 4]
    assert near_duplicate_groups(flat, [b"a", b"b", b"a", b"a", b"d"]).tolist() == [0, 1, 0, 0, 2]


def test_a_chain_of_copies_of_copies_is_never_torn_by_a_split():
    """Each copy is cropped further: the first and the last are no copies of one another, and yet go together."""
    chain = [cloth(50).crop((5 * k, 5 * k, 192 - 5 * k, 192 - 5 * k)) for k in range(5)]
    assert groups_of(chain[0], chain[-1]) == [0, 1]
    pictures = [cloth(seed) for seed in range(20)]
    groups = np.array(groups_of(*chain[::2], *pictures, *chain[1::2]))
    assert len(set(groups.tolist())) == 21 and set(groups[[0, 1, 2, 23, 24]]) == {0}
    for seed in range(8):
        split = stratified_split(np.arange(25) % 2, 0.3, seed, groups)
        assert not set(groups[split.train]) & set(groups[split.validation])


def test_a_border_is_cut_and_what_is_no_border_stays():
    picture = np.asarray(cloth(3).resize((64, 64)).convert("L"))
    bordered = np.asarray(framed(cloth(3)).resize((64, 64)).convert("L"))
    cut = without_borders(np.stack([picture, bordered, np.full((64, 64), 7, np.uint8)]))
    assert np.array_equal(cut[0], picture) and (cut[2] == 7).all() and cut.dtype == np.uint8
    assert (
        np.corrcoef(cut[1].ravel(), picture.ravel())[0, 1] > 0.9 > np.corrcoef(bordered.ravel(), picture.ravel())[0, 1]
    )


def vectors(seed, count, correlation, width=600):
    """Two (count, width) whose rows correlate in pairs by that much, and otherwise by chance."""
    x, y = np.random.default_rng(seed).standard_normal((2, count, width))
    first = candidates.standardised(x, 0)
    y -= y.mean(axis=1, keepdims=True)
    y -= (y * first).sum(axis=1, keepdims=True) * first
    return first, candidates.standardised(
        correlation * first + (1 - correlation**2) ** 0.5 * candidates.standardised(y, 0), 0
    )


@pytest.mark.parametrize(("n", "block"), [(1, 512), (7, 3), (30, 1), (41, 40), (41, 41), (41, 512)])
def test_products_compare_every_pair_however_many_at_once(monkeypatch, n, block):
    monkeypatch.setattr(candidates, "BLOCK", block)
    turned, reference = (x.astype(np.float64) for x in vectors(n, n, 0.5, 5))
    reference[n // 2 :] = reference[: n - n // 2]
    found = [part for rows in candidates.alike(turned, reference, 0.3) for part in zip(*rows, strict=True)]
    plain = [(i, j, turned[i] @ reference[j]) for i in range(n) for j in range(i + 1, n)]
    plain = [row for row in plain if row[2] >= 0.3]
    assert [row[:2] for row in sorted(found)] == [row[:2] for row in plain]
    assert np.allclose([row[2] for row in sorted(found)], [row[2] for row in plain])


@pytest.mark.parametrize("correlation", [0.7, 0.8, 0.95])
def test_bands_pass_over_so_many_pairs_as_they_say(monkeypatch, correlation):
    monkeypatch.setattr(candidates, "ALL_PAIRS", 0)
    first, second = vectors(1, 500, correlation)
    found = {
        (int(i), int(j))
        for a, b, _ in candidates.alike(np.vstack([first, second]), np.vstack([first, second]), 0.6)
        for i, j in zip(a, b, strict=True)
    }
    share = np.mean([(i, i + 500) in found for i in range(500)])
    differs = np.arccos(correlation) / np.pi
    expected = 1 - (1 - (1 - differs) ** candidates.BITS) ** candidates.BANDS
    assert abs(share - expected) <= 3.5 * (expected * (1 - expected) / 500) ** 0.5 + 0.003
    assert all(j == i + 500 for i, j in found)


def test_bands_group_copies_as_products_do(monkeypatch):
    pictures = np.concatenate([thumbnails(20), np.rot90(thumbnails(20)[5:], 3, axes=(1, 2))])
    expected = [*range(20), *range(5, 20)]
    assert near_duplicate_groups(pictures).tolist() == expected
    monkeypatch.setattr(candidates, "ALL_PAIRS", 0)
    assert near_duplicate_groups(pictures).tolist() == expected


def test_what_too_many_share_is_no_sign_of_a_copy(monkeypatch):
    monkeypatch.setattr(candidates, "ALL_PAIRS", 0)
    same = np.repeat(vectors(2, 1, 0.5)[0], candidates.MAX_BUCKET + 1, axis=0)
    for count, pairs in (
        (candidates.MAX_BUCKET, candidates.MAX_BUCKET * (candidates.MAX_BUCKET - 1) // 2),
        (len(same), 0),
    ):
        found = {
            pair
            for a, b, _ in candidates.alike(same[:count], same[:count], 0.5)
            for pair in zip(a.tolist(), b.tolist(), strict=True)
        }
        assert len(found) == pairs


@pytest.mark.parametrize(("count", "side"), [(0, 8), (1, 8), (3, 12), (2, 32)])
def test_a_rough_fit_is_the_best_of_all_stretches_tried_one_by_one(count, side):
    a, b = np.random.default_rng(side).standard_normal((2, count, side, side)).astype(np.float32)
    ways = [alignment.stretch(side, 8 * p, 8 * q) for p in (-1, 0, 1) for q in (-1, 0, 1)]
    plain = [max(((r @ x @ c.T) * y).sum() for r in ways for c in ways) for x, y in zip(a, b, strict=True)]
    assert np.allclose(alignment.rough_fit(a, b), plain, rtol=1e-4)


@pytest.mark.parametrize("ends", [(-16, 16), (8, -3), (5, 5), (0, 0), (13, -16)])
def test_a_stretch_takes_its_ends_from_where_it_says(ends):
    """A slope stays a slope, also between pixels; beyond the edge its last value is repeated."""
    place = np.linspace(ends[0] / 8, 63 + ends[1] / 8, 64).clip(0, 63)
    inside = (place >= 1) & (place <= 62)
    assert np.allclose((alignment.stretch(64, *ends) @ np.arange(64.0))[inside], place[inside], atol=1e-4)
    assert np.allclose(alignment.stretch(64, *ends).sum(axis=1), 1, atol=1e-6)


def test_the_best_fit_finds_how_a_picture_was_stretched():
    a = alignment.local_contrast(np.asarray(cloth(6).resize((64, 64)).convert("L"))[None])[0]
    b = alignment.stretch(64, 9, -13) @ a @ alignment.stretch(64, -4, 15).T
    assert np.abs(alignment.best_fit(a, b) - b).max() < 1e-4


def test_what_covers_less_than_half_hardly_moves_the_agreement():
    a, b = alignment.local_contrast(np.stack([np.asarray(cloth(s).resize((64, 64)).convert("L")) for s in (8, 9)]))
    covered = a.copy()
    covered[:, :24] = b[:, :24]
    assert alignment.agreement(a, covered) == (pytest.approx(1), 64)
    covered[:, :40] = b[:, :40]
    assert alignment.agreement(a, covered)[0] < 0.6
    assert alignment.agreement(a * 0, a * 0) == (0, 0)


def test_drawn_cloths_are_all_different(tmp_path):
    rng = np.random.default_rng(0)
    drawn = [
        motifs.draw(motif, rng, 64, difficulty)[0]
        for motif in motifs.MOTIFS
        for difficulty in (0, 0.1)
        for _ in range(4)
    ]
    assert groups_of(*drawn) == list(range(24))


@pytest.mark.skipif("BATIK_PHOTOS" not in os.environ, reason="BATIK_PHOTOS names no folder of photos")
def test_no_two_of_the_photos_are_taken_for_one_and_copies_are_found():
    paths = sorted(Path(os.environ["BATIK_PHOTOS"]).rglob("*.jpg"))[:240]
    images = [Image.open(path).convert("RGB").resize((150, 150), Image.Resampling.BILINEAR) for path in paths]
    copies = [watermarked(jpeg(image)) for image in images[::12]]
    groups = groups_of(*images, *copies)
    assert groups[: len(images)] == list(range(len(images))) and groups[len(images) :] == list(range(len(images)))[::12]


def test_thumbnails_have_the_side_that_is_compared():
    assert grey_thumbnail(np.zeros((20, 30, 3), np.uint8)).shape == (SIDE, SIDE)
