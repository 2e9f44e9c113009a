"""Gates and masks: the gradient flows where it should not, or is gated by the wrong thing."""

import numpy as np

from .diagnosis import Diagnosis, close, zero
from .run import Run


def mask_from_the_gradient(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Zero exactly where the upstream gradient is negative."""
    if name != "dx" or given.shape != run.dy.shape:
        return None
    for sign, word in ((1, "negative"), (-1, "positive")):
        negative = sign * run.dy < 0
        shut = negative & zero(given)
        if (shut == negative).all() and negative.any() and not zero(run.numeric(name))[negative].all():
            passed = given[~negative]
            if close(passed, run.dy[~negative]) or close(passed, run.numeric(name)[~negative]):
                return Diagnosis(
                    "mask taken from the gradient",
                    name,
                    f"dx is zero at all {negative.sum()} places where dy is {word}. The gate belongs to the layer's input, "
                    "kept by forward, not to the gradient that arrives.",
                )
    return None


def mask_missing(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Right (up to a factor) where the true gradient flows, and not zero where it is blocked."""
    numeric = run.numeric(name)
    blocked = zero(numeric)
    leaking = blocked & ~zero(given)
    open_ = ~blocked & ~np.isnan(numeric)
    if name != "dx" or not open_.any() or leaking.sum() < 0.6 * blocked.sum() or not leaking.any():
        return None
    ratio = given[open_] / numeric[open_]
    if np.abs(ratio - ratio[0]).max() > 1e-5 * max(abs(ratio[0]), 1e-3) or zero(given)[open_].all():
        return None
    beside = "right" if abs(ratio[0] - 1) < 1e-5 else f"{ratio[0]:.4g} times the true value (a second mistake)"
    return Diagnosis(
        "mask missing",
        name,
        f"At {leaking.sum()} of the {blocked.sum()} places where nothing may flow the gradient is not zero; elsewhere it "
        f"is {beside}. Multiply dy by the mask that forward kept (what was dropped, gated or not the maximum gets 0).",
    )


def mask_inverted(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Zero where the gradient flows, and not zero where it is blocked."""
    numeric = run.numeric(name)
    blocked = zero(numeric)
    if name != "dx" or not (zero(given) == ~blocked).all() or blocked.all() or not blocked.any():
        return None
    return Diagnosis(
        "mask inverted",
        name,
        f"dx is zero at the {(~blocked).sum()} places where the gradient flows, and not at the {blocked.sum()} where it is "
        "blocked. The mask is 1 (or the scale) where forward let a value through.",
    )


def local_factor(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """An elementwise layer whose derivative lacks a factor y or x, or has one too many."""
    numeric, y, x = run.numeric(name), run.y, run.x
    if name != "dx" or not given.shape == y.shape == x.shape:
        return None
    for word, value in (("y", y), ("1 - y", 1 - y), ("x", x), ("1 + y", 1 + y)):
        for lacks, product in ((True, (given * value, numeric)), (False, (given, numeric * value))):
            if close(*product):
                what = f"lacks a factor {word}" if lacks else f"has a factor {word} too many"
                return Diagnosis(
                    "local factor",
                    name,
                    f"dx {what}, the output y or input x of its own place: with it, all {given.size} values are right. "
                    "Differentiate forward's formula once more, by the chain rule.",
                )
    return None


def wrong_mask(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Every value is zero or right for an open gate, but the open gates are other ones."""
    numeric = run.numeric(name)
    if name != "dx" or given.shape != run.dy.shape or np.isnan(numeric).any():
        return None
    both = ~zero(given) & ~zero(numeric)
    if not both.any() or not close(given[both], numeric[both]):
        return None
    scale = (numeric[both] / run.dy[both])[0]
    opened, shut = zero(numeric) & ~zero(given), ~zero(numeric) & zero(given)
    if not opened.any() or not shut.any() or not close(given[opened], scale * run.dy[opened]):
        return None
    return Diagnosis(
        "wrong mask",
        name,
        f"{opened.sum()} places are open that forward shut, and {shut.sum()} are shut that forward left open. Backward must "
        "use the very mask of its forward pass: keep it there, never draw or compute another one.",
    )


def diagonal_only(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Each dx from its own dy alone, although every output depends on several inputs."""
    if name != "dx" or given.shape != run.dy.shape:
        return None
    jacobian = run.jacobian(name)
    diagonal = np.diagonal(jacobian)
    if zero(jacobian - np.diag(diagonal)).all() or not close(given.reshape(-1), diagonal * run.dy.reshape(-1)):
        return None
    return Diagnosis(
        "diagonal only",
        name,
        "dx[n, j] uses dy[n, j] alone, but output k depends on input j as well: the largest such derivative is "
        f"{np.nanmax(np.abs(jacobian - np.diag(diagonal))):.3g}. Sum over all outputs, the whole Jacobian, not its diagonal.",
    )
