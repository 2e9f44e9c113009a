"""Absolute: the size of a response, whatever its sign."""

import numpy as np

from ...ops import absolute
from .base import Layer


class Absolute(Layer):
    """Absolute value: behind an oriented filter, dark-light and light-dark edges count alike.

    Forward   Y = |X|
    Backward  dX = dY sign(X)    at X = 0 there is a kink, and 0 is passed back: the middle of both sides

    Shapes    any; Y and dX have X's
    Cost      one comparison per value; caches one byte per value
    """

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        y, sign = absolute.forward(x)
        self._keep(sign, training, keep)
        return y

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        sign = self._recall()
        self._expect(dy, sign.shape[1:], "backward")
        return absolute.backward(dy, sign) if need_dx else None

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,)))
