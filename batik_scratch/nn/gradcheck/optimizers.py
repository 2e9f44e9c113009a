"""check_optimizer: does a step follow the rule? And the rules themselves, each written down a second time."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..layers import Dense
from ..optimizers import Optimizer
from .numeric import verdict
from .report import GradientReport

UpdateRule = Callable[[np.ndarray, np.ndarray, dict[str, Any], int], np.ndarray]


def check_optimizer(optimizer: Optimizer, reference: UpdateRule, steps: int = 7) -> GradientReport:
    """Run `optimizer` on two tensors beside `reference(w, g, memory, t) -> w`, the rule written down independently.

    Two tensors, because a step counter advanced once per tensor looks right with one; several steps, because a missing
    bias correction shows in the first ones.
    """
    trained, expected = trajectories(copy.deepcopy(optimizer), reference, steps)
    report = GradientReport(f"{type(optimizer).__name__}, {steps} steps")
    for key, w in trained[-1].items():
        report.tensors.append(
            verdict(
                key, "reference rule", w.ravel(), expected[-1][key].ravel(), w.shape, np.arange(w.size), 0, 1e-12, 1e-14
            )
        )
    return report


def trajectories(
    optimizer: Optimizer, reference: UpdateRule, steps: int
) -> tuple[list[dict[str, np.ndarray]], list[dict[str, np.ndarray]]]:
    """The two tensors after each step, as the optimiser leaves them and as the rule does, on the same gradients."""
    rng = np.random.default_rng(0)
    layer = Dense(4)
    layer.astype("float64")
    layer.build((3,), rng)
    expected = {key: w.copy() for key, w in layer.params.items()}
    memories: dict[str, dict[str, Any]] = {key: {} for key in expected}
    trained_after, expected_after = [], []
    for t in range(1, steps + 1):
        layer.grads = {key: rng.standard_normal(w.shape) for key, w in layer.params.items()}
        given = {key: g.copy() for key, g in layer.grads.items()}  # the optimiser may change what it is handed
        optimizer.step([layer])
        for key, g in given.items():
            expected[key] = reference(expected[key], g, memories[key], t)
        trained_after.append({key: w.copy() for key, w in layer.params.items()})
        expected_after.append(dict(expected))
    return trained_after, expected_after


def adam_rule(lr: float = 1e-3, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7) -> UpdateRule:
    """Adam as Keras writes it (Kingma & Ba, 2015, the form with "epsilon hat")."""

    def rule(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        memory["m"] = m = beta_1 * memory.get("m", 0.0) + (1 - beta_1) * g
        memory["v"] = v = beta_2 * memory.get("v", 0.0) + (1 - beta_2) * g**2
        return w - lr * math.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (np.sqrt(v) + epsilon)

    return rule


def adamw_rule(
    lr: float = 1e-3, weight_decay: float = 0.004, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
) -> UpdateRule:
    """AdamW as Keras writes it (Loshchilov & Hutter, 2019): the decay first, then Adam's step."""
    return with_decay(adam_rule(lr, beta_1, beta_2, epsilon), lr * weight_decay)


def with_decay(rule: UpdateRule, share: float) -> UpdateRule:
    """`rule`, before which a tensor of two axes or more loses this share of itself; what has one axis loses nothing."""

    def decayed(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        return rule(w * (1 - share) if w.ndim >= 2 else w, g, memory, t)

    return decayed


def sgd_rule(lr: float = 0.01, momentum: float = 0.0, nesterov: bool = False) -> UpdateRule:
    """Gradient descent with momentum, in Keras' form."""

    def rule(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        memory["v"] = v = momentum * memory.get("v", 0.0) - lr * g
        return w + (momentum * v - lr * g if nesterov else v)

    return rule
