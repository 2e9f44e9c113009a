"""The right gradient of another layer: kernel flipped or transposed, input or dy shifted, an old batch."""

from collections.abc import Iterator

import numpy as np

from .checkup import try_to_check_up
from .claim import Claim, Words
from .options import options, with_option
from .order import subsets

LARGEST_EPSILON = 0.1
Altered = tuple[str, str, np.ndarray]  # a diagnosis' name, the alteration in words, the altered array

HEIGHT = ("height", "width")
ADVICE = {
    "kernel not flipped": """Each dy goes back to the pixel that it came from, through the same weight. Written as a
        convolution of dy, that needs the kernel turned by 180 degrees; written as col2im, it must not be turned.""",
    "parameter left out": "Forward multiplies by it, so the gradient that passes through is multiplied by it too.",
    "transposed": "The way back runs through the transposed matrix: dX = dY W', with inputs and outputs swapped.",
}


def kernel_altered(claim: Claim) -> Iterator[Words]:
    """dx of a layer whose kernel is flipped or transposed."""
    checkup = claim.checkup
    for key, value in checkup.params.items() if claim.name == "dx" else ():
        for name, words, changed in _other_kernels(value, claim.x.ndim > 2):
            other = try_to_check_up(checkup.case.changed(x=claim.x, params=checkup.params | {key: changed}))
            if other is not None and other.fits("dx", claim.given, claim.dy):
                yield f"""{name}: dx is, to all digits, the gradient of a layer whose {key} {value.shape} is {words}.
                    {ADVICE[name]}"""


def input_altered(claim: Claim) -> Iterator[Words]:
    """A gradient taken with an input that is an earlier one, or shifted, or turned."""
    for name, words, x in _other_inputs(claim):
        other = try_to_check_up(claim.checkup.case.changed(x=x, params=claim.checkup.params))
        if other is None or not other.fits(claim.name, claim.given, claim.dy):
            continue
        if not np.isnan(other.numeric(claim.name)).any():
            yield f"{name}: The gradient is, to all digits, that of {words}. Backward must use what its forward kept."


def epsilon_forgotten(claim: Claim) -> Iterator[Words]:
    """A gradient that leaves out the small number which forward adds before it divides, or takes a logarithm."""
    checkup = claim.checkup
    for path, epsilon in options(checkup.case.layer):
        if not isinstance(epsilon, float) or epsilon <= 0:
            continue
        if epsilon > LARGEST_EPSILON and not path[-1].strip("_").startswith("eps"):  # a slope, or a rate
            continue
        easier = checkup.case.changed(x=claim.x, params=checkup.params)
        easier.layer = with_option(checkup.case.layer, path, 0.0)
        other = try_to_check_up(easier)
        if other is None or not other.fits(claim.name, claim.given, claim.dy):
            continue
        yield f"""epsilon forgotten: The gradient is, to all digits, that of the same layer with an epsilon of 0, and
            forward adds {epsilon:g}. Differentiate what forward computes, epsilon included: it is there for values
            that are nearly zero, and just there the slope is off by most."""


def upstream_altered(claim: Claim) -> Iterator[Words]:
    """The right gradient of a dy that was shifted or mirrored, or is not dy at all."""
    dy = claim.dy
    for axis, side, moved in _moves(dy):
        if claim.is_of(moved):
            yield f"""shifted by one: dy enters one place {side} its own along axis {axis} of {dy.shape}. Look at the
                padding or the first index of the slice that reads it."""
    for axes in subsets(range(1, dy.ndim)):
        if claim.is_of(np.flip(dy, axes)):
            yield f"mirrored: dy enters in reversed order along axes {axes} of {dy.shape}."
    if claim.is_of(np.ones_like(dy)):
        yield """upstream gradient ignored: The gradient does not depend on dy: it is the one for a dy of ones. The
            chain rule multiplies by dy."""


def _other_kernels(kernel: np.ndarray, slides: bool) -> Iterator[Altered]:
    for axes in subsets(range(kernel.ndim)) if slides and kernel.ndim in (2, 3) else ():  # 1-D, or one to a channel
        if all(kernel.shape[axis] > 1 for axis in axes):
            yield "kernel not flipped", f"mirrored along axes {axes}", np.flip(kernel, axes)
    if kernel.ndim == 4:
        for axes in ((0, 1), (0,), (1,)):
            if all(kernel.shape[axis] > 1 for axis in axes):
                words = f"mirrored along {' and '.join(HEIGHT[a] for a in axes)}"
                yield "kernel not flipped", words, np.flip(kernel, axes)
    if kernel.ndim == 1:
        yield "parameter left out", "all ones", np.ones_like(kernel)
    for order in {4: ((0, 1, 3, 2), (1, 0, 2, 3), (1, 0, 3, 2)), 2: ((1, 0),)}.get(kernel.ndim, ()):
        changed = kernel.transpose(order)
        if changed.shape == kernel.shape:
            yield "transposed", f"transposed to the order {order}", changed
            if kernel.ndim == 4 and min(kernel.shape[:2]) > 1:
                yield "transposed", f"transposed to the order {order} and mirrored", np.flip(changed, (0, 1))


def _other_inputs(claim: Claim) -> Iterator[Altered]:
    x, y = claim.x, claim.y
    yield "an earlier batch remembered", "the batch of the forward pass before the last one", claim.checkup.earlier_x
    if y.shape == x.shape:
        yield "output for input", "an input that is forward's output: y stands where x should", y
    yield "input left out", "an input of ones: forward multiplies by x, and this gradient does not", np.ones_like(x)
    for axis, side, moved in _moves(x):
        yield "shifted by one", f"an input that stands one place {side} its own along axis {axis} of {x.shape}", moved
    for axes in subsets(range(1, x.ndim)):
        yield "mirrored", f"an input in reversed order along axes {axes} of {x.shape}", np.flip(x, axes)


def _moves(array: np.ndarray) -> Iterator[tuple[int, str, np.ndarray]]:
    """Axis, side, and the array moved by one to that side: around the end, and with zeros coming in."""
    for axis in range(1, array.ndim):
        for step, side in ((1, "after"), (-1, "before")):
            around = np.roll(array, step, axis)
            cut = around.copy()
            cut[(*[slice(None)] * axis, 0 if step > 0 else -1)] = 0
            yield axis, side, around
            yield axis, side, cut
