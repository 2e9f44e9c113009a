"""Is an answer right in numbers that it cannot have known? So a verdict cannot be forged.

The examination (child.py) runs in one process with the answer, which could write whatever verdict it likes. So "right"
is believed only if the answer also works out new random inputs in a second process, where the package's own passes
are taken away (guard.py): what comes back is numbers, and this process, in which no answer runs, compares them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ... import nn
from ...nn.gradcheck.specimen import Specimen
from ...saliency import Gradient
from .compare import same
from .exercise import Exercise, Finding
from .layer_questions import LayerQuestions
from .tasks.adam import SETTINGS
from .tasks.cross_entropy import reference as cross_entropy
from .tasks.saliency import network

Question = dict[str, Any]  # what to do ("kind", "options", ...) and arrays, with nothing else in it
Answers = dict[str, np.ndarray]

DIFFERS = "The answer passed the examination, but for new random numbers {what} is not the package's own: look for a "
DIFFERS += "number, a size or a case that was made for the examination alone."


def questions(exercise: Exercise, rng: np.random.Generator) -> list[tuple[Question, Answers]]:
    """What the answer is asked, and what must come back."""
    asked = exercise.questions
    if isinstance(asked, LayerQuestions):
        return [_of_a_layer(exercise, trial.options, trial.shape, rng) for trial in asked.trials]
    return [MAKERS[exercise.name](rng) for _ in range(2)]


def verdict(exercise: Exercise, asked: list[tuple[Question, Answers]], given: list[Answers]) -> list[Finding]:
    """What is wrong with the numbers that came back; nothing if they are right."""
    part = "forward" if exercise.writes[:1] == ("forward",) else next(iter(exercise.hints), "file")
    for number, (question, expected) in enumerate(asked):
        answers = given[number] if number < len(given) else {}
        if wrong := next(_wrong(question, expected, answers), None):
            return [Finding(part, DIFFERS.format(what=wrong))]
    return []


def _wrong(question: Question, expected: Answers, answers: Answers) -> Iterator[str]:
    if question.get("by_chance"):
        yield from _wrong_by_chance(question, answers)
        return
    for name, value in expected.items():
        found = answers.get(name)
        if found is None or found.dtype.kind not in "fiu" or not same(np.asarray(found, float), np.asarray(value)):
            yield name


def _wrong_by_chance(question: Question, answers: Answers) -> Iterator[str]:
    """A dropout's y is x, each value dropped or scaled; its dx is dy by the same mask."""
    x, dy, rate = question["x"], question["dy"], question["options"].get("rate", 0.5)
    y, dx = answers.get("y"), answers.get("dx")
    if y is None or dx is None or y.shape != x.shape or dx.shape != x.shape:
        yield "y"
        return
    mask = np.where(np.abs(y) > 1e-12, 1 / (1 - rate), 0.0)
    dropped = float((mask == 0).mean())
    if not same(np.asarray(y, float), x * mask) or not 0 < dropped < 1 or abs(dropped - rate) > 6 / np.sqrt(x.size):
        yield "y"
    elif not same(np.asarray(dx, float), dy * mask):
        yield "dx"


def _of_a_layer(
    exercise: Exercise, options: dict[str, Any], shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[Question, Answers]:
    specimen = Specimen(exercise.reference(**options), shape, rng, spread=0.5)
    by_chance = isinstance(exercise.questions, LayerQuestions) and bool(exercise.questions.by_chance)
    x = rng.standard_normal((60 if by_chance else 4, *shape))
    question: Question = {"kind": "layer", "options": options, "shape": shape, "x": x, "by_chance": by_chance}
    question |= {f"param {key}": value.copy() for key, value in specimen.layer.params.items()}
    y = specimen.forward(x)
    question["dy"] = rng.standard_normal(y.shape)
    gradients = specimen.backward(question["dy"])
    names = {"dx": "dx"} | {key: f"the gradient of the {key}" for key in specimen.names[1:]}
    return question, {"y": y} | {names[key]: np.asarray(g) for key, g in gradients.items()}


def _of_adam(rng: np.random.Generator) -> tuple[Question, Answers]:
    options = SETTINGS | {"learning_rate": float(rng.uniform(0.01, 0.1)), "beta_1": float(rng.uniform(0.5, 0.9))}
    w, g = rng.standard_normal((3, 4)), rng.standard_normal((6, 3, 4))
    mine, memory, after = nn.Adam(**options), {"m": np.zeros((3, 4)), "v": np.zeros((3, 4))}, w.copy()
    for t, gradient in enumerate(g, 1):
        mine.iterations = t
        mine.update(after, gradient.copy(), memory)
    return {"kind": "optimizer", "options": options, "w": w, "g": g}, {"w": after, **memory}


def _of_cross_entropy(rng: np.random.Generator) -> tuple[Question, Answers]:
    logits, y = 3 * rng.standard_normal((6, 5)), rng.integers(0, 5, 6)
    value, gradient = cross_entropy(logits, y)
    return {"kind": "loss", "logits": logits, "y": y}, {"value": np.asarray(value), "dlogits": gradient}


def _of_saliency(rng: np.random.Generator) -> tuple[Question, Answers]:
    images, classes = rng.random((3, 7, 8, 2)), rng.integers(0, 3, 3)
    right = Gradient(network()).attribute(images, target=classes)
    return {"kind": "saliency", "images": images, "classes": classes}, {"the map": right}


MAKERS = {"adam": _of_adam, "cross_entropy": _of_cross_entropy, "saliency": _of_saliency}
