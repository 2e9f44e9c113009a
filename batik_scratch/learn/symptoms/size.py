"""The right gradient in the wrong size: a constant factor, the wrong sign, zero, not a number."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from .checkup import ATOL, Checkup, close, try_to_check_up, zero
from .claim import Claim, Words
from .options import rates
from .sides import side_and_slopes

ENOUGH = 3  # values, for which one factor is no accident
OF_THE_SLICE = "Look at the bounds of the loop or slice that fills the array."
OF_THE_PLACES = """They are no block: look at how backward chooses the places that get a share (a mask, an index, a
    maximum over which axes?); forward chooses more of them, or others."""


def not_a_number(claim: Claim) -> Iterator[Words]:
    """NaN or infinity."""
    bad = ~np.isfinite(claim.given)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        yield f"""not a number: {bad.sum()} of {bad.size} values are NaN or infinite, the first at {first}. Look for a
            division by zero, a logarithm of zero, or an array made by np.empty that is not filled everywhere."""


def not_measured(claim: Claim) -> Iterator[Words]:
    """No derivative could be measured, so nothing can be said."""
    if claim.true.size and np.isnan(claim.true).all():
        yield f"""not measurable: At all {claim.true.size} places the derivative of forward jumps from one side to the
            other, so that no number can say what it is: right or wrong, one cannot tell. Try another seed or another
            input shape."""


def always_zero(claim: Claim) -> Iterator[Words]:
    """Nothing but zeros."""
    if zero(claim.given).all():
        yield f"""always zero: All {claim.given.size} values are zero; the true gradient reaches
            {np.nanmax(np.abs(claim.true)):.3g}. The sum was never written to the array that is returned, or two terms
            cancel."""


def should_be_zero(claim: Claim) -> Iterator[Words]:
    """Something, where the true gradient is nothing."""
    if (zero(claim.true) | np.isnan(claim.true)).all():
        tensor = "x" if claim.name == "dx" else claim.name
        yield f"""should be zero: All {claim.given.size} values should be zero, and reach
            {np.nanmax(np.abs(claim.given)):.3g}: moving {tensor} a little changes no y, because forward does not use
            it, or rounds, or compares. If y is meant to depend on {tensor}, look at forward."""


def zero_in_a_region(claim: Claim) -> Iterator[Words]:
    """Right wherever it is not zero."""
    given, true = claim.given, claim.true
    forgotten = zero(given) & ~zero(true) & ~np.isnan(true)
    if forgotten.any() and close(np.where(forgotten, 0, given), np.where(forgotten, 0, true)):
        yield f"""zero in a region: {forgotten.sum()} of {given.size} values are zero and should not be
            ({_region(forgotten)}); all others are right.
            {_early_return(claim) or side_and_slopes(claim, forgotten) or _advice_on(forgotten)}"""


def _advice_on(forgotten: np.ndarray) -> str:
    """A box of zeros is a slice that ends too early; zeros here and there are places that backward chose wrongly."""
    return OF_THE_SLICE if _fills_its_box(forgotten) else OF_THE_PLACES


def _early_return(claim: Claim) -> str:
    """What a loop has done that returns after its first turn; nothing if it has not."""
    dy = claim.dy
    if dy.ndim < 3:
        return ""
    names = ("image", "row", "column") if dy.ndim == 4 else ("image", "step")
    for loops in product((False, True), repeat=len(names)):
        lengths = [length for looped, length in zip(loops, dy.shape, strict=False) if looped]
        first = np.zeros_like(dy)
        place = tuple(slice(0, 1) if looped else slice(None) for looped in loops)
        first[place] = dy[place]
        if lengths and min(lengths) > 1 and claim.is_of(first):
            those = [name for looped, name in zip(loops, names, strict=True) if looped]
            what = "window of each image" if those == ["row", "column"] else " and ".join(those)
            what = "window of the first image" if those == ["image", "row", "column"] else what
            return f"""Only the first {what} of dy {dy.shape} is sent back: a return stands inside the loop, one indent
                too deep, or the loop ends after its first turn."""
    return ""


def constant_factor(claim: Claim) -> Iterator[Words]:
    """The same wrong factor everywhere, named by the sizes that it follows."""
    factor = common_factor(claim.given, claim.true)
    if factor is None or not _lasting(claim, factor):
        return
    if abs(factor + 1) < 1e-6:
        yield """wrong sign: Every value is right but for its sign. The gradient points uphill; the optimiser is what
            subtracts it, so look for a minus too many or too few in backward."""
    evidence, known = _name_of(factor, claim.checkup, claim.name)
    yield f"constant factor: Every value is {factor:.6g} times the true one{evidence}. {_advice(known)}"


def common_factor(given: np.ndarray, true: np.ndarray) -> float | None:
    """c where given = c true everywhere, c not 0, and there is enough to tell; else None."""
    known = ~np.isnan(true)
    n, a = true[known], given[known]
    if n.size == 0 or (np.abs(n) > ATOL).sum() < min(3, n.size):
        return None
    factor = float((a * n).sum() / (n * n).sum())
    return factor if np.isfinite(factor) and abs(factor) >= 1e-6 and close(a, factor * n) else None


def _lasting(claim: Claim, factor: float) -> bool:
    """True if there are values enough, or if other inputs give the same factor: two numbers always have a quotient."""
    if (np.abs(claim.true) > ATOL).sum() >= ENOUGH:
        return True
    case = claim.checkup.case
    other = try_to_check_up(case.changed(seed=case.seed + 1, x=None, params={}))
    given = None if other is None else other.analytic.get(claim.name)
    if other is None or given is None or given.shape != claim.true.shape:
        return False
    again = common_factor(given, other.numeric(claim.name))
    return again is not None and _near(again, factor)


def _name_of(factor: float, checkup: Checkup, name: str) -> tuple[str, str]:
    """What the factor is, from the sizes of this checkup and of a second one with other sizes."""
    case = checkup.case
    fitting = {label for label, value in _candidates(checkup, name).items() if _near(value, factor)}
    other = try_to_check_up(case.changed(n=case.n + 2, input_shape=_larger(case.input_shape)))
    if other is None and len(case.input_shape) > 2:  # windows side by side may need a multiple of their side
        h, w, *rest = case.input_shape
        other = try_to_check_up(case.changed(n=case.n + 2, input_shape=(2 * h, 3 * w, *rest)))
    other = other or try_to_check_up(case.changed(n=case.n + 2))
    seen = ""
    if other is not None and (given := other.analytic[name]) is not None and given.shape == other.numeric(name).shape:
        again = common_factor(given, other.numeric(name))
        if again is not None:
            fitting &= {label for label, value in _candidates(other, name).items() if _near(value, again)}
            here, there = (f"{one.case.n} inputs of shape {one.case.input_shape}" for one in (checkup, other))
            alike = _near(again, factor)
            seen = f" with {here} " + (f"and with {there} alike" if alike else f"and {again:.6g} times it with {there}")
    best = min(fitting, key=lambda label: (len(label), label), default="")
    return seen + (f": {best}" if best else ""), best


def _candidates(checkup: Checkup, tensor: str) -> dict[str, float]:
    """Factors that people forget or add, by name, with their size in this checkup."""
    n, shape, out = checkup.case.n, checkup.case.input_shape, checkup.y.shape[1:]
    sizes: dict[str, float] = {"N": n, "2": 2.0, "3": 3.0, "10": 10.0}
    if len(shape) > 1:
        h, w = shape[:2]
        sizes |= {"H*W": h * w, "H": h, "W": w, "C": shape[-1], "H*W*C": float(np.prod(shape))}
    elif shape:
        sizes |= {"D": shape[0], "N*D": n * shape[0]}
    if len(out) > 1:
        places = out[0] * out[1]
        sizes |= {"OH*OW": places, "N*OH*OW": n * places, "F": out[-1], "OH": out[0], "OW": out[1]}
    elif out:
        sizes |= {"U": out[0], "N*U": n * out[0]}
    for param in checkup.params.values():
        if param.ndim == 4:
            sizes |= {"kh*kw": param.shape[0] * param.shape[1], "kh*kw*C": param[..., 0].size}
    if isinstance(pool := getattr(checkup.layer, "pool_size", None), tuple):
        sizes["ph*pw"] = float(np.prod(pool))
    if tensor == "dx" and len(out) > 1 and not checkup.params:
        reached = (np.abs(checkup.jacobian("dx")) > ATOL).sum(axis=1)
        if reached.size and np.ptp(reached) == 0 and reached[0] > 1:
            sizes["window's area"] = float(reached[0])
    for name, rate in rates(checkup.case.layer).items():
        sizes |= {name: rate, f"1-{name}": 1 - rate}
    return sizes | {
        f"1/({label})" if set("*-") & set(label) else f"1/{label}": 1 / value for label, value in sizes.items() if value
    }


def _advice(known: str) -> str:
    if "rate" in known or known.removeprefix("1/").strip("()").removeprefix("1-") in ("p", "drop", "dropout", "prob"):
        return """Forward scales what it keeps by 1/(1-rate), so backward must multiply by the very same mask, scale
            included."""
    if known in ("1/N", "N"):
        return "The mean over the batch is taken once, by the loss; a layer sums over the images and never divides."
    if "OH" in known or "H*W" in known or "ph*pw" in known or "window" in known:
        return "Places are summed where forward uses a value at each place, and averaged only where forward averages."
    return "Look for a factor that forward does not have, or for one of forward's that backward forgot."


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-5 * abs(b)


def _larger(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0] + 1, shape[1] + 2, *shape[2:]) if len(shape) > 2 else tuple(size + 1 for size in shape)


def _region(where: np.ndarray) -> str:
    """The smallest box around the places, in words."""
    low, high = np.argwhere(where).min(axis=0), np.argwhere(where).max(axis=0)
    sides = zip(low, high, where.shape, strict=True)
    box = ", ".join(":" if b - a == size - 1 else f"{a}" if a == b else f"{a}:{b + 1}" for a, b, size in sides)
    return f"the places [{box}]" if _fills_its_box(where) else f"scattered within [{box}]"


def _fills_its_box(where: np.ndarray) -> bool:
    low, high = np.argwhere(where).min(axis=0), np.argwhere(where).max(axis=0)
    return bool(where[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))].all())
