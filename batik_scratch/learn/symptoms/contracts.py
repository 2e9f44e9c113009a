"""Promises beside the numbers: nothing is changed, twice is the same, every gradient is there, nothing is raised."""

import numpy as np

from .diagnosis import Diagnosis, close
from .run import Case, Failure, Run, run, try_run

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
    if not done.touched:
        found += [d for name in done.tensors if (d := _twice(done, name)) is not None]
    return found


def missing(done: Run, name: str) -> Diagnosis:
    """No gradient at all."""
    where = "backward returns None; it must return dx" if name == "dx" else f'grads has no "{name}" after backward'
    return Diagnosis(
        "no gradient", name, f"{where}. Every parameter, and the input, needs a gradient of its own shape."
    )


def failed(case: Case, failure: Failure) -> Diagnosis:
    """The layer raised: where, what, and whether it works when all sizes are equal (a transposed factor, mostly)."""
    easy = _where_sizes_are_equal(case, failure)
    if easy is not None:
        return easy
    return Diagnosis(
        "raises",
        failure.stage,
        f"{failure.stage} stops with {failure}. Print the shapes of both factors just before that line.",
    )


def _twice(done: Run, name: str) -> Diagnosis | None:
    first, second = done.analytic[name], done.again[name]
    if first is None or second is None or first.shape != second.shape or close(first, second):
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


def _where_sizes_are_equal(case: Case, failure: Failure) -> Diagnosis | None:
    from .altered import kernel_altered  # it runs layers too, and this module is what catches their failures
    from .order import transposed

    if failure.stage != "backward":
        return None
    units = getattr(case.layer, "units", getattr(case.layer, "filters", None))
    if not isinstance(units, int):
        return None
    same = try_run(case.changed(input_shape=(*case.input_shape[:-1], units)))
    if same is None:
        return None
    for name in same.tensors:
        given = same.analytic[name]
        for explanation in (transposed, kernel_altered):
            if given is not None and not same.right(name) and (found := explanation(same, name, given)) is not None:
                sentence = (
                    f"backward stops with {failure}; with {units} inputs for {units} outputs it runs. {found.sentence}"
                )
                return Diagnosis(found.name, name, sentence)
    return None


def examine(case: Case) -> Run | Diagnosis:
    """The run, or the diagnosis of why there is none."""
    try:
        return run(case)
    except Failure as failure:
        return failed(case, failure)
