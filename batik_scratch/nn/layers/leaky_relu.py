"""LeakyReLU: a gate that never shuts altogether."""

import math
from typing import Any

import numpy as np

from ...errors import InputError
from .base import Layer


class LeakyReLU(Layer):
    """Rectified linear unit that keeps a share of negative values (Maas, Hannun & Ng, 2013).

    Forward   Y = X where X > 0, else negative_slope X
    Backward  dX = dY where X > 0, else negative_slope dY    the gate belongs to the *input*, as in ReLU

    A unit that is negative on every image still gets a gradient, and can come back; behind a ReLU it is lost for good.

    Shapes    any; Y and dX have X's
    Cost      one comparison and one multiplication per value; caches one byte per value
    """

    def __init__(self, negative_slope: float = 0.3, name: str | None = None) -> None:
        super().__init__(name)
        if not (negative_slope >= 0 and math.isfinite(negative_slope)):
            raise InputError(f"LeakyReLU: negative_slope needs a finite number of at least 0, got {negative_slope!r}")
        self.negative_slope = float(negative_slope)

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        gate = x.real > 0  # X's shape
        self._keep(gate, training, keep)
        return np.where(gate, x, x * self.negative_slope)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        gate = self._recall()
        self._expect(dy, gate.shape[1:], "backward")
        return np.where(gate, dy, dy * self.negative_slope) if need_dx else None

    def config(self) -> dict[str, Any]:
        return super().config() | {"negative_slope": self.negative_slope}

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,)))
