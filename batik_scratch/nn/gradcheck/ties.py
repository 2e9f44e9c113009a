"""Where a function has no derivative: at the kink of a ReLU, and among equal values in a pooling.

What backward says there is a convention, but not any number will do. At a kink it lies between the slopes of both
sides, and where one side is flat it is that side's zero, as relu'(0) = 0 in every framework. Of equal values, moved
together, a maximum moves as they do: however their dy is shared out among them, they get it once.
"""

import numpy as np

from .circumstances import Setting
from .report import TensorCheck
from .slopes import RTOL
from .specimen import moved

STEP = 1e-6
KINK = 1e-3  # slopes of both sides that differ by more are those of a kink
PLACES = 12
ENOUGH = 3  # kinks at zero: fewer may be a tie with the zeros of a padding
LEVEL = 0.7  # of the equal values

Looked = tuple[list[TensorCheck], int]


def at_a_zero(words: str, setting: Setting) -> Looked:
    """One value of x is exactly 0, at place after place."""
    if setting.x.dtype.kind != "f":
        return [], 0
    outside, wrong_side, kinks = [], [], 0
    places = setting.rng.permutation(setting.x.size)[:PLACES]
    for place in places:
        x = setting.x.copy()
        x.reshape(-1)[place] = 0.0
        there = setting.at(x)
        gradient = there.gradients().get("dx")
        if not there.measurable or not isinstance(gradient, np.ndarray) or gradient.shape != x.shape:
            continue
        claimed = float(gradient.reshape(-1)[place])
        left, right = (there.dy * side for side in _sides(there, place))
        bent = np.abs(right - left) > KINK
        kinks += bool(bent.any())
        low, high = np.minimum(left, right), np.maximum(left, right)
        index = tuple(int(i) for i in np.unravel_index(place, x.shape))
        slack = 1e-4 * (1 + float(np.abs(np.stack([low, high])).sum()))
        middle = np.where(bent, 0, (left + right) / 2).sum()
        if not low.sum() - slack <= claimed <= high.sum() + slack:
            nearest = low.sum() if claimed < low.sum() else high.sum()
            outside.append(_row(words, index, claimed, float(nearest), len(places)))
        flat = np.minimum(np.abs(left), np.abs(right))[bent] <= KINK * np.maximum(np.abs(left), np.abs(right))[bent]
        if bent.any() and flat.all() and abs(claimed - (left + right)[bent].sum() - middle) <= slack:
            wrong_side.append(_row(words, index, claimed, float(middle), len(places)))
    if outside:
        return outside[:1], len(places)
    return (wrong_side[:1] if kinks >= ENOUGH and len(wrong_side) == kinks else []), len(places)


def at_equal_values(words: str, setting: Setting) -> Looked:
    """All values of an image and channel are the same, and moved together."""
    if setting.x.dtype.kind != "f":
        return [], 0
    lead = (len(setting.x), *[1] * (setting.x.ndim - 2), setting.x.shape[-1]) if setting.x.ndim > 2 else None
    shape = lead or (len(setting.x), *[1] * (setting.x.ndim - 1))
    levels = LEVEL + 0.1 * np.arange(int(np.prod(shape))).reshape(shape)
    there = setting.at(np.broadcast_to(levels, setting.x.shape).copy())
    gradient = there.gradients().get("dx")
    if not there.measurable or not isinstance(gradient, np.ndarray) or gradient.shape != there.x.shape:
        return [], 0
    groups = list(np.ndindex(shape))[:PLACES]
    for group in groups:
        direction = np.zeros(shape)
        direction[group] = 1.0
        together = np.broadcast_to(direction, there.x.shape)
        left, right = _one_sided(there, there.x, together)
        if np.abs(right - left).max(initial=0) > KINK:
            continue
        claimed, numeric = float((gradient * together).sum()), float((there.dy * (left + right) / 2).sum())
        size = float(np.abs(gradient).sum()) + float(np.abs(there.dy * right).sum())
        if not abs(claimed - numeric) <= 1e-5 * (1 + size) + RTOL:
            index = tuple(int(i) for i in group)
            return [_row(words, index, claimed, numeric, len(groups))], len(groups)
    return [], len(groups)


def _sides(setting: Setting, place: int) -> tuple[np.ndarray, np.ndarray]:
    direction = np.zeros(setting.x.shape)
    direction.reshape(-1)[place] = 1.0
    return _one_sided(setting, setting.x, direction)


def _one_sided(setting: Setting, x: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slopes of y to the left and to the right along a direction of x."""
    middle = setting.output()
    with moved((x, STEP * direction)):
        right = setting.output()
    with moved((x, -STEP * direction)):
        left = setting.output()
    return (middle - left) / STEP, (right - middle) / STEP


def _row(words: str, index: tuple[int, ...], claimed: float, numeric: float, compared: int) -> TensorCheck:
    error = abs(claimed - numeric) / max(abs(claimed), abs(numeric), 1e-300)
    return TensorCheck("dx", words, error, index, claimed, numeric, compared, 0, False)
