"""What is wrong with an optimiser: its steps are held against the rule, and against the usual wrong rules."""

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...nn import Optimizer
from ...nn.gradcheck.optimizers import UpdateRule, adam_rule, sgd_rule, trajectories
from .diagnosis import Diagnosis

TENSORS = 2  # in `trajectories`


def right_rule(optimizer: Optimizer) -> UpdateRule:
    """The rule that an optimiser with these options should follow: Adam's where it has betas, else gradient descent's."""
    if hasattr(optimizer, "beta_1"):
        return adam_rule(*_adam_options(optimizer))
    return sgd_rule(
        optimizer.learning_rate, getattr(optimizer, "momentum", 0.0), bool(getattr(optimizer, "nesterov", False))
    )


def steps_apart(optimizer: Optimizer, rule: UpdateRule, steps: int) -> tuple[int, str, float, float] | None:
    """First step, tensor, and the values of its worst place, where optimiser and rule part; None where they agree."""
    trained, expected = trajectories(copy.deepcopy(optimizer), rule, steps)
    for number, (ours, theirs) in enumerate(zip(trained, expected, strict=True), 1):
        for key, w in ours.items():
            if not np.allclose(w, theirs[key], rtol=1e-12, atol=1e-14):
                worst = np.unravel_index(int(np.nan_to_num(np.abs(w - theirs[key]), nan=np.inf).argmax()), w.shape)
                return number, key, float(w[worst]), float(theirs[key][worst])
    return None


def explain(optimizer: Optimizer, steps: int, apart: tuple[int, str, float, float]) -> Diagnosis:
    """The wrong rule that fits all steps, or where they part."""
    number, tensor, ours, theirs = apart
    evidence = f"Step {number} is the first that differs: {tensor} holds {ours:.8g} where the rule has {theirs:.8g}. "
    wrong_rules = _wrong_adams(optimizer) if hasattr(optimizer, "beta_1") else _wrong_descents(optimizer)
    for name, rule, words in wrong_rules:
        if steps_apart(optimizer, rule, steps) is None:
            return Diagnosis(name, tensor, f"{words} {evidence}All {steps} steps fit this explanation.")
    return Diagnosis(
        "unexplained", tensor, f"{evidence}It is none of the usual mistakes; print m and v after one step."
    )


def _wrong_adams(optimizer: Optimizer) -> Iterator[tuple[str, UpdateRule, str]]:
    lr, beta_1, beta_2, epsilon = _adam_options(optimizer)
    yield (
        "no bias correction",
        _adam(lr, beta_1, beta_2, epsilon, alpha=lambda t: lr),
        ("m and v start at zero, and alpha lacks sqrt(1 - beta_2^t) / (1 - beta_1^t), which makes up for it."),
    )
    for advance in (TENSORS, TENSORS + 1):
        yield (
            "t counts tensors",
            _counting(adam_rule(lr, beta_1, beta_2, epsilon), advance),
            ("t is advanced for every tensor; it counts steps, so advance it once, before the loop over the tensors."),
        )
    yield (
        "epsilon inside the root",
        _adam(lr, beta_1, beta_2, epsilon, inside=True),
        ("epsilon stands under the square root, sqrt(v + epsilon); the rule has sqrt(v) + epsilon."),
    )
    yield "betas swapped", adam_rule(lr, beta_2, beta_1, epsilon), "beta_1 and beta_2 have changed places."
    yield "wrong sign", adam_rule(-lr, beta_1, beta_2, epsilon), "The step goes uphill: it must be subtracted."
    yield (
        "gradient not squared",
        _adam(lr, beta_1, beta_2, epsilon, square=False),
        ("v is the mean of |g|; it must be that of g*g."),
    )
    yield (
        "m alone corrected",
        _adam(lr, beta_1, beta_2, epsilon, alpha=lambda t: lr / (1 - beta_1**t)),
        ("Only m's bias is corrected, v's is not: sqrt(1 - beta_2^t) is missing."),
    )


def _wrong_descents(optimizer: Optimizer) -> Iterator[tuple[str, UpdateRule, str]]:
    lr, momentum = optimizer.learning_rate, getattr(optimizer, "momentum", 0.0)
    nesterov = bool(getattr(optimizer, "nesterov", False))
    yield "wrong sign", sgd_rule(-lr, momentum, nesterov), "The step goes uphill: learning rate times g is subtracted."
    yield "momentum forgotten", sgd_rule(lr), "Each step is that of plain descent: the velocity is not carried over."
    yield (
        "nesterov confused",
        sgd_rule(lr, momentum, not nesterov),
        (f"nesterov is {nesterov}, and the steps are those of {not nesterov}."),
    )


def _adam(
    lr: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    alpha: Any = None,
    inside: bool = False,
    square: bool = True,
) -> UpdateRule:
    """Adam with something left out or moved."""

    def rule(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        memory["m"] = m = beta_1 * memory.get("m", 0.0) + (1 - beta_1) * g
        memory["v"] = v = beta_2 * memory.get("v", 0.0) + (1 - beta_2) * (g * g if square else abs(g))
        step = lr * math.sqrt(1 - beta_2**t) / (1 - beta_1**t) if alpha is None else alpha(t)
        return w - step * m / (np.sqrt(v + epsilon) if inside else np.sqrt(v) + epsilon)

    return rule


def _counting(rule: UpdateRule, advance: int) -> UpdateRule:
    """The rule with t = 1, 2 in the first step, and `advance` more in each one after it."""
    calls = 0

    def counted(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        nonlocal calls
        tensor, calls = calls % TENSORS, calls + 1
        return rule(w, g, memory, advance * (t - 1) + 1 + tensor)

    return counted


def _adam_options(optimizer: Any) -> tuple[float, float, float, float]:
    return optimizer.learning_rate, optimizer.beta_1, optimizer.beta_2, optimizer.epsilon
