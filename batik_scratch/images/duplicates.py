"""Pictures that are the same picture: groups that a split must never tear apart.

Candidates are looked at twice: see `candidates` for the first look, over all pairs, and `alignment` for the second. Two
pictures are the same if, laid onto each other, half of their places or more agree: by a correlation of 0.72 where a
picture is like itself nowhere else, and of up to 0.97 where it repeats itself, since two cloths of one regular repeat
agree by up to 0.95. Where there is too little texture to say so, layouts that correlate by 0.95 decide.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .alignment import agreement, best_fit, local_contrast
from .candidates import ALIKE_LAYOUT, ORIENTATIONS, candidate_pairs, describe, oriented

SIDE = 64  # pixels of the small grey versions
RULE = 2  # of what makes a group: raise it when any pictures would be grouped otherwise, and caches group again
LEAST_AGREEMENT, MOST_AGREEMENT = 0.72, 0.97  # asked where `repeats` is up to 0.6, and from 0.9 on
MIN_PLACES = 12  # with texture, of 64
MAX_BORDER = SIDE // 6  # lines on each side that may be a border
EVEN = 10  # grey levels between the darkest and the brightest pixel of a border's line


def grey_thumbnail(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) -> uint8 (SIDE, SIDE) greys."""
    return np.asarray(Image.fromarray(np.asarray(pixels)).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))


def near_duplicate_groups(thumbnails: np.ndarray, digests: list[bytes] | None = None) -> np.ndarray:
    """Group number of each image (N,), from `grey_thumbnail`s (N, SIDE, SIDE); equal `digests` always share one.

    Groups are numbered in the order of their first image, and chained: what is like a member is a member. Images of
    almost one colour are like nothing.
    """
    n = len(thumbnails)
    pairs = [*_same_content(digests or []), *same_pictures(without_borders(thumbnails))]
    if not pairs:
        return np.arange(n)
    i, j = np.array(pairs).T
    graph = coo_array((np.ones(len(i), bool), (i, j)), shape=(n, n))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[component]  # (N,)


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


def same_pictures(pictures: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs (i, j) of uint8 (N, SIDE, SIDE) that show the same."""
    seen = describe(pictures)
    candidates, layouts = candidate_pairs(seen)  # (P, 3), (P,)
    repeats = seen.repeats[candidates[:, :2]].min(axis=1, initial=1)  # (P,)
    ramp = ((repeats - 0.6) / 0.3).clip(0, 1)
    asked = LEAST_AGREEMENT + (MOST_AGREEMENT - LEAST_AGREEMENT) * ramp  # (P,)
    last, known = -1, False  # a pair that was found in one orientation needs no other
    for (i, j, orientation), layout, least in zip(candidates.tolist(), layouts, asked, strict=True):
        if (i, j) == (last, known):
            continue
        a, b = local_contrast(pictures[[i, j]])  # (SIDE, SIDE) both
        a = oriented(a[None], *ORIENTATIONS[orientation])[0]
        agreed, places = agreement(best_fit(a, b), b)
        if agreed >= least if places >= MIN_PLACES else layout >= ALIKE_LAYOUT:
            last, known = i, j
            yield i, j


def _same_content(digests: list[bytes]) -> list[tuple[int, int]]:
    first: dict[bytes, int] = {}
    return [(first.setdefault(digest, i), i) for i, digest in enumerate(digests) if first.setdefault(digest, i) != i]
