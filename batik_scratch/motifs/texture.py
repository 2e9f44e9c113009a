"""Even texture: how much a cloth's lines come at each scale and in each direction is drawn from one pool.

Clouds run along the weft, feathers fan out, wheels stand in rows: the mean energy of a few Gabor filters would tell the
classes apart, and nobody would have to look at a shape. So every cloth is filtered, scale by scale and direction by
direction, until its energies are those of the pool. The filter is even: it moves no edge, so the mask stays true.
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
STRONGEST = 2.0  # a band's amplitude is changed by this factor at most
LUMA = np.array([0.299, 0.587, 0.114])


def even_texture(colour: Array, rng: np.random.Generator) -> Array:
    """Colours (H, H, 3) of 0..255 whose energies, in 5 octaves x 8 directions, come from one pool for all classes.

    With e the energy density of a band and t the one drawn for it, the band's amplitude is multiplied by sqrt(t / e),
    within 1 / STRONGEST .. STRONGEST; mean and contrast of the picture stay. Bands overlap in the manner of linear
    interpolation, and those finer than the picture's pixels are passed over.
    """
    size, margin = len(colour), len(colour) // 4
    grey = colour @ LUMA  # (H, H)
    bands, shares = _bands(size + 2 * margin, (size + 2 * margin) / size)
    energy, known = _energies(grey, bands, shares)
    wanted = np.repeat(USUAL, DIRECTIONS) + SPREAD * rng.standard_normal(len(energy))  # (B,)
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
