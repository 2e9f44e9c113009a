"""Pictures that are the same picture: groups that a split must never tear apart.

A difference hash has 64 bits: is each pixel brighter than its left neighbour? Two images are candidates if a quarter of
their hashes is equal under one of the eight flips and quarter turns. They are the same picture if, in addition, their
small grey versions correlate by at least 0.95.
"""

from collections import defaultdict

import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SIDE = 24  # pixels of the small grey versions that are correlated
MIN_CORRELATION = 0.95
BANDS = 4  # quarters of the hash
CHUNK = 4096  # pairs that are compared at once
MAX_BUCKET = 64  # a quarter that more images share tells nothing: plain grounds have such ones


def grey_thumbnail(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) -> uint8 (SIDE, SIDE) greys."""
    return np.asarray(Image.fromarray(np.asarray(pixels)).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))


def near_duplicate_groups(thumbnails: np.ndarray, digests: list[bytes] | None = None) -> np.ndarray:
    """Group number of each image (N,), from `grey_thumbnail`s (N, SIDE, SIDE); equal `digests` always share one.

    Groups are numbered in the order of their first image. Images of almost one colour correlate with nothing.
    """
    n = len(thumbnails)
    pairs = [*_same_content(digests or []), *_similar_pairs(thumbnails)]
    if not pairs:
        return np.arange(n)
    i, j = np.array(pairs).T
    graph = coo_array((np.ones(len(i), bool), (i, j)), shape=(n, n))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[component]  # (N,)


def orientations(thumbnails: np.ndarray) -> list[np.ndarray]:
    """The eight flips and quarter turns of (N, SIDE, SIDE)."""
    turned = [np.rot90(thumbnails, k, axes=(1, 2)) for k in range(4)]
    return turned + [t[:, :, ::-1] for t in turned]


def _same_content(digests: list[bytes]) -> list[tuple[int, int]]:
    first: dict[bytes, int] = {}
    return [(first.setdefault(digest, i), i) for i, digest in enumerate(digests) if first.setdefault(digest, i) != i]


def _hash_bands(thumbnails: np.ndarray) -> np.ndarray:
    """(N, SIDE, SIDE) -> (N, BANDS) uint16: 8 rows x 8 differences of 9 columns."""
    rows = thumbnails.reshape(len(thumbnails), 8, SIDE // 8, SIDE).mean(axis=2)  # (N, 8, SIDE)
    columns = rows[:, :, np.linspace(0, SIDE - 1, 9).round().astype(int)]  # (N, 8, 9)
    bits = columns[:, :, 1:] > columns[:, :, :-1]  # (N, 8, 8)
    return np.packbits(bits.reshape(len(bits), BANDS, 16), axis=2).view(">u2")[:, :, 0]  # (N, BANDS)


def _standardised(thumbnails: np.ndarray) -> np.ndarray:
    flat = thumbnails.reshape(len(thumbnails), SIDE * SIDE).astype(np.float32)  # (N, SIDE*SIDE)
    flat -= flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)  # (N, 1)
    # zeros, which correlate with nothing, if the contrast is below one grey level
    return np.divide(flat, norm, out=np.zeros_like(flat), where=norm > SIDE)  # (N, SIDE*SIDE)


def _similar_pairs(thumbnails: np.ndarray) -> list[tuple[int, int]]:
    buckets: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for i, bands in enumerate(_hash_bands(thumbnails).tolist()):
        for band, value in enumerate(bands):
            buckets[band, value].append(i)
    reference = _standardised(thumbnails)  # (N, SIDE*SIDE)
    pairs: list[tuple[int, int]] = []
    for turned in orientations(thumbnails):
        turned = np.ascontiguousarray(turned)
        candidates = {
            (i, j)
            for i, bands in enumerate(_hash_bands(turned).tolist())
            for band, value in enumerate(bands)
            if len(bucket := buckets.get((band, value), [])) <= MAX_BUCKET
            for j in bucket
            if i < j
        }
        if not candidates:
            continue
        a, b = np.array(sorted(candidates)).T
        standard = _standardised(turned)
        for start in range(0, len(a), CHUNK):
            part = slice(start, start + CHUNK)
            correlation = np.einsum("pk,pk->p", standard[a[part]], reference[b[part]])  # (P,)
            alike = correlation >= MIN_CORRELATION
            pairs += zip(a[part][alike].tolist(), b[part][alike].tolist(), strict=True)
    return pairs
