"""Promises beside the numbers: nothing is changed, twice is the same, every gradient is there, nothing is raised."""

from collections.abc import Iterator

import numpy as np

from ...errors import InputError
from .altered import kernel_altered
from .diagnosis import Diagnosis, close
from .order import transposed
from .patient import Failure, NoArray
from .run import Case, Run, try_run

SHAPE_WORDS = ("shape", "broadcast", "dimension", "aligned", "reshape", "axis", "axes")  # in NumPy's own sentences
ADVICE = {
    "dy": (
        "mutated upstream gradient",
        "backward changes the dy that it is given, which belongs to the caller and may be needed again. Write to a new "
        "array: `dx = dy * mask`, not `dy *= mask`.",
    ),
    "x": (
        "mutated input",
        "The layer changes the x that it is given, which belongs to the layer before. Make a copy or a new array.",
    ),
}


def broken_contracts(done: Run) -> list[Diagnosis]:
    """What the layer changed and should not have, and what a second backward did otherwise than the first."""
    found = [Diagnosis(ADVICE[name][0], name, ADVICE[name][1]) for name in done.touched if name in ADVICE]
    for name in done.touched:
        if name not in ADVICE:
            sentence = "backward changes the parameter itself. It only computes gradients: changing weights is the optimiser's."
            found.append(Diagnosis("weights changed in backward", name, sentence))
    if not done.repeatable:
        sentence = (
            "forward gives another y for the same x and the same random numbers; keep what it draws in one generator."
        )
        return [*found, Diagnosis("forward not repeatable", "y", sentence)]
    if not np.isfinite(done.y).all():
        sentence = (
            f"forward gives {(~np.isfinite(done.y)).sum()} values that are NaN or infinite: no gradient can be right."
        )
        return [*found, Diagnosis("not a number", "y", sentence)]
    found += [_no_array(name, kind, "The gradient") for name, kind in done.instead.items()]
    found += [_dtype(name, array) for name, array in _arrays(done).items() if array.dtype != np.float64]
    if not done.touched:
        both = [_twice(done, name) or _of_another_batch(done, name) for name in done.tensors]
        found += [one for one in both if one is not None]
    return found


def missing(done: Run, name: str) -> Diagnosis:
    """No gradient at all."""
    where = "backward returns None; it must return dx" if name == "dx" else f'grads has no "{name}" after backward'
    return Diagnosis(
        "no gradient", name, f"{where}. Every parameter, and the input, needs a gradient of its own shape."
    )


def failed(case: Case, failure: Failure) -> Diagnosis:
    """The layer raised: where, what, and whether it works when all sizes are equal (a transposed factor, mostly)."""
    if isinstance(failure, NoArray):
        return _no_array("y", str(failure.error), "What forward returns")
    easy = _where_sizes_are_equal(case, failure)
    if easy is not None:
        return easy
    return Diagnosis("raises", failure.stage, f"{failure.stage} stops with {failure}. {_next_step(failure)}".strip())


def _next_step(failure: Failure) -> str:
    """What to look at; nothing where the error itself says what to do."""
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


def _arrays(done: Run) -> dict[str, np.ndarray]:
    return {"y": done.y} | {name: g for name, g in done.analytic.items() if g is not None}


def _no_array(name: str, kind: str, what: str) -> Diagnosis:
    return Diagnosis(
        "not an array",
        name,
        f"{what} is {kind}; it must be a NumPy array of real numbers. "
        + (
            "Is a return missing?"
            if kind == "None"
            else "Leave out the .tolist(), or make one array of it with np.array."
        ),
    )


def _dtype(name: str, array: np.ndarray) -> Diagnosis:
    if array.dtype.kind == "c":
        return Diagnosis(
            "dtype changed",
            name,
            f"{name} is {array.dtype} where all that went in is real. It must be a real NumPy array: look for a 1j, an "
            "np.fft or an eigenvalue, and take .real of what has no imaginary part.",
        )
    return Diagnosis(
        "dtype changed",
        name,
        f"{name} is {array.dtype} where all that went in is float64. Make new arrays with np.zeros_like(x), or with "
        "dtype=x.dtype, and no integers.",
    )


def _twice(done: Run, name: str) -> Diagnosis | None:
    first, second = done.analytic[name], done.again[name]
    if first is None or second is None or first.shape != second.shape or close(first, second):
        return None
    if not np.isfinite(first).all():  # that is said elsewhere
        return None
    if close(second, 2 * first):
        return Diagnosis(
            "accumulates over calls",
            name,
            "A second backward gives twice the gradient of the first: the old one is still in it. Write `=`, not `+=`, when "
            "a call stores its result.",
        )
    return Diagnosis(
        "not the same twice",
        name,
        f"Two backward passes of one forward pass differ by up to {np.abs(first - second).max():.3g}. Backward must not draw "
        "random numbers or use up what forward kept.",
    )


def _of_another_batch(done: Run, name: str) -> Diagnosis | None:
    """The gradient is another one when a whole backward pass of another batch went before."""
    first, later, past = done.analytic[name], done.later[name], done.past[name]
    if first is None or later is None or first.shape != later.shape or close(later, first):
        return None
    if not (np.isfinite(first).all() and np.isfinite(later).all()):  # that is said elsewhere
        return None
    if past is not None and close(later, past):
        evidence = "backward gives this batch the gradient of the other one again, to all digits"
    else:
        evidence = f"the gradient of this batch differs by up to {np.abs(later - first).max():.3g}"
    return Diagnosis(
        "from an earlier batch",
        name,
        f"After a backward pass of another batch, {evidence}. Each call computes its gradient anew and replaces the old one: "
        "look for a setdefault, for an `if ... is None` or for a cache that is never emptied.",
    )


def _where_sizes_are_equal(case: Case, failure: Failure) -> Diagnosis | None:
    """A transposed factor stops at unequal sizes only: with equal ones it runs, and can be recognised."""
    for easier, words in _equal_sizes(case) if failure.stage == "backward" else ():
        same = try_run(easier)
        for name in same.tensors if same is not None else ():
            assert same is not None
            given = same.analytic[name]
            if given is None or given.shape != same.numeric(name).shape or same.right(name):
                continue
            for explanation in (transposed, kernel_altered):
                if (found := explanation(same, name, given)) is not None:
                    sentence = f"backward stops with {failure}; with {words} it runs. {found.sentence}"
                    return Diagnosis(found.name, name, sentence)
    return None


def _equal_sizes(case: Case) -> Iterator[tuple[Case, str]]:
    units = getattr(case.layer, "units", getattr(case.layer, "filters", None))
    shape = (*case.input_shape[:-1], units)
    if isinstance(units, int):
        yield case.changed(input_shape=shape), f"{units} inputs for {units} outputs"
    window = getattr(case.layer, "kernel_size", None)
    if isinstance(window, tuple) and len(set(window)) > 1:
        square = {"kernel_size": (min(window), min(window))}
        yield case.changed(square), "a square kernel"
        if isinstance(units, int):
            yield case.changed(square, input_shape=shape), f"a square kernel and {units} channels for {units} filters"
