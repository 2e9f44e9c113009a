"""Pictures that are the same picture: groups that a split must never tear apart.

Candidates are looked at twice: see `candidates` for the first look, over all pairs, and `alignment` for the second. Two
pictures are the same if, laid onto each other, half of their places or more agree: by a correlation of 0.75 where a
picture is like itself nowhere else, and of up to 0.972 where it repeats itself, since two cloths of one regular repeat
agree by up to 0.97. Where there is too little texture to say so, layouts that correlate by 0.95 decide.
"""

import numpy as np
from PIL import Image

from .alignment import agreement, best_fit, local_contrast
from .candidates import ALIKE_LAYOUT, ORIENTATIONS, candidate_pairs, describe, oriented

SIDE = 64  # pixels of the small grey versions
RULE = 3  # of what makes a group: raise it when any pictures would be grouped otherwise, and caches group again
LEAST_AGREEMENT, MOST_AGREEMENT = 0.75, 0.972
LEAST_REPEATS, MOST_REPEATS = 0.75, 0.98  # up to the one the least agreement is asked, from the other on the most
LEAST_OVERALL = 0.75  # smooth pictures of few shapes agree in most places by chance, and differ much in the others
MIN_PLACES = 12  # with texture, of 64
MAX_BORDER = SIDE // 6  # lines on each side that may be a border
EVEN = 10  # grey levels between the darkest and the brightest pixel of a border's line


def grey_thumbnail(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) -> uint8 (SIDE, SIDE) greys, so smoothed that fine repeats make no moire."""
    return np.asarray(Image.fromarray(np.asarray(pixels)).convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def near_duplicate_groups(thumbnails: np.ndarray, digests: list[bytes] | None = None) -> np.ndarray:
    """Group number of each image (N,), from `grey_thumbnail`s (N, SIDE, SIDE); equal `digests` always share one.

    Groups are numbered in the order of their first image, and chained: what is like a member is a member. Images of
    almost one colour are like nothing.
    """
    groups = _Groups(len(thumbnails))
    first: dict[bytes, int] = {}
    for i, digest in enumerate(digests or []):
        groups.join(first.setdefault(digest, i), i)
    _join_same_pictures(groups, without_borders(thumbnails))
    return groups.numbers()


class _Groups:
    """Who belongs together: each one points to an earlier one of its group, the first to itself."""

    def __init__(self, n: int) -> None:
        self.earlier = list(range(n))

    def first(self, i: int) -> int:
        while self.earlier[i] != i:
            self.earlier[i] = i = self.earlier[self.earlier[i]]  # every second step shortens the way
        return i

    def join(self, i: int, j: int) -> None:
        i, j = self.first(i), self.first(j)
        self.earlier[max(i, j)] = min(i, j)

    def numbers(self) -> np.ndarray:
        firsts = [self.first(i) for i in range(len(self.earlier))]
        return np.unique(np.array(firsts, np.int64), return_inverse=True)[1]  # (N,)


def without_borders(thumbnails: np.ndarray) -> np.ndarray:
    """uint8 (N, SIDE, SIDE) with lines of one even grey at their edges cut off, and stretched to their size again."""
    first, last = np.zeros((2, len(thumbnails), 2), int)
    for axis in (0, 1):
        lines = thumbnails if axis == 0 else thumbnails.transpose(0, 2, 1)  # (N, SIDE, SIDE)
        for ends, part in ((first, lines[:, :MAX_BORDER]), (last, lines[:, ::-1][:, :MAX_BORDER])):
            edge = part[:, 0].mean(axis=1)  # (N,)
            even = (np.ptp(part, axis=2) <= EVEN) & (np.abs(part.mean(axis=2) - edge[:, None]) <= EVEN / 2)
            ends[:, axis] = np.logical_and.accumulate(even, axis=1).sum(axis=1)
    cut = np.array(thumbnails)
    for i in np.flatnonzero((first + last).any(axis=1)):
        # the next line is a mixture of border and picture
        top, left = np.where(first[i] > 0, first[i] + 1, 0)
        bottom, right = SIDE - np.where(last[i] > 0, last[i] + 1, 0)
        box = (int(left), int(top), int(right), int(bottom))
        cut[i] = Image.fromarray(thumbnails[i]).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
    return cut


def _join_same_pictures(groups: _Groups, pictures: np.ndarray) -> None:
    """Join those of uint8 (N, SIDE, SIDE) that show the same; what is together already is not looked at again."""
    seen = describe(pictures)
    candidates, layouts = candidate_pairs(seen)  # (P, 3), (P,)
    repeats = seen.repeats[candidates[:, :2]].min(axis=1, initial=1)  # (P,)
    asked = np.interp(repeats, (LEAST_REPEATS, MOST_REPEATS), (LEAST_AGREEMENT, MOST_AGREEMENT))  # (P,)
    for (i, j, orientation), layout, least in zip(candidates.tolist(), layouts, asked, strict=True):
        if groups.first(i) == groups.first(j):
            continue
        a, b = local_contrast(pictures[[i, j]])  # (SIDE, SIDE) both
        a = oriented(a[None], *ORIENTATIONS[orientation])[0]
        a = best_fit(a, b)
        agreed, places = agreement(a, b)
        overall = float(np.vdot(a, b) / np.sqrt(np.vdot(a, a) * np.vdot(b, b) + 1e-6))
        alike = agreed >= least and overall >= LEAST_OVERALL
        if alike if places >= MIN_PLACES else layout >= ALIKE_LAYOUT:
            groups.join(i, j)
