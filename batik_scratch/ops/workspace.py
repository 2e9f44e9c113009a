"""Arrays that are kept from one training step to the next.

The system hands out a fresh large array page by page, at its first touch; in a training step that cost a third of
the time. The fused blocks of a model (nn/passes.py) therefore keep the arrays that they fill.
"""

import math
from typing import Any

import numpy as np


class Workspace:
    """Named arrays, made at the first request and handed out again at the next, with what was left in them."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, np.dtype], np.ndarray] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array of `shape`, C-contiguous: the kept one if it is large enough (a last batch may be short)."""
        size, key = math.prod(shape), (name, np.dtype(dtype))
        kept = self._kept.get(key)
        if kept is None or kept.size < size:
            kept = self._kept[key] = np.empty(size, dtype)
        return kept[:size].reshape(shape)

    def bytes(self) -> int:
        """How much is kept."""
        return sum(array.nbytes for array in self._kept.values())

    def __getstate__(self) -> dict[str, Any]:
        return {"_kept": {}}  # a copy, or another process, makes its own
