"""Optimisers: what to do with a gradient.

`step(layers)` changes every parameter by its gradient, once. `t` counts steps, not tensors: advanced once per
tensor it would spoil Adam's bias correction.
"""

import math
from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..ops import adam
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
            raise InputError(f"Adam: beta_1 and beta_2 are at least 0 and below 1, got {beta_1!r} and {beta_2!r}")
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)

    def update(self, w: np.ndarray, g: np.ndarray, memory: dict[str, np.ndarray]) -> None:
        t = self.iterations
        alpha = self.learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        adam.update(w, g, memory["m"], memory["v"], alpha, self.beta_1, self.beta_2, self.epsilon)
