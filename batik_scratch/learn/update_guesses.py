"""Rules whose numbers stand in no attribute: guessed from what the optimiser remembers, and then held against it.

Each guess is a method with all of its numbers. What the optimiser holds is taken as it is; a decay rate that it does
not hold is what its memory keeps from one step to the next, or a usual one; epsilon is one of the powers of ten; and a
weight decay is what a unit without gradients loses, or what the memory shows to be added to g.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..nn.gradcheck.optimizers import UpdateRule
from .update_families import Family, Wrong, any_rule, family_of_numbers, numbers_of
from .update_trials import Slot, Trial, try_out

EPSILONS = (1e-8, 1e-7, 1e-6, 1e-5, 1e-10, 1e-12, 1e-4, 1e-3, 1e-16, 1e-2, 0.1, 1.0)
USUAL = {"beta_1": (0.9,), "beta_2": (0.999, 0.99), "decay": (0.9, 0.99, 0.95)}
SPOKEN = {"decay": {"RMSprop": "rho", "momentum": "momentum"}}
NEEDS = {"Adam": 2, "RMSprop": 1, "Adagrad": 1, "momentum": 1, "gradient descent": 0}  # memories for each weight


@dataclass(frozen=True)
class Decay:
    """How w shrinks of itself: by a `share` of w in each step, or by `penalty` w added to g; kernels alone, or all."""

    share: float = 0.0
    penalty: float = 0.0
    kernels_alone: bool = False

    def __call__(self, rule: UpdateRule) -> UpdateRule:
        """The rule with this decay."""
        if not (self.share or self.penalty):
            return rule

        def decayed(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
            if self.kernels_alone and w.ndim < 2:
                return rule(w, g, memory, t)
            return rule(w, g + self.penalty * w, memory, t) - self.share * w

        return decayed


@dataclass(frozen=True)
class Guess:
    """A family of rules with all its numbers and its decay, and how to speak of them."""

    family: Family
    numbers: dict[str, float]
    decay: Decay

    @property
    def words(self) -> str:
        """`Adam (beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-08)`."""
        name, shown = self.family.name, {k: v for k, v in self.numbers.items() if k != "learning_rate"}
        spoken = [f"{SPOKEN.get(key, {}).get(name, key)} = {value:g}" for key, value in shown.items()]
        return f"{name} ({', '.join(spoken)})" if spoken else name

    def right(self) -> list[UpdateRule]:
        """The rules that are right, in all their usual forms."""
        return [self.decay(rule) for rule in self.family.right]

    def wrong(self) -> Wrong:
        """The usual mistakes: those of the method, and those that can be made with any."""
        found = dict(self.family.wrong)
        for rule in self.family.right:
            for name, (words, rules) in any_rule(rule).items():
                said, known = found.get(name, ("", ()))
                found[name] = said or words, known + rules
        return {name: (words, tuple(map(self.decay, rules))) for name, (words, rules) in found.items()}


def guesses(optimizer: Any, trial: Trial) -> list[Guess]:
    """The method of the numbers that it holds; if these are none, every one that remembers no more than it does."""
    told, slots, remembered = vars(numbers_of(optimizer)), trial.slots(), trial.remembers()
    decays = list(_decays(optimizer, told, slots))
    held = {name: value for name, value in told.items() if name != "weight_decay"}
    every = [(family_of_numbers(SimpleNamespace(**has)), has) for has in _numbers(told, slots)]
    fitting = [(family, has) for family, has in every if all(has.get(name) == value for name, value in held.items())]
    if len(held) < 2 or not fitting:  # nothing but a rate is told, or numbers of no method that is known here
        fitting = [(family, has) for family, has in every if NEEDS[family.name] <= remembered]
    return [Guess(family, has, decay) for family, has in fitting for decay in decays]


def _numbers(told: dict[str, float], slots: list[Slot]) -> Iterator[dict[str, float]]:
    lr = {"learning_rate": told["learning_rate"]}
    means, squares = _rates([s for s in slots if s.of == "g"]), _rates([s for s in slots if s.of != "g"])

    def options(name: str, read: list[float]) -> tuple[float, ...]:
        return (told[name],) if name in told else tuple(dict.fromkeys([*read, *USUAL[name]]))

    epsilons = (told["epsilon"],) if "epsilon" in told else EPSILONS
    yield lr
    for decay in options("decay", means):
        for nesterov in (False, True):
            yield lr | {"decay": decay} | ({"nesterov": nesterov} if nesterov or "nesterov" in told else {})
    for epsilon in epsilons:
        yield lr | {"epsilon": epsilon}
        for decay in options("decay", squares + means):
            yield lr | {"decay": decay, "epsilon": epsilon}
        for beta_1 in options("beta_1", means):
            for beta_2 in options("beta_2", squares + [rate for rate in means if rate != beta_1]):
                yield lr | {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}


def _rates(slots: list[Slot]) -> list[float]:
    """The decay rates that these memories may have been written with, right or wrong."""
    found: list[float] = []
    for slot in slots:
        rates = [slot.keeps, 1 - slot.takes]
        rates += [1 - rate for rate in rates if 0 < rate < 0.5]  # the shares swapped
        found += [round(rate, 9) for rate in rates if 0.5 <= rate < 1]
    return list(dict.fromkeys(found))


def _decays(optimizer: Any, told: dict[str, float], slots: list[Slot]) -> Iterator[Decay]:
    """None, and what was told or seen."""
    yield Decay()
    shares, penalties = set(), {slot.penalty for slot in slots if slot.penalty}
    if weight_decay := told.get("weight_decay", 0.0):
        shares.add(weight_decay * told["learning_rate"])
        penalties.add(weight_decay)
    dead = try_out(optimizer, 1, dead=True)
    before, after = (dead.weights[step]["kernel"][:, 0] for step in (0, 1))
    lost = (before - after) / before
    if np.isfinite(lost).all() and np.ptp(lost) < 1e-9 and 1e-12 < abs(lost[0]) < 1:
        shares.add(float(f"{lost[0]:.9g}"))
    for kernels_alone in (False, True):
        yield from (Decay(share=share, kernels_alone=kernels_alone) for share in sorted(shares))
        yield from (Decay(penalty=penalty, kernels_alone=kernels_alone) for penalty in sorted(penalties))
