"""Batches for `fit`: shuffled, augmented, read a batch at a time from memory or from a mapped file."""

from collections.abc import Iterator

import numpy as np

from ..errors import InputError
from .augment import ImageAugmenter


class AugmentedBatches:
    """A sized iterable of (x, y) batches, made anew at each iteration.

    images        uint8 (N, H, W, C), an array or a memory map: only a batch is in memory at a time
    labels        (N,) whole numbers
    augmenter     ImageAugmenter, or None: then the images are only divided by 255
    seed          epoch e's order and augmentation depend on (seed, e) alone
    rows          which images take part; all, if it is not given
    epoch         the next iteration's number; set it to go on from where an interrupted run stood

    x is float32 (B, H, W, C) in [0, 1], y (B,); the last batch may be short.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        batch_size: int = 32,
        augmenter: ImageAugmenter | None = None,
        seed: int = 0,
        shuffle: bool = True,
        rows: np.ndarray | None = None,
    ) -> None:
        if images.ndim != 4 or images.dtype != np.uint8 or len(images) != len(labels):
            raise InputError(
                f"AugmentedBatches: needs uint8 images (N, H, W, C) and as many labels; "
                f"got {images.dtype} {images.shape} and {len(labels)} labels"
            )
        if batch_size < 1:
            raise InputError(f"AugmentedBatches: batch_size needs a whole number >= 1, got {batch_size!r}")
        self.images, self.labels = images, np.asarray(labels)
        self.batch_size, self.augmenter, self.seed, self.shuffle = batch_size, augmenter, seed, shuffle
        self.rows = np.arange(len(images)) if rows is None else np.asarray(rows)
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        order_rng, augment_rng = (
            np.random.default_rng(s) for s in np.random.SeedSequence([self.seed, self.epoch]).spawn(2)
        )
        self.epoch += 1
        order = order_rng.permutation(self.rows) if self.shuffle else self.rows
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            pixels = self.images[chosen]  # (B, H, W, C)
            if self.augmenter is None:
                yield pixels.astype(np.float32) / np.float32(255), self.labels[chosen]
            else:
                yield self.augmenter(pixels, augment_rng), self.labels[chosen]
