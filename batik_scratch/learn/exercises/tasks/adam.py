"""adam: one update of the optimiser; after lesson 10.

memory    m and v are running means: each step moves them a little towards the newest gradient, and its square.
          memory["m"] is an array that lives on after the call: change its numbers, do not bind the name anew.
          m += (g - m) * (1 - self.beta_1); v += (g * g - v) * (1 - self.beta_2)
step      m and v began at zero, so in the first steps they are too small: alpha makes up for it, by t.
          Epsilon stands beside sqrt(v), outside the root; t is self.iterations; w is changed in place.
          w -= alpha * m / (np.sqrt(v) + self.epsilon), alpha = lr * sqrt(1 - beta_2**t) / (1 - beta_1**t)
"""

from typing import Any

import numpy as np

from .... import nn
from ....nn.gradcheck.optimizers import UpdateRule
from ...update_rules import MISTAKES, SENTENCES, right_rule, wrong_rules
from ..answer import Answer
from ..compare import same, wrong_numbers
from ..exercise import Exercise, Finding

STEPS = 7
SETTINGS = {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3}  # so large that it shows where it is


def _gradients(t: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(t)
    return {"kernel": rng.standard_normal((3, 4)), "bias": rng.standard_normal(4)}


def _by_rule(rule: UpdateRule, key: str, w: np.ndarray, steps: int) -> dict[str, np.ndarray]:
    """w, m and v of one tensor after some steps of the rule."""
    memory: dict[str, Any] = {}
    for t in range(1, steps + 1):
        w = rule(w, _gradients(t)[key], memory, t)
    return {"w": w, **memory}


def _unlike_the_rule(value: np.ndarray, what: str, words: str, key: str, w: np.ndarray, steps: int) -> Any:
    """What to say if `value` (of w, m or v) is not the rule's; the mistake that gives the same has the word."""
    ours = nn.Adam(**SETTINGS)
    rules, names = wrong_rules(ours), MISTAKES["move" if what == "w" else what]
    suspects = ((_by_rule(rules[name][0], key, w, steps)[what], SENTENCES[name]) for name in names)
    return wrong_numbers(value, _by_rule(right_rule(ours), key, w, steps)[what], words, suspects)


def _memory(answer: Answer) -> list[Finding]:
    """m and v after two calls, for one tensor."""
    mine = answer.thing(**SETTINGS)
    m, v, w = np.zeros(4), np.zeros(4), np.ones(4)
    for t in (1, 2):
        mine.iterations = t
        g = _gradients(t)["bias"]
        given, memory = g.copy(), {"m": m, "v": v}
        mine.update(w, given, memory)
        if memory["m"] is not m or memory["v"] is not v:
            sentence = (
                "memory[...] is bound to a new array, which is forgotten after the call: change the old one in place, "
                "m += ... or m[...] = ..."
            )
            return answer.found("memory", sentence)
        if not np.array_equal(given, g):
            return answer.found("memory", "The gradient g is changed; work on a new array.")
        if not m.any() and not v.any():
            sentence = (
                'memory["m"] and memory["v"] stay zero: change them in place, m += ... or m[...] = ..., '
                "never m = ..., which makes a new array that is forgotten."
            )
            return answer.found("memory", sentence)
    for what, value in (("m", m), ("v", v)):
        words = f'memory["{what}"] after two steps'
        if wrong := _unlike_the_rule(value, what, words, "bias", np.ones(4), steps=2):
            return answer.found("memory", *wrong)
    return []


def _steps(answer: Answer) -> list[Finding]:
    """The weights after one step, and after several."""
    mine, layer = answer.thing(**SETTINGS), nn.Dense(4).astype("float64")
    layer.build((3,), np.random.default_rng(0))
    before = {key: w.copy() for key, w in layer.params.items()}
    for t in range(1, STEPS + 1):
        layer.grads = _gradients(t)
        mine.step([layer])
        if t == 2 and all(np.array_equal(w, before[key]) for key, w in layer.params.items()):
            sentence = "w stays as it was: change it in place, w -= ..., never w = w - ..., which makes a new array."
            return answer.found("step", sentence)
        if mine.iterations != t:
            sentence = (
                "self.iterations is advanced in update, once per tensor; t counts steps, and is counted for you: "
                "the bias correction needs it right."
            )
            return answer.found("step", sentence, (f"after step {t} on two tensors it is {mine.iterations}",))
    for key, w in layer.params.items():
        if wrong := _unlike_the_rule(w, "w", f"w ({key}) after {STEPS} steps", key, before[key], STEPS):
            return answer.found("step", *wrong)
    return []


def _promises(answer: Answer) -> list[Finding]:
    """Other settings are used, not only the usual ones."""
    other: dict[str, Any] = {"learning_rate": 0.5, "beta_1": 0.5, "beta_2": 0.6, "epsilon": 0.2}
    moved = []
    for optimizer in (answer.thing(**other), nn.Adam(**other)):
        optimizer.iterations = 3
        optimizer.update(w := np.ones(4), _gradients(1)["bias"], {"m": np.full(4, 0.1), "v": np.full(4, 0.2)})
        moved.append(w)
    if same(*moved):
        return []
    sentence = (
        "With other settings the step is wrong: use self.learning_rate, self.beta_1, self.beta_2 and self.epsilon."
    )
    return answer.found("step", sentence)


EXERCISE = Exercise(
    __doc__,
    nn.Adam,
    # memory first, because the step is made of it; then seven steps on two tensors; then what must stay as it is
    [("memory", _memory), ("step", _steps), ("promises", _promises)],
    writes=("update",),
)
