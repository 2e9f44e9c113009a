"""The exercise Adam: seven steps on two tensors, beside the package's own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .... import nn
from ....nn.layers import Dense
from ..answer import Answer
from ..compare import same, wrong_numbers
from ..exercise import Exercise, Finding, Step

STEPS = 7
RATE, B1, B2, EPSILON = 0.01, 0.9, 0.99, 1e-3  # an epsilon that shows where it stands
Rule = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]  # m, v, g, t -> what is subtracted from w
Memory = Callable[[np.ndarray, np.ndarray, int], np.ndarray]  # old memory, g, t -> new memory
SETTINGS: Mapping[str, float] = {"learning_rate": RATE, "beta_1": B1, "beta_2": B2, "epsilon": EPSILON}


def _alpha(t: int) -> float:
    return RATE * np.sqrt(1 - B2**t) / (1 - B1**t)


def _before(mean: np.ndarray, newest: np.ndarray, beta: float) -> np.ndarray:
    """A running mean as it was before its newest value came in; rounding must not make it a negative one of squares."""
    old = (mean - (1 - beta) * newest) / beta
    return np.where(np.abs(old) < 1e-15, 0, old)


LATE = ", so that it steps by what the step before knew: first the means, then w."
# known mistakes: what each subtracts, and its name
MISTAKES: list[tuple[Rule, str]] = [
    (lambda m, v, g, t: RATE * m / (np.sqrt(v) + EPSILON), "The bias correction is missing: alpha depends on t."),
    (
        lambda m, v, g, t: RATE * (m / (1 - B1**t)) / (np.sqrt(v) + EPSILON),
        "Only m is corrected for its start at zero; v needs its sqrt(1 - beta_2^t) too.",
    ),
    (
        lambda m, v, g, t: RATE * m / (1 - B1**t) / (np.sqrt(v / (1 - B2**t)) + EPSILON),
        "Epsilon stands beside the corrected root (PyTorch's form); here it stands beside the uncorrected sqrt(v).",
    ),
    (lambda m, v, g, t: _alpha(t) * m / np.sqrt(v + EPSILON), "Epsilon is inside the root; it stands beside it."),
    (lambda m, v, g, t: _alpha(t) * m / np.sqrt(v), "Epsilon is missing."),
    (lambda m, v, g, t: -_alpha(t) * m / (np.sqrt(v) + EPSILON), "w goes uphill: subtract the step, do not add it."),
    (lambda m, v, g, t: _alpha(t) * m / (v + EPSILON), "The root is missing: divide by sqrt(v) + epsilon."),
    (
        lambda m, v, g, t: _alpha(t) * g / (np.sqrt(v) + EPSILON),
        "The step uses g; it must use m, the mean of the gradients.",
    ),
    (
        lambda m, v, g, t: _alpha(t) * _before(m, g, B1) / (np.sqrt(_before(v, g * g, B2)) + EPSILON),
        f"w is changed before m and v are{LATE}",
    ),
    (lambda m, v, g, t: _alpha(t) * _before(m, g, B1) / (np.sqrt(v) + EPSILON), f"w is changed before m is{LATE}"),
    (
        lambda m, v, g, t: _alpha(t) * m / (np.sqrt(_before(v, g * g, B2)) + EPSILON),
        f"w is changed before v is{LATE}",
    ),
    (lambda m, v, g, t: RATE * g, "This is plain gradient descent: w -= lr g."),
    (
        lambda m, v, g, t: RATE * (1 - B1**t) / np.sqrt(1 - B2**t) * m / (np.sqrt(v) + EPSILON),
        "The bias correction is upside down: sqrt(1 - beta_2^t) above, 1 - beta_1^t below.",
    ),
    (
        lambda m, v, g, t: _alpha(t - 1 or 1) * m / (np.sqrt(v) + EPSILON),
        "t is one too small: it is 1 in the first step.",
    ),
    (lambda m, v, g, t: _alpha(t + 1) * m / (np.sqrt(v) + EPSILON), "t is one too large: it is 1 in the first step."),
]
RIGHT_M: Memory = lambda m, g, t: B1 * m + (1 - B1) * g  # noqa: E731
RIGHT_V: Memory = lambda v, g, t: B2 * v + (1 - B2) * g * g  # noqa: E731
MISTAKES_M: list[tuple[Memory, str]] = [
    (
        lambda m, g, t: RIGHT_M(m, g, t) / (1 - B1**t),
        "m itself is divided by 1 - beta_1^t, but it lives on: correct a copy.",
    ),
    (
        lambda m, g, t: g,
        "m is the newest gradient alone: the factor (1 - beta_1) is missing in m += (g - m)(1 - beta_1).",
    ),
    (lambda m, g, t: B1 * m + g, "m is missing the factor (1 - beta_1) at g."),
    (lambda m, g, t: m + g, "m is the sum of all gradients; it must be their running mean, m += (g - m)(1 - beta_1)."),
    (lambda m, g, t: m + (1 - B1) * g, "m only grows: the old mean must shrink, m += (g - m)(1 - beta_1)."),
    (lambda m, g, t: (1 - B1) * m + B1 * g, "beta_1 and 1 - beta_1 are swapped in m."),
    (lambda m, g, t: B2 * m + (1 - B2) * g, "m uses beta_2; it must use beta_1."),
]
MISTAKES_V: list[tuple[Memory, str]] = [
    (
        lambda v, g, t: RIGHT_V(v, g, t) / (1 - B2**t),
        "v itself is divided by 1 - beta_2^t, but it lives on: correct a copy.",
    ),
    (lambda v, g, t: B2 * v + (1 - B2) * g, "v is the mean of g; it must be the mean of g*g."),
    (lambda v, g, t: B2 * v + (1 - B2) * np.abs(g), "v is the mean of |g|; it must be the mean of g*g."),
    (
        lambda v, g, t: g * g,
        "v is the newest g*g alone: the factor (1 - beta_2) is missing in v += (g*g - v)(1 - beta_2).",
    ),
    (lambda v, g, t: B2 * v + g * g, "v is missing the factor (1 - beta_2) at g*g."),
    (lambda v, g, t: v + g * g, "v is the sum of all g*g; it must be their running mean, v += (g*g - v)(1 - beta_2)."),
    (lambda v, g, t: v + (1 - B2) * g * g, "v only grows: the old mean must shrink, v += (g*g - v)(1 - beta_2)."),
    (lambda v, g, t: (1 - B2) * v + B2 * g * g, "beta_2 and 1 - beta_2 are swapped in v."),
    (lambda v, g, t: B1 * v + (1 - B1) * g * g, "v uses beta_1; it must use beta_2."),
]


def examine(answer: Answer) -> Iterator[Step]:
    """Memory first, because the step is made of it; then the step; then what must stay as it is."""
    yield "memory", lambda: _memory(answer)
    yield "step", lambda: _steps(answer)
    yield "promises", lambda: _promises(answer)


def _layer(dtype: str = "float64") -> Dense:
    layer = Dense(4)
    layer.astype(dtype)
    layer.build((3,), np.random.default_rng(0))
    return layer


def _gradients(t: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(t)
    return {"kernel": rng.standard_normal((3, 4)), "bias": rng.standard_normal(4)}


def _found(answer: Answer, part: str, sentence: str, details: tuple[str, ...] = ()) -> list[Finding]:
    return [Finding(part, sentence, details, answer.line_of("update"))]


def _memory(answer: Answer) -> Sequence[Finding]:
    """m and v after two calls, for one tensor."""
    mine = answer.thing(**SETTINGS)
    m, v, w = np.zeros(4), np.zeros(4), np.ones(4)
    for t in (1, 2):
        mine.iterations = t
        g = _gradients(t)["bias"]
        given, memory = g.copy(), {"m": m, "v": v}
        mine.update(w, given, memory)
        if memory["m"] is not m or memory["v"] is not v:
            return _found(
                answer,
                "memory",
                "memory[...] is bound to a new array, which is forgotten after the call: change the old one in place, "
                "m += ... or m[...] = ...",
            )
        if not np.array_equal(given, g):
            return _found(answer, "memory", "The gradient g is changed; work on a new array.")
        if not m.any() and not v.any():
            sentence = (
                'memory["m"] and memory["v"] stay zero: change them in place, m += ... or m[...] = ..., '
                "never m = ..., which makes a new array that is forgotten."
            )
            return _found(answer, "memory", sentence)
    for name, value, right, mistakes in (("m", m, RIGHT_M, MISTAKES_M), ("v", v, RIGHT_V, MISTAKES_V)):
        suspects = [(_remembered(rule), sentence) for rule, sentence in mistakes]
        if wrong := wrong_numbers(value, _remembered(right), f'memory["{name}"] after two steps', suspects):
            return _found(answer, "memory", *wrong)
    return []


def _remembered(rule: Memory) -> np.ndarray:
    """What a memory holds after two steps that begin at zero."""
    value = np.zeros(4)
    for t in (1, 2):
        value = rule(value, _gradients(t)["bias"], t)
    return value


def _steps(answer: Answer) -> Sequence[Finding]:
    """The weights after one step, and after several."""
    mine, layer = answer.thing(**SETTINGS), _layer()
    before = {key: w.copy() for key, w in layer.params.items()}
    for t in range(1, STEPS + 1):
        layer.grads = _gradients(t)
        mine.step([layer])
        if t == 2 and all(np.array_equal(w, before[key]) for key, w in layer.params.items()):
            sentence = "w stays as it was: change it in place, w -= ..., never w = w - ..., which makes a new array."
            return _found(answer, "step", sentence)
        if mine.iterations != t:
            sentence = (
                "self.iterations is advanced in update, once per tensor; t counts steps, and is counted for you: "
                "the bias correction needs it right."
            )
            return _found(answer, "step", sentence, (f"after step {t} on two tensors it is {mine.iterations}",))
    expected = _run(before, lambda m, v, g, t: _alpha(t) * m / (np.sqrt(v) + EPSILON))
    suspects = [(_run(before, rule), sentence) for rule, sentence in MISTAKES]
    for key, w in layer.params.items():
        named = [(wrong[key], sentence) for wrong, sentence in suspects]
        if wrong := wrong_numbers(w, expected[key], f"w ({key}) after {STEPS} steps", named):
            return _found(answer, "step", *wrong)
    return []


def _run(start: dict[str, np.ndarray], rule: Rule) -> dict[str, np.ndarray]:
    """STEPS steps from `start` with right m and v, and w -= rule(m, v, g, t)."""
    result = {}
    for key, w in start.items():
        m, v, w = np.zeros_like(w), np.zeros_like(w), w.copy()
        for t in range(1, STEPS + 1):
            g = _gradients(t)[key]
            m, v = B1 * m + (1 - B1) * g, B2 * v + (1 - B2) * g * g
            w -= rule(m, v, g, t)
        result[key] = w
    return result


def _promises(answer: Answer) -> Sequence[Finding]:
    """Other settings are used, not only the usual ones."""
    other: dict[str, Any] = {"learning_rate": 0.5, "beta_1": 0.5, "beta_2": 0.6, "epsilon": 0.2}
    w, g = np.ones(4), _gradients(1)["bias"]
    moved = []
    for optimizer in (answer.thing(**other), nn.Adam(**other)):
        optimizer.iterations = 3
        memory = {"m": np.full(4, 0.1), "v": np.full(4, 0.2)}
        optimizer.update(w_new := w.copy(), g.copy(), memory)
        moved.append(w_new)
    if same(*moved):
        return []
    sentence = (
        "With other settings the step is wrong: use self.learning_rate, self.beta_1, self.beta_2 and self.epsilon."
    )
    return _found(answer, "step", sentence)


EXERCISE = Exercise(
    name="adam",
    answer="Adam",
    task="one update of the optimiser",
    after=(10,),
    reference=nn.Adam,
    docstring=nn.Adam.__doc__ or "",
    writes=("update",),
    examine=examine,
    hints={
        "memory": (
            "m and v are running means: each step moves them a little towards the newest gradient, and its square.",
            'memory["m"] is an array that lives on after the call: change its numbers, do not bind the name anew.',
            "m += (g - m) * (1 - self.beta_1); v += (g * g - v) * (1 - self.beta_2)",
        ),
        "step": (
            "m and v began at zero, so in the first steps they are too small: alpha makes up for it, by t.",
            "Epsilon stands beside sqrt(v), outside the root; t is self.iterations; w is changed in place.",
            "w -= alpha * m / (np.sqrt(v) + self.epsilon), alpha = lr * sqrt(1 - beta_2**t) / (1 - beta_1**t)",
        ),
    },
)
