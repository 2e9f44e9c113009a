"""The examination of a layer: forward, backward, gradients, promises, special cases."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ...nn.gradcheck import check_layer
from ...nn.gradcheck.layers import METHODS
from ...nn.gradcheck.report import TensorCheck
from ...nn.layers import Layer
from ..doctor import Diagnosis, diagnose
from . import promises
from .agreement import disagreement, left_over, wrong_kinds
from .answer import Answer, call
from .compare import Suspect, apart, wrong_kind, wrong_numbers
from .exercise import Finding, Step
from .trials import BATCHES, Batch, Case, built, draw, draw_like, said_of


def nothing_suspected(layer: Layer, x: np.ndarray, y: np.ndarray) -> Iterator[Suspect]:
    """No known mistakes of the forward pass."""
    yield from ()


@dataclass(frozen=True)
class LayerSteps:
    """The steps for one layer; calling it with an answer gives them in order.

    cases       what to try, simple cases first
    suspects    (reference layer, x, y) -> what known mistakes of the forward pass would have given
    specials    conventions and extremes, each (answer) -> findings
    by_chance   what a forward pass that draws random numbers is examined by, as no numbers can be expected of it
    """

    cases: Sequence[Case]
    suspects: Callable[[Layer, np.ndarray, np.ndarray], Iterator[Suspect]] = nothing_suspected
    specials: Sequence[Callable[[Answer], Sequence[Finding]]] = ()
    by_chance: Sequence[Callable[[Answer], Sequence[Finding]]] = ()

    def __call__(self, answer: Answer) -> Iterator[Step]:
        if self.by_chance:
            yield "forward", lambda: _first_of(self.by_chance, answer)
        else:
            yield "forward", lambda: self._each(self._forward, answer)
        yield "backward", lambda: self._each(self._backward, answer)
        yield "gradients", lambda: self._each(self._gradients, answer)
        if self.specials:  # before the promises: what is wrong with the numbers explains some promise that is broken
            yield "special cases", lambda: _first_of(self.specials, answer)
        yield "promises", lambda: promises.broken(answer, self.cases[0])

    def _each(self, step: Callable[[Answer, Case], list[Finding]], answer: Answer) -> list[Finding]:
        """The findings of the first case that has any, with the case's words among the details."""
        for case in self.cases:
            answer.trying = f"tried with {case.words}"
            if found := step(answer, case):
                return [dataclasses.replace(f, details=(*f.details, answer.trying)) for f in found]
        answer.trying = ""
        return []

    def _forward(self, answer: Answer, case: Case) -> list[Finding]:
        return next((found for batch in BATCHES if (found := self._forward_of(answer, case, batch))), [])

    def _forward_of(self, answer: Answer, case: Case, batch: Batch) -> list[Finding]:
        answer.trying = said_of(case, batch)
        layer, reference = built(answer.thing, case), built(answer.exercise.reference, case)
        x = draw(case, batch)
        expected = call(reference.forward, x, training=True)
        given = x.copy()
        y = layer.forward(given, training=True)
        wrong = wrong_kind(y, expected, "what forward returns") or wrong_numbers(
            y, expected, "the output", self.suspects(reference, x, expected)
        )
        if wrong is None and not np.array_equal(given, x):
            wrong = "forward changes its input x; work on a new array (x - m, not x -= m).", ()
        if wrong is None and np.shares_memory(given, y):
            wrong = "forward hands on its own input, or a view of it: who changes one changes both; add .copy().", ()
        return [Finding("forward", *wrong, answer.line_of("forward"))] if wrong else []

    def _backward(self, answer: Answer, case: Case) -> list[Finding]:
        """Kinds alone: whether the numbers are right is for the gradient check."""
        layer, x = built(answer.thing, case), draw(case)
        dy = draw_like(call(layer.forward, x, training=True))
        given, before = dy.copy(), {key: value.copy() for key, value in layer.params.items()}
        try:
            dx = layer.backward(given)
        except InputError as error:
            if "kept forward pass" not in str(error):
                raise
            sentence = "backward finds nothing that forward kept: call self._keep(value, training, keep) in forward."
            return [Finding("forward", sentence, (), answer.line_of("forward"))]
        if found := wrong_kinds(answer, layer, dx, x):
            return found
        if not np.array_equal(given, dy):
            sentence = "backward changes dy, its upstream gradient, which the caller may still need; work on a copy."
            return [Finding("dx", sentence, (), answer.line_of("backward"))]
        changed = [key for key, value in layer.params.items() if not np.array_equal(value, before[key])]
        if changed:
            sentence = (
                f"backward changes the {changed[0]} itself; that is the optimiser's work, backward only fills grads."
            )
            return [Finding(changed[0], sentence, (), answer.line_of("backward"))]
        return []

    def _gradients(self, answer: Answer, case: Case) -> list[Finding]:
        """What an earlier batch left; the gradient check, with the doctor's words; then agreement with the reference."""
        if found := left_over(answer, case):  # the gradient check may take it for a wrong formula
            return found
        layer = answer.thing(**case.options)
        report = check_layer(layer, case.shape)
        # the promises have a step of their own; that a place is wrong, without saying which, agreement will say better
        wrong = [t for t in report.wrong if t.method in METHODS and t.name != "all"]
        if not wrong:
            return disagreement(answer, case, random=bool(self.by_chance))
        unnamed = [self._gradient_finding(answer, tensor) for tensor in wrong]
        answer.note(unnamed)  # should the doctor take longer than there is time, this much is known
        named = {d.tensor: d for d in reversed(_ask_the_doctor(layer, case.shape))}
        unnamed.sort(key=lambda f: f.part not in named or named[f.part].name == "unexplained")  # what has a name first
        return [
            dataclasses.replace(f, sentence=f"{f.sentence} {named[f.part].sentence}") if f.part in named else f
            for f in unnamed
        ]

    @staticmethod
    def _gradient_finding(answer: Answer, tensor: TensorCheck) -> Finding:
        of, which = ("dx", "x") if tensor.name == "dx" else (f"of the {tensor.name}", f"the {tensor.name}")
        said, measured = apart(tensor.analytic, tensor.numeric)
        details = (
            f"at {list(tensor.worst)} backward says {said}; moving {which} there a little, "
            f"the gradient check measures {measured}",
        )
        line = answer.line_of("backward", tensor.name)
        return Finding(tensor.name, f"The gradient {of} is wrong.", details, line)


def _first_of(checks: Sequence[Callable[[Answer], Sequence[Finding]]], answer: Answer) -> list[Finding]:
    return next((list(found) for check in checks if (found := check(answer))), [])


def _ask_the_doctor(layer: Layer, shape: tuple[int, ...]) -> Sequence[Diagnosis]:
    try:
        return diagnose(layer, shape)
    except Exception:  # it tries other sizes, at which an unfinished layer may stop: the check's numbers stay
        return []
