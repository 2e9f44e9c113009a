"""What stands in a layer's gradient instead of what forward has: inputs for weights, a corner for the maximum, ..."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from .checkup import ATOL, close, try_to_check_up
from .claim import Claim, Words
from .elementwise import FORMULAS
from .sides import ENOUGH

ROOT = math.sqrt(2 / math.pi)
CUBIC = 0.044715  # of the tanh form; Hendrycks and Gimpel, "Gaussian error linear units" (2016), section 2
_erf = np.vectorize(math.erf, otypes=[float])


def _tanh_slope(x: np.ndarray, cubic: float = 3 * CUBIC) -> np.ndarray:
    th = np.tanh(ROOT * (x + CUBIC * x**3))
    return np.asarray(0.5 * (1 + th) + 0.5 * x * (1 - th**2) * ROOT * (1 + cubic * x**2))


def _erf_slope(x: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1 + _erf(x / math.sqrt(2))) + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))


def _sigmoid_slope(x: np.ndarray) -> np.ndarray:
    s = 1 / (1 + np.exp(-1.702 * x))
    return np.asarray(s + 1.702 * x * s * (1 - s))


GELUS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "GELU by tanh": _tanh_slope,
    "GELU by erf": _erf_slope,
    "GELU by x sigmoid(1.702 x)": _sigmoid_slope,
}
GELU_MISTAKES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "1 + 0.044715 x^2, without the factor 3 of the cube": lambda x: _tanh_slope(x, CUBIC),
    "1 + 2 * 0.044715 x^2; the cube's factor is 3": lambda x: _tanh_slope(x, 2 * CUBIC),
    "1, without the cube's 3 * 0.044715 x^2": lambda x: _tanh_slope(x, 0.0),
}


def slope_of_another_gelu(claim: Claim) -> Iterator[Words]:
    """Forward is a GELU in one form, and backward has the slope of another, or one with a slip in the cube."""
    if not claim.elementwise or claim.given.size < ENOUGH:
        return
    for form, slope in GELUS.items():
        if not close(claim.true, claim.dy * slope(claim.x)):
            continue
        for other, another in GELUS.items():
            if other != form and claim.is_(claim.dy * another(claim.x)):
                yield f"""another form: Forward is a {form}, and backward has the slope of a {other}, at all
                    {claim.given.size} places. They differ by {np.abs(claim.given - claim.true).max():.2g} at most:
                    take the slope of the form that forward has."""
        for inner, wrong in GELU_MISTAKES.items():
            if form == "GELU by tanh" and claim.is_(claim.dy * wrong(claim.x)):
                yield f"""inner derivative: Forward is a {form} of sqrt(2 / pi) (x + 0.044715 x^3), and the derivative
                    of that inner part is taken as sqrt(2 / pi) times {inner}. It is 1 + 3 * 0.044715 x^2."""


def formula_of_the_input(claim: Claim) -> Iterator[Words]:
    """dy times x (1 - x): an activation's formula, with the input in it, whatever the layer is."""
    for words, formula in FORMULAS[:2] if claim.elementwise and claim.given.size >= ENOUGH else ():
        if claim.is_(claim.dy * formula(claim.x)):
            sums = claim.y.sum(axis=-1)
            rows = """ Its rows add up to 1, as a softmax' do: there each output depends on the whole row, and
                dx = y (dy - sum of dy y over the row)."""
            yield f"""input for output: dx is dy times {words.replace("y", "x")}, x being the layer's input, at all
                {claim.given.size} places. That formula is written in terms of an output y, and it is not this layer's
                derivative with y in it either.{rows if np.ptp(sums) < 1e-9 and abs(sums.flat[0] - 1) < 1e-9 else ""}"""


def inputs_for_weights(claim: Claim) -> Iterator[Words]:
    """dx sends dy back times the inputs, where the weights belong."""
    if claim.name != "dx" or not claim.checkup.params or claim.given.shape != claim.x.shape:
        return
    reaches = np.abs(claim.checkup.jacobian("dx")) > ATOL
    if reaches.sum() < 2 * claim.x.size:
        return
    if claim.is_((claim.dy.reshape(-1) @ reaches).reshape(claim.x.shape) * claim.x):
        yield f"""inputs for weights: dx is the sum of dy over the outputs that each input reaches, times the input
            itself, at all {claim.x.size} places. That is a factor of the weights' gradient; for dx dy is multiplied by
            the weights: what y is multiplied by in forward comes back."""


def whole_numbers(claim: Claim) -> Iterator[Words]:
    """Each share is cut to a whole number: an array of integers on the way."""
    given, true = claim.given, claim.true
    if not np.isfinite(given).all() or np.isnan(true).any() or (given != np.trunc(given)).any():
        return
    shares = claim.checkup.jacobian(claim.name) * claim.dy.reshape(-1, 1)
    near = np.where(np.abs(shares - np.round(shares)) < ATOL, np.round(shares), np.trunc(shares))
    for cut in (np.trunc(true), near.sum(axis=0).reshape(true.shape)):
        if np.count_nonzero(given) >= ENOUGH and np.array_equal(given, cut):
            yield f"""cut to whole numbers: All {given.size} values are whole numbers, and are the true ones without
                what stands behind the point ({int((given == 0).sum())} of them zero). They went through an array of
                integers: np.zeros_like of an index, a mask or an argmax, or a dtype=int; make it of dy's dtype."""
            return


def winner_not_looked_up(claim: Claim) -> Iterator[Words]:
    """Each output's dy goes to one place, the same whatever x is, where forward takes one by its value."""
    if claim.name != "dx" or claim.dy.ndim != 4:
        return
    claimed, true = claim.checkup.claimed("dx"), claim.checkup.jacobian("dx")
    if claimed is None or np.isnan(true).any() or not (_one_each(claimed) and _one_each(true)):
        return
    case = claim.checkup.case
    other = try_to_check_up(case.changed(seed=case.seed + 1, x=None))
    again, there = (None, true) if other is None else (other.claimed("dx"), other.jacobian("dx"))
    if again is None or not np.array_equal(claimed.argmax(axis=1), again.argmax(axis=1)):
        return
    if (true.argmax(axis=1) == there.argmax(axis=1)).all():  # forward takes the same place of each window too
        return
    place = np.unravel_index(int(claimed[0].argmax()), claim.x.shape)[1:3]
    same = int((claimed.argmax(axis=1) == true.argmax(axis=1)).sum())
    yield f"""winner not looked up: The dy of each output goes to one place of its window, the same for every x: that of
        the first window to {tuple(int(i) for i in place)}. Forward takes the value of another place each time (by
        accident the same at {same} of {len(true)} outputs): send dy to the place of the maximum, which forward finds by
        argmax or by comparing with y."""


def _one_each(matrix: np.ndarray) -> bool:
    """True if each row has a single value that is not zero, and it is 1."""
    return bool(((np.abs(matrix) > ATOL).sum(axis=1) == 1).all() and (np.abs(matrix.max(axis=1) - 1) < 1e-6).all())
