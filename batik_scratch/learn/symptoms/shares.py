"""Pair by pair: which output's share in which value is right, which is missing, and by which factor the rest is off.

The matrices are those of matrices.py: row i of either says how output i moves the tensor.
"""

from collections.abc import Iterator

import numpy as np

from .checkup import ATOL, close
from .claim import Claim, Words, place_of
from .matrices import pair_of, row_factors, tensor_word

ENOUGH = 4


def rounded(claim: Claim) -> Iterator[Words]:
    """All values have few digits, and are the true ones to that many."""
    given, true = claim.given, claim.true
    if given.size < ENOUGH or np.isnan(true).any():
        return
    for digits in range(1, 7):
        if np.array_equal(given, np.round(given, digits)) and np.abs(given - true).max() <= 0.51 * 10.0**-digits:
            yield f"""rounded: Every value is the true one, rounded to {digits} digits behind the point. Look for a
                round, an astype, or numbers that went through text."""
            return


def shares_missing(claim: Claim) -> Iterator[Words]:
    """Some outputs do not send back to some values; all other shares are right."""
    if (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    reaches, kept = np.abs(true) > ATOL, np.abs(claimed) > ATOL
    for name, odd, words in (
        ("shares missing", reaches & ~kept, "send nothing back, and should"),
        ("shares too many", kept & ~reaches, "send something back, and should not"),
    ):
        if odd.sum() < ENOUGH or not (reaches & kept).any():
            continue
        if (odd & (reaches != kept)).sum() == (reaches != kept).sum() and close(claimed[~odd], true[~odd]):
            row, column = (int(i) for i in np.argwhere(odd)[0])
            yield f"""{name}: Of {reaches.sum()} pairs of an output and a value of {tensor_word(claim)} that it depends
                on, {odd.sum()} {words}: the first is y{place_of(row, claim.y.shape)} to
                {tensor_word(claim)}{place_of(column, claim.given.shape)}; all others are right.{_steps(claim, odd)}
                Which
                way from {tensor_word(claim)} to y does forward have, and backward not walk back?"""


def right_within_steps(claim: Claim) -> Iterator[Words]:
    """Right between equal places of one axis, wrong between different ones: what is carried on is wrong."""
    if claim.name != "dx" or (pair := pair_of(claim)) is None or claim.x.ndim < 3 or claim.y.ndim < 3:
        return
    claimed, true = pair
    wrong = ~np.isclose(claimed, true, rtol=1e-6, atol=1e-7)
    for axis in range(1, min(claim.x.ndim, claim.y.ndim)):
        if claim.x.shape[axis] != claim.y.shape[axis] or claim.x.shape[axis] < 2:
            continue
        same = _places(claim.y.shape, axis)[:, None] == _places(claim.x.shape, axis)[None, :]
        if not (wrong & same).any() and (wrong & ~same).sum() >= ENOUGH and (np.abs(true[same]) > ATOL).any():
            yield f"""wrong between steps: Along axis {axis} every step's own share is right, and what passes from one
                step to another is wrong, at {(wrong & ~same).sum()} pairs. Look at what backward hands on from step to
                step: transposed, scaled, or of another step?"""
            return


def own_factor(claim: Claim) -> Iterator[Words]:
    """Output by output right up to a factor that can be named: x, y, y/x, or the slope of an activation of them."""
    if (factors := row_factors(claim)) is None or claim.x.size != claim.y.size:
        return
    factor, known = factors
    x, y = claim.x.reshape(-1)[known], claim.y.reshape(-1)[known]
    with np.errstate(all="ignore"):
        g = y / x
        candidates = {"x": x, "y": y, "y/x": g, "g (1 - g), g = y/x": g * (1 - g), "1 - g^2, g = y/x": 1 - g**2,
                      "x^2": x**2, "2 x": 2 * x, "|x|": np.abs(x)}  # fmt: skip
        for words, value in candidates.items():
            for what, fits in (("lacks", close(factor * value, np.ones_like(y))), ("has", close(factor, value))):
                if fits and np.ptp(value) > 1e-6:
                    often = "" if what == "lacks" else ", once too often"
                    yield f"""local factor: The gradient of {tensor_word(claim)} {what} the factor {words} of each
                        output's own place{often}, at all {known.sum()} outputs. Differentiate forward's formula once
                        more, by the chain rule."""
                    return


def factor_by_value(claim: Claim) -> Iterator[Words]:
    """Value by value right up to a factor: of how many outputs it reaches, or of the slope itself."""
    if (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    known = (np.abs(true) > ATOL).any(axis=0)
    if known.sum() < ENOUGH or (np.abs(claimed[:, ~known]) > ATOL).any():
        return
    factor = (claimed * true)[:, known].sum(axis=0) / (true**2)[:, known].sum(axis=0)
    if np.ptp(factor) < 1e-6 or not close(claimed[:, known], factor * true[:, known]):
        return
    counts = (np.abs(true) > ATOL).sum(axis=0)[known]
    word = tensor_word(claim)
    if close(factor * counts, np.ones(len(counts))):
        yield f"""mean for sum: Every value of {word} has the mean of the shares of the {counts.min()} to {counts.max()}
            outputs that it reaches, and should have their sum. Leave the division out: each use adds its share."""
        return
    slopes = true[:, known].sum(axis=0)
    twice = " It is the slope itself, which so stands there twice." if close(factor, slopes) else ""
    if (np.abs(true) > ATOL).sum() > 1.5 * known.sum() or twice:  # with one output to a value there always is a factor
        yield f"""a factor to each value: Value by value the gradient is right up to a factor, from {factor.min():.4g}
            to {factor.max():.4g}.{twice} What does forward multiply each value of {word} by, and backward not, or
            twice?"""


def sign_of_the_factor(claim: Claim) -> Iterator[Words]:
    """Pair by pair every size is right, and some signs are wrong: a factor has lost its sign."""
    if (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    wrong = np.sign(claimed) * np.sign(true) < 0
    if wrong.sum() >= ENOUGH and close(np.abs(claimed), np.abs(true)):
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        yield f"""signs wrong: Pair by pair every size is right, and {wrong.sum()} of {(np.abs(true) > ATOL).sum()}
            signs are wrong: the first is that of y{place_of(row, claim.y.shape)} in
            {tensor_word(claim)}{place_of(column, claim.given.shape)}. A factor has lost its sign: look for an abs, or a
            square and its root."""


def turn_counted_twice(claim: Claim) -> Iterator[Words]:
    """A tensor enters a product twice, and the turn of one factor stands in place of both."""
    if (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    word = tensor_word(claim)
    tensor = claim.x if claim.name == "dx" else claim.checkup.params[claim.name]
    x, y = tensor.reshape(-1), (claim.y - claim.checkup.without(claim.name)).reshape(-1)
    for degree in (2, 3):
        if close(true @ x, degree * y) and close(claimed @ x, degree * y) and not close(claimed, true):
            yield f"""one factor's turn for all: y is a product that contains {word} {degree} times, and the gradient
                is {degree} times the turn of one of these factors, as if they were alike. Each factor's
                turn holds the others: add the turns, of the transposed factor too, instead of doubling one. So the
                derivative of x' A x is A x + A' x, and 2 A x only for an A that is its own transpose."""


def beside_the_skip(claim: Claim) -> Iterator[Words]:
    """y = x + f(x): the skip is right, and the branch's gate is another one or none."""
    if not claim.elementwise or (pair := pair_of(claim)) is None:
        return
    skip = np.eye(len(pair[1]))
    claimed, true = pair[0] - skip, pair[1] - skip
    opened, open_ = (np.abs(claimed) > ATOL).any(axis=1), (np.abs(true) > ATOL).any(axis=1)
    both = opened & open_
    if both.sum() < 2 or not close(claimed[both], true[both]) or (opened == open_).all():
        return
    if (opened & ~open_).sum() < 2 or open_.all():
        return
    if (open_ & ~opened).any():
        yield f"""wrong mask: Beside the skip path (y = x + f(x)) {(opened & ~open_).sum()} outputs of the branch count
            that forward shut, and {(open_ & ~opened).sum()} do not that it left open; all others are right. The gate
            belongs to what forward compared with 0 in the branch: keep that mask, and not that of x."""
    else:
        yield f"""gate not applied: Beside the skip path (y = x + f(x)) {(opened & ~open_).sum()} outputs of the branch
            count that forward shut; all others are right. Multiply dy by the branch's gate before it goes back through
            the branch, and add dy itself for the skip."""


def one_term_by_a_factor(claim: Claim) -> Iterator[Words]:
    """y = x + f(x), or y = x g(x): one of the two terms of the derivative is right, the other off by a factor."""
    if not claim.elementwise or np.abs(claim.x).min() < 1e-6 or (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    for forward, first in (
        ("y = x + f(x)", np.eye(len(true))),
        ("y = x g(x)", np.diag((claim.y / claim.x).reshape(-1))),
    ):
        rest = true - first
        if (np.abs(rest) > ATOL).sum() < ENOUGH:
            continue
        factor = float(((claimed - first) * rest).sum() / (rest**2).sum())
        if abs(factor) > 1e-6 and close(claimed - first, factor * rest):
            yield f"""one term by a factor: Forward is {forward}; of the derivative's two terms the one of x itself is
                right, and the one that goes through the other is {factor:.6g} times the true one. Which factor does
                forward have on that path (a mean has 1/(H*W)), and backward forgets or doubles?"""
            return


def open_on_one_side(claim: Claim) -> Iterator[Words]:
    """Nothing may flow beyond two limits, and beyond one of them it does."""
    if not claim.elementwise or np.isnan(claim.true).any():
        return
    blocked = np.abs(claim.true) <= ATOL
    leaking, flowing = blocked & (np.abs(claim.given) > ATOL), ~blocked
    if leaking.sum() < ENOUGH or flowing.sum() < ENOUGH or not close(claim.given[~leaking], claim.true[~leaking]):
        return
    for word, beyond in ((">", claim.x[leaking].min() > claim.x[~leaking].max()),
                         ("<", claim.x[leaking].max() < claim.x[~leaking].min())):  # fmt: skip
        if beyond:
            ends = (claim.x[leaking].min(), claim.x[~leaking].max()) if word == ">" else (
                claim.x[leaking].max(), claim.x[~leaking].min())  # fmt: skip
            yield f"""mask missing: dx is right at all places but the {leaking.sum()} where x {word} about
                {sum(ends) / 2:.3g}: there forward is flat, so nothing may flow, and dy does. Forward has a limit on
                that side too: shut the gate there."""


def wrong_in_one_part(claim: Claim) -> Iterator[Words]:
    """Right in one part of an axis and wrong in the rest, as where halves are joined."""
    given, true = claim.given, claim.true
    if np.isnan(true).any():
        return
    right = np.isclose(given, true, rtol=1e-6, atol=1e-7)
    for axis in range(1 if claim.name == "dx" else 0, true.ndim):
        others = tuple(a for a in range(true.ndim) if a != axis)
        fine, bad = right.all(axis=others), ~right.any(axis=others)
        if true.shape[axis] < 2 or not (fine | bad).all() or not fine.any() or not bad.any():
            continue
        where = np.flatnonzero(bad)
        if where[-1] - where[0] + 1 != len(where) or right.size / true.shape[axis] < 3:
            continue
        part = f"{where[0]}:{where[-1] + 1}"
        wrong = np.take(given, where, axis), np.take(true, where, axis)
        if np.abs(wrong[0]).max() <= ATOL:
            return  # told better: zero in a region
        yield f"""wrong in one part: Along axis {axis} of {true.shape} the gradient is right but for the places {part},
            where all {wrong[0].size} values are wrong ({wrong[0].flat[0]:.4g} for {wrong[1].flat[0]:.4g} at the first
            of them). Forward treats that part otherwise: differentiate what it does there, the slope of its activation
            included."""
        return


def _places(shape: tuple[int, ...], axis: int) -> np.ndarray:
    return np.indices(shape)[axis].reshape(-1)


def _steps(claim: Claim, odd: np.ndarray) -> str:
    """Whether all odd pairs lie between different places of one axis."""
    for axis in range(1, min(claim.y.ndim, claim.given.ndim)) if claim.name == "dx" else ():
        if claim.x.shape[axis] == claim.y.shape[axis] > 1:
            same = _places(claim.y.shape, axis)[:, None] == _places(claim.x.shape, axis)[None, :]
            if not (odd & same).any():
                return f" They lie between different places of axis {axis}: what is carried on is not brought back."
    return ""
