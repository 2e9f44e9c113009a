"""The examination of a layer: forward, backward, gradients, promises, special cases."""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...errors import InputError
from ...nn.gradcheck import check_layer
from ...nn.gradcheck.layers import METHODS
from ...nn.gradcheck.report import TensorCheck
from ...nn.layers import Layer
from ..doctor import diagnose
from . import promises
from .agreement import disagreement, left_over, wrong_kinds
from .answer import Answer
from .compare import Suspects, Wrong, apart, wrong_kind, wrong_numbers
from .exercise import Exercise, Finding, Question
from .trials import BATCHES, Trial, draw, draw_like, said_of, specimen

Ask = Callable[[Answer], Sequence[Finding]]


@dataclass(frozen=True)
class LayerQuestions:
    """The questions for one layer, in order.

    trials      what to try, simple ones first
    suspects    (reference layer, x, y) -> what known mistakes of the forward pass would have given
    specials    conventions and extremes, each (answer) -> findings
    by_chance   what a forward pass that draws random numbers is examined by, as no numbers can be expected of it: each
                (answer) -> what to say if it is wrong
    """

    trials: Sequence[Trial]
    suspects: Callable[[Layer, np.ndarray, np.ndarray], Suspects] = lambda layer, x, y: iter(())
    specials: Sequence[Ask] = ()
    by_chance: Sequence[Callable[[Answer], Wrong | None]] = ()

    def __iter__(self) -> Iterator[Question]:
        yield "forward", self._by_chance if self.by_chance else partial(self._each, self._forward)
        yield "backward", partial(self._each, _backward)
        yield "gradients", partial(self._each, self._gradients)
        if self.specials:  # before the promises: what is wrong with the numbers explains some promise that is broken
            yield "special cases", partial(_first_of, self.specials)
        yield "promises", partial(promises.broken, self.trials[0])

    def _each(self, ask: Callable[[Answer, Trial], list[Finding]], answer: Answer) -> list[Finding]:
        """The findings of the first trial that has any, with the trial's words among the details."""
        for trial in self.trials:
            answer.trying = said_of(trial)
            if found := ask(answer, trial):
                return [dataclasses.replace(f, details=(*f.details, answer.trying)) for f in found]
        answer.trying = ""
        return []

    def _by_chance(self, answer: Answer) -> list[Finding]:
        return next((answer.found("forward", *wrong) for ask in self.by_chance if (wrong := ask(answer))), [])

    def _forward(self, answer: Answer, trial: Trial) -> list[Finding]:
        for batch in BATCHES:
            answer.trying = said_of(trial, batch)
            mine, reference = specimen(answer.thing, trial).layer, specimen(answer.exercise.reference, trial)
            x = draw(trial, batch)
            expected, given = reference.forward(x), x.copy()
            y = mine.forward(given, training=True)
            if wrong := wrong_kind(y, expected, "what forward returns"):
                return answer.found("forward", *wrong)
            if wrong := wrong_numbers(y, expected, "the output", self.suspects(reference.layer, x, expected)):
                return answer.found("forward", *wrong)
            if not np.array_equal(given, x):
                return answer.found("forward", "forward changes its input x; work on a new array (x - m, not x -= m).")
            if np.shares_memory(given, y):
                sentence = "forward hands on its own input, or a view of it: who changes one changes both; add .copy()."
                return answer.found("forward", sentence)
        return []

    def _gradients(self, answer: Answer, trial: Trial) -> list[Finding]:
        """What an earlier batch left; the gradient check, in the doctor's words; agreement with the reference."""
        if found := left_over(answer, trial):  # the gradient check may take it for a wrong formula
            return found
        layer = answer.thing(**trial.options)
        report = check_layer(layer, trial.shape)
        # the promises have a question of their own; and if the check says no more than that a place is wrong ("all"),
        # agreement says it better; a pass at rest is asked for by name ("dx at rest"), and later
        wrong = [t for t in report.wrong if t.method in METHODS and t.name != "all" and " " not in t.name]
        if not wrong:
            return disagreement(answer, trial, random=bool(self.by_chance))
        unnamed = [_gradient_finding(answer, tensor) for tensor in wrong]
        answer.note(unnamed)  # should the doctor take longer than there is time, this much is known
        try:
            named = {d.tensor: d for d in reversed(diagnose(layer, trial.shape))}
        except Exception:  # it tries other sizes, at which an unfinished layer may stop: the check's numbers stay
            named = {}
        unnamed.sort(key=lambda f: f.part not in named or named[f.part].name == "unexplained")  # what has a name first
        return [
            dataclasses.replace(f, sentence=f"{f.sentence} {named[f.part].sentence}") if f.part in named else f
            for f in unnamed
        ]


def layer_exercise(
    text: str | None, reference: type[Layer], trials: Sequence[tuple[Any, ...]], *suspects: Any, **more: Any
) -> Exercise:
    """The exercise of writing a layer; its trials are tuples, and what follows goes to `LayerQuestions`."""
    return Exercise(text, reference, LayerQuestions([Trial(*trial) for trial in trials], *suspects, **more))


def _backward(answer: Answer, trial: Trial) -> list[Finding]:
    """Kinds alone: whether the numbers are right is for the gradient check."""
    mine, x = specimen(answer.thing, trial), draw(trial)
    dy = draw_like(mine.forward(x))
    given, before = dy.copy(), copy.deepcopy(mine.layer.params)
    try:
        dx = mine.layer.backward(given)
    except InputError as error:
        if "kept forward pass" not in str(error):
            raise
        sentence = "backward finds nothing that forward kept: call self._keep(value, training, keep) in forward."
        return answer.found("forward", sentence)
    gradients = {"dx": dx} | {key: mine.layer.grads.get(key) for key in mine.trained}
    if found := wrong_kinds(answer, gradients, {"dx": x} | mine.trained):
        return found
    if not np.array_equal(given, dy):
        sentence = "backward changes dy, its upstream gradient, which the caller may still need; work on a copy."
        return answer.found("dx", sentence, at="backward")
    for key, value in mine.layer.params.items():
        if not np.array_equal(value, before[key]):
            sentence = f"backward changes the {key} itself; that is the optimiser's work, backward only fills grads."
            return answer.found(key, sentence, at="backward")
    return []


def _gradient_finding(answer: Answer, tensor: TensorCheck) -> Finding:
    of, which = ("dx", "x") if tensor.name == "dx" else (f"of the {tensor.name}", f"the {tensor.name}")
    said, measured = apart(tensor.analytic, tensor.numeric)
    evidence = (
        f"at {list(tensor.worst)} backward says {said}; moving {which} there a little, "
        f"the gradient check measures {measured}"
    )
    (finding,) = answer.found(tensor.name, f"The gradient {of} is wrong.", (evidence,))
    return finding


def _first_of(asked: Sequence[Ask], answer: Answer) -> list[Finding]:
    return next((list(found) for ask in asked if (found := ask(answer))), [])
