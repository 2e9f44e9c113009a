"""Activations: ReLU between the layers, Softmax at the end."""

import numpy as np

from ...errors import InputError
from ...ops import relu
from .base import Layer


class ReLU(Layer):
    """Rectified linear unit: negative values become zero.

    Forward   Y = max(X, 0)
    Backward  dX = dY where X > 0, else 0    the gate belongs to the *input*; at X = 0 it is shut

    Shapes    any; Y and dX have X's
    Cost      one comparison per value; caches one byte per value
    """

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        y, gate = relu.forward(x)
        self._keep(gate, training, keep)
        return y

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        gate = self._recall()
        self._expect(dy, gate.shape[1:], "backward")
        return relu.backward(dy, gate) if need_dx else None

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,)))


class Softmax(Layer):
    """Turns logits into probabilities: positive, and adding up to one over the last axis.

    Forward   P_j = exp(Z_j) / sum_k exp(Z_k), computed from Z - max(Z) so that nothing overflows
    Backward  dZ = P * (dP - sum_j dP_j P_j)    the full Jacobian diag(P) - P P', never only its diagonal

    Shapes    Z, P, dZ (N, U)
    Cost      one exponential per value; caches P

    In training, cross-entropy is computed on the logits and this backward is not used: see losses.py.
    """

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(input_shape) != 1:
            raise InputError(
                f"Softmax: needs one row of logits per image (U,), got {input_shape}; put Flatten before it"
            )
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        p = softmax(x)  # (N, U)
        self._keep(p, training, keep)
        return p.copy() if self._kept is not None else p  # the caller may change what it is given

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        p = self._recall()  # (N, U)
        self._expect(dy, p.shape[1:], "backward")
        return p * (dy - (dy * p).sum(axis=1, keepdims=True)) if need_dx else None  # (N, U)

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,))) * self.dtype.itemsize


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (N, U) of logits (N, U); the shift by the row's maximum changes nothing but the overflow."""
    shifted = logits - logits.real.max(axis=1, keepdims=True)  # (N, U)
    powers = np.exp(shifted)  # (N, U)
    return powers / powers.sum(axis=1, keepdims=True)  # (N, U)
