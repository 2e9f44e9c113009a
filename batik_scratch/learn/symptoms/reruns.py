"""Right in an easier case: the layer is run again with stride 1, without padding, on square windows, on one image."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .diagnosis import Diagnosis, close, zero
from .run import Case, Run, try_run


def right_in_an_easier_case(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The first easier case in which the tensor's gradient is right says what the mistake depends on."""
    return _first_right(run, name, easier_cases(run.case))


def right_in_the_easiest_case(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The same with 1x1 windows, or one channel or unit: little is left that can be wrong there."""
    return _first_right(run, name, easiest_cases(run.case))


def _first_right(run: Run, name: str, cases: Iterator[tuple[str, Case, str]]) -> Diagnosis | None:
    for slug, easier, was in cases:
        other = try_run(easier)
        changed = slug.removeprefix("right ").removeprefix("for ").removesuffix(" alone").replace("without", "no")
        if other is not None and _right_and_not_zero(other, name):
            return Diagnosis(
                slug,
                name,
                f"Wrong for {was}, and {slug.removesuffix(' alone')}: the same layer was run again with {changed}. Look where "
                f"backward needs {changed} to be true, or where forward uses the general value and backward does not.",
            )
    return None


def easier_cases(case: Case) -> Iterator[tuple[str, Case, str]]:
    """Slug, case, and what the case at hand was instead; only those that change something."""
    layer, shape = case.layer, case.input_shape
    strides = getattr(layer, "strides", None)
    if _more_than_one(strides):
        yield "right for stride 1 alone", case.changed({"strides": (1, 1)}), f"strides {strides}"
    if getattr(layer, "padding", "valid") != "valid":
        yield "right without padding alone", case.changed({"padding": "valid"}), f"padding {layer.padding!r}"  # type: ignore[attr-defined]
    for option in ("kernel_size", "pool_size"):
        window = getattr(layer, option, None)
        if isinstance(window, tuple) and len(set(window)) > 1:
            square = (min(window), min(window))
            yield "right for square windows alone", case.changed({option: square}), f"{option} {window}"
    if len(shape) == 3 and shape[0] != shape[1]:
        side = max(shape[:2])
        yield "right for square images alone", case.changed(input_shape=(side, side, shape[2])), f"images {shape}"
    if case.n > 1:
        yield "right for one image alone", case.changed(n=1), f"{case.n} images"


def easiest_cases(case: Case) -> Iterator[tuple[str, Case, str]]:
    """As `easier_cases`, with hardly anything left."""
    layer, shape = case.layer, case.input_shape
    for option in ("kernel_size", "pool_size"):
        window = getattr(layer, option, None)
        if _more_than_one(window):
            yield "right for 1x1 windows alone", case.changed({option: (1, 1)}), f"{option} {window}"
    if len(shape) == 3 and shape[2] > 1:
        yield "right for one channel alone", case.changed(input_shape=(*shape[:2], 1)), f"{shape[2]} channels"
    for option, word in (("filters", "filter"), ("units", "unit")):
        count = getattr(layer, option, 1)
        if isinstance(count, int) and count > 1:
            yield f"right for one {word} alone", case.changed({option: 1}), f"{count} {word}s"


def right_values_elsewhere(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The same numbers as the true gradient, in other places, by no rule that is known here."""
    numeric = run.numeric(name)
    if not close(np.sort(given, axis=None), np.sort(numeric, axis=None)) or numeric.size < 4:
        return None
    moved = int((np.abs(given - numeric) > 1e-6).sum())
    return Diagnosis(
        "right values in wrong places",
        name,
        f"The {given.size} values are the true ones, but {moved} stand somewhere else, by no transposition or shift. Look at "
        "the indices that they are written to: which place did forward take each from?",
    )


def unexplained(run: Run, name: str, given: np.ndarray) -> Diagnosis:
    """Wrong, and nothing here knows why: the worst place, and how much is right."""
    numeric = run.numeric(name)
    difference = np.nan_to_num(np.abs(given - numeric))
    worst = tuple(int(i) for i in np.unravel_index(int(difference.argmax()), difference.shape))
    right = difference <= 1e-7 * np.nanmax(np.abs(numeric)) + 1e-8
    return Diagnosis(
        "unexplained",
        name,
        f"{(~right).sum()} of {right.size} values are wrong, by most at {worst}: {given[worst]:.6g}, and it should be "
        f"{numeric[worst]:.6g}. It is none of the usual mistakes; try the smallest case by hand: one image, and as few values as "
        "will show it.",
    )


def _right_and_not_zero(other: Run, name: str) -> bool:
    given = other.analytic[name]
    return given is not None and other.fits(name, given, other.dy) and not zero(given).all()


def _more_than_one(option: Any) -> bool:
    return isinstance(option, tuple) and any(size > 1 for size in option)
