"""Where each y depends on its own x alone: the formula that backward uses, and the one that it should use.

Both are looked for among sums of one or two terms of a small dictionary, with exact float64 data at every place.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from scipy.special import ndtr

from .checkup import zero
from .claim import Claim, Words

MOST_PLACES = 200  # more make a fit no surer
FIT = 2e-7  # of the largest value
ROUND = 1e-5  # a coefficient this near a number of few digits is that number
LARGEST_COEFFICIENT = 50
OF_PRODUCTS = (  # of three
    "1", "x", "y", "x^2", "y^2", "x y", "y/x", "y^2/x", "sigmoid(x)", "sigmoid(x)^2", "x sigmoid(x)", "y sigmoid(x)",
    "tanh(x)", "tanh(x)^2", "x tanh(x)^2", "y tanh(x)", "x sigmoid(x)^2", "Phi(x)", "phi(x)", "x phi(x)", "x Phi(x)",
)  # fmt: skip


def another_formula(claim: Claim) -> Iterator[Words]:
    """What dy is multiplied by, and the derivative, as formulas of x and y."""
    if not claim.elementwise or np.isnan(claim.true).any():
        return
    jacobian = claim.checkup.jacobian("dx")
    slopes = np.diagonal(jacobian)
    if not zero(jacobian - np.diag(slopes)).all():
        return
    sure = np.flatnonzero(np.abs(claim.dy.reshape(-1)) > 1e-2)[:MOST_PLACES]
    x, y = claim.x.reshape(-1)[sure], claim.y.reshape(-1)[sure]
    claimed = claim.given.reshape(-1)[sure] / claim.dy.reshape(-1)[sure]
    used, right = formula(claimed, x, y), formula(slopes[sure], x, y)
    if used is None:
        return
    truth = f"the derivative of forward is {right}" if right else "the derivative of forward is another one"
    yield f"""another formula: dx is dy times {used}, at all {len(sure)} places compared, and {truth}. Differentiate
        forward's formula once more, by the chain rule, term by term."""


def formula(values: np.ndarray, x: np.ndarray, y: np.ndarray) -> str | None:
    """`values` (P,) as a sum of one or two terms in x and y, in words; None if there is none, or P is below 8."""
    if len(values) < 8 or not np.isfinite(values).all():
        return None
    with np.errstate(all="ignore"):
        terms = {word: column for word, column in _dictionary(x, y).items() if np.isfinite(column).all()}
    for count in (1, 2, 3):
        for words in combinations(terms if count < 3 else [word for word in OF_PRODUCTS if word in terms], count):
            columns = np.stack([terms[word] for word in words], axis=1)  # (P, count)
            coefficients = np.linalg.lstsq(columns, values, rcond=None)[0]
            off = np.abs(columns @ coefficients - values).max()
            if off <= FIT * np.abs(values).max() and all(map(_few_digits, coefficients)):
                return _sum(words, coefficients)
    return None


def _dictionary(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    s, t = 1 / (1 + np.exp(-x)), np.tanh(x)
    u = np.tanh(np.log1p(np.exp(x)))
    return {
        "1": np.ones_like(x), "x": x, "y": y, "x^2": x**2, "y^2": y**2, "x y": x * y, "sigmoid(x)": s,
        "tanh(x)": t, "exp(x)": np.exp(x), "exp(-x)": np.exp(-x), "sigmoid(x)^2": s**2, "tanh(x)^2": t**2,
        "x sigmoid(x)": x * s, "sin(x)": np.sin(x), "cos(x)": np.cos(x), "1/x": 1 / x, "1/y": 1 / y,
        "1/(1 + x^2)": 1 / (1 + x**2), "x exp(-x^2)": x * np.exp(-(x**2)), "exp(-x^2)": np.exp(-(x**2)),
        "y/x": y / x, "y (1 - sigmoid(x))": y * (1 - s), "1/(1 + |x|)": 1 / (1 + np.abs(x)),
        "1/(1 + |x|)^2": 1 / (1 + np.abs(x)) ** 2, "sqrt(|x|)": np.sqrt(np.abs(x)), "sign(x)": np.sign(x),
        "y sigmoid(x)": y * s, "x sigmoid(x)^2": x * s**2, "s (1 - s), s = sigmoid(x)": s * (1 - s),
        "x s (1 - s), s = sigmoid(x)": x * s * (1 - s), "y (1 - y)": y * (1 - y), "x tanh(x)": x * t,
        "x tanh(x)^2": x * t**2, "y tanh(x)": y * t, "softplus(x)": np.log1p(np.exp(x)), "Phi(x)": ndtr(x),
        "phi(x)": np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), "x phi(x)": x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
        "x Phi(x)": x * ndtr(x), "tanh(softplus(x))": u, "x s (1 - u^2), u = tanh(softplus(x))": x * s * (1 - u**2),
        "1 - u^2, u = tanh(softplus(x))": 1 - u**2, "x (1 - u^2), u = tanh(softplus(x))": x * (1 - u**2),
        "s (1 - u^2), u = tanh(softplus(x))": s * (1 - u**2), "log|x|": np.log(np.abs(x)),
        "x^3": x**3, "y^2/x": y**2 / x, "exp(-x^2/2)": np.exp(-(x**2) / 2),
    }  # fmt: skip


def _few_digits(value: float) -> bool:
    """A number that somebody would write: not nearly 0, not huge, and at most three digits after the point."""
    return 1e-3 <= abs(value) <= LARGEST_COEFFICIENT and abs(value * 1000 - round(value * 1000)) < 1000 * ROUND


def _sum(words: tuple[str, ...], coefficients: np.ndarray) -> str:
    said = ""
    for word, value in zip(words, coefficients, strict=True):
        size = f"{abs(round(float(value), 3)):g}"
        term = size if word == "1" else word if size == "1" else f"{size} {word}"
        sign = "-" if value < 0 else "+"
        said += f" {sign} {term}" if said else f"{'-' if value < 0 else ''}{term}"
    return f"({said})" if len(words) > 1 else said
