"""Promises beside the numbers: nothing is changed, twice is the same, every gradient is there, nothing is raised."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ...errors import InputError
from ...nn.gradcheck.probe import is_coarse
from ...nn.gradcheck.specimen import Failure, NoArray, Specimen
from .altered import kernel_altered
from .checkup import Case, Checkup, close, try_to_check_up
from .claim import Claim, Diagnosis
from .options import options, with_option
from .order import transposed

SHAPE_WORDS = ("shape", "broadcast", "dimension", "aligned", "reshape", "axis", "axes")  # in NumPy's own sentences
CHANGED = {
    "dy": """mutated upstream gradient: backward changes the dy that it is given, which belongs to the caller and may be
        needed again. Write to a new array: `dx = dy * mask`, not `dy *= mask`.""",
    "x": """mutated input: The layer changes the x that it is given, which belongs to the layer before. Make a copy or a
        new array.""",
}
WEIGHTS_CHANGED = """weights changed in backward: backward changes the parameter itself. It only computes gradients:
    changing weights is the optimiser's."""
COMPLEX = """where all that went in is real. It must be a real NumPy array: look for a 1j, an np.fft or an eigenvalue,
    and take .real of what has no imaginary part."""
COARSE = """where all that went in is float64. Make new arrays with np.zeros_like(x), or with dtype=x.dtype, and no
    integers."""


def broken_contracts(done: Checkup) -> list[Diagnosis]:
    """What the layer changed and should not have, and what a second backward did otherwise than the first."""
    found = [Diagnosis.told(name, CHANGED.get(name, WEIGHTS_CHANGED)) for name in done.twice.changed]
    if not done.repeatable:
        words = """forward not repeatable: forward gives another y for the same x and the same random numbers; keep what
            it draws in one generator."""
        return [*found, Diagnosis.told("y", words)]
    if (bad := ~np.isfinite(done.y)).any():
        words = f"not a number: forward gives {bad.sum()} values that are NaN or infinite: no gradient can be right."
        return [*found, Diagnosis.told("y", words)]
    found += [_no_array(name, kind, "The gradient") for name, kind in done.instead.items()]
    for name, array in ({"y": done.y} | done.analytic).items():
        if array is not None and array.dtype != np.float64:
            mend = COMPLEX if array.dtype.kind == "c" else COARSE
            found.append(Diagnosis.told(name, f"dtype changed: {name} is {array.dtype} {mend}"))
    if done.y.dtype == np.float64 and is_coarse(done.y):
        words = """float32 inside: y is float64, and yet float32 holds every one of its values: somewhere forward
            computes in float32 and converts back. Derivatives can then be measured to three digits, not to seven.
            Compute in the dtype of x, and look for an astype, a float32 constant or an np.zeros(..., np.float32)."""
        found.append(Diagnosis.told("y", words))
    elif rounded := next(filter(done.rounds, done.analytic), None):
        tensor = "x" if rounded == "dx" else rounded
        words = f"""float32 inside: forward gives the very same y, to the last bit, if {tensor} is rounded to float32
            before: somewhere on the way it copies {tensor} into float32. Derivatives can then be measured to three
            digits, not to seven, and nothing is said of the gradients. Make that array with np.zeros_like(x), or with
            dtype=x.dtype, and look for an astype or an np.empty(..., np.float32)."""
        found.append(Diagnosis.told("y", words))
    if not done.twice.changed:
        unlike = done.twice.unlike(close)
        for name, first in done.analytic.items():
            if first is not None and np.isfinite(first).all():  # that it is not is said elsewhere
                again = _twice(done, name, first) if name in unlike else _of_another_batch(done, name, first)
                found += [again] if again is not None else []
    return found


def missing(done: Checkup, name: str) -> Diagnosis:
    """No gradient at all."""
    where = "backward returns None; it must return dx" if name == "dx" else f'grads has no "{name}" after backward'
    words = f"no gradient: {where}. Every parameter, and the input, needs a gradient of its own shape."
    if name != "dx":
        words += " (What is not learnt, as a running mean is not, the layer names in not_trained.)"
    return Diagnosis.told(name, words)


def failed(case: Case, failure: Failure) -> Diagnosis:
    """The layer raised: where, what, and whether it works when all sizes are equal (a transposed factor, mostly)."""
    if isinstance(failure, NoArray):
        return _no_array("y", failure.kind, "What forward returns")
    sentence = f"{failure.stage} stops with {failure}. {_next_step(failure)}".strip()
    return _where_sizes_are_equal(case, failure) or Diagnosis("raises", failure.stage, sentence)


def _next_step(failure: Failure) -> str:
    """What to look at; nothing if the error itself says what to do."""
    error, words = failure.error, str(failure).lower()
    if isinstance(error, InputError):
        return ""
    if isinstance(error, AttributeError) and failure.stage == "build":
        return "A layer's own __init__ calls super().__init__() first: that makes params, grads and dtype."
    if isinstance(error, ValueError) and any(word in words for word in SHAPE_WORDS):
        return "Print the shapes of both factors just before that line."
    if isinstance(error, TypeError) and "argument" in words:
        return (
            "The signatures are forward(x, training=False, keep=None) and backward(dy, need_dx=True, need_grads=True)."
        )
    return "Make the same call by hand: the traceback names the line."


def _no_array(name: str, kind: str, what: str) -> Diagnosis:
    mend = (
        "Is a return missing?" if kind == "None" else "Leave out the .tolist(), or make one array of it with np.array."
    )
    words = f"not an array: {what} is {kind}; it must be a NumPy array of real numbers. {mend}"
    return Diagnosis.told(name, words)


def _twice(done: Checkup, name: str, first: np.ndarray) -> Diagnosis:
    """What a second backward pass gave, if not the same again."""
    second = np.asarray(done.twice.second[name])
    if close(second, 2 * first):
        words = """accumulates over calls: A second backward gives twice the gradient of the first: the old one is still
            in it. Write `=`, not `+=`, when a call stores its result."""
    else:
        words = f"""not the same twice: Two backward passes of one forward pass differ by up to
            {np.abs(first - second).max():.3g}. Backward must not draw random numbers or use up what forward kept."""
    return Diagnosis.told(name, words)


def _of_another_batch(done: Checkup, name: str, first: np.ndarray) -> Diagnosis | None:
    """The gradient is another one when a whole backward pass of another batch went before."""
    later, past = done.later[name], done.past[name]
    if later is None or first.shape != later.shape or not np.isfinite(later).all() or close(later, first):
        return None
    evidence = f"the gradient of this batch differs by up to {np.abs(later - first).max():.3g}"
    if past is not None and close(later, past):
        evidence = "backward gives this batch the gradient of the other one again, to all digits"
    words = f"""from an earlier batch: After a backward pass of another batch, {evidence}. Each call computes its
        gradient anew and replaces the old one: look for a setdefault, for an `if ... is None` or for a cache that is
        never emptied."""
    return Diagnosis.told(name, words)


def _where_sizes_are_equal(case: Case, failure: Failure) -> Diagnosis | None:
    """A transposed factor stops at unequal sizes only: with equal ones it runs, and can be recognised."""
    for easier, words in _equal_sizes(case) if failure.stage == "backward" else ():
        if (same := try_to_check_up(easier)) is None:
            continue
        for name, given in same.analytic.items():
            if given is None or given.shape != same.numeric(name).shape or same.right(name):
                continue
            for explanation in (transposed, kernel_altered):
                for said in explanation(Claim(same, name, given)):
                    found = Diagnosis.told(name, said)
                    before = f"backward stops with {failure}; with {words} it runs."
                    return replace(found, sentence=f"{before} {found.sentence}")
    return None


def _equal_sizes(case: Case) -> Iterator[tuple[Case, str]]:
    units = _length_of_the_output(case)
    shape = (*case.input_shape[:-1], units)
    if isinstance(units, int):
        yield case.changed(input_shape=shape), f"{units} inputs for {units} outputs"
    for path, window in options(case.layer):
        if not isinstance(window, tuple | list) or len(set(window)) < 2:
            continue
        square = case.changed()
        square.layer = with_option(case.layer, path, type(window)([min(window)] * len(window)))
        yield square, "a square kernel"
        if isinstance(units, int):
            yield square.changed(input_shape=shape), f"a square kernel and {units} channels for {units} filters"


def _length_of_the_output(case: Case) -> int | None:
    """Of its last axis, in one forward pass; None if that stops, or gives a number for each image."""
    try:
        rng = np.random.default_rng(0)
        y = Specimen(case.layer, tuple(case.input_shape), rng).forward(rng.standard_normal((1, *case.input_shape)))
    except Failure:
        return None
    return y.shape[-1] if y.ndim > 1 else None
