"""The rules by which an optimiser changes a weight, right and wrong: one table for museum, doctor and exercise.

Adam is three formulas: the new m, the new v, and from both the move, which is subtracted from w. Each of the MISTAKES
replaces one of them; AdamW's decay is taken off before. What the museum, the doctor and the exercise say of a mistake
is found there, under its name.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..nn.gradcheck.optimizers import UpdateRule, adam_rule, sgd_rule, with_decay

TENSORS = 2  # that `trajectories` updates in each step


@dataclass
class Update:
    """One update of one tensor by Adam: settings, gradient g, step t, and m and v before it and after it."""

    lr: float
    beta_1: float
    beta_2: float
    epsilon: float
    g: np.ndarray
    t: int
    m_before: Any
    v_before: Any
    m: Any = 0.0
    v: Any = 0.0

    def alpha(self, t: int) -> float:
        """The learning rate, corrected for m and v having started at zero, as it is in step t."""
        return self.lr * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)


Formula = Callable[[Update], Any]
RIGHT: dict[str, Formula] = {
    "m": lambda u: u.beta_1 * u.m_before + (1 - u.beta_1) * u.g,
    "v": lambda u: u.beta_2 * u.v_before + (1 - u.beta_2) * u.g**2,
    "move": lambda u: u.alpha(u.t) * u.m / (np.sqrt(u.v) + u.epsilon),
}
MISTAKES: dict[str, dict[str, Formula]] = {
    "m": {
        "m corrected for good": lambda u: RIGHT["m"](u) / (1 - u.beta_1**u.t),
        "m is the newest gradient": lambda u: u.g,
        "m without its factor": lambda u: u.beta_1 * u.m_before + u.g,
        "m is a sum": lambda u: u.m_before + u.g,
        "m only grows": lambda u: u.m_before + (1 - u.beta_1) * u.g,
        "m with its shares swapped": lambda u: (1 - u.beta_1) * u.m_before + u.beta_1 * u.g,
        "m by beta_2": lambda u: u.beta_2 * u.m_before + (1 - u.beta_2) * u.g,
    },
    "v": {
        "v corrected for good": lambda u: RIGHT["v"](u) / (1 - u.beta_2**u.t),
        "v is a mean of g": lambda u: u.beta_2 * u.v_before + (1 - u.beta_2) * u.g,
        "gradient not squared": lambda u: u.beta_2 * u.v_before + (1 - u.beta_2) * np.abs(u.g),
        "v is the newest square": lambda u: u.g**2,
        "v without its factor": lambda u: u.beta_2 * u.v_before + u.g**2,
        "v is a sum": lambda u: u.v_before + u.g**2,
        "v only grows": lambda u: u.v_before + (1 - u.beta_2) * u.g**2,
        "v with its shares swapped": lambda u: (1 - u.beta_2) * u.v_before + u.beta_2 * u.g**2,
        "v by beta_1": lambda u: u.beta_1 * u.v_before + (1 - u.beta_1) * u.g**2,
    },
    "move": {
        "no bias correction": lambda u: u.lr * u.m / (np.sqrt(u.v) + u.epsilon),
        "m alone corrected": lambda u: u.lr * u.m / (1 - u.beta_1**u.t) / (np.sqrt(u.v) + u.epsilon),
        "v alone corrected": lambda u: u.lr * math.sqrt(1 - u.beta_2**u.t) * u.m / (np.sqrt(u.v) + u.epsilon),
        "m corrected by beta_2": lambda u: (
            u.lr * math.sqrt(1 - u.beta_2**u.t) / (1 - u.beta_2**u.t) * u.m / (np.sqrt(u.v) + u.epsilon)
        ),
        "v corrected by beta_1": lambda u: (
            u.lr * math.sqrt(1 - u.beta_1**u.t) / (1 - u.beta_1**u.t) * u.m / (np.sqrt(u.v) + u.epsilon)
        ),
        "epsilon beside the corrected root": lambda u: (
            u.lr * u.m / (1 - u.beta_1**u.t) / (np.sqrt(u.v / (1 - u.beta_2**u.t)) + u.epsilon)
        ),
        "epsilon inside the root": lambda u: u.alpha(u.t) * u.m / np.sqrt(u.v + u.epsilon),
        "epsilon missing": lambda u: u.alpha(u.t) * u.m / np.sqrt(u.v),
        "wrong sign": lambda u: -RIGHT["move"](u),
        "root missing": lambda u: u.alpha(u.t) * u.m / (u.v + u.epsilon),
        "g in place of m": lambda u: u.alpha(u.t) * u.g / (np.sqrt(u.v) + u.epsilon),
        "w before m and v": lambda u: u.alpha(u.t) * u.m_before / (np.sqrt(u.v_before) + u.epsilon),
        "w before m": lambda u: u.alpha(u.t) * u.m_before / (np.sqrt(u.v) + u.epsilon),
        "w before v": lambda u: u.alpha(u.t) * u.m / (np.sqrt(u.v_before) + u.epsilon),
        "plain descent": lambda u: u.lr * u.g,
        "correction upside down": lambda u: u.lr**2 / u.alpha(u.t) * u.m / (np.sqrt(u.v) + u.epsilon),
        "t too small": lambda u: u.alpha(u.t - 1 or 1) * u.m / (np.sqrt(u.v) + u.epsilon),
        "t too large": lambda u: u.alpha(u.t + 1) * u.m / (np.sqrt(u.v) + u.epsilon),
    },
}


LATE = ", so that it steps by what the step before knew: first the means, then w."
SENTENCES = {  # what to say of each
    "no bias correction": "The bias correction is missing: alpha depends on t.",
    "m alone corrected": "Only m is corrected for its start at zero; v needs its sqrt(1 - beta_2^t) too.",
    "v alone corrected": "Only v is corrected for its start at zero; m needs its 1 / (1 - beta_1^t) too.",
    "m corrected by beta_2": "m is corrected by 1 - beta_2^t; it remembers by beta_1, so divide it by 1 - beta_1^t.",
    "v corrected by beta_1": "v is corrected by 1 - beta_1^t; it remembers by beta_2, so divide it by 1 - beta_2^t.",
    "epsilon beside the corrected root": (
        "Epsilon stands beside the corrected root (PyTorch's form); here it stands beside the uncorrected sqrt(v)."
    ),
    "epsilon inside the root": "Epsilon is inside the root; it stands beside it.",
    "epsilon missing": "Epsilon is missing.",
    "wrong sign": "w goes uphill: subtract the step, do not add it.",
    "root missing": "The root is missing: divide by sqrt(v) + epsilon.",
    "g in place of m": "The step uses g; it must use m, the mean of the gradients.",
    "w before m and v": f"w is changed before m and v are{LATE}",
    "w before m": f"w is changed before m is{LATE}",
    "w before v": f"w is changed before v is{LATE}",
    "plain descent": "This is plain gradient descent: w -= lr g.",
    "correction upside down": "The bias correction is upside down: sqrt(1 - beta_2^t) above, 1 - beta_1^t below.",
    "t too small": "t is one too small: it is 1 in the first step.",
    "t too large": "t is one too large: it is 1 in the first step.",
    "m corrected for good": "m itself is divided by 1 - beta_1^t, but it lives on: correct a copy.",
    "m is the newest gradient": (
        "m is the newest gradient alone: the factor (1 - beta_1) is missing in m += (g - m)(1 - beta_1)."
    ),
    "m without its factor": "m is missing the factor (1 - beta_1) at g.",
    "m is a sum": "m is the sum of all gradients; it must be their running mean, m += (g - m)(1 - beta_1).",
    "m only grows": "m only grows: the old mean must shrink, m += (g - m)(1 - beta_1).",
    "m with its shares swapped": "beta_1 and 1 - beta_1 are swapped in m.",
    "m by beta_2": "m uses beta_2; it must use beta_1.",
    "v corrected for good": "v itself is divided by 1 - beta_2^t, but it lives on: correct a copy.",
    "v is a mean of g": "v is the mean of g; it must be the mean of g*g.",
    "gradient not squared": "v is the mean of |g|; it must be the mean of g*g.",
    "v is the newest square": (
        "v is the newest g*g alone: the factor (1 - beta_2) is missing in v += (g*g - v)(1 - beta_2)."
    ),
    "v without its factor": "v is missing the factor (1 - beta_2) at g*g.",
    "v is a sum": "v is the sum of all g*g; it must be their running mean, v += (g*g - v)(1 - beta_2).",
    "v only grows": "v only grows: the old mean must shrink, v += (g*g - v)(1 - beta_2).",
    "v with its shares swapped": "beta_2 and 1 - beta_2 are swapped in v.",
    "v by beta_1": "v uses beta_1; it must use beta_2.",
}


def right_rule(optimizer: Any) -> UpdateRule:
    """The rule that an optimiser with these options should follow.

    Adam's if it has betas, AdamW's if it has a weight_decay too, else gradient descent's.
    """
    if not hasattr(optimizer, "beta_1"):
        return sgd_rule(*_sgd_options(optimizer))
    rule = adam_rule(*_adam_options(optimizer))
    return with_decay(rule, _share(optimizer)) if hasattr(optimizer, "weight_decay") else rule


def wrong_rules(optimizer: Any) -> dict[str, tuple[UpdateRule, ...]]:
    """{name of a mistake: the rules that an optimiser with these options follows if it makes it}."""
    if not hasattr(optimizer, "beta_1"):
        lr, momentum, nesterov = _sgd_options(optimizer)
        return {
            "wrong sign": (sgd_rule(-lr, momentum, nesterov),),
            "momentum forgotten": (sgd_rule(lr),),
            "nesterov confused": (sgd_rule(lr, momentum, not nesterov),),
        }
    lr, beta_1, beta_2, epsilon = options = _adam_options(optimizer)
    rules: dict[str, tuple[UpdateRule, ...]] = {
        name: (adam_with(options, **{place: formula}),)
        for place, formulas in MISTAKES.items()
        for name, formula in formulas.items()
    }
    counting = tuple(counting_tensors(adam_rule(*options), advance) for advance in (TENSORS, TENSORS + 1))
    rules |= {"t counts tensors": counting, "betas swapped": (adam_rule(lr, beta_2, beta_1, epsilon),)}
    if not hasattr(optimizer, "weight_decay"):
        return rules
    share = _share(optimizer)
    decaying = {name: tuple(with_decay(rule, share) for rule in several) for name, several in rules.items()}
    right, weight_decay = adam_rule(*options), optimizer.weight_decay

    def penalised(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        return right(w, g + weight_decay * w if w.ndim >= 2 else g, memory, t)

    return decaying | {
        "decay through the gradient": (penalised,),
        "no decay": (right,),
        "biases decay": (lambda w, g, memory, t: right(w * (1 - share), g, memory, t),),
        "decay without the rate": (with_decay(right, weight_decay),),
    }


def adam_with(options: tuple[float, float, float, float], **replaced: Formula) -> UpdateRule:
    """Adam with formulas replaced, by their places ("m", "v", "move")."""
    formulas = RIGHT | replaced

    def rule(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        update = Update(*options, g, t, memory.get("m", 0.0), memory.get("v", 0.0))
        memory["m"] = update.m = formulas["m"](update)
        memory["v"] = update.v = formulas["v"](update)
        return w - formulas["move"](update)

    return rule


def counting_tensors(rule: UpdateRule, advance: int, first: int = 1) -> UpdateRule:
    """The rule with t = first, first + 1 in the first step, and `advance` more in each one after it."""
    calls = 0

    def counted(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        nonlocal calls
        tensor, calls = calls % TENSORS, calls + 1
        return rule(w, g, memory, advance * (t - 1) + first + tensor)

    return counted


def _adam_options(optimizer: Any) -> tuple[float, float, float, float]:
    return optimizer.learning_rate, optimizer.beta_1, optimizer.beta_2, optimizer.epsilon


def _share(optimizer: Any) -> float:
    """What AdamW takes off a kernel in each step, as a share of it."""
    return optimizer.learning_rate * optimizer.weight_decay


def _sgd_options(optimizer: Any) -> tuple[float, float, bool]:
    return optimizer.learning_rate, getattr(optimizer, "momentum", 0.0), bool(getattr(optimizer, "nesterov", False))
