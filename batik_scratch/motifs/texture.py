"""Even texture and tones: how strong a cloth's lines are at each scale and in each direction, and how often each shade
comes, is the same for all classes.

Clouds run along the weft, feathers fan out, wheels stand in rows: the mean energy of a few Gabor filters would tell the
classes apart, and nobody would have to look at a shape. So every cloth is filtered, scale by scale and direction by
direction, towards energies of one pool. The filter is even: it moves no edge, so the mask stays true. Before that,
each shade is replaced by that of its rank in one list for all cloths: what is left of a class in how often each shade
comes would be seen by a histogram, and the filter would add to it.
"""

from functools import lru_cache

import numpy as np
from scipy import fft

from .fields import Array

DIRECTIONS = 8
COARSEST = 4.0  # cycles across the picture in the middle of the coarsest band; each further band has twice as many
# mean logarithm of a band's energy density, coarse to fine, over all classes: the usual cloth keeps its looks
USUAL = (3.76, 1.38, -0.13, -1.71, -3.3)
SPREAD = 0.15  # standard deviation of the same from cloth to cloth
STRONGEST = 1.4  # a band's amplitude is changed by this factor at most
# so many standard deviations from the mean lie the shades than which 0, 1/16 ... 1 of the pixels are darker: the mean
# over the classes
TONES = (-1.79, -1.23, -1.05, -0.92, -0.82, -0.73, -0.63, -0.51, -0.31, -0.03, 0.3, 0.65, 0.94, 1.17, 1.37, 1.6, 1.96)
LUMA = np.array([0.299, 0.587, 0.114])


def even_texture(colour: Array, rng: np.random.Generator) -> Array:
    """Colours (H, H, 3) of 0..255 whose shades come about as often in all classes, and whose energies, in 5 octaves x 8
    directions, are nearer to those of one pool. Mean and contrast of the picture stay.
    """
    wanted = np.repeat(USUAL, DIRECTIONS) + SPREAD * rng.standard_normal(len(USUAL) * DIRECTIONS)  # (B,)
    return _filtered(_even_tones(colour), wanted)


def _filtered(colour: Array, wanted: Array) -> Array:
    """Colours (H, H, 3) with the energies brought near `wanted` (B,), logarithms by octave and direction.

    With e the energy density of a band and t the one wanted, the band's amplitude is multiplied by sqrt(t / e), within
    1 / STRONGEST .. STRONGEST. Bands overlap in the manner of linear interpolation, and those finer than the picture's
    pixels are passed over.
    """
    size, margin = len(colour), len(colour) // 4
    grey = colour @ LUMA  # (H, H)
    bands, shares = _bands(size + 2 * margin, (size + 2 * margin) / size)
    energy, known = _energies(grey, bands, shares)
    change = np.where(known, wanted - np.log(energy), 0)
    change = np.where(known, change - change[known].mean(), 0)  # contrast is somebody else's matter
    steps = np.clip(change / 2, -np.log(STRONGEST), np.log(STRONGEST))  # half, for energy is amplitude squared
    gain = np.exp((shares * steps[bands]).sum(axis=0))  # (P, P // 2 + 1)

    around = np.pad(colour - colour.mean(axis=(0, 1)), ((margin, margin), (margin, margin), (0, 0)), "symmetric")
    spectrum = fft.rfft2(around, axes=(0, 1)) * gain[..., None]
    wave = fft.irfft2(spectrum, around.shape[:2], axes=(0, 1))[margin : margin + size, margin : margin + size]
    wave -= wave.mean(axis=(0, 1))
    wave *= grey.std() / max((wave @ LUMA).std(), 1e-9)
    return np.clip(wave + colour.mean(axis=(0, 1)), 0, 255)


def _even_tones(colour: Array) -> Array:
    """Colours (H, H, 3) whose lumas have the quantiles TONES about the picture's own mean and contrast.

    The pixel of rank r of n, by luma, gets the luma mean + std * TONES at (r + 1/2) / n; all three channels change by
    the same. What was lighter than something else still is.
    """
    grey = (colour @ LUMA).ravel()  # (H * H,)
    place = np.empty(len(grey))
    place[np.argsort(grey, kind="stable")] = (np.arange(len(grey)) + 0.5) / len(grey)
    wanted = grey.mean() + grey.std() * np.interp(place, np.linspace(0, 1, len(TONES)), TONES)  # (H * H,)
    return np.clip(colour + (wanted - grey).reshape(*colour.shape[:2], 1), 0, 255)


@lru_cache(maxsize=1)  # a data set has one size
def _bands(period: int, pictures: float) -> tuple[Array, Array]:
    """The four bands (4, P, P // 2 + 1) between whose middles a frequency lies, and its share in each of them."""
    fy, fx = np.meshgrid(fft.fftfreq(period, 1 / period), np.arange(period // 2 + 1), indexing="ij")
    cycles = np.maximum(np.hypot(fy, fx), 1) / pictures  # across the picture, not across what surrounds it
    octave = np.clip(np.log2(cycles / COARSEST), 0, len(USUAL) - 1)
    direction = np.arctan2(fy, fx) / np.pi * DIRECTIONS
    low, left = np.minimum(octave.astype(int), len(USUAL) - 2), np.floor(direction).astype(int)
    corners = [(a, b) for a in (0, 1) for b in (0, 1)]
    bands = [(low + a) * DIRECTIONS + (left + b) % DIRECTIONS for a, b in corners]
    shares = [np.abs(1 - a - (octave - low)) * np.abs(1 - b - (direction - left)) for a, b in corners]
    return np.array(bands, np.int8), np.array(shares, np.float32)


def _energies(grey: Array, bands: Array, shares: Array) -> tuple[Array, Array]:
    """Energy density of each band (B,), above 0, and whether the picture has pixels fine enough for it."""
    count, period = len(USUAL) * DIRECTIONS, bands.shape[1]
    window = np.hanning(len(grey) + 2)[1:-1]  # the picture's edges are no lines
    power = np.abs(fft.rfft2((grey - grey.mean()) * window[:, None] * window, (period, period))) ** 2
    size = np.bincount(bands.ravel(), shares.ravel(), count)
    total = np.bincount(bands.ravel(), (shares * power).ravel(), count)
    return (total + 1e-9) / np.maximum(size, 1e-9), size > 1
