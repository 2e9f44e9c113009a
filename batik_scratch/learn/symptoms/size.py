"""The right gradient in the wrong size: a constant factor, the wrong sign, zero, not a number."""

import numpy as np

from .diagnosis import ATOL, Diagnosis, close, zero
from .run import Run, try_run


def not_a_number(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """NaN or infinity."""
    bad = ~np.isfinite(given)
    if not bad.any():
        return None
    return Diagnosis(
        "not a number",
        name,
        f"{bad.sum()} of {bad.size} values are NaN or infinite, the first at {_first(bad)}. Look for a division by zero, "
        "a logarithm of zero, or an array made by np.empty that is not filled everywhere.",
    )


def not_measured(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """No derivative could be measured, so nothing can be said."""
    numeric = run.numeric(name)
    if given.shape != numeric.shape or not numeric.size or not np.isnan(numeric).all():
        return None
    return Diagnosis(
        "not measurable",
        name,
        f"At all {numeric.size} places the derivative of forward jumps from one side to the other, so that no number can say "
        "what it is: right or wrong, one cannot tell. Try another seed or another input shape.",
    )


def always_zero(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Nothing but zeros."""
    numeric = run.numeric(name)
    if not zero(given).all():
        return None
    return Diagnosis(
        "always zero",
        name,
        f"All {given.size} values are zero; the true gradient reaches {np.nanmax(np.abs(numeric)):.3g}. The sum was never "
        "written to the array that is returned, or two terms cancel.",
    )


def should_be_zero(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Something, where the true gradient is nothing."""
    numeric = run.numeric(name)
    if given.shape != numeric.shape or not (zero(numeric) | np.isnan(numeric)).all():
        return None
    tensor = "x" if name == "dx" else name
    return Diagnosis(
        "should be zero",
        name,
        f"All {given.size} values should be zero, and reach {np.nanmax(np.abs(given)):.3g}: moving {tensor} a little changes "
        f"no y, because forward does not use it, or rounds, or compares. If y is meant to depend on {tensor}, look at "
        "forward.",
    )


def zero_in_a_region(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Right wherever it is not zero."""
    numeric = run.numeric(name)
    forgotten = zero(given) & ~zero(numeric) & ~np.isnan(numeric)
    if not forgotten.any() or not close(np.where(forgotten, 0, given), np.where(forgotten, 0, numeric)):
        return None
    return Diagnosis(
        "zero in a region",
        name,
        f"{forgotten.sum()} of {given.size} values are zero and should not be ({_region(forgotten)}); all others are right. "
        "Look at the bounds of the loop or slice that fills the array.",
    )


def constant_factor(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """The same wrong factor everywhere, named by the sizes that it follows."""
    factor = _factor(given, run.numeric(name))
    if factor is None:
        return None
    if abs(factor + 1) < 1e-6:
        return Diagnosis(
            "wrong sign",
            name,
            "Every value is right but for its sign. The gradient points uphill; the optimiser is what subtracts it, "
            "so look for a minus too many or too few in backward.",
        )
    evidence, known = _name_of(factor, run, name)
    return Diagnosis(
        "constant factor",
        name,
        f"Every value is {factor:.6g} times the true one{evidence}. {_advice(known)}",
    )


def _factor(given: np.ndarray, numeric: np.ndarray) -> float | None:
    """c where given = c numeric everywhere, c not 0, and there is enough to tell; else None."""
    known = ~np.isnan(numeric)
    n, a = numeric[known], given[known]
    if a.shape != n.shape or n.size == 0 or (np.abs(n) > ATOL).sum() < min(3, n.size):
        return None
    factor = float((a * n).sum() / (n * n).sum())
    if not np.isfinite(factor) or abs(factor) < 1e-6 or not close(a, factor * n):
        return None
    return factor


def _name_of(factor: float, run: Run, name: str) -> tuple[str, str]:
    """What the factor is, from the sizes of this run and of a second one with other sizes."""
    fitting = {label for label, value in _candidates(run).items() if _near(value, factor)}
    other = try_run(run.case.changed(n=run.case.n + 2, input_shape=_larger(run.case.input_shape))) or try_run(
        run.case.changed(n=run.case.n + 2)
    )
    seen = ""
    if other is not None and other.analytic[name] is not None:
        again = _factor(other.analytic[name], other.numeric(name))  # type: ignore[arg-type]
        if again is not None:
            fitting &= {label for label, value in _candidates(other).items() if _near(value, again)}
            same = _near(again, factor)
            here, there = (f"{one.case.n} inputs of shape {one.case.input_shape}" for one in (run, other))
            seen = f" with {here} " + (f"and with {there} alike" if same else f"and {again:.6g} times it with {there}")
    best = min(fitting, key=lambda label: (len(label), label), default="")
    return seen + (f": {best}" if best else ""), best


def _candidates(run: Run) -> dict[str, float]:
    """Factors that people forget or add, by name, with their size in this run."""
    n, shape, out = run.case.n, run.case.input_shape, run.y.shape[1:]
    sizes: dict[str, float] = {"N": n, "2": 2.0, "3": 3.0, "10": 10.0}
    if len(shape) > 1:
        sizes |= {
            "H*W": shape[0] * shape[1],
            "H": shape[0],
            "W": shape[1],
            "C": shape[-1],
            "H*W*C": float(np.prod(shape)),
        }
    elif shape:
        sizes |= {"D": shape[0], "N*D": n * shape[0]}
    if len(out) > 1:
        places = out[0] * out[1]
        sizes |= {"OH*OW": places, "N*OH*OW": n * places, "F": out[-1], "OH": out[0], "OW": out[1]}
    elif out:
        sizes |= {"U": out[0], "N*U": n * out[0]}
    for param in run.params.values():
        if param.ndim == 4:
            sizes |= {"kh*kw": param.shape[0] * param.shape[1], "kh*kw*C": param[..., 0].size}
    rate = getattr(run.layer, "rate", None)
    if isinstance(rate, float) and 0 < rate < 1:
        sizes |= {"rate": rate, "1-rate": 1 - rate}
    return sizes | {
        f"1/({label})" if set("*-") & set(label) else f"1/{label}": 1 / value for label, value in sizes.items() if value
    }


def _advice(known: str) -> str:
    if "rate" in known:
        return "Forward scales what it keeps by 1/(1-rate), so backward must multiply by the very same mask, scale included."
    if known in ("1/N", "N"):
        return "The mean over the batch is taken once, by the loss; a layer sums over the images and never divides."
    if "OH" in known or "H*W" in known:
        return "Places are summed where forward uses a value at each place, and averaged only where forward averages."
    return "Look for a factor that forward does not have, or for one of forward's that backward forgot."


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-5 * abs(b)


def _larger(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0] + 1, shape[1] + 2, *shape[2:]) if len(shape) > 2 else tuple(size + 1 for size in shape)


def _first(where: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(where)[0])


def _region(where: np.ndarray) -> str:
    """The smallest box around the places, in words."""
    low, high = np.argwhere(where).min(axis=0), np.argwhere(where).max(axis=0)
    box = "[" + ", ".join(_span(a, b, size) for a, b, size in zip(low, high, where.shape, strict=True)) + "]"
    full = where[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))].all()
    return f"the places {box}" if full else f"scattered within {box}"


def _span(low: int, high: int, size: int) -> str:
    if low == 0 and high == size - 1:
        return ":"
    return f"{low}" if low == high else f"{low}:{high + 1}"
