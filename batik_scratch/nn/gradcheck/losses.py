"""check_loss: the gradient that starts every backward pass."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import InputError
from .methods import analytic_rows
from .numeric import at_places
from .report import GradientReport, broken_promise

TARGETS = ("classes", "one-hot", "binary", "numbers")


def check_loss(
    loss: Callable[[np.ndarray, np.ndarray], tuple[Any, np.ndarray]],
    n: int = 5,
    classes: int = 4,
    seed: int = 0,
    probabilities: bool = False,
    targets: str = "classes",
) -> GradientReport:
    """Differences of `value, gradient = loss(outputs, y)`, outputs (n, classes).

    probabilities    draw outputs whose rows add up to one; one place is moved at a time, so a loss on probabilities
                     must take rows that add up to something else
    targets          what y is: "classes" (n,) whole numbers; "one-hot" (n, classes); "binary" (n, classes) zeros and
                     ones, as a binary cross-entropy takes them; "numbers" (n, classes) N(0, 1), as a squared error does

    A loss on logits that takes complex ones is checked by the complex step as well.
    """
    rng = np.random.default_rng(seed)
    outputs = rng.standard_normal((n, classes))
    if probabilities:
        outputs = as_probabilities(outputs)
    y = draw_targets(n, classes, rng, targets)
    before = outputs.copy()
    loss(before[:, ::-1].copy(), y)  # an earlier batch, to be forgotten
    _, gradient = loss(outputs, y)
    report = GradientReport(f"loss ({n}, {classes})")
    tensors = [before] if probabilities else [before, before.astype(complex)]
    rows = []
    for tensor in tensors:

        def value(tensor: np.ndarray = tensor) -> np.ndarray:
            return np.asarray(loss(tensor.copy(), y)[0])

        if _stays(value, tensor):
            rows.append(at_places("doutputs", tensor, gradient, value, 1.0, rng))
    report.tensors = rows[:1] + analytic_rows(rows[1:], rows[:1])  # `abs` goes on into no complex number
    if not np.array_equal(outputs, before):
        report.tensors.append(broken_promise("outputs", "was changed", outputs, before))
    return report


def as_probabilities(outputs: np.ndarray) -> np.ndarray:
    """The softmax of outputs (N, U); of one class alone, the sigmoid."""
    powers = np.exp(outputs)
    return powers / (powers.sum(axis=1, keepdims=True) if outputs.shape[1] > 1 else 1 + powers)


def draw_targets(n: int, classes: int, rng: np.random.Generator, targets: str) -> np.ndarray:
    """The y of one of TARGETS; InputError for another word."""
    if targets not in TARGETS:
        raise InputError(f"targets: is one of {', '.join(TARGETS)}, got {targets!r}")
    if targets == "numbers":
        return rng.standard_normal((n, classes))
    if targets == "binary":
        return rng.integers(0, 2, (n, classes)).astype(float)
    y = rng.integers(0, classes, n)
    return y if targets == "classes" else np.eye(classes)[y]


def _stays(value: Callable[[], np.ndarray], tensor: np.ndarray) -> bool:
    """True if the loss' value keeps the dtype; a loss that takes no complex numbers is checked by differences alone."""
    try:
        with np.errstate(all="ignore"):
            return value().dtype == tensor.dtype
    except (TypeError, ValueError):
        if tensor.dtype.kind == "c":
            return False
        raise
