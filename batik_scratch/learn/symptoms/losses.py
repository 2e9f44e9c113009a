"""What is wrong with a loss: it is examined as a layer whose output is one number."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...nn import Layer
from .checkup import close, zero
from .claim import Claim, Diagnosis, Words

Loss = Callable[[np.ndarray, np.ndarray], tuple[Any, np.ndarray]]


class LossAsLayer(Layer):
    """Forward: the loss of outputs (N, U) with labels drawn for N; backward: its gradient, times dy (1,)."""

    def __init__(self, loss: Loss) -> None:
        super().__init__()
        self.loss = loss

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        self.classes = input_shape[0]
        return ()

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        value, self.gradient = self.loss(x, self.labels(len(x)))
        return np.array([value])

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray:
        return self.gradient * dy[0] if isinstance(self.gradient, np.ndarray) else self.gradient

    def labels(self, n: int) -> np.ndarray:
        """The same y (n,) at every call."""
        return np.random.default_rng(n).integers(0, self.classes, n)


def of_a_loss(found: Diagnosis) -> Diagnosis:
    """What was found of the layer, said of the loss: its gradient is called doutputs."""
    if found.tensor == "dx" and found.name == "no gradient":
        found = replace(found, sentence="The gradient is None; a loss returns two things, (value, gradient).")
    return replace(found, tensor="doutputs") if found.tensor == "dx" else found


def true_class_forgotten(claim: Claim) -> Iterator[Words]:
    """Right in every class but the true one."""
    given, true, here = claim.given, claim.true, _true_class(claim)
    if close(given[~here], true[~here]):
        yield f"""true class forgotten: The {here.sum()} entries of the true classes are wrong ({given[here][0]:.4g}
            for {true[here][0]:.4g} in the first image), all others are right. The gradient is (P - onehot(y)) / N:
            subtract the one."""


def only_the_true_class(claim: Claim) -> Iterator[Words]:
    """Right in the true class, zero elsewhere."""
    given, true, here = claim.given, claim.true, _true_class(claim)
    if close(given[here], true[here]) and zero(given[~here]).all():
        yield f"""only the true class: Only the true class' entries are filled; the other {(~here).sum()} are zero, and
            the largest of them should be {np.abs(true[~here]).max():.4g}. Every logit takes part in the softmax'
            sum."""


def _true_class(claim: Claim) -> np.ndarray:
    layer = claim.checkup.layer
    assert isinstance(layer, LossAsLayer)
    return layer.labels(len(claim.x))[:, None] == np.arange(layer.classes)
