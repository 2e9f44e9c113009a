"""The right gradient of another layer: kernel flipped or transposed, input or upstream gradient shifted, an old batch."""

from collections.abc import Iterator

import numpy as np

from .diagnosis import Diagnosis, close
from .order import subsets
from .run import Run, try_run


def kernel_altered(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """dx of a layer whose kernel is flipped or transposed."""
    if name != "dx":
        return None
    for key, value in run.params.items():
        for slug, words, changed in _alterations(value):
            other = try_run(run.case.changed(x=run.x, params=run.params | {key: changed}))
            if other is not None and other.fits(name, given, run.dy):
                return Diagnosis(
                    slug,
                    name,
                    f"dx is, to all digits, the gradient of a layer whose {key} {value.shape} is {words}. {ADVICE[slug]}",
                )
    return None


def input_altered(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """A gradient taken with an input that is an earlier one, or shifted, or turned."""
    for slug, words, x in _other_inputs(run):
        other = try_run(run.case.changed(x=x, params=run.params))
        if other is not None and other.fits(name, given, run.dy) and not np.isnan(other.numeric(name)).any():
            return Diagnosis(
                slug, name, f"The gradient is, to all digits, that of {words}. Backward must use what its forward kept."
            )
    return None


def upstream_altered(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The right gradient of a dy that was shifted or mirrored, or is not dy at all."""
    if given.shape != run.numeric(name).shape:
        return None
    for axis in range(1, run.dy.ndim):
        for step in (1, -1):
            if any(close(given, run.numeric(name, moved)) for moved in moves(run.dy, axis, step)):
                return Diagnosis(
                    "shifted by one",
                    name,
                    f"dy enters one place {'after' if step > 0 else 'before'} its own along axis {axis} of {run.dy.shape}. "
                    "Look at the padding or the first index of the slice that reads it.",
                )
    for axes in subsets(range(1, run.dy.ndim)):
        if close(given, run.numeric(name, np.flip(run.dy, axes))):
            return Diagnosis("mirrored", name, f"dy enters in reversed order along axes {axes} of {run.dy.shape}.")
    if close(given, run.numeric(name, np.ones_like(run.dy))):
        return Diagnosis(
            "upstream gradient ignored",
            name,
            "The gradient does not depend on dy: it is the one for a dy of ones. The chain rule multiplies by dy.",
        )
    return None


ADVICE = {
    "kernel not flipped": (
        "Each dy goes back to the pixel that it came from, through the same weight. Written as a convolution of dy, that "
        "needs the kernel turned by 180 degrees; written as col2im, it must not be turned."
    ),
    "parameter left out": "Forward multiplies by it, so the gradient that passes through is multiplied by it too.",
    "transposed": "The way back runs through the transposed matrix: dX = dY W', with inputs and outputs swapped.",
}


def _alterations(kernel: np.ndarray) -> Iterator[tuple[str, str, np.ndarray]]:
    if kernel.ndim == 4:
        for axes in ((0, 1), (0,), (1,)):
            if all(kernel.shape[axis] > 1 for axis in axes):
                yield (
                    "kernel not flipped",
                    f"mirrored along {' and '.join(HEIGHT[a] for a in axes)}",
                    np.flip(kernel, axes),
                )
    if kernel.ndim == 1:
        yield "parameter left out", "all ones", np.ones_like(kernel)
    for order in {4: ((0, 1, 3, 2), (1, 0, 2, 3), (1, 0, 3, 2)), 2: ((1, 0),)}.get(kernel.ndim, ()):
        changed = kernel.transpose(order)
        if changed.shape == kernel.shape:
            yield "transposed", f"transposed to the order {order}", changed
            if kernel.ndim == 4 and min(kernel.shape[:2]) > 1:
                yield "transposed", f"transposed to the order {order} and mirrored", np.flip(changed, (0, 1))


HEIGHT = ("height", "width")


def _other_inputs(run: Run) -> Iterator[tuple[str, str, np.ndarray]]:
    yield "an earlier batch remembered", "the batch of the forward pass before the last one", run.earlier_x
    if run.y.shape == run.x.shape:
        yield "output for input", "an input that is forward's output: y stands where x should", run.y
    yield "input left out", "an input of ones: forward multiplies by x, and this gradient does not", np.ones_like(run.x)
    for axis in range(1, run.x.ndim):
        for step in (1, -1):
            where = "after" if step > 0 else "before"
            for moved in moves(run.x, axis, step):
                words = f"an input that stands one place {where} its own along axis {axis} of {run.x.shape}"
                yield "shifted by one", words, moved
    for axes in subsets(range(1, run.x.ndim)):
        yield "mirrored", f"an input in reversed order along axes {axes} of {run.x.shape}", np.flip(run.x, axes)


def moves(array: np.ndarray, axis: int, step: int) -> list[np.ndarray]:
    """The array moved by one along the axis: around the end, and with zeros coming in."""
    around = np.roll(array, step, axis)
    cut = around.copy()
    cut[(*[slice(None)] * axis, 0 if step > 0 else -1)] = 0
    return [around, cut]
