"""Right in an easier case: the layer is run again with stride 1, without padding, on square windows, on one image."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .checkup import Case, close, try_to_check_up, zero
from .claim import Claim, Words, place_of_largest
from .options import easier_options

Easier = tuple[str, Case, str]  # a diagnosis' name, the case, and what the case at hand was instead
NEARLY = 1e-4  # of the largest value
WINDOWS = ("kernel_size", "pool_size")


def right_in_an_easier_case(claim: Claim) -> Iterator[Words]:
    """The first easier case in which the tensor's gradient is right says what the mistake depends on."""
    return _right_in(easier_cases(claim.checkup.case), claim.name)


def right_in_the_easiest_case(claim: Claim) -> Iterator[Words]:
    """The same with 1x1 windows, or one channel or unit: little is left that can be wrong there."""
    return _right_in(easiest_cases(claim.checkup.case), claim.name)


def _right_in(cases: Iterator[Easier], name: str) -> Iterator[Words]:
    for slug, easier, was in cases:
        other = try_to_check_up(easier)
        given = None if other is None else other.analytic[name]
        if other is None or given is None or not other.fits(name, given, other.dy) or zero(given).all():
            continue
        changed = slug.removeprefix("right ").removeprefix("for ").removesuffix(" alone").replace("without", "no")
        yield f"""{slug}: Wrong for {was}, and {slug.removesuffix(" alone")}: the same layer was run again with
            {changed}. Look where backward needs {changed} to be true, or where forward uses the general value and
            backward does not."""


def easier_cases(case: Case) -> Iterator[Easier]:
    """Only those that change something."""
    shape, strides = case.input_shape, getattr(case.layer, "strides", None)
    padding = getattr(case.layer, "padding", None)
    if _more_than_one(strides):
        yield "right for stride 1 alone", case.changed({"strides": (1, 1)}), f"strides {strides}"
    if padding == "same":
        yield "right without padding alone", case.changed({"padding": "valid"}), f"padding {padding!r}"
    for option in WINDOWS:
        window = getattr(case.layer, option, None)
        if isinstance(window, tuple) and len(set(window)) > 1:
            square = (min(window), min(window))
            yield "right for square windows alone", case.changed({option: square}), f"{option} {window}"
    if len(shape) == 3 and shape[0] != shape[1]:
        side = max(shape[:2])
        yield "right for square images alone", case.changed(input_shape=(side, side, shape[2])), f"images {shape}"
    yield from easier_options(case)
    if case.n > 1:
        yield "right for one image alone", case.changed(n=1), f"{case.n} images"


def easiest_cases(case: Case) -> Iterator[Easier]:
    """As `easier_cases`, with hardly anything left."""
    shape = case.input_shape
    for option in WINDOWS:
        window = getattr(case.layer, option, None)
        if _more_than_one(window):
            yield "right for 1x1 windows alone", case.changed({option: (1, 1)}), f"{option} {window}"
    if len(shape) == 3 and shape[2] > 1:
        yield "right for one channel alone", case.changed(input_shape=(*shape[:2], 1)), f"{shape[2]} channels"
    for option, word in (("filters", "filter"), ("units", "unit")):
        count = getattr(case.layer, option, 1)
        if isinstance(count, int) and count > 1:
            yield f"right for one {word} alone", case.changed({option: 1}), f"{count} {word}s"


def right_values_elsewhere(claim: Claim) -> Iterator[Words]:
    """The same numbers as the true gradient, in other places, by no rule that is known here."""
    given, true = claim.given, claim.true
    if true.size >= 4 and close(np.sort(given, axis=None), np.sort(true, axis=None)):
        moved = int((np.abs(given - true) > 1e-6).sum())
        yield f"""right values in wrong places: The {given.size} values are the true ones, but {moved} stand somewhere
            else, by no transposition or shift. Look at the indices that they are written to: which place did forward
            take each from?"""


def unexplained(claim: Claim) -> Iterator[Words]:
    """Wrong, and nothing here knows why: the worst place, and how much is right."""
    difference = np.nan_to_num(np.abs(claim.given - claim.true))
    worst = place_of_largest(difference)
    wrong = difference > 1e-7 * np.nanmax(np.abs(claim.true)) + 1e-8
    share = difference[worst] / max(np.nanmax(np.abs(claim.true)), 1e-300)
    digits, near = "6", ""
    if share < NEARLY:
        digits = "9"
        near = f"""It is nearly right, to {share:.1g} of the largest value: an epsilon in one pass alone, a constant
            with too few digits, or float32 on the way can do that, and a wrong formula hardly can. """
    yield f"""unexplained: {wrong.sum()} of {wrong.size} values are wrong, by most at {worst}:
        {claim.given[worst]:.{digits}g}, and it should be {claim.true[worst]:.{digits}g}.
        {near}It is none of the usual mistakes; try the smallest case by hand: one image, and as few values as will show
        it."""


def _more_than_one(option: Any) -> bool:
    return isinstance(option, tuple) and any(size > 1 for size in option)
