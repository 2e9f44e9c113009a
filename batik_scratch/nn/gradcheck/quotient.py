"""Who checks the checker? Functions whose derivative is known in closed form."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .numeric import CENTRAL, central_difference, verdict
from .report import GradientReport

KNOWN: dict[str, tuple[Callable, Callable]] = {
    "3 x": (lambda x: 3 * x, lambda x: 3 + 0 * x),
    "x^2": (lambda x: x * x, lambda x: 2 * x),
    "exp(x)": (np.exp, np.exp),
    "sin(x)": (np.sin, np.cos),
    "1 / (2 + x)": (lambda x: 1 / (2 + x), lambda x: -1 / (2 + x) ** 2),
}


def check_quotient(
    quotient: Callable[[Callable[[float], Any], float], Any] = central_difference, eps: float = 1e-5
) -> GradientReport:
    """The quotient `quotient(f, eps) ~ f'(0)` on functions whose derivative is known, at 21 points of [-1, 1].

    One that divides by eps instead of 2 eps doubles every derivative; one-sided, it is off by eps f''/2.
    """
    points = np.linspace(-1, 1, 21)
    report = GradientReport("the checker itself")
    for name, (f, derivative) in KNOWN.items():
        measured = np.array([quotient(partial(_from, f, x), eps) for x in points])
        report.tensors.append(verdict(name, CENTRAL, derivative(points), measured, (21,), np.arange(21), 0, 1e-6))
    return report


def _from(f: Callable, x: float, step: float) -> Any:
    return f(x + step)
