"""Dyes, wax and ground on constructed shapes; the palettes; and the symmetries of each motif."""

import numpy as np
import pytest

from batik_scratch.motifs import ALL_MOTIFS, cloth
from batik_scratch.motifs.camera import View
from batik_scratch.motifs.isen import FILLINGS
from batik_scratch.motifs.motif import Geometry
from batik_scratch.motifs.palettes import PALETTES

LUMA = np.array([0.299, 0.587, 0.114])
SIZE, PIXEL = 60, 0.01
AXIS = (np.arange(SIZE) + 0.5) * PIXEL
X, Y = np.meshgrid(AXIS, AXIS)  # a cloth of 0.6 x 0.6 tiles
FAR = np.full((SIZE, SIZE), 9.0)


def dyed(seed, distance, tone=FAR * 0, line=FAR, difficulty=0.0):
    view = View(X, Y, PIXEL, np.ones_like(X), {})
    return cloth.dye(view, Geometry(distance, tone, line, {}), np.random.default_rng([3, seed]), difficulty)


def plain(distance, tone=FAR * 0, line=FAR, count=900):
    """Cloths without crackle, filling or dark motif: (colour, mask, drawn)."""
    for seed in range(count):
        colour, mask, drawn = dyed(seed, distance, tone, line)
        unfilled = drawn["filling"] == drawn["inner_filling"] == "plain"
        if unfilled and not drawn["crackle"] and not drawn["dark_motif"]:
            yield colour, mask, drawn


def names(count=600, difficulty=0.0):
    small = View(X[:4, :4], Y[:4, :4], PIXEL, np.ones((4, 4)), {})
    shape = Geometry(FAR[:4, :4], FAR[:4, :4], FAR[:4, :4], {})
    return [cloth.dye(small, shape, np.random.default_rng([4, seed]), difficulty)[2] for seed in range(count)]


def test_inside_the_motif_each_tone_has_its_luma_and_outside_the_ground_is_darker():
    half = X - 0.3  # the left half is motif
    tones = np.repeat(np.linspace(-1, 5, 60)[:, None], 60, axis=1)  # below 0 and above 4 as at 0 and 4
    expected = np.interp(np.clip(tones[:, 0], 0, 4), [0, 4], [95, 215])
    grounds, found = [], 0
    for colour, mask, _ in plain(half, tones):
        assert colour.min() >= 0 and colour.max() <= 255
        luma = colour @ LUMA
        # the weave is up to a twentieth either way, and means out; tones of two colours mix in a straight line
        assert np.allclose(luma[:, 2:22].mean(axis=1), expected, rtol=0.02, atol=1)
        ground = luma[:, -20:].mean()
        assert 44 <= ground <= 91 and np.abs(luma[:, -20:] / ground - 1).max() < 0.06
        assert mask[:, :27].all() and not mask[:, 33:].any()
        grounds.append(ground)
        found += 1
    assert found >= 8 and np.ptp(grounds) > 20


def test_wax_lines_run_along_the_outline_and_where_the_motif_says_and_nowhere_else():
    half, line = X - 0.3, np.abs(Y - 0.205) - 0.02
    for colour, _, _ in plain(half, line=line):
        luma = colour @ LUMA
        across = luma[40:].mean(axis=0)  # away from the line
        peak = across.argmax()
        assert abs(AXIS[peak] - 0.3) <= 0.015 and across[peak] > 185
        # twice LINE wide, softened by a pixel, and as much wandering as dye creeps
        assert np.sum(across > (across[peak] + 95) / 2) in (2, 3, 4)
        inside, outside = luma[:, :20].mean(axis=1), luma[:, -20:].mean(axis=1)
        assert (inside[19:22] > 190).all() and (inside[:16] < 105).all() and (inside[26:] < 105).all()
        assert np.ptp(outside) < 8  # no line on the ground
        # 0.95 of the outline, 0.8 of that for a line inside, of wax of luma 240
        assert inside[20] == pytest.approx(95 + 0.76 * (240 - 95), rel=0.03)


def test_the_motif_and_its_mask_creep_together_by_a_hundredth_at_most():
    half = X - 0.3
    edges = []
    for seed in range(40):
        _, mask, _ = dyed(seed, half)
        edges.append(mask.sum(axis=1) * PIXEL - 0.3)
    assert np.abs(edges).max() <= 0.05 and np.std(edges) < 0.011
    far = [dyed(seed, half, difficulty=1.0)[1].sum(axis=1) * PIXEL - 0.3 for seed in range(40)]
    assert np.std(far) > 1.8 * np.std(edges)


def test_crackle_darkens_veins_and_leaves_the_rest():
    cracked = [dyed(seed, FAR) for seed in range(150)]
    for colour, _, drawn in cracked:
        if drawn["filling"] != "plain" or drawn["dark_motif"]:
            continue
        luma = colour @ LUMA
        usual = np.median(luma)
        assert luma.max() < 1.12 * usual
        darkest = 1 - luma.min() / usual
        if drawn["crackle"] > 0.1:
            assert 0.35 * drawn["crackle"] < darkest < 0.55 * drawn["crackle"] + 0.12
        elif drawn["crackle"] == 0:
            assert darkest < 0.06
    assert 0.3 < np.mean([drawn["crackle"] > 0 for *_, drawn in cracked]) < 0.7


@pytest.mark.parametrize(("which", "other"), [("filling", "inner_filling"), ("inner_filling", "filling")])
def test_a_filling_is_strewn_over_the_ground_or_the_motif_and_not_over_the_other(which, other):
    half, found = X - 0.3, 0
    for seed in range(500):
        colour, _, drawn = dyed(seed, half)
        # flowers are so far apart that a piece of cloth may show none
        if drawn[which] in ("plain", "kembang") or drawn[other] != "plain" or drawn["crackle"]:
            continue
        luma = colour @ LUMA
        ground, motif = luma[:, 36:], luma[:, :24]
        filled, empty = (ground, motif) if which == "filling" else (motif, ground)
        # marks are 0.15 to 0.4 of wax at difficulty 0; on the motif, of wax or of its darkest dye, which it has here
        change = np.quantile(filled, 0.995) - np.quantile(filled, 0.05)
        assert change < 0.4 * 195 + 12 and empty.std() < 4, drawn
        found += change > 12
    assert found >= 10


def test_fillings_run_in_any_direction():
    """The direction of hatching on a large piece of ground, from the moments of its spectrum."""
    angles = []
    for seed in range(500):
        colour, _, drawn = dyed(seed, FAR)
        if drawn["filling"] == "sawut" and not drawn["crackle"]:
            grey = colour @ LUMA
            power = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
            fy, fx = np.meshgrid(*2 * [np.fft.fftfreq(SIZE, 1 / SIZE)], indexing="ij")
            power *= np.hypot(fy, fx) < 15
            angles.append(np.angle((power * np.exp(2j * np.arctan2(fy, fx))).sum()) / 2)
    assert len(angles) >= 12 and abs(np.mean(np.exp(2j * np.array(angles)))) < 0.6


def test_choices_have_their_shares():
    drawn = names()
    for place in ("filling", "inner_filling"):
        fillings = [one[place] for one in drawn]
        assert set(fillings) == {*FILLINGS, "plain"}
        assert all(fillings.count(name) / 600 == pytest.approx(1 / 6, abs=0.05) for name in set(fillings))
    palettes = [one["palette"].split("+") for one in drawn]
    assert np.mean([len(pair) == 2 for pair in palettes]) == pytest.approx(0.4, abs=0.06)
    assert {pair[0] for pair in palettes} == {palette.name for palette in PALETTES}
    crackle = np.array([one["crackle"] for one in drawn])
    assert np.mean(crackle > 0) == pytest.approx(0.5, abs=0.06) and 0.55 < crackle.max() <= 0.6
    assert not any(one["dark_motif"] for one in drawn)


@pytest.mark.parametrize("difficulty", [0.5, 1.0])
def test_the_motif_is_the_darker_the_more_often_the_harder_the_set(difficulty):
    share = np.mean([one["dark_motif"] for one in names(400, difficulty)])
    assert share == pytest.approx(0.5 * difficulty**2, abs=0.07)
    turned = 0
    for seed in range(500):
        colour, _, drawn = dyed(seed, X - 0.3, FAR * 0, difficulty=difficulty)
        luma = colour @ LUMA
        if drawn["filling"] in ("plain", "cecek") and drawn["inner_filling"] == "plain" and not drawn["crackle"]:
            left, right = np.median(luma[:, :22]), np.median(luma[:, -22:])
            assert (left < right) is np.bool_(drawn["dark_motif"])
            assert left == pytest.approx(45 if drawn["dark_motif"] else 95, abs=3)
            assert not drawn["dark_motif"] or 190 < right < 230
            turned += drawn["dark_motif"]
    assert turned >= (1 if difficulty == 1 else 0)


def test_a_second_palette_gives_the_three_darker_tones_and_the_first_the_rest():
    tones = np.repeat(np.array([0.0, 1, 2, 3, 4])[:, None], 12, axis=0).repeat(60, axis=1)  # five bands of 12 rows
    by_name = {palette.name: palette for palette in PALETTES}
    for colour, _, drawn in plain(-FAR, tones):
        first, _, second = drawn["palette"].partition("+")
        for band in range(5):
            source = by_name[second if second and band < 3 else first].tones[band]
            expected = cloth.with_luma(source, np.linspace(95, 215, 5)[band])
            middle = colour[12 * band + 2 : 12 * band + 10, :].mean(axis=(0, 1))
            assert np.allclose(middle, np.clip(expected, 0, 255), rtol=0.03, atol=2)


def test_luma_is_changed_towards_black_or_white_only():
    dark, light = cloth.with_luma(np.array([200.0, 100, 50]), 40), cloth.with_luma(np.array([200.0, 100, 50]), 200)
    assert np.allclose(dark / [200, 100, 50], dark[0] / 200) and dark @ LUMA == pytest.approx(40)
    assert np.allclose((255 - light) / [55, 155, 205], (255 - light[0]) / 55) and light @ LUMA == pytest.approx(200)
    same = np.array([12.0, 34, 56])
    assert np.allclose(cloth.with_luma(same, same @ LUMA), same)


def test_palettes_are_read_as_ground_wax_dark_and_light():
    assert len(PALETTES) == 28 == len({palette.name for palette in PALETTES})
    plum = next(palette for palette in PALETTES if palette.name == "plum")
    assert (plum.ground, plum.wax) == ((0x6D, 0x28, 0x50), (0xFB, 0xE8, 0xEE))
    assert (plum.dark, plum.light) == ((0x33, 0x0F, 0x28), (0xD7, 0x93, 0xB6))
    for palette in PALETTES:
        dark, light = np.array(palette.dark), np.array(palette.light)
        assert np.allclose(palette.tones, [dark + (light - dark) * step / 4 for step in range(5)])
        assert dark @ LUMA < light @ LUMA < palette.wax @ LUMA


U = np.random.default_rng(2).uniform(-0.7, 0.7, 300)
V = np.random.default_rng(3).uniform(-0.5, 0.5, 300)


def fields_of(motif, x, y, seed):
    found = ALL_MOTIFS[motif](x, y, np.random.default_rng([5, seed]))
    return np.stack([found.distance, found.tone, found.line]), found.drawn


@pytest.mark.parametrize("motif", ["keratonan", "singa_barong", "kawung"])
def test_left_and_right_of_the_axis_are_mirror_images(motif):
    for seed in range(4):
        right, _ = fields_of(motif, U, V, seed)
        left, _ = fields_of(motif, -U, V, seed)
        assert np.allclose(right, left, atol=1e-9)
        assert np.abs(fields_of(motif, U, -V, seed)[0] - right).max() > 0.05 or motif == "kawung"


def test_kawung_is_the_same_upside_down_turned_by_a_quarter_and_a_period_on():
    for seed in range(3):
        values, drawn = fields_of("kawung", U, V, seed)
        period = np.random.default_rng([5, seed]).uniform(0.62, 0.8)
        assert drawn["period"] == round(period, 3)
        for x, y in ((U, -V), (V, U), (U + period, V), (U, V - 2 * period)):
            assert np.allclose(fields_of("kawung", x, y, seed)[0], values, atol=1e-9)


def test_every_second_row_of_the_keratonan_hangs_where_the_manifest_says_so():
    seen = set()
    for seed in range(12):
        _, drawn = fields_of("keratonan", U, V, seed)
        rng = np.random.default_rng([5, seed])
        period_x, period_y = rng.uniform(1.45, 1.8), rng.uniform(1.1, 1.3)
        values = fields_of("keratonan", U, V, seed)[0]
        x = U + drawn["row_offset"] * period_x
        upright = np.allclose(fields_of("keratonan", x, V + period_y, seed)[0], values, atol=1e-6)
        upside_down = np.allclose(fields_of("keratonan", x, period_y - V, seed)[0], values, atol=1e-6)
        assert (upright, upside_down) == (not drawn["hanging"], drawn["hanging"])
        seen.add((drawn["hanging"], drawn["row_offset"]))
    assert len(seen) == 4


@pytest.mark.parametrize("motif", ALL_MOTIFS)
def test_tones_stay_between_0_and_4_and_a_motif_covers_some_of_the_cloth(motif):
    x, y = np.meshgrid(np.linspace(0, 4, 90), np.linspace(0, 4, 80))
    for seed in range(5):
        (distance, tone, line), _ = fields_of(motif, x, y, seed)
        assert tone.min() >= 0 and tone.max() <= 4 and np.ptp(tone[distance < 0]) > 0
        assert 0.15 < np.mean(distance < 0) < 0.8 and 0.01 < np.mean(line[distance < 0] < 0) < 0.7
