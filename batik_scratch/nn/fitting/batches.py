"""Batches: what an epoch is made of."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from ...errors import InputError

Batch = tuple[np.ndarray, ...]  # x, y, and perhaps how much each image counts


class Batches(Protocol):
    """A sized iterable of (x, y) batches; iterated once per epoch. If it has an `epoch`, that is set before.

    A batch may be (x, y, weights) as well: how much each image counts in the loss (N,).
    """

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Batch]: ...


class ArrayBatches:
    """Batches of arrays in memory, in a new order at each iteration if an `rng` is given; the last may be short.

    Of x and y, and of `weights` (N,) where they are given.
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        batch_size: int,
        rng: np.random.Generator | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        if not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise InputError(f"batch_size needs a whole number >= 1, got {batch_size!r}")
        if len(x) != len(y):
            raise InputError(f"needs one label per image: got {len(x)} images and {len(y)} labels")
        if len(x) == 0:
            raise InputError("needs at least one image, got none")
        self.x, self.y, self.batch_size, self.rng = x, np.asarray(y), int(batch_size), rng
        self.weights = weights

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = None if self.rng is None else self.rng.permutation(len(self.x))
        for start in range(0, len(self.x), self.batch_size):
            rows = slice(start, start + self.batch_size)  # in order, a batch is a view and nothing is copied
            chosen = rows if order is None else order[rows]
            pair = self.x[chosen], self.y[chosen]
            yield pair if self.weights is None else (*pair, self.weights[chosen])


def as_batches(
    x: Any,
    y: np.ndarray | None,
    batch_size: int,
    rng: np.random.Generator | None,
    weights: np.ndarray | None = None,
) -> Batches:
    """Batches of arrays x, y (and weights), or x itself if it already is a sized iterable of (x, y)."""
    if y is not None:
        return ArrayBatches(np.asarray(x), y, batch_size, rng, weights)
    if isinstance(x, np.ndarray) or not hasattr(x, "__len__") or not hasattr(x, "__iter__"):
        raise InputError(
            f"needs images and labels, or a sized iterable of (x, y) batches; got {type(x).__name__} alone"
        )
    return x
