"""What is wrong with an optimiser: its steps are held against the rule, and against the usual wrong rules."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...nn import SGD, Adam, Optimizer
from ...nn.gradcheck.optimizers import UpdateRule, trajectories
from ..update_families import Family, any_rule, numbers_of
from ..update_guesses import guesses
from ..update_rules import SENTENCES
from ..update_trials import Trial, try_out
from .claim import Diagnosis
from .hidden_rules import one_mistake, recognised, unknown, whatever_the_rule

Parting = tuple[int, str, float, float]  # first step and tensor that differ, and both numbers at the worst place
NEARLY = 1e-4  # of the way: what an epsilon in another place changes
ADAM = {
    "no bias correction": """m and v start at zero, and alpha lacks sqrt(1 - beta_2^t) / (1 - beta_1^t), which makes up
        for it.""",
    "t counts tensors": """t is advanced for every tensor; it counts steps, so advance it once, before the loop over the
        tensors.""",
    "epsilon inside the root": """epsilon stands under the square root, sqrt(v + epsilon); the rule has sqrt(v) +
        epsilon.""",
    "betas swapped": "beta_1 and beta_2 have changed places.",
    "wrong sign": "The step goes uphill: it must be subtracted.",
    "gradient not squared": "v is the mean of |g|; it must be that of g*g.",
    "m alone corrected": "Only m's bias is corrected, v's is not: sqrt(1 - beta_2^t) is missing.",
}
ADAMW = ADAM | {
    "decay through the gradient": """The decay is added to g, and m and v see it: that is an L2 penalty, divided by
        sqrt(v). Take learning rate times weight_decay times w off w itself.""",
    "no decay": "The kernel does not decay: the steps are Adam's.",
    "biases decay": "The bias decays as well; only tensors of two axes and more do.",
    "decay without the rate": "The decay is weight_decay times w; the rule multiplies it by the learning rate.",
}
DESCENT = {
    "wrong sign": "The step goes uphill: learning rate times g is subtracted.",
    "momentum forgotten": "Each step is that of plain descent: the velocity is not carried over.",
    "nesterov confused": "nesterov is {nesterov}, and the steps are those of {other}.",
}


def steps_apart(optimizer: Any, rule: UpdateRule, steps: int, rtol: float = 0.0) -> Parting | None:
    """Step and place in which optimiser and rule first part; None if they agree in all steps.

    rtol    how far they may be apart, of the way that the tensor has come; nothing but rounding if it is 0
    """
    trained, expected = trajectories(copy.deepcopy(optimizer), rule, steps)
    start, _ = trajectories(Resting(), rule, 1) if rtol else ([{}], [])
    for number, (ours, theirs) in enumerate(zip(trained, expected, strict=True), 1):
        for key, w in ours.items():
            slack = rtol * float(np.abs(theirs[key] - start[0][key]).max()) if rtol else 0.0
            if not np.allclose(w, theirs[key], rtol=1e-12, atol=1e-14 + slack):
                worst = np.unravel_index(int(np.nan_to_num(np.abs(w - theirs[key]), nan=np.inf).argmax()), w.shape)
                return number, key, float(w[worst]), float(theirs[key][worst])
    return None


def examine(optimizer: Any, steps: int, family: Family, given: bool = False) -> list[Diagnosis]:
    """What `explain` finds, and what is wrong by any rule; or what the optimiser raises. `given` is the user's rule."""
    try:
        trial = try_out(optimizer, max(steps, 1))
        found = explain(optimizer, steps, family, trial, given)
        if found is not None and found.mistake:
            return [found]
        broken = [Diagnosis.told("step", words) for words in whatever_the_rule(optimizer, trial)]
        return broken or ([] if found is None else [found])
    except Exception as error:
        words = f"raises: step(layers) stops with {type(error).__name__}: {error}. Make the same call by hand."
        return [Diagnosis.told("step", words)]


def explain(optimizer: Any, steps: int, family: Family, trial: Trial, given: bool = False) -> Diagnosis | None:
    """None if the steps are those of a right rule; else the wrong rule that fits all of them, or where they part.

    Of an optimiser that neither is one of the package's nor has a `given` rule nobody knows what it should do: it may
    follow a rule whose numbers it does not hold, or one that is not known here, and then comes a remark.
    """
    tried = [steps_apart(optimizer, rule, steps) for rule in family.right]
    if None in tried:
        return None
    # of several forms that are right, the one that is followed longest is the one that was meant
    right, apart = max(zip(family.right, tried, strict=True), key=lambda one: one[1][0] if one[1] else 0)
    assert apart is not None
    number, tensor, ours, theirs = apart
    evidence = f"Step {number} is the first that differs: {tensor} holds {ours:.8g} where the rule has {theirs:.8g}. "
    promised = given or isinstance(optimizer, Adam | SGD)
    others = [] if promised or not np.isfinite(ours) else guesses(optimizer, trial)
    if (remark := recognised(others, trial)) is not None:
        return remark
    for name, words, found in _fitting(optimizer, steps, family, right) if np.isfinite(ours) else ():
        told = words.format(**_flags(optimizer))
        return Diagnosis.told(tensor, f"{name}: {told} {evidence}{found}")
    if np.isnan(ours):
        words = "not a number: The step makes NaN: look for a root of less than zero, or a division by zero."
        return Diagnosis.told(tensor, f"{words} {evidence}")
    if others:
        told_by = f"If its numbers mean {family.name}: {evidence}" if family.name != "gradient descent" else ""
        return one_mistake(others, trial) or unknown(others, trial, told_by)
    words = f"unexplained: {evidence}It is none of the usual mistakes of {family.name}; print m and v after one step."
    return Diagnosis.told(tensor, words)


def _fitting(optimizer: Any, steps: int, family: Family, right: UpdateRule) -> Iterator[tuple[str, str, str]]:
    """(name, what to say, how well it fits) of the mistakes that explain all steps, the surest first."""
    known = {name: (_said(optimizer, name) or words, rules) for name, (words, rules) in family.wrong.items()}
    order = sorted(known, key=lambda name: name not in _mistakes(optimizer))
    exactly = f"All {steps} steps fit this explanation."
    several = [(name, *known[name]) for name in order]
    generic = [any_rule(rule) for rule in family.right]
    for name, (words, _) in generic[0].items():
        if name not in known:
            several.append((name, words, tuple(rule for one in generic for rule in one[name][1])))
    for name, words, rules in several:
        if any(steps_apart(optimizer, rule, steps) is None for rule in rules):
            yield name, words, exactly
    if (left_out := _left_out(optimizer, steps, right)) is not None:
        yield "tensor left out", left_out, exactly
    if (factor := _factor(optimizer, steps, family.right)) is not None:
        yield "step by a factor", factor, exactly
    if steps_apart(optimizer, right, steps, NEARLY) is None:
        return  # the rule itself, but for rounding or for a small number somewhere
    for name, words, rules in several:
        if any(steps_apart(optimizer, rule, steps, NEARLY) is None for rule in rules):
            yield name, words, f"All {steps} steps fit this explanation to four digits."


def _left_out(optimizer: Any, steps: int, rule: UpdateRule) -> str | None:
    """What to say if one of the two tensors never moves."""
    trained, _ = trajectories(copy.deepcopy(optimizer), rule, steps)
    start, _ = trajectories(Resting(), rule, 1)
    still = [key for key, w in start[0].items() if all(np.array_equal(after[key], w) for after in trained)]
    if not still:
        return None
    where = "Nothing changes at all" if len(still) == len(start[0]) else f"The {still[0]} never changes"
    return f"{where}: every parameter is changed by its gradient, in place (w -= ..., not w = w - ...)."


def _factor(optimizer: Any, steps: int, rules: tuple[UpdateRule, ...]) -> str | None:
    """What to say if each step is that of the rule, times the same number."""
    trained, _ = trajectories(copy.deepcopy(optimizer), rules[0], 1)
    start, _ = trajectories(Resting(), rules[0], 1)
    found: list[float] = []
    for rule in rules:
        _, expected = trajectories(Resting(), rule, 1)
        moves = [np.append(after[0]["kernel"] - start[0]["kernel"], after[0]["bias"] - start[0]["bias"])
                 for after in (trained, expected)]  # fmt: skip
        factor = float(moves[0] @ moves[1] / max(float(moves[1] @ moves[1]), 1e-300))
        told = np.isfinite(factor) and abs(factor) > 1e-9
        if told and steps_apart(optimizer, _times(rule, factor), steps, 1e-9) is None:
            found.append(factor)
    if not found:
        return None
    factor = min(found, key=lambda one: abs(np.log(abs(one))))
    has = vars(numbers_of(optimizer))
    sizes = {name: value for name, value in has.items() if value} | {f"1/{k}": 1 / v for k, v in has.items() if v}
    known = next((f", which is {name}" for name, size in sizes.items() if np.isclose(factor, size, rtol=1e-6)), "")
    return f"Every step is {factor:.6g} times that of the rule{known}. Which factor is forgotten, or stands twice?"


def _times(rule: UpdateRule, factor: float) -> UpdateRule:
    return lambda w, g, memory, t: w + factor * (rule(w, g, memory, t) - w)


class Resting(Optimizer):
    """Changes nothing."""

    def __init__(self) -> None:
        super().__init__(1.0)

    def update(self, w: np.ndarray, g: np.ndarray, memory: dict[str, np.ndarray]) -> None:
        """Leave w as it is."""


def _said(optimizer: Any, name: str) -> str:
    return (SENTENCES | _mistakes(optimizer)).get(name, "") if _is_adam(optimizer) else DESCENT.get(name, "")


def _mistakes(optimizer: Any) -> dict[str, str]:
    if not _is_adam(optimizer):
        return DESCENT
    return ADAMW if hasattr(numbers_of(optimizer), "weight_decay") else ADAM


def _is_adam(optimizer: Any) -> bool:
    return hasattr(numbers_of(optimizer), "beta_1")


def _flags(optimizer: Any) -> dict[str, bool]:
    nesterov = bool(getattr(optimizer, "nesterov", False))
    return {"nesterov": nesterov, "other": not nesterov}
