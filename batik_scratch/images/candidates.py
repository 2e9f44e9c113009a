"""Which pairs of pictures deserve a second look: cheap descriptions, and every pair compared by them.

layout     the picture at 24 x 24: one picture keeps it through another encoding, a watermark, a small crop
fine       its local contrast at 32 x 32: parts those that have no more than their light in common
texture    how strong which spacing and direction is, from the spectrum: a crop shifts fine repeats against the layout's
           pixels, and hardly changes this
repeats    how like the picture is to itself, shifted: texture is asked only where a picture repeats itself
smooth     whether averaging to `fine` takes nothing away: a blurred picture is like itself shifted a little without
           any repeat, and its `fine` tells all, so that texture, which is alike in all such pictures, is not asked

All are compared by correlation under the eight flips and quarter turns. Up to ALL_PAIRS pictures every pair is compared
by one matrix product per orientation. Beyond that only those are whose signs along 16 random directions agree in one of
64 bands: a pair that correlates by c is passed over with the probability (1 - (1 - arccos(c) / pi)^16)^64: 0.004 for
0.9, 0.19 for 0.8, 0.55 for 0.7. A test holds the measured rates to that.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.fft import fft2, irfft2, rfft2

from .alignment import local_contrast, rough_fit

LAYOUT, FINE = 24, 32  # pixels of a side
RADII, ANGLES = 20, 24  # of the texture
LEAST_LAYOUT, LEAST_FINE = 0.55, 0.3  # correlations that both are needed
ALIKE_LAYOUT = 0.95  # or this one alone
LEAST_TEXTURE, LEAST_REPEATS = 0.9, 0.8  # or these two
SMOOTH = 0.9  # of the local contrast's energy is left in `fine`: 0.82 at most of photos in focus that repeat themselves
ALL_PAIRS = 8192  # pictures up to which every pair is compared
LEAST_ROUGH = 0.45  # fine's correlation after a rough fit; not asked where repeats are finer than its pixels
BLOCK = 512  # rows of the matrix of correlations that exist at once, and pictures that are described at once
BANDS, BITS, MAX_BUCKET = 64, 16, 64  # a bucket that more pictures share tells nothing
# (quarter turns, then mirrored or not): the eight ways to lay a square picture
ORIENTATIONS = [(turns, mirrored) for mirrored in (False, True) for turns in range(4)]

Found = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows i, rows j > i, and their correlations, (P,) each


@dataclass(frozen=True)
class Descriptions:
    """Of N pictures: layout (N, LAYOUT^2), fine (N, FINE^2), texture (N, RADII * ANGLES), each of mean 0 and norm 1 or
    zeros where there is nothing to see; repeats (N,), smooth bool (N,)."""

    layout: np.ndarray
    fine: np.ndarray
    texture: np.ndarray
    repeats: np.ndarray
    smooth: np.ndarray


def oriented(pictures: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """(N, S, S) turned by quarters, then mirrored left to right."""
    turned = np.rot90(pictures, turns, axes=(1, 2))  # (N, S, S)
    return turned[:, :, ::-1] if mirrored else turned


def describe(pictures: np.ndarray) -> Descriptions:
    """What uint8 (N, S, S) are compared by; S a multiple of FINE."""
    parts = [_describe(pictures[start : start + BLOCK]) for start in range(0, len(pictures), BLOCK)]
    return Descriptions(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def candidate_pairs(seen: Descriptions) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that may show the same: rows (i, j, orientation), i < j, int64 (P, 3), and their layouts' correlation (P,).

    Picture i, laid as ORIENTATIONS[orientation], is like picture j. Of pairs found by texture alone the layouts are
    not compared: 0.
    """
    rows, correlations = [np.zeros((0, 3), np.int64)], [np.zeros(0, np.float32)]
    repeats = (seen.repeats >= LEAST_REPEATS) & ~seen.smooth  # (N,)
    repeating = np.flatnonzero(repeats)  # (M,)
    for number, (turns, mirrored) in enumerate(ORIENTATIONS):
        layout, fine = (_laid(flat, turns, mirrored) for flat in (seen.layout, seen.fine))
        for i, j, correlation in alike(layout, seen.layout, LEAST_LAYOUT):
            keep = (np.einsum("pk,pk->p", fine[i], seen.fine[j]) >= LEAST_FINE) | (correlation >= ALIKE_LAYOUT)  # (P,)
            i, j, correlation = i[keep], j[keep], correlation[keep]
            sure = correlation >= ALIKE_LAYOUT  # (P,)
            sure |= repeats[i] & repeats[j]
            for ask in np.array_split(np.flatnonzero(~sure), np.sum(~sure) // BLOCK + 1):
                pair = (x.reshape(-1, FINE, FINE) for x in (fine[i[ask]], seen.fine[j[ask]]))
                sure[ask] = rough_fit(*pair) >= LEAST_ROUGH
            rows.append(np.stack([i, j, np.full(len(i), number)], axis=1)[sure])
            correlations.append(correlation[sure])
        if turns < 2:  # half a turn changes no spectrum: such a pair is looked at both ways
            texture = seen.texture[repeating]  # (M, D)
            for i, j, _ in alike(_laid_texture(texture, turns, mirrored), texture, LEAST_TEXTURE):
                for way in (number, number + 2):
                    rows.append(np.stack([repeating[i], repeating[j], np.full(len(i), way)], axis=1))
                    correlations.append(np.zeros(len(i), np.float32))
    found, first = np.unique(np.concatenate(rows), axis=0, return_index=True)  # (P, 3), (P,)
    return found, np.concatenate(correlations)[first]


def alike(turned: np.ndarray, reference: np.ndarray, least: float) -> Iterator[Found]:
    """Rows i of `turned` and j > i of `reference`, both (N, D) of norm 1, that correlate by `least` or more."""
    return (_by_products if len(turned) <= ALL_PAIRS else _by_bands)(turned, reference, least)


def standardised(values: np.ndarray, least: float) -> np.ndarray:
    """(N, ...) -> float32 (N, D) of mean 0 and norm 1; zeros, which correlate with nothing, for norms up to `least`."""
    flat = values.reshape(len(values), -1).astype(np.float32)  # (N, D)
    flat -= flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)  # (N, 1)
    return np.divide(flat, norm, out=np.zeros_like(flat), where=norm > least)  # (N, D)


def _describe(pictures: np.ndarray) -> tuple[np.ndarray, ...]:
    n, side, _ = pictures.shape
    box = Image.Resampling.BOX
    layout = np.stack([np.asarray(Image.fromarray(p).resize((LAYOUT, LAYOUT), box)) for p in pictures])
    contrast = local_contrast(pictures)  # (N, S, S)
    fine = contrast.reshape(n, FINE, side // FINE, FINE, side // FINE).mean(axis=(2, 4))  # (N, FINE, FINE)
    smooth = np.square(fine).mean(axis=(1, 2)) >= SMOOTH * np.square(contrast).mean(axis=(1, 2))  # (N,)
    window = np.hanning(side + 2)[1:-1].astype(np.float32)  # (S,)
    window = window[:, None] * window  # (S, S)
    texture = np.abs(fft2(contrast * window)).reshape(n, -1) @ _rings(side)  # (N, RADII * ANGLES)
    repeats = _self_likeness(contrast * window, window)
    return standardised(layout, LAYOUT), standardised(fine, 0.5), standardised(texture, 1e-3), repeats, smooth


def _self_likeness(windowed: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Largest autocorrelation (N,) of (N, S, S) at shifts of 3 pixels to 3/8 of a side, corrected for the window."""
    side = len(window)
    size = side * 3 // 2  # so much padding that shifts up to S / 2 do not wrap
    own, of_window = (
        irfft2(np.abs(rfft2(x, s=(size, size))) ** 2, s=(size, size))[:, : side * 3 // 8 + 1]
        for x in (windowed, window[None])
    )  # (N, 3 S / 8 + 1, size), and of one: shifts upwards are those downwards again
    across = np.minimum(np.arange(size), size - np.arange(size))  # (size,)
    furthest = np.maximum(across, np.arange(own.shape[1])[:, None])  # (3 S / 8, size)
    far = (furthest >= 3) & (furthest < own.shape[1])
    likeness = (own[:, far] / of_window[:, far]).max(axis=1) * of_window[0, 0, 0]  # (N,)
    return np.divide(likeness, own[:, 0, 0], out=np.zeros_like(likeness), where=own[:, 0, 0] > 1e-3)


@functools.cache
def _rings(side: int) -> np.ndarray:
    """Weights (S^2, RADII * ANGLES): means around points on rings of 4 to S/2 periods a side, times that number.

    A crop of 3% moves a frequency f by up to f / 16: so wide are the means.
    """
    radius = np.repeat(np.geomspace(4, side / 2 - 1, RADII), ANGLES)  # (D,)
    angle = np.tile(np.arange(ANGLES) * np.pi / ANGLES, RADII)  # (D,)
    y, x = (v.reshape(-1, 1) for v in np.meshgrid(*[np.fft.fftfreq(side, 1 / side)] * 2, indexing="ij"))  # (S^2, 1)
    square = (y - radius * np.sin(angle)) ** 2 + (x - radius * np.cos(angle)) ** 2  # (S^2, D)
    near = np.exp(-square / (2 * (0.7 + 0.06 * radius) ** 2))  # (S^2, D)
    near[(np.minimum(y, x) == -side // 2).ravel()] = 0  # the one frequency without its opposite
    return (near / near.sum(axis=0) * radius).astype(np.float32)


def _laid(flat: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    side = int(np.sqrt(flat.shape[1]))
    return oriented(flat.reshape(-1, side, side), turns, mirrored).reshape(flat.shape)  # (N, D)


def _laid_texture(texture: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """The textures (N, D) of the pictures turned by `turns` quarters, then mirrored, without asking the pictures."""
    polar = np.roll(texture.reshape(-1, RADII, ANGLES), turns * ANGLES // 2, axis=2)  # (N, RADII, ANGLES)
    if mirrored:
        polar = polar[:, :, -np.arange(ANGLES)]  # a direction becomes its opposite
    return polar.reshape(texture.shape)


def _by_products(turned: np.ndarray, reference: np.ndarray, least: float) -> Iterator[Found]:
    """Every pair, BLOCK rows at a time: memory grows with N, time with N^2."""
    for start in range(0, len(turned), BLOCK):
        correlation = turned[start : start + BLOCK] @ reference[start:].T  # (BLOCK, N - start)
        i, j = np.divmod(np.flatnonzero(correlation >= least), correlation.shape[1])
        later = i < j
        yield i[later] + start, j[later] + start, correlation[i[later], j[later]]


def _by_bands(turned: np.ndarray, reference: np.ndarray, least: float) -> Iterator[Found]:
    """Pairs whose signs along BITS random directions are the same in one of BANDS draws of directions."""
    rng, weights = np.random.default_rng(0), 1 << np.arange(BITS)
    for _ in range(BANDS):
        directions = rng.standard_normal((reference.shape[1], BITS), np.float32)  # (D, BITS)
        known, wanted = ((x @ directions > 0) @ weights for x in (reference, turned))  # (N,) both
        order = np.argsort(known, kind="stable")
        first, last = (np.searchsorted(known[order], wanted, side) for side in ("left", "right"))  # (N,) both
        count = np.where(last - first <= MAX_BUCKET, last - first, 0)  # (N,)
        i = np.repeat(np.arange(len(turned)), count)  # (P,)
        j = order[np.arange(len(i)) + np.repeat(first - np.cumsum(count) + count, count)]  # (P,)
        i, j = i[i < j], j[i < j]
        for start in range(0, len(i), 8 * BLOCK):
            a, b = i[start : start + 8 * BLOCK], j[start : start + 8 * BLOCK]
            correlation = np.einsum("pk,pk->p", turned[a], reference[b])  # (P,)
            yes = correlation >= least
            yield a[yes], b[yes], correlation[yes]
