"""The examination of a layer: forward, backward, gradients, promises, special cases."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import InputError
from ...nn.gradcheck import check_layer
from ...nn.gradcheck.layers import METHODS
from ...nn.gradcheck.report import TensorCheck
from ...nn.layers import Layer
from ..doctor import Diagnosis, diagnose
from . import promises
from .answer import Answer, call
from .compare import Suspect, evidence, same, wrong_kind, wrong_numbers
from .exercise import Finding, Step


@dataclass(frozen=True)
class Case:
    """Constructor arguments and an input shape to try, simple ones first; `words` names it to the student."""

    words: str
    shape: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)


def nothing_suspected(layer: Layer, x: np.ndarray, y: np.ndarray) -> Iterator[Suspect]:
    """No known mistakes of the forward pass."""
    yield from ()


@dataclass(frozen=True)
class LayerSteps:
    """The steps for one layer; calling it with an answer gives them in order.

    cases       what to try, simple cases first
    suspects    (reference layer, x, y) -> what known mistakes of the forward pass would have given
    specials    conventions and extremes, each (answer) -> findings
    random      True where the layer draws random numbers: its forward pass is then examined by `specials` alone
    """

    cases: Sequence[Case]
    suspects: Callable[[Layer, np.ndarray, np.ndarray], Iterator[Suspect]] = nothing_suspected
    specials: Sequence[Callable[[Answer], Sequence[Finding]]] = ()
    random: bool = False

    def __call__(self, answer: Answer) -> Iterator[Step]:
        if self.random:
            yield "forward", lambda: self._specials(answer)
        else:
            yield "forward", lambda: self._each(self._forward, answer)
        yield "backward", lambda: self._each(self._backward, answer)
        yield "gradients", lambda: self._each(self._gradients, answer)
        yield "promises", lambda: promises.broken(answer, self.cases[0])
        if self.specials and not self.random:
            yield "special cases", lambda: self._specials(answer)

    def _each(self, step: Callable[[Answer, Case], list[Finding]], answer: Answer) -> list[Finding]:
        """The findings of the first case that has any, with the case's words among the details."""
        for case in self.cases:
            answer.trying = f"tried with {case.words}"
            if found := step(answer, case):
                return [dataclasses.replace(f, details=(*f.details, answer.trying)) for f in found]
        answer.trying = ""
        return []

    def _specials(self, answer: Answer) -> list[Finding]:
        return next((list(found) for special in self.specials if (found := special(answer))), [])

    def _forward(self, answer: Answer, case: Case) -> list[Finding]:
        layer, reference = promises.built(answer.thing, case), promises.built(answer.exercise.reference, case)
        x = promises.draw(case)
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
        layer, x = promises.built(answer.thing, case), promises.draw(case)
        y = call(layer.forward, x, training=True)
        dy = promises.draw_like(y)
        given, before = dy.copy(), {key: value.copy() for key, value in layer.params.items()}
        try:
            dx = layer.backward(given)
        except InputError as error:
            if "kept forward pass" not in str(error):
                raise
            sentence = "backward finds nothing that forward kept: call self._keep(value, training, keep) in forward."
            return [Finding("forward", sentence, (), answer.line_of("forward"))]
        wrong = wrong_kind(dx, x, "dx, what backward returns,")
        if wrong:
            return [Finding("dx", *wrong, answer.line_of("backward", "dx"))]
        for key, value in layer.params.items():
            gradient = layer.grads.get(key)
            what = f'self.grads["{key}"]'
            wrong = (f"backward does not fill {what}.", ()) if gradient is None else wrong_kind(gradient, value, what)
            if wrong:
                return [Finding(key, *wrong, answer.line_of("backward", key))]
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
        """The gradient check, with the doctor's words on what is wrong; then agreement with the reference."""
        layer = answer.thing(**case.options)
        report = check_layer(layer, case.shape)
        # the promises have a step of their own; that a place is wrong, without saying which, agreement will say better
        wrong = [t for t in report.wrong if t.method in METHODS and (self.random or t.name != "all")]
        if not wrong:
            return [] if self.random else self._agreement(answer, case)
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
        named = {"dx": ("dx", "x"), "all": ("of some place", "everything")}
        of, which = named.get(tensor.name, (f"of the {tensor.name}", f"the {tensor.name}"))
        details = (
            f"at {list(tensor.worst)} backward says {tensor.analytic:.6g}; moving {which} there a little, "
            f"the gradient check measures {tensor.numeric:.6g}",
        )
        line = answer.line_of("backward", tensor.name)
        return Finding(tensor.name, f"The gradient {of} is wrong.", details, line)

    def _agreement(self, answer: Answer, case: Case) -> list[Finding]:
        layer, reference = promises.built(answer.thing, case), promises.built(answer.exercise.reference, case)
        x = promises.draw(case)
        dy = promises.draw_like(call(reference.forward, x, training=True))
        call(layer.forward, x, training=True)
        mine, right = call(layer.backward, dy), call(reference.backward, dy)
        pairs = {"dx": (mine, right)} | {key: (layer.grads[key], reference.grads[key]) for key in layer.params}
        return [
            Finding(key, f"{key} differs from the package's own.", evidence(a, b, key), answer.line_of("backward", key))
            for key, (a, b) in pairs.items()
            if not same(a, b)
        ]


def _ask_the_doctor(layer: Layer, shape: tuple[int, ...]) -> Sequence[Diagnosis]:
    try:
        return diagnose(layer, shape)
    except Exception:  # it tries other sizes, at which an unfinished layer may stop: the check's numbers stay
        return []
