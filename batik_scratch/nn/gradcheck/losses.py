"""check_loss: the gradient that starts every backward pass."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .numeric import at_places
from .report import GradientReport, broken_promise


def check_loss(
    loss: Callable[[np.ndarray, np.ndarray], tuple[Any, np.ndarray]],
    n: int = 5,
    classes: int = 4,
    seed: int = 0,
    probabilities: bool = False,
) -> GradientReport:
    """Differences of `value, gradient = loss(outputs, y)`; `probabilities` draws outputs whose rows add up to one.

    One place is moved at a time, so a loss on probabilities must take rows that add up to something else.
    A loss on logits that takes complex ones is checked by the complex step as well.
    """
    rng = np.random.default_rng(seed)
    outputs = rng.standard_normal((n, classes))
    if probabilities:
        outputs = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    y = rng.integers(0, classes, n)
    before = outputs.copy()
    loss(before[:, ::-1].copy(), y)  # an earlier batch, to be forgotten
    _, gradient = loss(outputs, y)
    report = GradientReport(f"loss ({n}, {classes})")
    tensors = [before] if probabilities else [before, before.astype(complex)]
    for tensor in tensors:

        def value(tensor: np.ndarray = tensor) -> np.ndarray:
            return np.asarray(loss(tensor.copy(), y)[0])

        if value().dtype == tensor.dtype:
            report.tensors.append(at_places("doutputs", tensor, gradient, value, 1.0, rng))
    if not np.array_equal(outputs, before):
        report.tensors.append(broken_promise("outputs", "was changed", outputs, before))
    return report
