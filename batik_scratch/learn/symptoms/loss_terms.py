"""What a loss' gradient lacks: the derivative of a root or logarithm around it, or of a sum that all outputs enter."""

from collections.abc import Callable, Iterator

import numpy as np

from .checkup import ATOL, Checkup, close, try_to_check_up
from .claim import Claim, Words
from .loss_formulas import loss_of, sigmoid, softmax
from .loss_rows import factors_of_rows, values_of_images
from .size import common_factor

ENOUGH = 3  # places that have a number in common
GROUPS = {(0, 1): "at all places", (0,): "at all places of a column", (1,): "at all places of a row"}
Outer = tuple[str, str, str, Callable[[np.ndarray], np.ndarray]]
OUTER: tuple[Outer, ...] = (  # what the gradient belongs to, what is forgotten, its derivative, the factor that is left
    ("value^2", "a root", "1 / (2 value)", lambda value: 2 * value),
    ("value^2 / 2", "a root", "1 / value", lambda value: value),
    ("exp(value)", "a logarithm", "exp(-value)", np.exp),
    ("-exp(-value)", "a logarithm", "exp(value)", lambda value: np.exp(-value)),
    ("exp(-value)", "a logarithm and a minus", "-exp(value)", lambda value: -np.exp(-value)),
    ("log(value)", "exp", "the value itself", lambda value: 1 / value),
    ("sqrt(value)", "a square", "2 sqrt(value)", lambda value: 1 / (2 * np.sqrt(np.abs(value)))),
)


def outer_derivative_missing(claim: Claim) -> Iterator[Words]:
    """The factor between the two gradients is the loss' own value, or made of it, for one batch and a larger one."""
    case = claim.checkup.case
    if (here := _factors_and_values(claim.checkup)) is None:
        return
    for whole, around, derivative, factor_of in OUTER:
        if not close(here[0], factor_of(here[1])):
            continue
        larger = try_to_check_up(case.changed(n=case.n + 2, input_shape=(case.input_shape[0] + 1,), x=None, params={}))
        there = None if larger is None else _factors_and_values(larger)
        if larger is None or there is None or np.ptp(np.concatenate([here[1], there[1]])) < 1e-3:
            return
        if not close(there[0], factor_of(there[1])):
            continue
        rows = len(here[1]) > 1
        what = f"each image's {whole}, and not of its loss" if rows else f"{whole}, and not of the value"
        yield f"""outer derivative missing: The gradient is that of {what} itself, to all digits: it is the true one
            times a number that is made of the value, {here[0][0]:.6g} for {here[1][0]:.6g}, and
            {there[0][0]:.6g} for {there[1][0]:.6g} with {larger.case.n} images. If forward takes {around} at the end,
            the gradient stops inside it: multiply by its derivative too,
            {derivative}, by the chain rule. Else the value got into the gradient where it does not belong."""
        return


def _factors_and_values(done: Checkup) -> tuple[np.ndarray, np.ndarray] | None:
    """The factor of the whole gradient and the loss' value, (1,) each; or those of each image (N,)."""
    given = done.analytic["dx"]
    if given is None or given.shape != done.x.shape:
        return None
    factor = common_factor(given, done.numeric("dx"))
    if factor is not None:
        return np.array([factor]), done.y.reshape(-1)
    rows, values = factors_of_rows(done, given), values_of_images(Claim(done, "dx", given))
    return None if rows is None or values is None else (rows, values)


def sum_taken_for_a_constant(claim: Claim) -> Iterator[Words]:
    """What is missing is the same number at all places (of a row, of a column), or is so but for a known factor."""
    given, lacking = claim.given, claim.true - claim.given
    if given.ndim != 2 or not np.isfinite(lacking).all() or (np.abs(given) > ATOL).sum() < ENOUGH:
        return
    for words, sums, factor in _factors(claim):
        if (np.abs(factor) < 1e-9).any():
            continue
        for axes, where in GROUPS.items():
            numbers = lacking / factor
            same = numbers.mean(axis=axes, keepdims=True)
            if numbers.size // same.size < ENOUGH or np.abs(same).max() <= 10 * ATOL:
                continue
            if close(lacking, same * factor):
                told = f"{same.flat[0]:.6g}" if same.size == 1 else f"from {same.min():.4g} to {same.max():.4g}"
                yield f"""sum taken for a constant: What is missing is the same number {where}{words}, {told}. So the
                    loss has {sums} of all these outputs in it, as in the denominator of a quotient or in a norm, and
                    backward takes it for a constant. The derivative of u / v is u' / v - u v' / v^2: look for the
                    second term."""
                return


def _factors(claim: Claim) -> Iterator[tuple[str, str, np.ndarray]]:
    """What may stand beside that number: the slopes of the activation that the loss applies, and of a square."""
    loss, z = loss_of(claim), claim.x
    yield "", "a sum or mean", np.ones_like(z)
    if loss.probabilities:
        yield ", times p", "a sum of squares", z
        return
    yield ", times the output itself", "a sum of squares", z
    if loss.targets in ("binary", "one-hot"):
        p = sigmoid(z)
        yield ", times p (1 - p) (p = sigmoid(z))", "a sum of the p", p * (1 - p)
        yield ", times p p (1 - p) (p = sigmoid(z))", "a sum of the squares of the p", p**2 * (1 - p)
    if loss.targets in ("classes", "one-hot"):
        p = softmax(z)
        squares = (p**2).sum(axis=1, keepdims=True)
        yield ", times p (p - sum of p^2) (p = softmax(z))", "a sum of the squares of the p", p * (p - squares)
