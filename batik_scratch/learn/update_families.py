"""Which rule an optimiser should follow, found from the numbers that it holds, whatever they are called.

    two betas                     Adam, with epsilon beside the corrected or the uncorrected root; AdamW with a decay
    one decay rate and epsilon    RMSprop       v = rho v + (1 - rho) g^2,  w -= lr g / (sqrt(v) + epsilon)
    epsilon alone                 Adagrad       v = v + g^2,                w -= lr g / (sqrt(v) + epsilon)
    one decay rate alone          momentum      v = mu v - lr g, w += v (Keras); v = mu v + g, w -= lr v (PyTorch);
                                                v = mu v + (1 - mu) g, w -= lr v (a running mean)
    nothing                       plain descent

Sources: Tieleman & Hinton (2012) for RMSprop, Duchi et al. (2011) for Adagrad, Sutskever et al. (2013) for momentum.
RMSprop and Adagrad may have epsilon inside the root (Keras) or beside it (PyTorch). A rule of the user's own comes
before all of these.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..nn.gradcheck.optimizers import UpdateRule, sgd_rule, with_decay
from .update_rules import MISTAKES, adam_with, counting_tensors, right_rule, wrong_rules

NAMES = {  # of the numbers, as people call them
    "learning_rate": ("learning_rate", "lr", "eta", "step_size", "rate", "alpha"),
    "beta_1": ("beta_1", "beta1", "b1"),
    "beta_2": ("beta_2", "beta2", "b2"),
    "epsilon": ("epsilon", "eps"),
    "weight_decay": ("weight_decay", "wd", "decay_rate_of_weights", "l2"),
    "decay": ("momentum", "mu", "rho", "decay_rate", "decay", "beta", "gamma", "alpha", "smoothing"),
}
SHRINKING = 0.11  # a "decay" below it is one of the weights
SMALL, LARGE = 1e-4, 0.5  # an epsilon of another name is smaller, a decay rate of another name larger

Wrong = dict[str, tuple[str, tuple[UpdateRule, ...]]]  # {name: (what to say, the rules that make this mistake)}


@dataclass(frozen=True)
class Family:
    """The rules that are right for an optimiser, and those of the usual mistakes; `name` is the method's."""

    name: str
    right: tuple[UpdateRule, ...]
    wrong: Wrong = field(default_factory=dict)


def numbers_of(optimizer: Any) -> SimpleNamespace:
    """The optimiser's numbers under the names of Keras; those that it does not have are missing.

    Pairs called betas are taken apart. A number of an unknown name is an epsilon below 1e-4, a decay rate from 0.5 up.
    """
    held = {str(key).strip("_").lower(): value for key, value in vars(optimizer).items()}
    if isinstance(betas := held.pop("betas", None), tuple | list) and len(betas) == 2:
        held |= {"beta_1": betas[0], "beta_2": betas[1]}
    numbers = {key: float(value) for key, value in held.items() if _is_number(value)}
    found: dict[str, float] = {}
    for name, aliases in NAMES.items():
        alias = next((alias for alias in aliases if alias in numbers), None)
        if alias is not None:
            found[name] = numbers.pop(alias)
    if found.get("decay", 1.0) < SHRINKING and "weight_decay" not in found:
        found["weight_decay"] = found.pop("decay")  # so small a share is not kept, it is lost
    if "learning_rate" not in found and _is_number(getattr(optimizer, "learning_rate", None)):
        found["learning_rate"] = float(optimizer.learning_rate)  # a property
    if "beta_2" in found and "beta_1" not in found:
        found["decay"] = found.pop("beta_2")
    elif "beta_1" in found and "beta_2" not in found:
        found["decay"] = found.pop("beta_1")
    for value in numbers.values():
        if 0 < value < SMALL:
            found.setdefault("epsilon", value)
        elif LARGE <= value < 1 and "beta_1" not in found:
            found.setdefault("decay", value)
    flag = bool(held.get("nesterov", False))
    return SimpleNamespace(**found, **({"nesterov": flag} if "nesterov" in held else {}))


def family_of(optimizer: Any, rule: UpdateRule | None = None) -> Family:
    """The rules for this optimiser; `rule` is the user's own, and the only right one then."""
    if rule is not None:
        return Family("the rule that was given", (rule,))
    return family_of_numbers(numbers_of(optimizer))


def family_of_numbers(has: SimpleNamespace) -> Family:
    """The rules for an optimiser with these numbers, under the names of Keras."""
    known = vars(has)
    if "beta_1" in known and "beta_2" in known:
        return _adams(SimpleNamespace(**{"epsilon": 1e-8} | known))
    if "decay" in known and "epsilon" in known:
        return _scaled("RMSprop", has.learning_rate, has.epsilon, has.decay)
    if "epsilon" in known:
        return _scaled("Adagrad", has.learning_rate, has.epsilon, None)
    return _descents(has.learning_rate, known.get("decay", 0.0), known.get("nesterov", False))


def _adams(has: SimpleNamespace) -> Family:
    options = (has.learning_rate, has.beta_1, has.beta_2, has.epsilon)
    share = has.learning_rate * getattr(has, "weight_decay", 0.0)

    def decayed(rule: UpdateRule) -> UpdateRule:
        return with_decay(rule, share) if hasattr(has, "weight_decay") else rule

    beside = MISTAKES["move"]["epsilon beside the corrected root"]
    paper = decayed(adam_with(options, move=beside))
    wrong: dict[str, tuple[UpdateRule, ...]] = dict(wrong_rules(has))
    del wrong["epsilon beside the corrected root"]
    for place in ("m", "v"):
        for name, formula in MISTAKES[place].items():
            wrong[name] += (decayed(adam_with(options, **{place: formula, "move": beside})),)
    wrong["t counts tensors"] += tuple(counting_tensors(paper, *counts) for counts in ((2, 1), (3, 1), (3, 2)))
    wrong["wrong sign"] += (decayed(adam_with(options, move=lambda u: -beside(u))),)
    wrong["betas swapped"] += (decayed(adam_with((options[0], options[2], options[1], options[3]), move=beside)),)
    for name, shift in (("t too small", -1), ("t too large", 1)):
        wrong[name] += (_with_t(paper, shift),)
    wrong["epsilon inside the root"] += (
        decayed(adam_with(options, move=lambda u: _corrected(u) / np.sqrt(u.v / (1 - u.beta_2**u.t) + u.epsilon))),
    )
    wrong["root missing"] += (
        decayed(adam_with(options, move=lambda u: _corrected(u) / (u.v / (1 - u.beta_2**u.t) + u.epsilon))),
    )
    for mistake, first, second in (("m corrected by beta_2", 2, 2), ("v corrected by beta_1", 1, 1)):
        wrong[mistake] += (decayed(adam_with(options, move=_corrected_by(options[first], options[second]))),)
    name = "AdamW" if hasattr(has, "weight_decay") else "Adam"
    return Family(name, (right_rule(has), paper), {mistake: ("", rules) for mistake, rules in wrong.items()})


def _corrected(u: Any) -> Any:
    return u.lr * u.m / (1 - u.beta_1**u.t)


def _corrected_by(of_m: float, of_v: float) -> Callable[[Any], Any]:
    """Adam's move, epsilon beside the corrected root, with these rates in the corrections of m and v."""
    return lambda u: u.lr * u.m / (1 - of_m**u.t) / (np.sqrt(u.v / (1 - of_v**u.t)) + u.epsilon)


def _with_t(rule: UpdateRule, shift: int) -> UpdateRule:
    return lambda w, g, memory, t: rule(w, g, memory, max(t + shift, 1))


def _scaled(name: str, lr: float, epsilon: float, rho: float | None) -> Family:
    """RMSprop, and Adagrad if rho is None: each step is g over the root of what v remembers of g^2."""
    keep, share = (1.0, 1.0) if rho is None else (rho, 1 - rho)

    def rule(
        remember: Callable[[Any, Any], Any] = lambda v, g: keep * v + share * g**2,
        root: Callable[[Any], Any] = lambda v: np.sqrt(v) + epsilon,
        sign: int = 1,
        late: bool = False,
    ) -> UpdateRule:
        def update(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
            before = memory.get("v", np.zeros_like(g))
            memory["v"] = v = remember(before, g)
            return w - sign * lr * g / root(before if late else v)

        return update

    def inside(v: Any) -> Any:
        return np.sqrt(v + epsilon)

    rules: Wrong = {}
    for mistake, (words, several) in _of_squares(epsilon, keep, share).items():
        roots: list[dict[str, Any]] = [{}] if any("root" in one for one in several) else [{}, {"root": inside}]
        rules[mistake] = words, tuple(rule(**one, **root) for one in several for root in roots)
    return Family(name, (rule(), rule(root=inside)), rules)


def _of_squares(epsilon: float, keep: float, share: float) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """{mistake: (what to say, what `rule` above has otherwise)}; Adagrad keeps all of v."""
    kept = "v + g*g" if keep == 1 else "rho v + (1 - rho) g*g"
    wrong: dict[str, tuple[str, list[dict[str, Any]]]] = {
        "wrong sign": ("The step goes uphill: it must be subtracted.", [{"sign": -1}]),
        "root missing": ("The root is missing: divide by sqrt(v), not by v.", [{"root": lambda v: v + epsilon}]),
        "gradient not squared": (
            f"v remembers |g|; it must be {kept}.", [{"remember": lambda v, g: keep * v + share * np.abs(g)}],
        ),
        "v is a mean of g": (
            f"v remembers g itself; it must be {kept}.", [{"remember": lambda v, g: keep * v + share * g}],
        ),
        "v is the newest square": (
            f"v is the newest g*g alone, and forgets all others; it must be {kept}.", [{"remember": lambda v, g: g**2}],
        ),
        "w before v": (
            "w is changed before v is, so that it steps by what the step before knew: first v, then w.",
            [{"late": True}],
        ),
        "epsilon missing": ("Epsilon is missing: where v is zero the step has no size.", [{"root": np.sqrt}]),
    }  # fmt: skip
    if keep < 1:
        wrong |= {
            "v only grows": (
                "v is the sum of all g*g, as Adagrad has it; here the old v fades: rho v + (1 - rho) g*g.",
                [{"remember": lambda v, g: v + g**2}, {"remember": lambda v, g: v + share * g**2}],
            ),
            "v without its factor": (
                "v is missing the factor (1 - rho) at g*g.", [{"remember": lambda v, g: keep * v + g**2}],
            ),
            "v with its shares swapped": (
                "rho and 1 - rho are swapped in v: the old keeps rho.",
                [{"remember": lambda v, g: share * v + keep * g**2}],
            ),
        }  # fmt: skip
    return wrong


def _descents(lr: float, mu: float, nesterov: bool) -> Family:
    right = [sgd_rule(lr, mu, nesterov)]
    if not mu:
        return Family("gradient descent", tuple(right), {"wrong sign": ("", (sgd_rule(-lr),))})
    if not nesterov:
        right.append(_velocity(lambda v, g: mu * v + (1 - mu) * g, lambda v, old: lr * v))
    wrong: Wrong = {
        "wrong sign": ("", (sgd_rule(-lr, mu, nesterov), _velocity(lambda v, g: mu * v + g, lambda v, old: -lr * v))),
        "momentum forgotten": ("", (sgd_rule(lr),)),
        "nesterov confused": ("", (sgd_rule(lr, mu, not nesterov),)),
        "velocity turned round": (
            "The old velocity enters with the wrong sign: it is carried on, v = momentum v - lr g, not -momentum v.",
            (sgd_rule(lr, -mu, nesterov), _velocity(lambda v, g: (1 - mu) * g - mu * v, lambda v, old: lr * v)),
        ),
        "velocity never fades": (
            "The velocity is the sum of all gradients: the old one must be multiplied by momentum.",
            (sgd_rule(lr, 1.0, nesterov), _velocity(lambda v, g: v + (1 - mu) * g, lambda v, old: lr * v)),
        ),
        "w before the velocity": (
            "w moves by the velocity of the step before: first the velocity, then w.",
            (_velocity(lambda v, g: mu * v + g, lambda v, old: lr * old),
             _velocity(lambda v, g: mu * v + (1 - mu) * g, lambda v, old: lr * old)),
        ),
        "shares swapped": (
            "momentum and 1 - momentum are swapped: the old velocity keeps the share momentum.",
            (_velocity(lambda v, g: (1 - mu) * v + mu * g, lambda v, old: lr * v),),
        ),
    }  # fmt: skip
    return Family("momentum", tuple(right), wrong)


def _velocity(remember: Callable[[Any, Any], Any], move: Callable[[Any, Any], Any]) -> UpdateRule:
    """v of the old one and g; w loses what `move` makes of the new v and the old one."""

    def rule(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        old = memory.get("v", np.zeros_like(g))
        memory["v"] = v = remember(old, g)
        return w - move(v, old)

    return rule


def any_rule(right: UpdateRule) -> Wrong:
    """Mistakes that can be made with every rule: of its memory, of its count, of the gradient that it is given."""

    def forgetful(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        return right(w, g, {}, t)

    def late(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        before, memory["the g before"] = memory.get("the g before", np.zeros_like(g)), g
        return right(w, before, memory, t)

    def twice(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        return right(right(w, g, memory, t), g, memory, t)

    return {
        "memory forgotten": (
            "Every step is a first one: what the step before remembered is gone. Keep it in the optimiser, by tensor, "
            "make it anew only if it is not there yet, and write into it (m[...] = new, not m = new).",
            (forgetful,),
        ),
        "t too small": ("t is one too small: it is 1 in the first step.", (_with_t(right, -1),)),
        "t too large": ("t is one too large: it is 1 in the first step.", (_with_t(right, 1),)),
        "t stands still": (
            "t is 1 in every step: advance it by one before each step.",
            (lambda w, g, memory, t: right(w, g, memory, 1),),
        ),
        "t counts tensors": (
            "t is advanced for every tensor; it counts steps, so advance it once, before the loop over the tensors.",
            tuple(counting_tensors(right, *counts) for counts in ((2, 1), (3, 1), (3, 2))),
        ),
        "gradient of the step before": ("Each step uses the gradient of the step before it.", (late,)),
        "step taken twice": ("Every step is taken twice: look for a loop in a loop, or for two calls.", (twice,)),
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
