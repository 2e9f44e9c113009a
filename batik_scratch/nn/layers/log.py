"""Log: ratios become differences."""

import math
from typing import Any

import numpy as np

from ...errors import InputError
from .base import Layer


class Log(Layer):
    """Natural logarithm: an energy that is twice as large is the same step higher, on a dim photo and on a bright one.

    Forward   Y = log(X + epsilon)
    Backward  dX = dY / (X + epsilon)

    It is meant for what is not negative, such as a mean of absolute values; epsilon keeps zero finite and bounds the
    slope there. At X = -epsilon the logarithm is infinite and below it is NaN, without a warning: training stops there
    and says that the loss is not finite.

    Shapes    any; Y and dX have X's
    Cost      one logarithm per value; caches X + epsilon
    """

    def __init__(self, epsilon: float = 1e-6, name: str | None = None) -> None:
        super().__init__(name)
        if not (epsilon >= 0 and math.isfinite(epsilon)):
            raise InputError(f"Log: epsilon needs a finite number of at least 0, got {epsilon!r}")
        self.epsilon = float(epsilon)

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        shifted = x + self.epsilon  # X's shape
        self._keep(shifted, training, keep)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(shifted)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        shifted = self._recall()
        self._expect(dy, shifted.shape[1:], "backward")
        with np.errstate(divide="ignore", invalid="ignore"):
            return dy / shifted if need_dx else None

    def config(self) -> dict[str, Any]:
        return super().config() | {"epsilon": self.epsilon}

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,))) * self.dtype.itemsize
