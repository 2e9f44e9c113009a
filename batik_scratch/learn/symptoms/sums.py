"""Sums over the wrong things: some axes, one image, one window, an edge left out, images mixed."""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from .checkup import ATOL, close, zero
from .claim import Claim, Words, place_of_largest

AXES = ("image", "row", "column", "channel")
WAYS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {  # what can be done along an axis
    "summed": lambda array, axis: array.sum(axis=axis),
    "cut to the first": lambda array, axis: array.take(0, axis=axis),
    "cut to the last": lambda array, axis: array.take(-1, axis=axis),
    "kept": lambda array, axis: array,
}


def bias_over_the_wrong_axes(claim: Claim) -> Iterator[Words]:
    """A parameter that is added to every output collects dy over all axes but its own; here it is over others."""
    true, dy = claim.true, claim.dy
    if claim.name == "dx" or true.ndim != 1 or not close(true, dy.sum(axis=tuple(range(dy.ndim - 1)))):
        return
    for ways in product(WAYS, repeat=dy.ndim):
        candidate = dy
        for axis in reversed(range(dy.ndim)):
            candidate = WAYS[ways[axis]](candidate, axis)
        if claim.is_(candidate):
            done = ", ".join(map(" ".join, zip(_axis_names(dy.ndim), ways, strict=True)))
            yield f"""bias summed over the wrong axes: The values come from dy {dy.shape} with {done}; the shape is
                {claim.given.shape}. The bias is added at every image and place, so its gradient is dy summed over all
                axes but the last: shape {true.shape}."""


def only_a_part(claim: Claim) -> Iterator[Words]:
    """One image, row, column or channel of dy instead of all; or all but an edge."""
    dy = claim.dy
    for axis, name in enumerate(_axis_names(dy.ndim)):
        for index in {0, dy.shape[axis] - 1}:
            part = _alone(dy, (*[slice(None)] * axis, index))
            which = f"{'first' if index == 0 else 'last'} {name}"
            if dy.shape[axis] > 1 and claim.is_of(part):
                yield f"""only one {name} counted: The gradient is that of the {which} of dy {dy.shape} alone. The
                    others are overwritten or never added: look for `=` where `+=` is needed, an index 0, or a loop
                    that returns too early."""
            if dy.shape[axis] > 2 and claim.is_of(dy - part):
                yield f"""edge left out: The gradient is right but for the {which} of dy {dy.shape}, which counts for
                    nothing. Look at the bounds of the loop: one too few."""


def only_one_place(claim: Claim) -> Iterator[Words]:
    """The first or the last output place of all images, instead of the sum over the places."""
    dy = claim.dy
    if dy.ndim != 4 or dy[0, ..., 0].size < 2:
        return
    for index, which in ((-1, "last"), (0, "first")):
        if claim.is_of(_alone(dy, (slice(None), index, index))):
            yield f"""only one place counted: The gradient is that of the {which} place of dy {dy.shape} alone. Every
                window adds its share: look for `=` where `+=` is needed inside the loop."""


def last_overlap(claim: Claim) -> Iterator[Words]:
    """Where windows overlap, the value is that of one window instead of the sum."""
    if claim.dy.ndim != 4:
        return
    places, f = int(np.prod(claim.dy.shape[:3])), claim.dy.shape[3]
    jacobian = claim.checkup.jacobian(claim.name)  # (N*OH*OW*F, T)
    if np.isnan(jacobian).any():
        return
    shares = (jacobian * claim.dy.reshape(-1, 1)).reshape(places, f, -1).sum(axis=1)  # (N*OH*OW, T)
    touches = (np.abs(jacobian) > ATOL).reshape(places, f, -1).any(axis=1)  # (N*OH*OW, T)
    several = int((touches.sum(axis=0) > 1).sum())
    last = places - 1 - touches[::-1].argmax(axis=0)  # (T,)
    for which, chosen in (("last", last), ("first", touches.argmax(axis=0))):
        alone = np.where(touches.any(axis=0), shares[chosen, np.arange(shares.shape[1])], 0)  # (T,)
        if several and claim.is_(alone.reshape(claim.given.shape)):
            yield f"""only the last overlap kept: {several} values belong to several windows, and each holds the share
                of the {which} window (in reading order) alone; values of one window are right. Use += where you write
                =, and np.add.at where you index by arrays."""


def added_to(claim: Claim) -> Iterator[Words]:
    """Backward of dy = 0 is not 0: something is added to dy, or to its product, and not multiplied by it."""
    rest = claim.checkup.backward(np.zeros_like(claim.dy))[claim.name]
    if rest is not None and rest.shape == claim.given.shape and np.isfinite(rest).all() and not zero(rest).all():
        yield f"""something added: With dy zero everywhere {claim.name} should be zero, and is up to
            {np.abs(rest).max():.4g} (at {place_of_largest(np.abs(rest))}). A backward pass multiplies dy by what
            forward knew, and adds up; it never adds anything else to it. Which term has no dy?"""


def images_mixed(claim: Claim) -> Iterator[Words]:
    """dx of one image depends on dy of another, although the images' outputs do not depend on each other."""
    if claim.name != "dx" or len(claim.dy) < 2:
        return
    only_first = _alone(claim.dy, 0)
    mixed = claim.checkup.backward(only_first)["dx"]
    if mixed is None or mixed.shape != claim.x.shape or not zero(claim.checkup.numeric("dx", only_first)[1:]).all():
        return
    if (leaked := np.abs(mixed[1:]).max()) > 1e-6:
        yield f"""images mixed: With dy zero for all images but the first, dx of the others reaches {leaked:.3g} and
            should be zero. A sum or mean runs over the batch axis (axis 0): did you mean axis=-1?"""


def _alone(dy: np.ndarray, index: int | tuple[int | slice, ...]) -> np.ndarray:
    """dy with zeros everywhere but at the index."""
    part = np.zeros_like(dy)
    part[index] = dy[index]
    return part


def _axis_names(ndim: int) -> tuple[str, ...]:
    return AXES if ndim == 4 else ("image", "unit") if ndim == 2 else tuple(f"entry of axis {a}" for a in range(ndim))
