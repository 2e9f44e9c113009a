"""Derivatives from function values alone, and when an analytic one agrees with them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .report import TensorCheck, nothing_to_compare
from .specimen import moved

ATOL = 1e-8  # for gradients up to 1; beyond that, of the largest
MAX_SKIPPED = 0.05
CENTRAL, COMPLEX, DIRECTION, ADJOINT = "central difference", "complex step", "random direction", "adjoint identity"
H = 1e-20
DRAWS = 5  # random directions, or pairs
CROSSINGS = 20  # directions across a kink after which no more are drawn
WIDTH = 1.25 * np.pi  # of the drawn inputs: irrational, so that none is 1 or another number where code may switch

Gates = list[np.ndarray]


def central_difference(f: Callable[[float], Any], eps: float) -> Any:
    """f'(0) ~ (f(eps) - f(-eps)) / (2 eps). Truncation eps^2 f'''/6, and none if f is at most quadratic."""
    return (f(eps) - f(-eps)) / (2 * eps)


def complex_step(f: Callable[[complex], Any], h: float = H) -> Any:
    """f'(0) = Im f(i h) / h (Squire & Trapp, 1998): nothing is subtracted, so h may be as small as it likes."""
    return f(1j * h).imag / h


def at_places(
    name: str,
    tensor: np.ndarray,
    gradient: Any,
    output: Callable[[], Any],
    dy: np.ndarray | float,
    rng: np.random.Generator,
    gates: Callable[[], Gates] = list,
    eps: float = 1e-5,
    rtol: float = 1e-6,
    samples: int = 60,
    atol: float | None = None,
) -> TensorCheck:
    """`gradient` of <dy, output()> against differences at sampled places of `tensor`, changed in place and put back.

    A complex `tensor` takes the complex step, which leaves the real part, and so every gate, as it is. `gates` tells
    what was decided in the last `output()`; a place where that differs between the two sides is skipped.
    """
    if not fits(gradient, tensor):
        return nothing_to_compare(f"{name} {_kind(gradient)}", "shape")
    by_complex = tensor.dtype.kind == "c"
    places = rng.permutation(tensor.size)[:samples]
    flat = tensor.reshape(-1)
    numeric, kept = [], []
    for place in places:
        seen: list[Gates] = []

        def beside(step: Any, here: np.ndarray = flat[place : place + 1], seen: list[Gates] = seen) -> Any:
            with moved((here, step)):
                y = np.array(output())  # a copy: it may be an array that the next call fills
                seen.append(gates())
            return y

        slope = complex_step(beside) if by_complex else central_difference(beside, eps)
        if same_gates(seen[0], seen[-1]):
            numeric.append(float((dy * slope).sum()))
            kept.append(place)
    chosen = np.array(kept, int)
    analytic, skipped = gradient.reshape(-1)[chosen], len(places) - len(kept)
    if by_complex:
        size = float(np.abs(gradient).max(initial=0))
        rounding = 1e-13 * float(np.abs(dy).max(initial=0))  # where terms of that size cancel, zero is no better known
        atol = max(1e-10 * size, rounding)
        return verdict(name, COMPLEX, analytic, np.array(numeric), tensor.shape, chosen, skipped, 1e-10, atol)
    return verdict(name, CENTRAL, analytic, np.array(numeric), tensor.shape, chosen, skipped, rtol, atol)


def fits(gradient: Any, tensor: np.ndarray) -> bool:
    """True if `gradient` is an array of real numbers, of the tensor's shape."""
    return isinstance(gradient, np.ndarray) and gradient.shape == tensor.shape and gradient.dtype.kind in "fiu"


def _kind(gradient: Any) -> str:
    if not isinstance(gradient, np.ndarray):
        return "None" if gradient is None else f"a {type(gradient).__name__}"
    return str(gradient.shape) if gradient.dtype.kind in "fiu" else f"{gradient.shape} {gradient.dtype}"


def verdict(
    name: str,
    method: str,
    analytic: np.ndarray,
    numeric: np.ndarray,
    shape: tuple[int, ...],
    places: np.ndarray,
    skipped: int,
    rtol: float,
    atol: float | None = None,
) -> TensorCheck:
    """Agree within atol + rtol max(|a|, |n|) everywhere, with few places skipped.

    `places` are flat indices into `shape`. Without `atol` it is ATOL, times the largest gradient if that is above 1:
    an algorithm that trades exactness for speed rounds in proportion to the largest values.
    """
    if len(places) == 0:
        return nothing_to_compare(name, method, skipped=skipped)
    difference = np.abs(analytic - numeric)
    scale = np.maximum(np.abs(analytic), np.abs(numeric))
    if atol is None:
        atol = ATOL * max(1.0, float(np.abs(numeric).max()))
    excess = difference / np.maximum(atol + rtol * scale, 1e-300)  # above 1: wrong
    worst = int(np.argmax(np.where(np.isnan(excess), np.inf, excess)))
    index = tuple(int(i) for i in np.unravel_index(places[worst], shape))
    ok = bool((excess <= 1).all()) and skipped <= MAX_SKIPPED * (len(places) + skipped)
    error = float(difference[worst] / max(scale[worst], 1e-300)) if scale[worst] else 0.0
    return TensorCheck(
        name, method, error, index, float(analytic[worst]), float(numeric[worst]), len(places), skipped, ok
    )


def same_gates(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> bool:
    """True if nothing switched: the same gates open, the same maxima chosen."""
    return all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))


def unit_direction(tensors: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """A random direction through all tensors at once, of length 1."""
    direction = [rng.standard_normal(w.shape) for w in tensors]
    norm = np.sqrt(sum((d * d).sum() for d in direction))
    return [d / norm for d in direction]


def along(gradients: Sequence[np.ndarray], direction: Sequence[np.ndarray]) -> float:
    """<gradients, direction>: the slope along it."""
    return float(sum((g * d).sum() for g, d in zip(gradients, direction, strict=True)))


def distinct(shape: tuple[int, ...], rng: np.random.Generator, width: float = WIDTH) -> np.ndarray:
    """Shuffled, evenly spaced values from -width / 2 to width / 2: no ties for a pooling, nothing at a kink."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) - size // 2 + 0.5) * (width / size)).reshape(shape)
