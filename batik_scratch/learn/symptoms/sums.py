"""Sums over the wrong things: some axes, one image, one window, an edge left out, images mixed."""

from itertools import product

import numpy as np

from .diagnosis import ATOL, Diagnosis, close, zero
from .run import Run

AXES = ("image", "row", "column", "channel")


def bias_over_the_wrong_axes(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """A parameter that is added to every output collects dy over all axes but its own; here it is over others."""
    numeric, dy = run.numeric(name), run.dy
    if name == "dx" or numeric.ndim != 1 or not close(numeric, dy.sum(axis=tuple(range(dy.ndim - 1)))):
        return None
    names = _axis_names(dy.ndim)
    for ways in product(("sum", "first", "last", "keep"), repeat=dy.ndim):
        candidate = dy
        for axis in reversed(range(dy.ndim)):
            candidate = _reduced(candidate, axis, ways[axis])
        if candidate.shape == given.shape and close(given, candidate):
            done = ", ".join(f"{names[axis]} {WORDS[way]}" for axis, way in enumerate(ways))
            return Diagnosis(
                "bias summed over the wrong axes",
                name,
                f"The values come from dy {dy.shape} with {done}; the shape is {given.shape}. The bias is added at every "
                f"image and place, so its gradient is dy summed over all axes but the last: shape {numeric.shape}.",
            )
    return None


def only_a_part(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """One image, row, column or channel of dy instead of all; or all but an edge."""
    if given.shape != run.numeric(name).shape:
        return None
    names = _axis_names(run.dy.ndim)
    for axis in range(run.dy.ndim):
        for index in {0, run.dy.shape[axis] - 1}:
            part = np.zeros_like(run.dy)
            here = (*[slice(None)] * axis, index)
            part[here] = run.dy[here]
            which = f"{'first' if index == 0 else 'last'} {names[axis]}"
            if run.dy.shape[axis] > 1 and close(given, run.numeric(name, part)):
                return Diagnosis(
                    f"only one {names[axis]} counted",
                    name,
                    f"The gradient is that of the {which} of dy {run.dy.shape} alone. The others are overwritten or never "
                    "added: look for `=` where `+=` is needed, an index 0, or a loop that returns too early.",
                )
            if run.dy.shape[axis] > 2 and close(given, run.numeric(name, run.dy - part)):
                return Diagnosis(
                    "edge left out",
                    name,
                    f"The gradient is right but for the {which} of dy {run.dy.shape}, which counts for nothing. Look at the "
                    "bounds of the loop: one too few.",
                )
    return None


def only_one_place(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The first or the last output place of all images, instead of the sum over the places."""
    if run.dy.ndim != 4 or run.dy[0, ..., 0].size < 2:
        return None
    for index in (-1, 0):
        part = np.zeros_like(run.dy)
        part[:, index, index] = run.dy[:, index, index]
        if close(given, run.numeric(name, part)):
            return Diagnosis(
                "only one place counted",
                name,
                f"The gradient is that of the {'last' if index else 'first'} place of dy {run.dy.shape} alone. Every window "
                "adds its share: look for `=` where `+=` is needed inside the loop.",
            )
    return None


def last_overlap(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Where windows overlap, the value is that of one window instead of the sum."""
    if run.dy.ndim != 4 or given.shape != run.numeric(name).shape:
        return None
    n, oh, ow, f = run.dy.shape
    jacobian = run.jacobian(name)  # (N*OH*OW*F, T)
    if np.isnan(jacobian).any():
        return None
    shares = (jacobian * run.dy.reshape(-1, 1)).reshape(n * oh * ow, f, -1).sum(axis=1)  # (N*OH*OW, T)
    touches = (np.abs(jacobian) > ATOL).reshape(n * oh * ow, f, -1).any(axis=1)
    several = int((touches.sum(axis=0) > 1).sum())
    columns = np.arange(shares.shape[1])
    last = len(shares) - 1 - touches[::-1].argmax(axis=0)  # (T,)
    for which, chosen in (("last", last), ("first", touches.argmax(axis=0))):
        alone = np.where(touches.any(axis=0), shares[chosen, columns], 0).reshape(given.shape)
        if several and close(given, alone):
            return Diagnosis(
                "only the last overlap kept",
                name,
                f"{several} values belong to several windows, and each holds the share of the {which} window (in reading "
                "order) alone; values of one window are right. Use += where you write =, and np.add.at where you index by "
                "arrays.",
            )
    return None


def added_to(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Backward of dy = 0 is not 0: something is added to dy, or to its product, where all that is allowed multiplies it."""
    rest = run.backward(np.zeros_like(run.dy))[name]
    if rest is None or rest.shape != given.shape or not np.isfinite(rest).all() or zero(rest).all():
        return None
    place = tuple(int(i) for i in np.unravel_index(int(np.abs(rest).argmax()), rest.shape))
    return Diagnosis(
        "something added",
        name,
        f"With dy zero everywhere {name} should be zero, and is up to {np.abs(rest).max():.4g} (at {place}). A backward pass "
        "multiplies dy by what forward knew, and adds up; it never adds anything else to it. Which term has no dy?",
    )


def images_mixed(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """dx of one image depends on dy of another, although the images' outputs do not depend on each other."""
    if name != "dx" or len(run.dy) < 2:
        return None
    only_first = np.zeros_like(run.dy)
    only_first[0] = run.dy[0]
    mixed = run.backward(only_first)[name]
    if mixed is None or mixed.shape != run.x.shape or not zero(run.numeric(name, only_first)[1:]).all():
        return None
    leaked = np.abs(mixed[1:]).max()
    if not leaked > 1e-6:
        return None
    return Diagnosis(
        "images mixed",
        name,
        f"With dy zero for all images but the first, dx of the others reaches {leaked:.3g} and should be zero. A sum or mean "
        "runs over the batch axis (axis 0): did you mean axis=-1?",
    )


WORDS = {"sum": "summed", "first": "cut to the first", "last": "cut to the last", "keep": "kept"}


def _reduced(array: np.ndarray, axis: int, way: str) -> np.ndarray:
    if way == "sum":
        return array.sum(axis=axis)
    return array if way == "keep" else array.take(0 if way == "first" else -1, axis=axis)


def _axis_names(ndim: int) -> tuple[str, ...]:
    return AXES if ndim == 4 else ("image", "unit") if ndim == 2 else tuple(f"entry of axis {a}" for a in range(ndim))
