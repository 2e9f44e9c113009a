"""Backward passes that explain instead of train: to the pixels, to a layer's output, or by another rule.

All of them hold the model's lock, keep dropout off and leave parameters, their gradients and random states as they are.
"""

from collections.abc import Callable, Mapping

import numpy as np

from . import passes
from .layers import Absolute, Dropout, Flatten, Layer, LeakyReLU, Log, ReLU, Sigmoid, Standardization, Tanh
from .network import Network

ScoreSeed = Callable[
    [np.ndarray], np.ndarray
]  # logits (N, U) -> d score / d logits (N, U): where a backward pass starts
ACTIVATIONS = ReLU | LeakyReLU | Sigmoid | Tanh | Absolute | Log  # one value in, one value out
BackwardRule = Callable[[Layer, np.ndarray], np.ndarray]


def gradient_at(
    network: Network,
    x: np.ndarray,
    seed: ScoreSeed,
    layer: Layer | None = None,
    rules: Mapping[type, BackwardRule] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A and d score / d A, A being the output of `layer`, or x itself if none is given: both (N, ...).

    seed      maps logits (N, U) to d score / d logits (N, U), without calling this network
    rules     {layer class: rule(layer, dy) -> dx}, used in place of that layer's own backward pass
    """
    with network.alone():
        x, walk = network.checked(x), network.walk(softmax=False)
        first = 0 if layer is None else walk.index(layer) + 1
        activation = passes.forward(network.plan(last=first), x)  # (N, ...)
        above = walk[first:] if rules else network.plan(first=first)
        dy = seed(passes.forward(above, activation, keep=True))  # (N, U)
        for block in reversed(above):
            rule = (rules or {}).get(type(block))
            gradient = rule(block, dy) if rule else block.backward(dy, need_grads=False)
            assert gradient is not None
            dy = gradient
            block.forget()
        return activation if layer is None else activation.copy(), dy.copy()  # blocks overwrite their arrays


def relevance(network: Network, x: np.ndarray, start: ScoreSeed, epsilon: float) -> np.ndarray:
    """Relevance of x (N, ...) by the epsilon rule, layer by layer from `start(logits)` (N, U) down.

    For a layer y = f(x) that is linear where it is, with or without a constant that swallows its share (dense,
    convolution, pooling, rescaling, batch normalisation with its running means):
        R_x = x * J' (R_y / (y + epsilon sign(y))),  J' the layer's own backward pass, sign(0) = 1
    Standardization is no such layer: a picture of twice the contrast gives the same y, so by its own J' nothing at all
    would arrive at the pixels (sum_m x_m dx_m = 0). Its deviation is taken for a constant, as in the rule for layer
    normalisation of Ali et al. (2022, arXiv:2202.07304); then it is linear, and hands on all that it is given.
    Activations (one value in, one out), dropout and Flatten pass relevance on unchanged.
    """
    with network.alone():
        inputs, y = [], network.checked(x)
        walk = network.walk(softmax=False)
        for layer in walk:
            inputs.append(y)
            y = layer.forward(y, keep=True)
        outputs = [*inputs[1:], y]
        r = start(y)  # (N, U)
        for layer, before, after in zip(reversed(walk), reversed(inputs), reversed(outputs), strict=True):
            if isinstance(layer, Flatten):
                r = r.reshape(before.shape)
            elif not isinstance(layer, ACTIVATIONS | Dropout):
                share = np.copysign(after.dtype.type(epsilon), after)  # as `after`, like what follows
                share += after
                np.divide(r, share, out=share)
                if isinstance(layer, Standardization):
                    gradient: np.ndarray | None = layer.backward_as_linear(share)
                else:
                    gradient = layer.backward(share, need_grads=False)
                assert gradient is not None
                gradient *= before
                r = gradient  # as `before`
            layer.forget()
        return r
