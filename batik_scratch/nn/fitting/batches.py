"""Batches: what an epoch is made of."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from ...errors import InputError

Batch = tuple[np.ndarray, np.ndarray]


class Batches(Protocol):
    """A sized iterable of (x, y) batches; iterated once per epoch. If it has an `epoch`, that is set before."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Batch]: ...


class ArrayBatches:
    """Batches of arrays in memory, in a new order at each iteration if an `rng` is given; the last may be short."""

    def __init__(self, x: np.ndarray, y: np.ndarray, batch_size: int, rng: np.random.Generator | None = None) -> None:
        if not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise InputError(f"batch_size needs a whole number >= 1, got {batch_size!r}")
        if len(x) != len(y):
            raise InputError(f"needs one label per image: got {len(x)} images and {len(y)} labels")
        if len(x) == 0:
            raise InputError("needs at least one image, got none")
        self.x, self.y, self.batch_size, self.rng = x, np.asarray(y), int(batch_size), rng

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = None if self.rng is None else self.rng.permutation(len(self.x))
        for start in range(0, len(self.x), self.batch_size):
            rows = slice(start, start + self.batch_size)  # in order, a batch is a view and nothing is copied
            chosen = rows if order is None else order[rows]
            yield self.x[chosen], self.y[chosen]


def as_batches(x: Any, y: np.ndarray | None, batch_size: int, rng: np.random.Generator | None) -> Batches:
    """Batches of arrays x, y, or x itself if it already is a sized iterable of (x, y)."""
    if y is not None:
        return ArrayBatches(np.asarray(x), y, batch_size, rng)
    if isinstance(x, np.ndarray) or not hasattr(x, "__len__") or not hasattr(x, "__iter__"):
        raise InputError(
            f"needs images and labels, or a sized iterable of (x, y) batches; got {type(x).__name__} alone"
        )
    return x
