"""Even texture and tones: energies come from one pool, shades from one list, edges stay where they are, and colour and
contrast stay as they were."""

import numpy as np
import pytest

from batik_scratch.motifs import texture


def stripes(size, across, angle, seed=0):
    """Noisy grey cloth (H, H, 3) with stripes, `across` of them in a picture, running at an angle."""
    y, x = np.mgrid[:size, :size] / size
    wave = np.sin(2 * np.pi * across * (np.cos(angle) * x + np.sin(angle) * y))
    grain = np.random.default_rng(seed).standard_normal((size, size))
    return np.repeat((128 + 20 * wave + 8 * grain)[..., None], 3, axis=2)


def energies(colour):
    """Log energy density of each band, coarse to fine by direction (5, 8), less its mean."""
    size = len(colour)
    bands, shares = texture._bands(2 * size, 2.0)
    logs = np.log(texture._energies(colour @ texture.LUMA, bands, shares)[0]).reshape(5, 8)
    return logs - logs.mean()


def test_every_frequency_belongs_to_its_bands_by_shares_that_add_up_to_one():
    bands, shares = texture._bands(96, 1.5)
    assert bands.shape == shares.shape == (4, 96, 49) and bands.min() == 0 and bands.max() == 39
    assert shares.min() >= 0 and np.allclose(shares.sum(axis=0), 1, atol=1e-5)

    def shares_at(fy, fx):
        return dict(zip(bands[:, fy, fx].tolist(), shares[:, fy, fx].tolist(), strict=True))

    # 12 cycles in 1.5 pictures are 8 in one: the second octave; along x the first direction, along y the fifth
    assert shares_at(0, 12)[8] == pytest.approx(1) and shares_at(12, 0)[12] == pytest.approx(1)
    # on the diagonal 4 * sqrt(2) cycles in one picture, half way from the first octave to the second
    assert [shares_at(6, 6)[band] for band in (2, 10)] == pytest.approx([0.5, 0.5])
    assert [shares_at(-6, 6)[band] for band in (6, 14)] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("angle", [0.0, np.pi / 4, np.pi / 2, 2.2])
def test_a_direction_that_stands_out_does_so_less_and_in_the_usual_scales(angle):
    before = stripes(120, 16, angle)
    after = texture.even_texture(before, np.random.default_rng(3))
    wanted = np.repeat(texture.USUAL, 8).reshape(5, 8)
    off, now = energies(before) - wanted, energies(after) - wanted
    assert np.abs(now).mean() < 0.8 * np.abs(off).mean()
    # an amplitude is divided by 1.4 at most, so an energy that stands out comes down to half
    assert off.max() - np.log(2.3) < now.max() < off.max() - np.log(1.5)


@pytest.mark.parametrize("kind", ["two heaps", "one heap", "mostly dark"])
def test_shades_come_as_often_in_every_cloth_and_keep_their_order(kind):
    noise = np.random.default_rng(4).standard_normal((80, 80))
    grey = {"two heaps": 120 + 60 * np.tanh(4 * noise), "one heap": 120 + 25 * noise, "mostly dark": 60 + 9 * noise**2}
    colour = np.clip(grey[kind], 5, 250)[..., None] * np.array([1.0, 0.9, 0.7])  # (80, 80, 3)
    after = texture._even_tones(colour) @ texture.LUMA
    assert (np.diff(after.ravel()[np.argsort(colour[..., 0], axis=None)]) >= -1e-9).all()
    standard = np.quantile((after - after.mean()) / after.std(), np.linspace(0, 1, 17)[1:-1])
    wanted = np.array(texture.TONES)
    assert np.abs(standard - wanted[1:-1]).max() < 0.1
    before = colour @ texture.LUMA
    assert after.mean() == pytest.approx(before.mean(), abs=2) and after.std() == pytest.approx(before.std(), rel=0.05)


def test_a_tone_changes_all_three_channels_alike():
    colour = np.random.default_rng(2).uniform(90, 160, (40, 40, 3))
    change = texture._even_tones(colour) - colour  # (40, 40, 3)
    assert np.abs(change).max() > 3 and np.allclose(change, change[..., :1])


def test_what_is_usual_already_stays_nearly_as_it_is():
    once = stripes(120, 16, 0.7)
    for seed in range(4):
        once = texture.even_texture(once, np.random.default_rng(seed))
    again = texture.even_texture(once, np.random.default_rng(9))
    assert np.corrcoef(once.ravel(), again.ravel())[0, 1] > 0.95


def test_mean_colour_and_contrast_stay():
    cloth = stripes(90, 11, 0.3) * np.array([1.1, 0.8, 0.6])
    even = texture.even_texture(cloth, np.random.default_rng(0))
    assert np.allclose(even.mean(axis=(0, 1)), cloth.mean(axis=(0, 1)), atol=0.4)
    assert (even @ texture.LUMA).std() == pytest.approx((cloth @ texture.LUMA).std(), rel=0.01)


def test_no_edge_is_moved():
    """A bar keeps its middle and its width to half a pixel: the filter is even."""
    cloth = np.full((100, 100, 3), 80.0)
    cloth[:, 40:61] = 170
    cloth += np.random.default_rng(1).normal(0, 4, (100, 100, 1))
    profile = (texture.even_texture(cloth, np.random.default_rng(2)) @ texture.LUMA).mean(axis=0)
    rise, fall = np.diff(profile)[30:50].argmax() + 30, np.diff(profile)[50:70].argmin() + 50
    assert (rise, fall) == (39, 60)


@pytest.mark.parametrize("size", [32, 33, 64])
def test_small_pictures_and_empty_ones_are_evened_too(size):
    found = texture.even_texture(stripes(size, 6, 0.2), np.random.default_rng(0))
    assert found.shape == (size, size, 3) and np.isfinite(found).all()
    flat = np.full((size, size, 3), 99.0)
    assert np.allclose(texture.even_texture(flat, np.random.default_rng(0)), 99)
