"""What is wrong with a difference quotient: a factor, or a side."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...nn.gradcheck.quotient import check_quotient
from .claim import Diagnosis, Words

Quotient = Callable[[Callable[[float], Any], float], Any]


def diagnose_quotient(quotient: Quotient) -> list[Diagnosis]:
    """What is wrong with a difference quotient `quotient(f, eps) ~ f'(0)`; empty if nothing is."""
    wrong = check_quotient(quotient).wrong
    return [Diagnosis.told(wrong[0].name, _words(quotient))] if wrong else []


def _words(quotient: Quotient) -> Words:
    """A factor that is the same for every function, or an error that shrinks with eps instead of with its square."""

    def of_exp(x: float, eps: float) -> Any:
        return quotient(lambda step: np.exp(x + step), eps)

    ratios = [of_exp(x, 1e-4) / np.exp(x) for x in np.linspace(0.2, 1, 5)]
    if np.allclose(ratios, ratios[0], rtol=1e-4) and abs(ratios[0] - 1) > 1e-3:
        return f"""constant factor: Every numerical derivative is {ratios[0]:.6g} times the true one. From x - h to
            x + h it is 2 h: divide by that."""
    errors = [abs(of_exp(0.5, eps) - np.exp(0.5)) for eps in (1e-3, 1e-2)]
    if 5 < errors[1] / errors[0] < 20:
        return f"""one-sided difference: With ten times the step the error is {errors[1] / errors[0]:.1f} times as
            large, so it falls with h, not with h^2. Use both sides, (f(x + h) - f(x - h)) / 2h: the terms in h^2
            cancel."""
    return "unexplained: The quotient misses known derivatives, by no factor and no power of h."
