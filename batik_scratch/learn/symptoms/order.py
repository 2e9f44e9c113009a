"""Right values in the wrong places: transposed, reshaped with the axes mixed up, mirrored, shifted, not cut off."""

from collections.abc import Iterable, Iterator
from itertools import combinations, permutations, product

import numpy as np

from .checkup import close
from .claim import Claim, Words


def transposed(claim: Claim) -> Iterator[Words]:
    """The true gradient with its axes in another order."""
    true = claim.true
    for order in permutations(range(true.ndim)):
        if order != tuple(range(true.ndim)) and claim.is_(true.transpose(order)):
            yield f"""transposed: Every value is right, but the axes come in the order {order}: the shape is
                {claim.given.shape}, and it should be {true.shape} with index [{", ".join("ijklm"[: true.ndim])}]
                meaning the same place as in the tensor. Swap the factors of the product, or transpose the result."""


def reshape_missing(claim: Claim) -> Iterator[Words]:
    """The true gradient, in its own order, in another shape."""
    if close(claim.given.reshape(-1), claim.true.reshape(-1)):
        yield f"""wrong shape: Every value is right, but the shape is {claim.given.shape} and should be
            {claim.true.shape}: a reshape is missing."""


def axes_mixed_up(claim: Claim) -> Iterator[Words]:
    """The true gradient, reshaped in an order that is not its own."""
    true, shape = claim.true, claim.given.shape
    if true.ndim < 2 or claim.given.size != true.size:
        return
    for order in permutations(range(true.ndim)):
        mixed = true.transpose(order)
        wrong_reshape = true.reshape(mixed.shape).transpose(np.argsort(order))  # rows for columns, then turned back
        if any(map(claim.is_, (mixed.reshape(shape), wrong_reshape, _by_columns(true, shape)))):
            yield f"""axes mixed up: The values are the right ones in the wrong places: an array of shape {true.shape}
                was reshaped as if its axes had another order (height for width, or channels first). Reshape in the
                order in which forward laid the values out, then transpose."""


def shifted(claim: Claim) -> Iterator[Words]:
    """The true gradient, one place further along an axis."""
    for steps in _steps(claim.true.shape):
        there, here = _overlap(steps)
        if close(claim.given[there], claim.true[here]) and np.abs(claim.given[there]).max() > 1e-7:
            moved = ", ".join(f"{step:+d} along axis {axis}" for axis, step in enumerate(steps) if step)
            yield f"""shifted by one: Every value is right, but stands one place beside its own: {moved}. Look at the
                padding, or at the first index of the slice that writes it."""


def mirrored(claim: Claim) -> Iterator[Words]:
    """The true gradient, read backwards along some axes."""
    for axes in subsets(range(claim.true.ndim)):
        if claim.is_(np.flip(claim.true, axes)):
            yield f"""mirrored: Every value is right, but the order is reversed along axes {axes}. Look for a [::-1]
                too many, or for a kernel that was flipped where its gradient was taken."""


def padding_not_cut_off(claim: Claim) -> Iterator[Words]:
    """The gradient of the padded input: larger than the input, and right inside."""
    given, true = claim.given, claim.true
    if given.ndim != true.ndim:
        return
    room = [big - small for big, small in zip(given.shape, true.shape, strict=True)]
    if min(room) < 0 or max(room) > 8:
        return
    for start in np.ndindex(*(space + 1 for space in room)):
        if close(given[tuple(slice(a, a + size) for a, size in zip(start, true.shape, strict=True))], true):
            yield f"""padding not cut off: The shape is {given.shape}; the input's is {true.shape}, and the part that
                starts at {start} is right. Forward padded its input: cut the same border off the gradient."""


def nothing_left(claim: Claim) -> Iterator[Words]:
    """An axis of length 0: a border of width 0 was cut off by [p:-p]."""
    given, true = claim.given, claim.true
    if given.ndim == true.ndim and not given.size and true.size:
        yield f"""nothing left: The gradient has shape {given.shape}, in which nothing is left; it must have
            {true.shape}. A border of width p = 0 that is cut off by [p:-p] takes everything with it, because -0 is
            0. Write [p:p + H], with the length H of the input, or cut only if p > 0."""


def kept_along_an_axis(claim: Claim) -> Iterator[Words]:
    """The gradient summed along an axis that the tensor has no length along is the right one."""
    given, true = claim.given, claim.true
    if claim.name == "dx" or given.ndim != true.ndim:
        return
    for axes in subsets(axis for axis in range(true.ndim) if true.shape[axis] == 1 < given.shape[axis]):
        if close(given.sum(axis=axes, keepdims=True), true):
            images = ", once to each image" if any(given.shape[axis] == claim.checkup.case.n for axis in axes) else ""
            yield f"""not summed: The gradient has shape {given.shape}; summed along axis {_listed(axes)} it is the
                right one, {true.shape}. Forward takes the same number {given.shape[axes[0]]} times along
                that axis{images}: so its gradient is the sum of all, .sum(axis={_listed(axes)}, keepdims=True)."""


def _listed(axes: tuple[int, ...]) -> str:
    return str(axes[0] if len(axes) == 1 else axes)


def wrong_shape(claim: Claim) -> Iterator[Words]:
    """A shape that nothing above explains."""
    yield f"""wrong shape: The gradient has shape {claim.given.shape}; it must have the shape of what it belongs to,
        {claim.true.shape}: one number per number."""


def _steps(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All moves by one place along one or more axes, the fewest axes first; an axis of two or less cannot tell."""
    ways = [(0, 1, -1) if size > 2 else (0,) for size in shape]
    return sorted((steps for steps in product(*ways) if any(steps)), key=np.count_nonzero)


def _overlap(steps: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Index of what was moved by `steps`, and of where it came from."""
    there = {0: slice(None), 1: slice(1, None), -1: slice(None, -1)}
    return tuple(there[step] for step in steps), tuple(there[-step] for step in steps)


def subsets(axes: Iterable[int]) -> list[tuple[int, ...]]:
    """All choices of one or more of the axes."""
    axes = tuple(axes)
    return [chosen for count in range(1, len(axes) + 1) for chosen in combinations(axes, count)]


def _by_columns(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Each image's values laid out in the other memory order."""
    if len(shape) < 2 or array.shape[0] != shape[0] or not array.size:
        return array.reshape(shape)
    return np.stack([np.reshape(one.reshape(-1), shape[1:], order="F") for one in array])
