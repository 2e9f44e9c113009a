"""Elementwise layers that take a value for a derivative, or the input for the output of a well-known formula."""

import numpy as np

from .diagnosis import Diagnosis, close
from .run import Run

FORMULAS = (
    ("y (1 - y)", lambda v: v * (1 - v)),  # sigmoid
    ("1 - y^2", lambda v: 1 - v**2),  # tanh
    ("y", lambda v: v),  # exp
)


def input_for_output(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The derivative is a formula of y, such as y (1 - y), and x was put into it."""
    if not _elementwise(run, name, given):
        return None
    for words, formula in FORMULAS:
        if close(run.numeric(name), run.dy * formula(run.y)) and close(given, run.dy * formula(run.x)):
            there = words.replace("y", "x")
            return Diagnosis(
                "input for output",
                name,
                f"dx is dy times {there}, at all {given.size} places; it should be dy times {words}. The formula is written "
                "in terms of forward's output: keep y in forward, not x.",
            )
    return None


def value_for_derivative(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """dy times the value itself, where it should be dy times the slope there."""
    if not _elementwise(run, name, given):
        return None
    for word, value in (("x, the input", run.x), ("y, the output", run.y)):
        if close(given, run.dy * value):
            return Diagnosis(
                "value for derivative",
                name,
                f"dx is dy times {word}, at all {given.size} places. Multiply dy by forward's derivative, not by a value: for "
                "a gate that is 1 where x > 0 and 0 elsewhere.",
            )
    return None


def _elementwise(run: Run, name: str, given: np.ndarray) -> bool:
    return name == "dx" and given.shape == run.y.shape == run.x.shape
