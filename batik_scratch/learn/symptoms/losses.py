"""What is wrong with a loss: it is examined as a layer whose output is one number."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...nn import Layer
from .diagnosis import Diagnosis, close, zero
from .run import Run

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
    if found.tensor != "dx":
        return found
    if found.name == "no gradient":
        return replace(
            found, tensor="doutputs", sentence="The gradient is None; a loss returns two things, (value, gradient)."
        )
    return replace(found, tensor="doutputs")


def true_class_forgotten(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Right in every class but the true one."""
    numeric, here = run.numeric(name), _true_class(run)
    if given.shape != numeric.shape or not close(given[~here], numeric[~here]):
        return None
    return Diagnosis(
        "true class forgotten",
        name,
        f"The {here.sum()} entries of the true classes are wrong ({given[here][0]:.4g} for {numeric[here][0]:.4g} in the "
        "first image), all others are right. The gradient is (P - onehot(y)) / N: subtract the one.",
    )


def only_the_true_class(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Right in the true class, zero elsewhere."""
    numeric, here = run.numeric(name), _true_class(run)
    if given.shape != numeric.shape or not close(given[here], numeric[here]) or not zero(given[~here]).all():
        return None
    return Diagnosis(
        "only the true class",
        name,
        f"Only the true class' entries are filled; the other {(~here).sum()} are zero, and the largest of them should be "
        f"{np.abs(numeric[~here]).max():.4g}. Every logit takes part in the softmax' sum.",
    )


def _true_class(run: Run) -> np.ndarray:
    assert isinstance(run.layer, LossAsLayer)
    here = np.zeros(run.x.shape, bool)
    here[np.arange(len(run.x)), run.layer.labels(len(run.x))] = True
    return here
