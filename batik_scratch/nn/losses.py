"""Cross-entropy: how surprised the network is by the true class.

    L = -1/N sum_n log P[n, y_n]

On logits Z, with P = softmax(Z), the gradient is the simplest of all: dZ = (P - onehot(y)) / N. The softmax'
Jacobian and the logarithm's 1/P cancel; done apart, 1/P overflows where P underflows. So training fuses the two.
"""

import numpy as np

from ..errors import InputError
from . import shown
from .layers.activations import softmax


class SparseCategoricalCrossentropy:
    """Cross-entropy with integer labels, the mean over the batch: `value, gradient = loss(outputs, y)`.

    from_logits=False    outputs are probabilities (N, U); behind a final Softmax, `Sequential` fuses the two
    from_logits=True     outputs are logits (N, U)

    y (N,) holds whole numbers in 0..U-1. The gradient has the outputs' shape and is divided by N, once, here.

    With weights w (N,), L = -1/N sum_n w_n log P[n, y_n], and row n of the gradient is multiplied by w_n. The division
    stays by N, as in Keras ("sum_over_batch_size"): weights of 2 everywhere are a loss twice as large.
    """

    def __init__(self, from_logits: bool = False) -> None:
        self.from_logits = bool(from_logits)

    def __repr__(self) -> str:
        return shown.call(self, shown.attributes(self))

    def __call__(
        self, outputs: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None
    ) -> tuple[float | complex, np.ndarray]:
        on = self.on_logits if self.from_logits else self.on_probabilities
        return on(outputs, y) if weights is None else on(outputs, y, weights)

    @staticmethod
    def on_logits(
        logits: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None
    ) -> tuple[float | complex, np.ndarray]:
        """Loss and dlogits (N, U), from log-softmax: Z - max - log sum exp(Z - max)."""
        y = check_labels(y, logits)
        rows = np.arange(len(y))
        shifted = logits - logits.real.max(axis=1, keepdims=True)  # (N, U)
        log_p = shifted[rows, y] - np.log(np.exp(shifted).sum(axis=1))  # (N,)
        dlogits = softmax(logits)  # (N, U)
        dlogits[rows, y] -= 1
        if weights is not None:
            log_p, dlogits = _weighted(log_p, dlogits, weights)
        return -log_p.mean().item(), dlogits / len(y)

    @staticmethod
    def on_probabilities(
        p: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None
    ) -> tuple[float | complex, np.ndarray]:
        """Loss and dP (N, U): -1/(N P[n, y_n]) at the true class, 0 elsewhere."""
        y = check_labels(y, p)
        if (p.real < 0).any() or (np.abs(p.real.sum(axis=1) - 1) > 1e-3).any():
            raise InputError(
                "SparseCategoricalCrossentropy: needs probabilities (rows that add up to 1), got other numbers; "
                "end the network in Softmax(), or use from_logits=True for logits"
            )
        rows = np.arange(len(y))
        dp = np.zeros_like(p)  # (N, U)
        dp[rows, y] = -1 / (p[rows, y] * len(y))
        log_p = np.log(p[rows, y])  # (N,)
        if weights is not None:
            log_p, dp = _weighted(log_p, dp, weights)
        return -log_p.mean().item(), dp


def _weighted(log_p: np.ndarray, gradient: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log_p (N,) and the gradient (N, U), each row times its weight."""
    w = np.asarray(weights, gradient.real.dtype)  # (N,)
    return w * log_p, w[:, None] * gradient


def check_labels(y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return y (N,) as whole numbers if they name columns of outputs (N, U); else InputError."""
    y = np.asarray(y)
    if outputs.ndim != 2 or y.shape != outputs.shape[:1]:
        hint = "; use argmax(axis=1) on one-hot rows" if y.shape == outputs.shape else ""
        raise InputError(f"labels: need one whole number per row of outputs {outputs.shape}, got shape {y.shape}{hint}")
    if y.dtype.kind not in "iu":
        raise InputError(f"labels: need whole numbers (class indices), got {y.dtype}")
    if len(y) == 0 or y.min() < 0 or y.max() >= outputs.shape[1]:
        received = f"{y.min()}..{y.max()}" if len(y) else "none"
        raise InputError(
            f"labels: need values in 0..{outputs.shape[1] - 1} for {outputs.shape[1]} classes, got {received}"
        )
    return y
