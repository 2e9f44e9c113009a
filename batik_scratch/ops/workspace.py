"""Arrays that are kept from one call to the next.

The system hands out a fresh large array page by page, at its first touch; in a training step that cost a third of
the time. The fused blocks of a model (nn/passes.py) therefore keep the arrays that they fill. While nobody trains they
also keep what an algorithm makes of the weights before it can begin: a quarter of the work with one small image.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np


class Workspace:
    """Named arrays, made at the first request and handed out again at the next, with what was left in them."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, np.dtype], np.ndarray] = {}
        # by name: the source's shape and dtype, its bytes, and what was made of it
        self._made: dict[str, tuple[tuple[tuple[int, ...], np.dtype], bytearray, np.ndarray]] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array of `shape`, C-contiguous: the kept one if it is large enough (a last batch may be short)."""
        size, key = math.prod(shape), (name, np.dtype(dtype))
        kept = self._kept.get(key)
        if kept is None or kept.size < size:
            kept = self._kept[key] = np.empty(size, dtype)
        return kept[:size].reshape(shape)

    def made_of(self, source: np.ndarray, name: str, make: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """`make(source)`, or what it gave the last time if `source` still holds the same bits.

        Weights change in place, and nobody says so; to compare them costs a tenth of what is made of them.
        """
        source = np.ascontiguousarray(source)
        like, of, made = self._made.get(name, (None, None, None))
        if made is None or like != (source.shape, source.dtype) or of != source.data:  # bytes, compared at once
            made = make(source)
            self._made[name] = (source.shape, source.dtype), bytearray(source.data), made
        return made

    def bytes(self) -> int:
        """How much is kept."""
        made = sum(len(of) + array.nbytes for _, of, array in self._made.values())
        return made + sum(array.nbytes for array in self._kept.values())

    def __getstate__(self) -> dict[str, Any]:
        return {"_kept": {}, "_made": {}}  # a copy, or another process, makes its own


def made_of(
    room: Workspace | None, source: np.ndarray, name: str, make: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """`room.made_of`; without a room it is made anew."""
    return make(source) if room is None else room.made_of(source, name, make)
