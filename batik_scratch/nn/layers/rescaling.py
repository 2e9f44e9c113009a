"""Rescaling: another unit, another zero."""

import math
from typing import Any

import numpy as np

from ...errors import InputError
from .base import Layer


class Rescaling(Layer):
    """Multiply by a number and add another: Rescaling(2, -1) brings pixels from [0, 1] to [-1, 1], around zero.

    Forward   Y = scale X + offset
    Backward  dX = scale dY

    Nothing is learnt. As the network's first step, unlike a change of the data, it travels with the model file, and a
    saliency map explains the pixels before it.

    Shapes    any; Y and dX have X's
    Cost      one multiply-add per value; caches the shape only
    """

    def __init__(self, scale: float, offset: float = 0.0, name: str | None = None) -> None:
        super().__init__(name)
        if not (math.isfinite(scale) and math.isfinite(offset)):
            raise InputError(f"Rescaling: scale and offset need finite numbers, got {scale!r} and {offset!r}")
        self.scale, self.offset = float(scale), float(offset)

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        self._keep(x.shape, training, keep)
        return x * self.scale + self.offset  # X's shape

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        self._expect(dy, self._recall()[1:], "backward")
        return dy * self.scale if need_dx else None

    def config(self) -> dict[str, Any]:
        return super().config() | {"scale": self.scale, "offset": self.offset}

    def multiply_adds(self) -> int:
        return int(np.prod(self.input_shape or (0,)))
