"""The numerical Jacobian by central differences, and how to see that there is none because the function has a kink."""

from collections.abc import Callable

import numpy as np

from .specimen import moved

EPS = 1e-5
JUMP = 1e-3  # a derivative that jumps by less is taken for smooth
BENT = 1.0  # if the second derivative is larger, one step is not enough for seven digits
ROUNDING = 1e3 * np.finfo(float).eps  # of y: what differences of y may be off by, with room to spare


def jacobian(output: Callable[[], np.ndarray], tensor: np.ndarray, eps: float = EPS) -> np.ndarray:
    """d y / d tensor (y.size, tensor.size), of `output()`, y of the tensor as it stands; a column is NaN at a kink.

    The tensor is changed in place, one value at a time by `eps`, and put back. A kink that lies just within eps is not
    seen, and spoils a few digits: who finds a difference there measures again with another eps.
    """
    flat = tensor.reshape(-1)
    middle = output().reshape(-1)
    columns = np.empty((middle.size, flat.size))
    rounding = ROUNDING * np.abs(middle).max(initial=0)
    for place in range(flat.size):
        slope, bend = _both_sides(output, middle, flat, place, eps)
        if (bend > BENT * eps**2 + rounding).any():
            narrow, narrow_bend = _both_sides(output, middle, flat, place, eps / 2)
            seen = bend > JUMP * eps + rounding
            smooth = _smooth(slope[seen], bend[seen] / eps, narrow[seen], narrow_bend[seen] / eps)
            slope = (4 * narrow - slope) / 3 if smooth else np.full_like(slope, np.nan)  # Richardson: no term in eps^2
        columns[:, place] = slope
    return columns


def _both_sides(
    output: Callable[[], np.ndarray], middle: np.ndarray, flat: np.ndarray, place: int, eps: float
) -> tuple[np.ndarray, np.ndarray]:
    """The slope, and by how much the middle lies off the line between both sides, at each y."""
    here = flat[place : place + 1]
    with moved((here, eps)):
        above = output().reshape(-1)
    with moved((here, -eps)):
        below = output().reshape(-1)
    return (above - below) / (2 * eps), np.abs(above - 2 * middle + below)


def _smooth(wide: np.ndarray, wide_bend: np.ndarray, narrow: np.ndarray, narrow_bend: np.ndarray) -> bool:
    """True if curvature alone bends the function, as slopes and bends (over eps) for steps eps and eps / 2 tell.

    The bend is eps^2 f'' if the function is smooth: half the step, a quarter of it. At a kink it is eps times the
    jump of the derivative: half the step, half of it. A kink a little off can bring it to a quarter too, but then the
    two slopes differ, by a good part of that jump.
    """
    return bool(((narrow_bend <= 0.35 * wide_bend) & (np.abs(wide - narrow) <= 0.05 * wide_bend)).all())
