"""Standardization: every picture brought to the same brightness and contrast."""

import math
from typing import Any

import numpy as np

from ...errors import InputError
from ...ops import standardize
from .base import Layer


class Standardization(Layer):
    """Each picture to mean 0 and deviation 1, over all its pixels and channels together.

    Written for one picture; m runs over its M = H W C values.

    Forward   mu = sum_m x_m / M,   v = sum_m (x_m - mu)^2 / M,   s = sqrt(v + epsilon),   y_m = (x_m - mu) / s
    Backward  dx_m = (dy_m - sum_k dy_k / M - y_m sum_k dy_k y_k / M) / s

    Every pixel moves mu and s too, so a map that explains pixels needs all three terms; they are derived line by line
    in BatchNormalization. There the statistics are a channel's, over the batch; here they are a picture's own, so that
    training and inference are the same and nothing is remembered. It is layer normalisation (Ba, Kiros & Hinton, 2016,
    arXiv:1607.06450) without a gain and a bias.

    Light and exposure then no longer matter: a picture, brighter or of more contrast, gives the same Y but for epsilon.
    That keeps a picture which is nearly uniform from being blown up to nothing but noise: 1e-3 is the variance of
    pixels in [0, 1] at a deviation of 0.03.

    Shapes    any; Y and dX have X's
    Cost      one multiply-add per value, and two sums; caches Y
    """

    def __init__(self, epsilon: float = 1e-3, name: str | None = None) -> None:
        super().__init__(name)
        if not (epsilon > 0 and math.isfinite(epsilon)):
            raise InputError(f"Standardization: epsilon needs a finite number above 0, got {epsilon!r}")
        self.epsilon = float(epsilon)

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        rows, deviation = standardize.forward(x.reshape(len(x), -1), self.epsilon)  # (N, M), (N,)
        y = rows.reshape(x.shape)
        self._keep((y, (deviation,)), training, keep)
        return y.copy() if self._kept is not None else y  # the caller may change what it is given

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        y, (deviation,) = self._recall()
        self._expect(dy, y.shape[1:], "backward")
        if not need_dx:
            return None
        n = len(y)
        return standardize.backward(dy.reshape(n, -1), y.reshape(n, -1), deviation).reshape(y.shape)  # X's shape

    def backward_as_linear(self, dy: np.ndarray) -> np.ndarray:
        """`backward` with the picture's deviation taken for a constant: dx_m = (dy_m - sum_k dy_k / M) / s.

        Y is then linear in X, which a rule that shares a value out among its causes needs (nn/explaining.py).
        """
        y, (deviation,) = self._recall()
        self._expect(dy, y.shape[1:], "backward")
        rows = dy.reshape(len(y), -1)  # (N, M)
        return ((rows - rows.mean(axis=1, keepdims=True)) / deviation[:, None]).reshape(y.shape)  # X's shape

    def config(self) -> dict[str, Any]:
        return super().config() | {"epsilon": self.epsilon}

    def multiply_adds(self) -> int:
        return int(np.prod(self.input_shape or (0,)))

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,))) * self.dtype.itemsize
