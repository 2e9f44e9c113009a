"""A layer that works otherwise at rest, when `training` is False: by what it keeps for that, such as running means.

    at rest       its outputs belong to their own images, nothing that is kept moves, and its gradients are right too
    in training   what is kept moves a little of the way: kept = momentum kept + (1 - momentum) of the batch

Whoever takes momentum for the share of the new (PyTorch does) is right as well, as long as that is the smaller one.
"""

from collections.abc import Iterator

import numpy as np

from .numeric import ATOL, at_places, fits
from .probe import Probe
from .report import TensorCheck, broken_promise, nothing_to_compare
from .specimen import Failure, Specimen

SAME = 1e-6  # shares of the old that differ by less are the same


def rows(probe: Probe, samples: int) -> list[TensorCheck]:
    """Rows for the gradients at rest, and for each promise that is broken.

    If everything of the layer is trained, there is a row if it does not hear `keep`, and none else. Their names are
    those of the tensors with "at rest" behind; the method of a broken promise says which.
    """
    if not probe.specimen.at_rest:
        return list(_not_kept(probe))
    return [*_gradients(probe, samples), *_broken(probe)]


def _not_kept(probe: Probe) -> Iterator[TensorCheck]:
    """A row if y at rest is that of training, and backward, after forward(x, training=False, keep=True), is not."""
    specimen, x = probe.specimen, probe.x
    y = specimen.forward(x)
    if probe.coarse or not probe.complete:
        return
    try:
        again = specimen.backward(probe.dy)
        if not all(_alike(again[name], gradient) for name, gradient in probe.gradients.items()):
            return  # not the same twice in training either
        specimen.forward(np.roll(x.reshape(-1), 1).reshape(x.shape))  # an earlier batch, to be forgotten
        at_rest = specimen.forward(x, training=False, keep=True)
        if not _alike(at_rest, y):
            return  # dropout and the like: that is measured by `thorough`
        gradients = specimen.backward(probe.dy)
    except Failure as failure:
        if failure.stage == "backward":
            yield nothing_to_compare("backward at rest", "keep not heard")
        return
    for name, training in probe.gradients.items():
        if not fits(gradients[name], training) or not _alike(gradients[name], training):
            yield broken_promise(f"{name} at rest", "keep not heard", gradients[name], training)


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    """True if both agree to rounding."""
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=ATOL, equal_nan=True)


def share_of_the_old(specimen: Specimen, x: np.ndarray, key: str) -> float | None:
    """How much of what was in the parameter `key` is left after a training pass of x; None if it is no one share."""
    kept = specimen.layer.params[key]
    if not kept.size:
        return None
    step, before, after = 0.125, kept.copy(), specimen.after(x, training=True)[key]
    if after.shape != kept.shape:
        return None
    kept += step
    shares = (specimen.after(x, training=True)[key] - after) / step
    kept[...] = before
    return float(shares.flat[0]) if np.ptp(shares) <= SAME else None


def swapped(specimen: Specimen, x: np.ndarray) -> dict[str, float]:
    """{parameter: its share of the old} where that is 1 - momentum instead of momentum, and less than a half."""
    held = vars(type(specimen.layer)) | vars(specimen.layer)
    momenta = [value for value in held.values() if type(value) is float and 0.5 < value < 1]  # of whatever name
    if not momenta:
        return {}
    shares = {key: share_of_the_old(specimen, x, key) for key in specimen.at_rest}
    known = {key: share for key, share in shares.items() if share is not None and share < 0.5 - SAME}
    return {k: share for k, share in known.items() if any(abs(share - (1 - m)) <= SAME for m in momenta)}


def image_by_image(specimen: Specimen, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y of x at rest; and the same, each image being alone in its batch."""
    alone = [specimen.forward(x[n : n + 1], training=False) for n in range(len(x))]
    return specimen.forward(x, training=False), np.concatenate(alone)


def _gradients(probe: Probe, samples: int) -> Iterator[TensorCheck]:
    """dx and each trained parameter's gradient of a pass at rest that was kept, as a saliency map keeps it."""

    def forward() -> np.ndarray:
        return probe.specimen.forward(probe.x, training=False, keep=True)

    if forward().shape != probe.dy.shape:
        yield nothing_to_compare("y at rest", "shape")
        return
    gradients = probe.specimen.backward(probe.dy)
    for name, tensor in probe.tensors.items():
        yield at_places(
            f"{name} at rest", tensor, gradients[name], forward, probe.dy, probe.rng, probe.decisions, samples=samples
        )


def _broken(probe: Probe) -> Iterator[TensorCheck]:
    specimen, x = probe.specimen, probe.x
    for key, now in specimen.after(x, training=False).items():
        if not np.array_equal(now, was := specimen.layer.params[key], equal_nan=True):
            yield broken_promise(f"{key} at rest", "was changed", now, was)
    for key, share in swapped(specimen, x).items():
        momentum = 1 - share
        yield TensorCheck(key, "share of the old", abs(share - momentum) / momentum, (), share, momentum, 1, 0, False)
    y, alone = image_by_image(specimen, x)
    if y.shape != alone.shape or not np.allclose(y, alone, rtol=1e-9, atol=ATOL):
        yield broken_promise("y at rest", "image by image", y, alone)
