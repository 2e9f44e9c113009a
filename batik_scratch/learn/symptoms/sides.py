"""Right on one side of a threshold and wrong on the other; and gradients that were clipped."""

from collections.abc import Iterator

import numpy as np

from .checkup import ATOL, RTOL, close, zero
from .claim import Claim, Words

ENOUGH = 4  # places on each side: fewer could lie there by chance


def right_on_one_side(claim: Claim) -> Iterator[Words]:
    """An elementwise gradient that is right exactly where x (or y) is above or below some value."""
    given, true, dy = claim.given, claim.true, claim.dy
    if not claim.elementwise:
        return
    known = ~np.isnan(true) & ~zero(true) & (np.abs(dy) > 1e-3)
    right = np.abs(given - true) <= ATOL + RTOL * np.nanmax(np.abs(true), initial=0)
    wrong = known & ~right
    right &= known
    if min(wrong.sum(), right.sum()) < ENOUGH or close(given[wrong], -true[wrong]):
        return
    sides = _parted(claim, right, wrong)
    if sides is not None:
        slopes, claimed = true[wrong] / dy[wrong], given[wrong] / dy[wrong]
        if np.ptp(slopes) < 1e-6 and np.ptp(claimed) < 1e-6:
            evidence = f"forward's slope there is {slopes[0]:.6g} and backward multiplies dy by {claimed[0]:.6g}"
        elif np.ptp(ratio := claimed / slopes) < 1e-5 * abs(ratio[0]) + 1e-9:
            evidence = f"there every value is {ratio[0]:.6g} times the true one"
        else:
            evidence = "there the values are wrong by no constant factor: that side's formula needs another derivative"
        yield f"""right on one side: dx is right at all {right.sum()} places where {sides[0]}, and wrong at all
            {wrong.sum()} where {sides[1]}; {evidence}. Forward has another rule on that side, and so has its
            derivative: give each side its own."""


def side_and_slopes(claim: Claim, wrong: np.ndarray) -> str:
    """Where dx is wrong, and forward's slope there, if one value of x or y parts these places from the others."""
    if not claim.elementwise or min(wrong.sum(), (~wrong).sum()) < ENOUGH:
        return ""
    sides = _parted(claim, ~wrong, wrong)
    if sides is None:
        return ""
    slopes = (claim.true / claim.dy)[wrong]
    size = f"{slopes[0]:.6g}" if np.ptp(slopes) < 1e-6 else f"from {slopes.min():.4g} to {slopes.max():.4g}"
    return f"They are those where {sides[1]}. Forward's slope there is not 0 but {size}: multiply dy by it there."


def _parted(claim: Claim, right: np.ndarray, wrong: np.ndarray) -> tuple[str, str] | None:
    """Where it is right and where it is wrong, in words, if one value of x, y or |x| parts the two."""
    for letter, value in (("x", claim.x), ("y", claim.y), ("|x|", np.abs(claim.x))):
        if (sides := parted(letter, value[right], value[wrong])) is not None:
            return sides
    return None


def parted(letter: str, right: np.ndarray, wrong: np.ndarray) -> tuple[str, str] | None:
    """Where it is right and where it is wrong, in words, if one value parts the two."""
    if wrong.max() < right.min():
        signs, ends = (">", "<"), (wrong.max(), right.min())
    elif wrong.min() > right.max():
        signs, ends = ("<", ">"), (right.max(), wrong.min())
    else:
        return None
    at = "0" if ends[0] <= 0 <= ends[1] else f"about {sum(ends) / 2:.3g}"
    return f"{letter} {signs[0]} {at}", f"{letter} {signs[1]} {at}"


def clipped(claim: Claim) -> Iterator[Words]:
    """No value is beyond a limit, and just those that should be stand at it."""
    given, true = claim.given, claim.true
    limit = float(np.abs(given).max(initial=0))
    at = np.abs(given) >= limit * (1 - 1e-12)
    if at.sum() < 2 or np.isnan(true).any() or not (np.abs(true[at]) > limit).all():
        return
    if close(given[~at], true[~at]) and (given[at] * true[at] > 0).all():
        yield f"""gradient clipped: The {at.sum()} values that should be larger than {limit:.6g} stand at {limit:.6g},
            and all others are right. A layer hands on the whole gradient: clipping, if it is wanted, is done by the
            optimiser, once for all layers. Look for an np.clip in backward."""


def clipped_by_norm(claim: Claim) -> Iterator[Words]:
    """Twice the dy, and still the same gradient: it was brought to a fixed length."""
    size = float(np.linalg.norm(claim.given))
    if claim.given.size < 2 or size < 1e-6 or np.isnan(claim.true).any():
        return
    twice = claim.checkup.backward(2 * claim.dy)[claim.name]
    if twice is None or not claim.is_(twice) or not close(claim.given / size, claim.true / np.linalg.norm(claim.true)):
        return
    yield f"""clipped by its norm: The direction is right, but the length is {size:.6g}, and stays so for twice the dy.
        backward is linear in dy: twice the dy, twice the gradient. Bringing a gradient to a length is the
        optimiser's business."""
