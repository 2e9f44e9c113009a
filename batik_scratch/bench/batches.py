"""The images that every program works on, in the same order, and how their rows are picked."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np

Calls = dict[str, Callable[[], object]]
WORK = ("step", "inference", "saliency")
CLASS = 1  # whose score's gradient is the saliency map
BATCHES = 5


def data(batch: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Images float32 (BATCHES * batch, size, size, 3) in [0, 1] and their labels 0..2."""
    rng = np.random.default_rng(0)
    return rng.random((BATCHES * batch, size, size, 3), np.float32), rng.integers(0, 3, BATCHES * batch)


def rows(batch: int) -> Iterator[np.ndarray]:
    """The rows of one batch after the other, without end."""
    return itertools.cycle(np.split(np.random.default_rng(1).permutation(BATCHES * batch), BATCHES))
