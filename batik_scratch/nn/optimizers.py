"""Optimisers: what to do with a gradient.

`step(layers)` changes every parameter by its gradient, once. `t` counts steps, not tensors: advanced once per
tensor it would spoil Adam's bias correction.
"""

import math
from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..ops import adam
from . import shown
from .layers.base import Layer


class Optimizer:
    """Common ground: a learning rate that callbacks may change, and a memory per trained tensor.

    slots     names of the tensors remembered per parameter (Adam's "m" and "v")
    memory    {slot: [tensor, ...]} in the order of the model's trained parameters, empty before the first step
    """

    slots: tuple[str, ...] = ()

    def __init__(self, learning_rate: float) -> None:
        if not (learning_rate > 0 and math.isfinite(learning_rate)):
            raise InputError(
                f"{type(self).__name__}: learning_rate needs a finite number above 0, got {learning_rate!r}"
            )
        self.learning_rate = float(learning_rate)
        self.iterations = 0
        self.memory: dict[str, list[np.ndarray]] = {slot: [] for slot in self.slots}

    def __repr__(self) -> str:
        return f"{shown.call(self, shown.attributes(self))} after {self.iterations:,} steps"

    def step(self, layers: Sequence[Layer]) -> None:
        """One update of every trained parameter of `layers` from the gradients that their backward pass left there."""
        tensors = [(w, layer.grads[key]) for layer in layers for key, w in layer.trained.items()]
        for slot in self.slots:
            if not self.memory[slot]:
                self.memory[slot] = [np.zeros_like(w) for w, _ in tensors]
        self.iterations += 1
        for index, (w, g) in enumerate(tensors):
            self.update(w, g, {slot: self.memory[slot][index] for slot in self.slots})

    def update(self, w: np.ndarray, g: np.ndarray, memory: dict[str, np.ndarray]) -> None:
        """Change one tensor w by its gradient g, in place."""
        raise NotImplementedError


class SGD(Optimizer):
    """Gradient descent, with momentum (Keras' form): v = momentum v - lr g;  w += v.

    nesterov=True looks ahead: w += momentum v - lr g, with the new v.
    """

    slots = ("velocity",)

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False) -> None:
        super().__init__(learning_rate)
        if not 0 <= momentum < 1:
            raise InputError(f"SGD: momentum is at least 0 and below 1, got {momentum!r}")
        self.momentum = float(momentum)
        self.nesterov = bool(nesterov)

    def update(self, w: np.ndarray, g: np.ndarray, memory: dict[str, np.ndarray]) -> None:
        v = memory["velocity"]
        v *= self.momentum
        v -= self.learning_rate * g
        w += self.momentum * v - self.learning_rate * g if self.nesterov else v


class Adam(Optimizer):
    """Adam (Kingma & Ba, 2015), in Keras' form.

    m += (g - m)(1 - beta_1)        the mean of recent gradients
    v += (g*g - v)(1 - beta_2)      the mean of their squares
    alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t)    makes up for m and v having started at zero
    w -= alpha m / (sqrt(v) + epsilon)

    Epsilon stands beside the *uncorrected* root (the paper's "epsilon hat"); PyTorch's form differs.
    """

    slots = ("m", "v")

    def __init__(
        self, learning_rate: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
    ) -> None:
        super().__init__(learning_rate)
        if not (0 <= beta_1 < 1 and 0 <= beta_2 < 1):
            raise InputError(
                f"{type(self).__name__}: beta_1 and beta_2 are at least 0 and below 1, got {beta_1!r} and {beta_2!r}"
            )
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)

    @property
    def alpha(self) -> float:
        """The learning rate of this step, corrected for m and v having started at zero."""
        t = self.iterations
        return self.learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)

    def update(self, w: np.ndarray, g: np.ndarray, memory: dict[str, np.ndarray]) -> None:
        adam.update(w, g, memory["m"], memory["v"], self.alpha, self.beta_1, self.beta_2, self.epsilon)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019), in Keras' form.

    w -= alpha m / (sqrt(v) + epsilon) + lr weight_decay w

    The decay does not pass through the gradient: added to g, as the derivative of an L2 penalty, it would be divided by
    sqrt(v) like everything in m, and the weights with the largest gradients would shrink least.

    Order: Keras and PyTorch take the decay off first and then the step. The step does not look at w, so that this is
    the same sum; here it is one subtraction, which rounds once. PyTorch differs in epsilon (see `Adam`) and in its
    default, 0.01. Both multiply the decay by the learning rate, a schedule's too; the paper by the schedule alone.

    Only tensors of two axes and more decay: kernels. A bias, and a scale or shift of a normalisation, are one number
    per output, with no product of many inputs that could grow too large; pulled to zero, they would only be wrong.
    (Keras decays every variable that `exclude_from_weight_decay` does not name.)
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon)
        if not 0 <= weight_decay < math.inf:
            raise InputError(f"AdamW: weight_decay needs a finite number from 0 up, got {weight_decay!r}")
        self.weight_decay = float(weight_decay)

    def update(self, w: np.ndarray, g: np.ndarray, memory: dict[str, np.ndarray]) -> None:
        decay = self.learning_rate * self.weight_decay if decays(w) else 0.0
        adam.update(w, g, memory["m"], memory["v"], self.alpha, self.beta_1, self.beta_2, self.epsilon, decay)


def decays(w: np.ndarray) -> bool:
    """Whether AdamW takes a share off this tensor in each step: kernels yes, what has one axis no."""
    return w.ndim >= 2
