"""Right values in the wrong places: transposed, reshaped with the axes mixed up, mirrored, shifted, not cut off."""

from collections.abc import Iterable
from itertools import combinations, permutations, product

import numpy as np

from .diagnosis import Diagnosis, close
from .run import Run


def transposed(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The true gradient with its axes in another order."""
    numeric = run.numeric(name)
    for order in permutations(range(numeric.ndim)):
        if order != tuple(range(numeric.ndim)) and close(given, numeric.transpose(order)):
            return Diagnosis(
                "transposed",
                name,
                f"Every value is right, but the axes come in the order {order}: the shape is {given.shape}, and it should be "
                f"{numeric.shape} with index [{', '.join('ijklm'[: numeric.ndim])}] meaning the same place as in the tensor. "
                "Swap the factors of the product, or transpose the result.",
            )
    return None


def reshape_missing(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The true gradient, in its own order, in another shape."""
    numeric = run.numeric(name)
    if given.shape == numeric.shape or not close(given.reshape(-1), numeric.reshape(-1)):
        return None
    return Diagnosis(
        "wrong shape",
        name,
        f"Every value is right, but the shape is {given.shape} and should be {numeric.shape}: a reshape is missing.",
    )


def axes_mixed_up(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The true gradient, reshaped in an order that is not its own."""
    numeric = run.numeric(name)
    if numeric.ndim < 2 or given.size != numeric.size:
        return None
    axes = range(numeric.ndim)
    for order in permutations(axes):
        mixed = numeric.transpose(order)
        shape = tuple(given.shape)
        inverse = np.argsort(order)
        wrong_reshape = numeric.reshape(mixed.shape).transpose(inverse)  # rows taken for columns, then turned back
        for candidate in (mixed.reshape(shape), wrong_reshape, _by_columns(numeric, shape)):
            if candidate.shape == shape and close(given, candidate):
                return Diagnosis(
                    "axes mixed up",
                    name,
                    f"The values are the right ones in the wrong places: an array of shape {numeric.shape} was reshaped as "
                    "if its axes had another order (height for width, or channels first). Reshape in the order in which "
                    "forward laid the values out, then transpose.",
                )
    return None


def shifted(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The true gradient, one place further along an axis."""
    numeric = run.numeric(name)
    if given.shape != numeric.shape:
        return None
    for steps in _steps(numeric.shape):
        there, here = _overlap(steps)
        if close(given[there], numeric[here]) and np.abs(given[there]).max() > 1e-7:
            moved = ", ".join(f"{step:+d} along axis {axis}" for axis, step in enumerate(steps) if step)
            return Diagnosis(
                "shifted by one",
                name,
                f"Every value is right, but stands one place beside its own: {moved}. Look at the padding, or at the first "
                "index of the slice that writes it.",
            )
    return None


def mirrored(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The true gradient, read backwards along some axes."""
    numeric = run.numeric(name)
    if given.shape != numeric.shape:
        return None
    for axes in subsets(range(numeric.ndim)):
        if close(given, np.flip(numeric, axes)):
            return Diagnosis(
                "mirrored",
                name,
                f"Every value is right, but the order is reversed along axes {axes}. Look for a [::-1] too many, or for a "
                "kernel that was flipped where its gradient was taken.",
            )
    return None


def padding_not_cut_off(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The gradient of the padded input: larger than the input, and right inside."""
    numeric = run.numeric(name)
    if given.ndim != numeric.ndim or given.shape == numeric.shape:
        return None
    room = [big - small for big, small in zip(given.shape, numeric.shape, strict=True)]
    if min(room) < 0 or max(room) > 8:
        return None
    for start in np.ndindex(*(space + 1 for space in room)):
        inside = tuple(slice(a, a + size) for a, size in zip(start, numeric.shape, strict=True))
        if close(given[inside], numeric):
            return Diagnosis(
                "padding not cut off",
                name,
                f"The shape is {given.shape}; the input's is {numeric.shape}, and the part that starts at {start} is right. "
                "Forward padded its input: cut the same border off the gradient.",
            )
    return None


def wrong_shape(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """A shape that nothing above explains."""
    shape = run.numeric(name).shape
    if given.shape == shape:
        return None
    return Diagnosis(
        "wrong shape",
        name,
        f"The gradient has shape {given.shape}; it must have the shape of what it belongs to, {shape}: one number per number.",
    )


def _steps(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All moves by one place along one or more axes, the fewest axes first; an axis of two or less cannot tell."""
    ways = [(0, 1, -1) if size > 2 else (0,) for size in shape]
    return sorted((steps for steps in product(*ways) if any(steps)), key=np.count_nonzero)


def _overlap(steps: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Index of what was moved by `steps`, and of where it came from."""
    later, earlier, all_ = slice(1, None), slice(None, -1), slice(None)
    there = tuple({0: all_, 1: later, -1: earlier}[step] for step in steps)
    here = tuple({0: all_, 1: earlier, -1: later}[step] for step in steps)
    return there, here


def subsets(axes: Iterable[int]) -> list[tuple[int, ...]]:
    """All choices of one or more of the axes."""
    axes = tuple(axes)
    return [chosen for count in range(1, len(axes) + 1) for chosen in combinations(axes, count)]


def _by_columns(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Each image's values laid out in the other memory order."""
    if len(shape) < 2 or array.shape[0] != shape[0]:
        return array.reshape(shape)
    rows = [np.reshape(one.reshape(-1), shape[1:], order="F") for one in array]
    return np.stack(rows) if rows else array.reshape(shape)
