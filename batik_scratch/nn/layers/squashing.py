"""Sigmoid and Tanh: activations that squash every number into a bounded range."""

import numpy as np

from .base import Layer


class Sigmoid(Layer):
    """The logistic function: any number becomes one between 0 and 1.

    Forward   Y = 1 / (1 + exp(-X)), computed from exp(-|X|) so that nothing overflows
    Backward  dX = dY Y (1 - Y)    from Y alone; at most a quarter of dY, and nearly nothing far from zero

    Where most of Y is near 0 or 1 the layers below hardly learn: the gradient vanishes (Glorot & Bengio, 2010).

    Shapes    any; Y and dX have X's
    Cost      one exponential per value; caches Y
    """

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        sign = np.where(x.real >= 0, 1, -1).astype(x.real.dtype)  # X's shape
        small = np.exp(-sign * x)  # at most 1
        y = np.where(x.real >= 0, 1, small) / (1 + small)
        self._keep((y,), training, keep)
        return y.copy() if self._kept is not None else y  # the caller may change what it is given

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        (y,) = self._recall()
        self._expect(dy, y.shape[1:], "backward")
        return dy * y * (1 - y) if need_dx else None

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,))) * self.dtype.itemsize


class Tanh(Layer):
    """The hyperbolic tangent: any number becomes one between -1 and 1, and zero stays zero.

    Forward   Y = tanh(X) = 2 sigmoid(2 X) - 1
    Backward  dX = dY (1 - Y^2)    from Y alone; all of dY at zero, nearly nothing far from it

    Shapes    any; Y and dX have X's
    Cost      one hyperbolic tangent per value; caches Y
    """

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        y = np.tanh(x)
        self._keep((y,), training, keep)
        return y.copy() if self._kept is not None else y  # the caller may change what it is given

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        (y,) = self._recall()
        self._expect(dy, y.shape[1:], "backward")
        return dy * (1 - y * y) if need_dx else None

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,))) * self.dtype.itemsize
