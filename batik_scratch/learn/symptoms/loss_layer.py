"""A loss examined as a layer whose output is one number."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...nn import Layer
from ...nn.gradcheck.losses import as_probabilities, draw_targets

Loss = Callable[[np.ndarray, np.ndarray], tuple[Any, np.ndarray]]


class LossAsLayer(Layer):
    """Forward: the loss of outputs (N, U) with targets drawn for N; backward: its gradient, times dy (1,).

    targets, probabilities    as `check_loss` has them
    """

    def __init__(self, loss: Loss, targets: str = "classes", probabilities: bool = False) -> None:
        super().__init__()
        self.loss, self.targets, self.probabilities = loss, targets, probabilities
        self.classes = 0

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        self.classes = input_shape[0]
        return ()

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        value, self.gradient = self.loss(x, self.labels(len(x)))
        return np.array([value])

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray:
        return self.gradient * dy[0] if isinstance(self.gradient, np.ndarray) else self.gradient

    def into_range(self, x: np.ndarray) -> np.ndarray:
        """What the loss is tried with: x itself as logits, or probabilities made of it."""
        return as_probabilities(x) if self.probabilities else x

    def labels(self, n: int) -> np.ndarray:
        """The same y at every call: (n,), or (n, U)."""
        return draw_targets(n, self.classes, np.random.default_rng(n), self.targets)

    def one_hot(self, n: int) -> np.ndarray:
        """The classes of `labels` as rows of zeros and a one."""
        y = self.labels(n)
        return (y[:, None] == np.arange(self.classes)).astype(float) if y.ndim == 1 else y
