"""Elementwise layers that take a value for a derivative, or the input for the output of a well-known formula."""

from collections.abc import Iterator

from .claim import Claim, Words
from .diagnosis import close

FORMULAS = (
    ("y (1 - y)", lambda v: v * (1 - v)),  # sigmoid
    ("1 - y^2", lambda v: 1 - v**2),  # tanh
    ("y", lambda v: v),  # exp
)


def input_for_output(claim: Claim) -> Iterator[Words]:
    """The derivative is a formula of y, such as y (1 - y), and x was put into it."""
    for words, formula in FORMULAS if claim.elementwise else ():
        if close(claim.true, claim.dy * formula(claim.y)) and claim.is_(claim.dy * formula(claim.x)):
            yield f"""input for output: dx is dy times {words.replace("y", "x")}, at all {claim.given.size} places; it
                should be dy times {words}. The formula is written in terms of forward's output: keep y in forward, not
                x."""


def value_for_derivative(claim: Claim) -> Iterator[Words]:
    """dy times the value itself, where it should be dy times the slope there."""
    for word, value in (("x, the input", claim.x), ("y, the output", claim.y)):
        if claim.elementwise and claim.is_(claim.dy * value):
            yield f"""value for derivative: dx is dy times {word}, at all {claim.given.size} places. Multiply dy by
                forward's derivative, not by a value: for a gate that is 1 where x > 0 and 0 elsewhere."""
