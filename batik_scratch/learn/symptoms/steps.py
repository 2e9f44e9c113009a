"""Layers that go through a sequence (N, T, D) step by step: run again with one step, where nothing is carried on."""

from collections.abc import Iterator

import numpy as np

from .checkup import ATOL, Checkup, close, try_to_check_up, zero
from .claim import Claim, Words


def of_steps(claim: Claim, count: int) -> Claim | None:
    """The same claim for sequences of so few steps; None if the layer has no sequences, or refuses so short ones."""
    case = claim.checkup.case
    if len(case.input_shape) != 2 or case.input_shape[0] <= count:
        return None
    other = try_to_check_up(case.changed(input_shape=(count, case.input_shape[1]), x=None, params={}))
    given = None if other is None else other.analytic.get(claim.name)
    if other is None or given is None or given.shape != other.numeric(claim.name).shape:
        return None
    return Claim(other, claim.name, given)


def state_of_the_same_step(claim: Claim) -> Iterator[Words]:
    """The gradient of the weights between the states uses the state after the step, not the one before it.

    In the first step the state before is zero, and so is this gradient: what is there instead gives itself away.
    """
    if claim.name == "dx" or claim.given.ndim != 2 or (one := of_steps(claim, 1)) is None:
        return
    rows = _rows_by_the_state(one.checkup, claim.name)
    if rows is not None:
        first, last = rows
        yield f"""state of the same step: With one step alone {claim.name}[{first}:{last}] multiplies a state of
            zeros, so its gradient is zero; here it is made of y itself, the state after the step. Each step's share is
            the state that forward multiplied there, h[t-1], times the gradient that arrives at step t: keep the states
            with the first one before them, and take the index one lower."""


def right_for_one_step(claim: Claim) -> Iterator[Words]:
    """Right in sequences of one step, or of two for what is not used in the first: what goes on to others is wrong."""
    one, count = of_steps(claim, 1), "one"
    if one is not None and zero(one.given).all():  # weights between the states: there is no state before the first step
        one, count = of_steps(claim, 2), "two"
    if one is None or zero(one.given).all() or not one.checkup.fits(one.name, one.given, one.checkup.dy):
        return
    steps = claim.checkup.case.input_shape[0]
    again = f"Wrong for sequences of {steps}, and right for {count}: the same layer was run again with {count}"
    if _sees_later_steps(claim):
        yield f"""right for one place alone: {again}. Each place's own share is right; what passes between the places
            of a sequence, by scores or a mean over them, is wrong. Each y depends on every x: add up what all of them
            send back, by way of queries, keys and values alike, with every factor that forward has on that way."""
    else:
        yield f"""right for one step alone: {again}. So each step's own share is right, and what backward hands from a
            step to the one before it is wrong. It must multiply by all that forward multiplied the carried state by
            (the weights, transposed; a forget or update gate; the slope of the activation), and add to what arrives
            there."""


def _sees_later_steps(claim: Claim) -> bool:
    """True if an output of one place of the sequence depends on the input of a later one."""
    true = claim.checkup.jacobian("dx")
    if claim.y.ndim != 3 or claim.y.shape[1] != claim.x.shape[1] or np.isnan(true).any():
        return False
    of_y, of_x = (np.indices(shape)[1].reshape(-1) for shape in (claim.y.shape, claim.x.shape))
    return bool((np.abs(true) > ATOL)[of_y[:, None] < of_x[None, :]].any())


def _rows_by_the_state(one: Checkup, name: str) -> tuple[int, int] | None:
    """Which rows of the matrix are claimed to have y as their input, and should have nothing."""
    claimed, true = one.claimed(name), one.jacobian(name)
    n = len(one.y)
    y = one.y.reshape(n, -1)  # (N, H)
    shape = one.params[name].shape
    if claimed is None or claimed.shape != true.shape or np.isnan(true).any() or y.shape[1] > shape[0]:
        return None
    shares = claimed.reshape(n, y.shape[1], *shape)  # (N, H, rows, columns)
    untouched = np.flatnonzero((np.abs(true).reshape(-1, *shape) <= ATOL).all(axis=(0, 2)))
    if len(untouched) != y.shape[1] or untouched[-1] - untouched[0] + 1 != len(untouched):
        return None
    inner = shares[:, :, untouched] / y[:, None, :, None]  # the same for each row, if y is what it was multiplied by
    if zero(inner).all() or not close(inner, np.broadcast_to(inner[:, :, :1], inner.shape)):
        return None
    return int(untouched[0]), int(untouched[-1]) + 1
