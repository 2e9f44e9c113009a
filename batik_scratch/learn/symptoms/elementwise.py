"""Place by place: gates and masks that are the wrong ones, values and factors that stand where a slope should."""

from collections.abc import Iterator

import numpy as np

from .checkup import close, zero
from .claim import Claim, Words

FORMULAS = (
    ("y (1 - y)", lambda v: v * (1 - v)),  # sigmoid
    ("1 - y^2", lambda v: 1 - v**2),  # tanh
    ("y", lambda v: v),  # exp
)


def mask_from_the_gradient(claim: Claim) -> Iterator[Words]:
    """Zero exactly where the upstream gradient is negative."""
    given, true, dy = claim.given, claim.true, claim.dy
    if claim.name != "dx" or given.shape != dy.shape:
        return
    for word, shut in (("negative", dy < 0), ("positive", dy > 0)):
        gated = zero(given)[shut].all() and shut.any() and not zero(true)[shut].all()
        if gated and any(close(given[~shut], passed[~shut]) for passed in (dy, true)):
            yield f"""mask taken from the gradient: dx is zero at all {shut.sum()} places where dy is {word}. The gate
                belongs to the layer's input, kept by forward, not to the gradient that arrives."""


def mask_missing(claim: Claim) -> Iterator[Words]:
    """Right (up to a factor) where the true gradient flows, and not zero where it is blocked."""
    given, blocked = claim.given, zero(claim.true)
    leaking, open_ = blocked & ~zero(given), ~blocked & ~np.isnan(claim.true)
    if claim.name != "dx" or not open_.any() or leaking.sum() < 0.6 * blocked.sum() or not leaking.any():
        return
    ratio = given[open_] / claim.true[open_]
    if np.abs(ratio - ratio[0]).max() > 1e-5 * max(abs(ratio[0]), 1e-3) or zero(given)[open_].all():
        return
    beside = "right" if abs(ratio[0] - 1) < 1e-5 else f"{ratio[0]:.4g} times the true value (a second mistake)"
    yield f"""mask missing: At {leaking.sum()} of the {blocked.sum()} places where nothing may flow the gradient is not
        zero; elsewhere it is {beside}. Multiply dy by the mask that forward kept (what was dropped, gated or not the
        maximum gets 0)."""


def mask_inverted(claim: Claim) -> Iterator[Words]:
    """Zero where the gradient flows, and not zero where it is blocked."""
    blocked = zero(claim.true)
    if claim.name == "dx" and (zero(claim.given) == ~blocked).all() and not blocked.all() and blocked.any():
        yield f"""mask inverted: dx is zero at the {(~blocked).sum()} places where the gradient flows, and not at the
            {blocked.sum()} where it is blocked. The mask is 1 (or the scale) where forward let a value through."""


def sign_lost(claim: Claim) -> Iterator[Words]:
    """Every size is right, and the sign is wrong exactly where x is negative, or where it is positive."""
    given, true, x = claim.given, claim.true, claim.x
    if not claim.elementwise or not close(np.abs(given), np.abs(true)):
        return
    wrong = given * true < 0
    for word, there in (("negative", x < 0), ("positive", x > 0)):
        if there.any() and not there.all() and (wrong == there).all():
            slopes = true / np.where(claim.dy == 0, np.nan, claim.dy)
            reason = """forward goes the other way there, so multiply dy by the sign that x had, kept by forward."""
            if (slopes[there & ~zero(true)] > 0).all() and (slopes[~there & ~zero(true)] > 0).all():
                reason = f"""forward rises there as it does elsewhere (by {slopes[there].max():.4g}), and backward has a
                    minus too many: the slope that it has there is {-slopes[there].max():.4g}."""
            yield f"""sign lost: Every size is right, and at all {there.sum()} places where x is {word} the sign is
                wrong: {reason}"""


def local_factor(claim: Claim) -> Iterator[Words]:
    """An elementwise layer whose derivative lacks a factor y or x, or has one too many."""
    given, true, y, x = claim.given, claim.true, claim.y, claim.x
    if not claim.elementwise:
        return
    for word, value in (("y", y), ("1 - y", 1 - y), ("x", x), ("1 + y", 1 + y)):
        for what, product in (
            (f"lacks a factor {word}", (given * value, true)),
            (f"has a factor {word} too many", (given, true * value)),
        ):
            if close(*product):
                yield f"""local factor: dx {what}, the output y or input x of its own place: with it, all {given.size}
                    values are right. Differentiate forward's formula once more, by the chain rule."""


def wrong_mask(claim: Claim) -> Iterator[Words]:
    """Every value is zero or right for an open gate, but the open gates are other ones."""
    given, true, dy = claim.given, claim.true, claim.dy
    if claim.name != "dx" or given.shape != dy.shape or np.isnan(true).any():
        return
    both, opened, shut = ~zero(given) & ~zero(true), zero(true) & ~zero(given), ~zero(true) & zero(given)
    if not (both.any() and opened.any() and shut.any()) or not close(given[both], true[both]):
        return
    if close(given[opened], (true[both] / dy[both])[0] * dy[opened]):
        yield f"""wrong mask: {opened.sum()} places are open that forward shut, and {shut.sum()} are shut that forward
            left open. Backward must use the very mask of its forward pass: keep it there, never draw or compute
            another one."""


def input_for_output(claim: Claim) -> Iterator[Words]:
    """The derivative is a formula of y, such as y (1 - y), and x was put into it."""
    for words, formula in FORMULAS if claim.elementwise else ():
        if close(claim.true, claim.dy * formula(claim.y)) and claim.is_(claim.dy * formula(claim.x)):
            yield f"""input for output: dx is dy times {words.replace("y", "x")}, at all {claim.given.size} places; it
                should be dy times {words}. The formula is written in terms of forward's output: keep y in forward, not
                x."""


def value_for_derivative(claim: Claim) -> Iterator[Words]:
    """dy times the value itself, where it should be dy times the slope there."""
    for word, value in (("x, the input", claim.x), ("y, the output", claim.y)):
        if claim.elementwise and claim.is_(claim.dy * value):
            yield f"""value for derivative: dx is dy times {word}, at all {claim.given.size} places. Multiply dy by
                forward's derivative, not by a value: for a gate that is 1 where x > 0 and 0 elsewhere."""


def diagonal_only(claim: Claim) -> Iterator[Words]:
    """Each dx from its own dy alone, although every output depends on several inputs."""
    if claim.name != "dx" or claim.given.shape != claim.dy.shape:
        return
    jacobian = claim.checkup.jacobian("dx")
    diagonal = np.diagonal(jacobian)
    beside = jacobian - np.diag(diagonal)
    if not zero(beside).all() and close(claim.given.reshape(-1), diagonal * claim.dy.reshape(-1)):
        yield f"""diagonal only: dx[n, j] uses dy[n, j] alone, but output k depends on input j as well: the largest
            such derivative is {np.nanmax(np.abs(beside)):.3g}. Sum over all outputs, the whole Jacobian, not its
            diagonal."""
