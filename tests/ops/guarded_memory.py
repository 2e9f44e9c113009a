"""Memory that tells if somebody wrote beside it: numba checks no bounds, and a vector too far may long go unnoticed."""

import math
from typing import Any

import numpy as np

GUARD = 512  # numbers on either side: more than a vector, and than a row of the images that tests take
LEFT_OVER = {"f": np.nan, "u": 77}  # what an earlier user has left in new memory: nothing of use


class GuardedNumPy:
    """Stands in for `np` in a module: its new arrays are dirty, and lie between guards.

    These guards are -0, which shows even that 0 was added. Copies (`ascontiguousarray`), which kernels only read, lie
    between guards of NaN: one of these in a sum, and the sum is NaN.
    """

    def __init__(self) -> None:
        self._guards: list[tuple[np.ndarray, bytes]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = float) -> np.ndarray:
        array = self._between(shape, dtype, {"f": -0.0, "u": 99})
        array.fill(LEFT_OVER[array.dtype.kind])
        return array

    def ascontiguousarray(self, source: np.ndarray) -> np.ndarray:
        array = self._between(source.shape, source.dtype, LEFT_OVER)
        array[:] = source
        return array

    def _between(self, shape: Any, dtype: Any, guards: dict[str, float]) -> np.ndarray:
        whole = np.empty(math.prod(np.atleast_1d(shape).tolist()) + 2 * GUARD, dtype)
        for guard in (whole[:GUARD], whole[-GUARD:]):
            guard.fill(guards[whole.dtype.kind])
            self._guards.append((guard, guard.tobytes()))
        return whole[GUARD:-GUARD].reshape(shape)

    def assert_intact(self) -> None:
        """Nobody wrote into a guard."""
        assert self._guards and all(guard.tobytes() == before for guard, before in self._guards)
