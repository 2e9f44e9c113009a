"""Gabor filters: short waves of one direction and one scale, with which a convolution can begin instead of with noise.

A Gabor filter is a wave under a bell:

    u = x cos(t) + y sin(t),  v = -x sin(t) + y cos(t)
    g(x, y) = exp(-(u^2 + (ASPECT v)^2) / (2 s^2)) cos(2 pi f u + p)

It answers where the picture has stripes or edges of direction t that repeat about f times a pixel, and it is as sharp
in place and in frequency at once as a filter can be (Gabor, 1946; in two dimensions Daugman, 1985). Banks of them have
described textures since Bovik, Clark & Geisler (1990) and Jain & Farrokhnia (1991), whose scheme this is: the mean size
of each filter's answer over the picture says how much of its stripes there is, and not where.

Each filter is made blind to brightness and as strong as every other: its mean over the window is 0, because a multiple
of its bell is taken off, and the sum of its squares is 1.
"""

import math

import numpy as np

from ..errors import InputError

HIGHEST = 0.36  # cycles a pixel of the finest scale: below 0.5, where a wave can no longer be told from a coarser one
WIDEST = 1.2  # of the coarsest scale's waves fit into the window: fewer would leave a slope and not a wave
SPREAD = 0.5  # s f: the bell holds about two crests, and covers 1.1 octaves of frequencies
ASPECT = 0.6  # below 1 the bell is longer along the crests, and so tells directions apart more sharply
LARGEST_SPREAD = 0.25  # of the window: a wider bell would be cut off at the edges
ORIENTATIONS = 8  # if there are filters enough
SMALLEST = 5  # pixels: a smaller window holds no wave that has a direction
LUMA = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)


def gabor_kernel(shape: tuple[int, ...]) -> np.ndarray:
    """A bank of Gabor filters as the kernel (kh, kw, C, F) of a convolution, float64. It is no draw: always the same.

    Filters 0 and 1 are the cosine and the sine of one direction at the coarsest scale; every further pair turns it on,
    and the scale becomes finer when all directions have had their turn: F = 64 gives 4 scales of 8 directions, F = 2
    one pair. Scales are equal steps in log f from WIDEST / min(kh, kw) to HIGHEST cycles a pixel. Over the channels a
    filter has the shares of `grey_shares`, so that it sees the grey picture. InputError for dense kernels and small
    windows.
    """
    kh, kw, channels, filters = _convolution("gabor", shape)
    if min(kh, kw) < SMALLEST:
        raise InputError(
            f'kernel_initializer="gabor" needs windows of at least {SMALLEST}x{SMALLEST} pixels, got {kh}x{kw}: '
            "a smaller one holds no wave; use a larger kernel_size"
        )
    scales, directions = arrangement(filters)
    lowest = min(HIGHEST, WIDEST / min(kh, kw))
    frequencies = np.geomspace(lowest, HIGHEST, scales) if scales > 1 else np.array([math.sqrt(lowest * HIGHEST)])
    bank = [
        gabor(kh, kw, frequency, math.pi * direction / directions, phase)  # (kh, kw)
        for frequency in frequencies
        for direction in range(directions)
        for phase in (0.0, math.pi / 2)
    ][:filters]
    return np.stack(bank, axis=-1)[:, :, None, :] * grey_shares(channels)[:, None]  # (kh, kw, C, F)


def gabor(kh: int, kw: int, frequency: float, direction: float, phase: float) -> np.ndarray:
    """One filter (kh, kw) of mean 0 and energy 1.

    frequency in cycles a pixel; direction in radians, of the wave's travel from the x axis (columns) towards the y axis
    (rows, downwards); phase 0 is a crest in the middle, pi/2 a flank.
    """
    y, x = np.meshgrid(np.arange(kh) - (kh - 1) / 2, np.arange(kw) - (kw - 1) / 2, indexing="ij")  # (kh, kw)
    u = x * math.cos(direction) + y * math.sin(direction)  # (kh, kw), across the crests
    v = y * math.cos(direction) - x * math.sin(direction)  # (kh, kw), along them
    spread = min(SPREAD / frequency, LARGEST_SPREAD * min(kh, kw))
    bell = np.exp(-(u**2 + (ASPECT * v) ** 2) / (2 * spread**2))  # (kh, kw)
    wave = bell * np.cos(2 * math.pi * frequency * u + phase)  # (kh, kw)
    wave -= bell * (wave.sum() / bell.sum())
    return wave / np.linalg.norm(wave)  # (kh, kw)


def arrangement(filters: int) -> tuple[int, int]:
    """(scales, directions) of a bank with that many filters, in pairs of a cosine and a sine."""
    scales = max(1, filters // (2 * ORIENTATIONS))
    return scales, math.ceil(filters / (2 * scales))


def harmonics_kernel(shape: tuple[int, ...]) -> np.ndarray:
    """A dense kernel (D, U), float64, behind the mean energies of a bank of D Gabor filters: waves over its directions.

    For each scale in turn, with k counting its K directions and E_k the mean of a direction's pair of energies:

        output 0      sum_k E_k / sqrt(K)                                how much there is of this scale
        2m-1, 2m      sum_k E_k cos, sin (2 pi m k / K) sqrt(2 / K)      how it comes and goes m times in half a turn
        K-1           sum_k E_k (-1)^k / sqrt(K), if K is even

    It is the Fourier transform over the directions, with rows of length 1. A cloth turned by one direction has the same
    energies one place on, and so the same wave at another phase: stripes (m = 1), crossed stripes (m = 2) and rings
    (m = 0 alone) differ however the cloth lies. Quarter turns and mirror images change no output but for its sign.
    InputError for a convolution's kernel and where D filters have fewer than U such outputs.
    """
    if len(shape) != 2:
        raise InputError(
            f'kernel_initializer="harmonics" is for a Dense behind a bank of filters (D, U), got {shape}; use "gabor"'
        )
    filters, units = shape
    scales, directions = arrangement(filters)
    if filters != 2 * scales * directions or units > scales * directions:
        raise InputError(
            f'kernel_initializer="harmonics" needs whole pairs in every scale, and half as many units at most, '
            f"got {filters} filters and {units} units; use 64 and 32"
        )
    turn = 2 * math.pi * np.arange(directions) / directions  # (K,)
    waves = [np.ones(directions)]
    for m in range(1, directions // 2 + 1):
        waves += [np.cos(m * turn), np.sin(m * turn)]  # (K,) each
    table = np.stack(waves[:directions], axis=1)  # (K, K); with K even the last sine, which is 0, falls away
    table /= np.linalg.norm(table, axis=0)
    one_scale = np.repeat(table, 2, axis=0) / 2  # (2 K, K): both of a pair
    return np.kron(np.eye(scales), one_scale)[:, :units]  # (D, U)


def luma_kernel(shape: tuple[int, ...]) -> np.ndarray:
    """A kernel (kh, kw, C, F) whose every filter is the mean brightness of its window, float64: 1x1 makes it grey."""
    kh, kw, channels, filters = _convolution("luma", shape)
    shares = grey_shares(channels) / (kh * kw)  # (C,)
    return np.broadcast_to(shares[:, None], (kh, kw, channels, filters)).copy()  # (kh, kw, C, F)


def grey_shares(channels: int) -> np.ndarray:
    """Each channel's share in grey (C,), of sum 1: luma for red, green and blue, else all alike."""
    return np.array(LUMA) if channels == len(LUMA) else np.full(channels, 1 / channels)


def _convolution(name: str, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    if len(shape) != 4:
        raise InputError(
            f'kernel_initializer="{name}" is for the windows (kh, kw, C, F) of a Conv2D, got {shape}; '
            'use "glorot_uniform" or "he_uniform"'
        )
    kh, kw, channels, filters = shape
    return kh, kw, channels, filters
