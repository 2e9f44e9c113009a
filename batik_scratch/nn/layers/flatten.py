"""Flatten: from maps to one row of features."""

import numpy as np

from .base import Layer


class Flatten(Layer):
    """Lay each image's values out in one row, in memory order (H, then W, then C); arithmetic: none.

    Forward   Y[n] = X[n] as a row
    Backward  dX[n] = dY[n] in X's shape

    Shapes    X (N, H, W, C), Y (N, H*W*C)
    """

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (int(np.prod(input_shape)),)

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        self._expect(x, self.input_shape, "forward")
        self._keep(x.shape, training, keep)
        return x.reshape(len(x), -1).copy()  # (N, D); a copy, because a layer never hands its input on

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        shape = self._recall()
        return dy.reshape(shape).copy() if need_dx else None  # (N, H, W, C)
