"""Dropout: training with a random part of the features missing."""

from typing import Any

import numpy as np

from ...errors import InputError
from ...ops import dropout
from .base import Layer


class Dropout(Layer):
    """Inverted dropout (Srivastava et al., 2014): drop each feature with probability `rate` while training.

    Forward   Y = X M,  M = 0 with probability rate, else 1 / (1 - rate); at inference Y = X
    Backward  dX = dY M    the same mask

    The factor 1 / (1 - rate) keeps the expected value, so that inference needs no correction.

    Shapes    any; Y, M and dX have X's
    Cost      one random number per value; caches M
    """

    def __init__(self, rate: float, name: str | None = None) -> None:
        super().__init__(name)
        if not 0 <= rate < 1:
            raise InputError(f"Dropout: rate is the share to drop, at least 0 and below 1; got {rate!r}")
        self.rate = float(rate)
        self.rng = np.random.default_rng(0)  # Sequential gives each layer a stream of its own

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        if not training or self.rate == 0:
            self._keep(1.0, training, keep)  # nothing is dropped: the mask is all ones
            return x.copy()
        # 16 random bits a value are as good as floats here; drawn four at a time they cost half
        bits = self.rng.integers(0, 2**64, -(-x.size // 4), np.uint64).view(np.uint16)[: x.size].reshape(x.shape)
        y, mask = dropout.forward(x, bits, self.rate)  # x's shape
        self._keep(mask, training, keep)
        return y

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        mask = self._recall()
        return dy * mask if need_dx else None

    def config(self) -> dict[str, Any]:
        return super().config() | {"rate": self.rate}

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,))) * self.dtype.itemsize if self.rate else 0
