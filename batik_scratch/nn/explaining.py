"""Backward passes that explain instead of train: to the pixels, to a layer's output, or by another rule.

All of them hold the model's lock, keep dropout off and leave parameters, their gradients and random states as they are.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from . import steps
from .layers import Dropout, Flatten, Layer, ReLU

if TYPE_CHECKING:
    from .model import Sequential

Seed = Callable[[np.ndarray], np.ndarray]
Rule = Callable[[Layer, np.ndarray], np.ndarray]


def gradient_at(
    model: "Sequential", x: np.ndarray, seed: Seed, layer: Layer | None = None, rules: Mapping[type, Rule] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A and d score / d A, where A is the output of `layer`, or x itself where none is given: both (N, ...).

    seed      maps logits (N, U) to d score / d logits (N, U), without calling this model
    rules     {layer class: rule(layer, dy) -> dx}, used in place of that layer's own backward pass
    """
    with model.alone():
        walk = model._walk(softmax=False)
        first = 0 if layer is None else walk.index(layer) + 1
        activation = steps.forward(steps.plan(walk[:first]), model._cast(x))  # (N, ...)
        above = walk[first:] if rules else steps.plan(walk[first:])
        dy = seed(steps.forward(above, activation, keep=True))  # (N, U)
        for step in reversed(above):
            rule = (rules or {}).get(type(step))
            gradient = rule(step, dy) if rule else step.backward(dy, need_grads=False)
            assert gradient is not None
            dy = gradient
            step._kept = None
        return activation if layer is None else activation.copy(), dy.copy()  # steps overwrite their arrays


def relevance(model: "Sequential", x: np.ndarray, start: Seed, epsilon: float) -> np.ndarray:
    """Relevance of x (N, ...) by the epsilon rule, layer by layer from `start(logits)` (N, U) down.

    For a layer y = f(x) that is linear where it is (dense, convolution, pooling):
        R_x = x * J' (R_y / (y + epsilon sign(y))),  J' the layer's own backward pass, sign(0) = 1
    Activations, dropout and Flatten pass relevance on unchanged.
    """
    with model.alone():
        walk = model._walk(softmax=False)
        inputs, y = [], model._cast(x)
        for layer in walk:
            inputs.append(y)
            y = layer.forward(y, keep=True)
        outputs = [*inputs[1:], y]
        r = start(y)  # (N, U)
        for layer, before, after in zip(reversed(walk), reversed(inputs), reversed(outputs), strict=True):
            if isinstance(layer, Flatten):
                r = r.reshape(before.shape)
            elif not isinstance(layer, ReLU | Dropout):
                share = np.copysign(after.dtype.type(epsilon), after)  # as `after`, like what follows
                share += after
                np.divide(r, share, out=share)
                gradient = layer.backward(share, need_grads=False)
                assert gradient is not None
                gradient *= before
                r = gradient  # as `before`
            layer._kept = None
        return r
