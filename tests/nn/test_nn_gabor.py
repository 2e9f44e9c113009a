"""Gabor filters: each has the energy, the blindness, the frequency and the direction that its formula promises."""

import math

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn import gabor, initializers

RNG = np.random.default_rng(0)  # never asked: the test below says so
SHAPES = [(15, 15, 1, 64), (11, 13, 3, 40), (7, 5, 2, 5), (5, 9, 4, 1), (21, 15, 3, 100), (9, 9, 1, 17)]


def bank(shape):
    return initializers.draw("gabor", shape, RNG)


def peak_of(filter_, size=256):
    """The frequency (rows, columns), in cycles a pixel, at which the filter answers most; columns from 0 up."""
    spectrum = np.abs(np.fft.rfft2(filter_, (size, size)))
    row, column = np.unravel_index(spectrum.argmax(), spectrum.shape)
    return np.fft.fftfreq(size)[row], column / size


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_filter_is_blind_to_brightness_and_as_strong_as_the_others_on_grey(shape):
    kernel = bank(shape)
    assert kernel.shape == shape and kernel.dtype == np.float64
    on_grey = kernel.sum(axis=2)  # (kh, kw, F)
    assert on_grey.sum(axis=(0, 1)) == pytest.approx(0, abs=1e-12)
    assert (on_grey**2).sum(axis=(0, 1)) == pytest.approx(1)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_filter_is_there_twice_or_upside_down(shape):
    flat = bank(shape).sum(axis=2).reshape(-1, shape[3])  # (kh kw, F)
    assert np.abs(flat.T @ flat - np.eye(shape[3])).max() < 0.999


@pytest.mark.parametrize("phase", [0.0, math.pi / 2])
@pytest.mark.parametrize("direction", np.arange(8) * math.pi / 8)
@pytest.mark.parametrize("frequency", [0.15, 0.22, 0.3])
def test_a_filter_answers_most_to_its_own_frequency_and_direction(frequency, direction, phase):
    fy, fx = peak_of(gabor.gabor(21, 21, frequency, direction, phase))
    assert math.hypot(fy, fx) == pytest.approx(frequency, rel=0.05)
    off = (math.atan2(fy, fx) - direction + math.pi / 2) % math.pi - math.pi / 2  # a wave has no sign
    assert abs(off) < math.radians(2)


def test_a_turn_by_ninety_degrees_is_the_picture_turned():
    lying, standing = (gabor.gabor(15, 15, 0.2, direction, 0.7) for direction in (0.0, math.pi / 2))
    assert np.allclose(lying.T, standing)
    assert lying.std(axis=0).mean() < 0.7 * lying.std(axis=1).mean()  # direction 0: crests stand upright


def test_the_bank_of_the_cloth_network_has_four_scales_of_eight_directions_in_pairs():
    kernel = bank((15, 15, 1, 64))[:, :, 0].reshape(15, 15, 4, 8, 2)
    for scale, frequency in enumerate(np.geomspace(0.08, 0.36, 4)):
        for turn in range(8):
            pair = [gabor.gabor(15, 15, frequency, turn * math.pi / 8, phase) for phase in (0, math.pi / 2)]
            assert np.allclose(kernel[:, :, scale, turn], np.stack(pair, axis=-1))
            assert abs((pair[0] * pair[1]).sum()) < 1e-9  # a cosine and a sine
            assert np.allclose(pair[0], pair[0][::-1, ::-1]) and np.allclose(pair[1], -pair[1][::-1, ::-1])


def test_a_pair_sees_a_wave_alike_wherever_its_crests_lie():
    x = np.arange(15) - 7.0
    pair = bank((15, 15, 1, 64))[:, :, 0, 32:34]  # direction 0 at the third scale
    waves = [np.cos(2 * math.pi * 0.36 ** (2 / 3) * 0.08 ** (1 / 3) * x + shift) for shift in np.linspace(0, 6, 13)]
    energies = [np.hypot(*np.einsum("hwf,w->f", pair, wave)) for wave in waves]
    assert np.ptp(energies) < 0.02 * np.mean(energies)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [(1, (1, 1)), (2, (1, 1)), (5, (1, 3)), (16, (1, 8)), (31, (1, 16)), (40, (2, 10)), (64, (4, 8))],
)
def test_filters_are_shared_out_over_scales_and_directions(filters, expected):
    assert gabor.arrangement(filters) == expected


def test_colours_have_the_shares_of_luma_and_other_channels_equal_ones():
    one, three, two = (bank((9, 9, channels, 6)) for channels in (1, 3, 2))
    assert np.allclose(three, one * np.array([0.299, 0.587, 0.114])[:, None]) and np.allclose(two, one / 2)


def test_luma_makes_a_picture_grey_and_a_window_its_mean():
    x = np.random.default_rng(1).random((2, 5, 6, 3))
    layer = nn.Conv2D(2, (1, 2), kernel_initializer="luma")
    y = nn.Sequential([layer], (5, 6, 3), 0, "float64").predict(x)
    grey = x @ [0.299, 0.587, 0.114]
    assert np.allclose(y, ((grey[:, :, 1:] + grey[:, :, :-1]) / 2)[..., None].repeat(2, axis=-1))


@pytest.mark.parametrize("filters", [64, 40, 12, 6])
def test_harmonics_are_an_orthogonal_fourier_transform_of_each_scales_directions(filters):
    scales, directions = gabor.arrangement(filters)
    kernel = initializers.draw("harmonics", (filters, filters // 2), RNG)  # (D, U)
    energies = np.random.default_rng(2).random((scales, directions))
    y = (np.repeat(energies.ravel(), 2) @ kernel).reshape(scales, directions)
    assert (y**2).sum(axis=1) == pytest.approx((energies**2).sum(axis=1))  # nothing is lost
    spectrum = np.fft.rfft(energies, axis=1) / math.sqrt(directions)
    assert y[:, 0] == pytest.approx(spectrum[:, 0].real)
    for m in range(1, (directions - 1) // 2 + 1):
        assert y[:, 2 * m - 1 : 2 * m + 1] == pytest.approx(
            math.sqrt(2) * np.stack([spectrum[:, m].real, -spectrum[:, m].imag], axis=1)
        )
    if directions % 2 == 0:
        assert y[:, -1] == pytest.approx(spectrum[:, -1].real)


def test_harmonics_of_a_cloth_turned_or_mirrored_differ_in_sign_alone():
    energies = np.random.default_rng(4).random((4, 8))
    kernel = initializers.draw("harmonics", (64, 32), RNG)
    seen = [
        np.abs(np.repeat(e.ravel(), 2) @ kernel)
        for e in (energies, np.roll(energies, 4, 1), energies[:, -np.arange(8)])
    ]
    assert np.allclose(seen[0], seen[1]) and np.allclose(seen[0], seen[2])


@pytest.mark.parametrize(
    ("shape", "what"), [((5, 5, 1, 4), "for a Dense"), ((7, 3), "7 filters"), ((64, 33), "33 units")]
)
def test_harmonics_refuse_what_is_no_bank_in_pairs(shape, what):
    with pytest.raises(InputError, match=rf'"harmonics".*{what}'):
        initializers.draw("harmonics", shape, RNG)


@pytest.mark.parametrize("name", ["gabor", "luma"])
def test_no_random_number_is_used_and_dense_kernels_are_refused(name):
    rng = np.random.default_rng(3)
    assert np.array_equal(initializers.draw(name, (9, 9, 3, 8), rng), initializers.draw(name, (9, 9, 3, 8), rng))
    assert rng.bit_generator.state == np.random.default_rng(3).bit_generator.state
    with pytest.raises(InputError, match=rf'"{name}" is for the windows .* of a Conv2D, got \(4, 5\)'):
        nn.Sequential([nn.Dense(5, kernel_initializer=name)], (4,))


@pytest.mark.parametrize("size", [(4, 9), (9, 4), (1, 1)])
def test_a_window_that_holds_no_wave_is_refused(size):
    with pytest.raises(InputError, match=rf"at least 5x5 pixels, got {size[0]}x{size[1]}.*larger kernel_size"):
        nn.Sequential([nn.Conv2D(4, size, kernel_initializer="gabor")], (20, 20, 1))
