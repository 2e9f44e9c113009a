"""Layers that go through a sequence (N, T, D) step by step: run again with one step, where nothing is carried on."""

from collections.abc import Iterator

import numpy as np

from ...nn.gradcheck.jacobian import jacobian
from ...nn.gradcheck.specimen import Failure
from .checkup import ATOL, Checkup, close, try_to_check_up, zero
from .claim import Claim, Words
from .matrices import pair_of

ENOUGH = 4
CARRIED = """must multiply by all that forward multiplied the carried state by (the weights, transposed; a forget or
    update gate; the slope of the activation), and add to what arrives there."""
BETWEEN_PLACES = """add up what all of them send back, by way of queries, keys and values alike, with every factor that
    forward has on that way."""


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


def share_of_another_step(claim: Claim) -> Iterator[Words]:
    """Each share that goes some steps back is the right one of another number of steps: a dilation, a turned kernel."""
    if claim.name != "dx" or claim.x.ndim < 3 or claim.y.ndim != claim.x.ndim or (pair := pair_of(claim)) is None:
        return
    for axis in range(1, claim.x.ndim - 1):
        claimed, true = (_by_lag(claim, matrix, axis) for matrix in pair)
        if claimed is None or true is None:
            continue
        origins = {lag: [other for other in true if close(block, true[other])] for lag, block in claimed.items()}
        if len(origins) < 2 or any(len(fitting) != 1 for fitting in origins.values()):
            continue
        goes = {fitting[0]: lag for lag, fitting in origins.items()}  # how far forward's share goes, and backward's
        if len(goes) == len(origins) and any(there != here for there, here in goes.items()):
            yield _told_of_steps(goes, axis, len(true) - len(goes))
            return


def _told_of_steps(goes: dict[int, int], axis: int, lost: int) -> Words:
    moved = {there: here for there, here in sorted(goes.items()) if there != here}
    if all(here == -there for there, here in moved.items()):
        return f"""kernel not flipped: Along axis {axis} the share of the output that stands k steps after an input
            goes to the input k steps after the output, so at k = {", ".join(map(str, moved))}. Forward slides a kernel,
            and backward slides the same one over dy: turn it there, first weight last."""
    told = ", ".join(f"that of {there} goes {here}" for there, here in moved.items())
    ratios = {there / here if here else 0.0 for there, here in moved.items()}
    factor = f", {1 / ratios.pop():.4g} times as far as it should" if len(ratios) == 1 and 0 not in ratios else ""
    more = f" {lost} more go nowhere." if lost else ""
    return f"""share of another step: Along axis {axis} every share is a right one, and goes the wrong number of steps
        back from the output to the input: {told}{factor}.{more} Take from dy, for each tap of the kernel, the very
        steps that forward took it with: the same dilation, stride and first index."""


def _by_lag(claim: Claim, matrix: np.ndarray, axis: int) -> dict[int, np.ndarray] | None:
    """{steps from an input to the output that it reaches: their block}, if it is the same wherever it stands."""
    length = claim.x.shape[axis]
    if length != claim.y.shape[axis] or length < ENOUGH:
        return None
    shares = matrix.reshape(*claim.y.shape, *claim.x.shape)
    shares = np.moveaxis(shares, (axis, claim.y.ndim + axis), (0, 1))  # (T of y, T of x, ...)
    found = {}
    for lag in range(1 - length, length):
        blocks = [shares[t + lag, t] for t in range(length) if 0 <= t + lag < length]
        if any(not close(block, blocks[0]) for block in blocks):
            return None
        if np.abs(blocks[0]).max() > ATOL:
            found[lag] = blocks[0]
    return found


def right_for_one_step(claim: Claim) -> Iterator[Words]:
    """Right in sequences of one step, or of two for what is not used in the first: what goes on to others is wrong."""
    one, count = of_steps(claim, 1), "one"
    if one is not None and zero(one.given).all():  # weights between the states: there is no state before the first step
        one, count = of_steps(claim, 2), "two"
    if one is None or zero(one.given).all() or not one.checkup.fits(one.name, one.given, one.checkup.dy):
        return
    steps = claim.checkup.case.input_shape[0]
    again = f"Wrong for sequences of {steps}, and right for {count}: the same layer was run again with {count}"
    if _all_places_alike(claim):
        yield f"""right for one place alone: {again}. Each place's own share is right; what passes between the places
            of a sequence, by scores or a mean over them, is wrong. Each y depends on every x: {BETWEEN_PLACES}"""
    elif _has_steps(claim) or _carries_y(claim):
        yield f"""right for one step alone: {again}. So each step's own share is right, and what backward hands from a
            step to the one before it is wrong. It {CARRIED}"""
    else:
        yield f"""right for one step alone: {again}. So what comes of one place by itself is right, and what passes from
            one to another is wrong. If forward carries a state from step to step, what backward hands on {CARRIED} If
            it weighs all places at once, {BETWEEN_PLACES}"""


def _all_places_alike(claim: Claim) -> bool:
    """True if an output of one place depends on the input of a later one, or y has no places and no order matters."""
    checkup = claim.checkup
    true = checkup.jacobian("dx")
    if _has_steps(claim):
        of_y, of_x = (np.indices(shape)[1].reshape(-1) for shape in (claim.y.shape, claim.x.shape))
        return bool((np.abs(true) > ATOL)[of_y[:, None] < of_x[None, :]].any())
    return close(checkup.specimen.forward(np.ascontiguousarray(claim.x[:, ::-1])), claim.y)


def _has_steps(claim: Claim) -> bool:
    return claim.y.ndim == 3 and claim.y.shape[1] == claim.x.shape[1]


def _carries_y(claim: Claim) -> bool:
    """True if y is a state: all that the steps before the last one do to it, they do by way of y one step earlier."""
    checkup, before = claim.checkup, np.ascontiguousarray(claim.x[:, :-1])
    try:
        if checkup.specimen.forward(before).shape != claim.y.shape:
            return False
        earlier = jacobian(lambda: checkup.specimen.forward(before), before)
    except Failure:
        return False
    n, steps, width = claim.x.shape
    of_both = (
        checkup.jacobian("dx").reshape(n, -1, n, steps * width)[..., : (steps - 1) * width],
        earlier.reshape(n, -1, n, (steps - 1) * width),
    )
    for image in range(n):
        now, then = (matrix[image, :, image] for matrix in of_both)  # (H, (T - 1) D)
        handed_on = np.linalg.lstsq(then.T, now.T, rcond=1e-9)[0].T
        if now.shape[1] <= now.shape[0] or not close(handed_on @ then, now, 10.0):
            return False
    return True


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
