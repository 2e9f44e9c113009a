"""Everything that one forward and one backward pass compute, kept for looking at.

Training throws activations and gradients away as soon as it can. A trace keeps them all: on the way up each layer's
output, and on the way down the gradient of one number, a score or the loss, with respect to each of these.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import InputError
from . import shown
from .explaining import ScoreSeed
from .layers import Layer
from .network import Network

Loss = Callable[[np.ndarray, np.ndarray], tuple[Any, np.ndarray]]  # logits (N, U), y (N,) -> value, d value / d logits
Gradients = dict[str, np.ndarray]


@dataclass(frozen=True)
class Step:
    """One layer of a trace, or the input itself.

    name, kind     "conv2d", "Conv2D"; the input's are "input", "Input"
    activation     the layer's output (N, ...)
    gradient       d score / d activation, of its shape; None above the logits, where no score begins
    grads          d score / d parameter under the parameters' names, summed over the batch; empty for most layers
    """

    name: str
    kind: str
    activation: np.ndarray
    gradient: np.ndarray | None = None
    grads: Gradients = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Trace:
    """The steps from the pixels to the last layer: `trace["conv2d"].gradient`, or `for step in trace.steps`.

    steps     the input first, then every layer in the model's order
    score     the number whose gradients these are: "loss", "logit of the predicted class" or "seed"
    value     the loss, if that is the score; else None
    """

    steps: tuple[Step, ...]
    score: str
    value: float | complex | None = None

    def __repr__(self) -> str:
        value = "" if self.value is None else f" ({self.value:.4g})"
        images = len(self.steps[0].activation)
        return f"<Trace of {images} images through {len(self.steps) - 1} layers, gradients of the {self.score}{value}>"

    def _repr_html_(self) -> str:
        def size(array: np.ndarray | None) -> str:
            return "" if array is None else f"{np.sqrt(np.mean(np.abs(array) ** 2)):.3g}"

        rows = [
            (step.name, step.kind, shown.shape(step.activation.shape), size(step.activation), size(step.gradient))
            for step in self.steps
        ]
        header = ("layer", "type", "shape", "activation, root mean square", "gradient, root mean square")
        return shown.html_table(repr(self).strip("<>"), header, rows, right=(3, 4))

    def __getitem__(self, name: str) -> Step:
        for step in self.steps:
            if step.name == name:
                return step
        raise InputError(f"the trace has no step {name!r}; it has {', '.join(step.name for step in self.steps)}")


def record(
    network: Network, x: np.ndarray, loss: Loss, y: np.ndarray | None = None, seed: ScoreSeed | None = None
) -> Trace:
    """Walk up through `network.layers` with x (N, ...) and down again, one layer at a time.

    A_k = f_k(A_{k-1}),   dS/dA_{k-1} = J_k' dS/dA_k    J_k' times a gradient is the layer's own `backward`

    loss    on logits, for S if there are labels
    y       labels (N,): S is the loss, the mean over the batch as in training
    seed    maps logits (N, U) to dS/dlogits (N, U), for any other score

    Without y and seed, S is each image's largest logit.

    Dropout is off. Parameters, their gradients and random states stay as they are, and the arrays are the caller's own.
    The walk down starts at the logits: a final Softmax adds its probabilities, and no gradient. The whole batch is held
    in memory.
    Raises InputError if both y and seed are given, or if x, y or what the seed returns does not fit the model.
    """
    if y is not None and seed is not None:
        raise InputError("trace: needs labels y (the loss) or a seed (a score), got both; leave one out")
    with network.alone():
        activations = [network.checked(x).copy()]  # (N, ...): the caller may change x
        walk = network.walk(softmax=False)
        before = [{key: value.copy() for key, value in layer.grads.items()} for layer in walk]
        try:
            for layer in walk:
                activations.append(layer.forward(activations[-1], keep=True))
            logits = activations[-1]  # (N, U)
            score, value, dy = _start(logits, loss, y, seed)
            steps = _down(walk, activations, dy)
            steps += [_above(layer, logits) for layer in network.layers[len(walk) :]]
        finally:
            for layer, grads in zip(walk, before, strict=True):
                layer.grads = grads
                layer.forget()
    return Trace(tuple(steps), score, value)


def _start(
    logits: np.ndarray, loss: Loss, y: np.ndarray | None, seed: ScoreSeed | None
) -> tuple[str, float | complex | None, np.ndarray]:
    """The score's name, its value if that is one number, and d score / d logits (N, U)."""
    if y is not None:
        value, dlogits = loss(logits, y)
        return "loss", value, dlogits
    if seed is None:
        largest = logits.real.argmax(axis=-1)[..., None]  # (N, 1)
        onehot = np.zeros_like(logits)  # (N, U)
        np.put_along_axis(onehot, largest, 1, axis=-1)
        return "logit of the predicted class", None, onehot
    dlogits = np.array(seed(logits.copy()), logits.dtype)
    if dlogits.shape != logits.shape:
        raise InputError(f"trace: seed needs to return the logits' shape {logits.shape}, got {dlogits.shape}")
    return "seed", None, dlogits


def _down(walk: list[Layer], activations: list[np.ndarray], dy: np.ndarray) -> list[Step]:
    """Steps of the input and of every layer in `walk`, from d score / d (last activation)."""
    steps = []
    for layer, activation in zip(reversed(walk), reversed(activations), strict=False):
        dx = layer.backward(dy)
        assert dx is not None
        grads = {key: layer.grads[key].copy() for key in layer.trained}
        steps.append(Step(layer.name, type(layer).__name__, activation, dy, grads))
        dy = dx
    return [Step("input", "Input", activations[0], dy), *reversed(steps)]


def _above(layer: Layer, logits: np.ndarray) -> Step:
    return Step(layer.name, type(layer).__name__, layer.forward(logits))
