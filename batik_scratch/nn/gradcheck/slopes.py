"""Is a gradient wrong beside differences of any step? A kink near by, or a scale, is not taken for a mistake."""

import numpy as np

from .circumstances import Setting
from .numeric import along, central_difference, fits, unit_direction
from .report import TensorCheck, nothing_to_compare
from .specimen import Gradients, moved

STEPS = (1e-5, 1e-6, 1e-8)
OF_THE_SCALE = (1e-3, 1e-5)  # steps beside these, where all values are tiny
RTOL = 1e-6  # of the tensor's largest gradient
TINY_RTOL = 1e-4  # the same where all values are tiny, and an epsilon bends what is measured
ROUNDING = 8 * np.finfo(float).eps  # of y and x: what a difference may be off by
MEANINGFUL = 0.05  # of the largest gradient: a step whose rounding is larger tells nothing
DIRECTIONS = 3


class Slope:
    """The derivative along a direction through some tensors, by a central difference: slope(step)."""

    def __init__(self, setting: Setting, parts: list[tuple[np.ndarray, np.ndarray]]) -> None:
        self.setting, self.parts = setting, parts

    def value(self, step: float) -> np.ndarray:
        """y with the tensors moved by the step."""
        with moved(*((tensor, step * direction) for tensor, direction in self.parts)):
            return self.setting.output()

    def __call__(self, step: float) -> float:
        return float((self.setting.dy * central_difference(self.value, step)).sum())


def wrong_slopes(words: str, setting: Setting, gradients: Gradients, places: int) -> tuple[list[TensorCheck], int]:
    """A row for each tensor whose gradient no step agrees with, and how many numbers were compared.

    A mistake at a place that was not drawn is seen along the directions: its row is called "all".
    """
    wrong = [row for row in _not_comparable(words, setting, gradients) if row]
    if wrong:
        return wrong, 0
    compared = 0
    for name, tensor in setting.tensors.items():
        flat, claimed = tensor.reshape(-1), np.asarray(gradients[name]).reshape(-1)
        chosen = _places(tensor, places, setting.rng)
        slopes = [Slope(setting, [(flat[place : place + 1], np.ones(1))]) for place in chosen]
        compared += len(chosen)
        steps = steps_for(tensor)
        first = np.array([slope(steps[0]) for slope in slopes])
        size = max(np.abs(claimed).max(initial=0), np.abs(first).max(initial=0))
        for place, slope, numeric in zip(chosen, slopes, first, strict=True):
            if disagrees(setting, float(claimed[place]), slope, float(size), steps):
                index = tuple(int(i) for i in np.unravel_index(place, tensor.shape))
                wrong.append(_row(name, words, index, float(claimed[place]), float(numeric), len(chosen)))
                break
    return wrong or _by_directions(words, setting, gradients), compared + DIRECTIONS


def steps_for(tensor: np.ndarray) -> tuple[float, ...]:
    """The usual steps; of tiny values, shorter ones too."""
    scale = float(np.abs(tensor).max(initial=0))
    return STEPS + (tuple(part * scale for part in OF_THE_SCALE) if 0 < scale < 1e-3 else ())


def disagrees(setting: Setting, claimed: float, slope: Slope, size: float, steps: tuple[float, ...]) -> bool:
    """True if the first step says another slope, and so does every other that could tell them apart."""
    weight = ROUNDING * float((np.abs(setting.dy) * (np.abs(setting.y) + np.abs(setting.x).max(initial=0))).sum())
    by = 0.0
    tiny = len(steps) > len(STEPS)
    rtol = TINY_RTOL if tiny else RTOL
    for step in steps:
        slack = rtol * size + weight / step
        # of tiny values the first step may be too long beside an epsilon: a shorter one is asked even if it hardly can
        # tell the two apart
        if slack > (by if by and tiny else by / 2 if by else MEANINGFUL * size):
            continue
        off = abs(slope(step) - claimed)
        if off <= slack:
            return False
        by = by or off
    return by > 0 and not _beside_a_kink(setting, claimed, slope, by)


def _beside_a_kink(setting: Setting, claimed: float, slope: Slope, off: float) -> bool:
    """True if the first step crosses a kink or a jump, and the claim lies between the slopes of both sides."""
    step = STEPS[0]
    up, down = (slope.value(step) - setting.y) / step, (setting.y - slope.value(-step)) / step
    sides = setting.dy * up, setting.dy * down
    low, high = float(np.minimum(*sides).sum()), float(np.maximum(*sides).sum())
    slack = 1e-3 * (high - low)
    return high - low >= off / 2 and low - slack <= claimed <= high + slack


def _places(tensor: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Flat indices by chance, but one from each part of the values' range: what is wrong beyond a limit is met."""
    parts = np.array_split(tensor.argsort(axis=None), min(count, max(tensor.size, 1)))
    return np.array([rng.choice(part) for part in parts if part.size], int)


def _by_directions(words: str, setting: Setting, gradients: Gradients) -> list[TensorCheck]:
    names = list(setting.tensors)
    claims = [np.asarray(gradients[name], float) for name in names]
    tensors = list(setting.tensors.values())
    steps = min((steps_for(tensor) for tensor in tensors), key=lambda steps: steps[-1], default=STEPS)
    for _ in range(DIRECTIONS if names else 0):
        direction = unit_direction(tensors, setting.rng)
        slope, claimed = Slope(setting, list(zip(tensors, direction, strict=True))), along(claims, direction)
        size = float(np.sqrt(sum((g * g).sum() for g in claims)))  # what it would be along the gradient itself
        numeric = slope(steps[0])
        if disagrees(setting, claimed, slope, max(size, abs(numeric)), steps):
            return [_row("all", words, (), claimed, numeric, 1)]
    return []


def _not_comparable(words: str, setting: Setting, gradients: Gradients) -> list[TensorCheck]:
    """A row for each gradient that is missing, of another shape, or not finite."""
    found = []
    for name, tensor in setting.tensors.items():
        given = np.asarray(gradients.get(name))
        if not fits(gradients.get(name), tensor):
            found.append(nothing_to_compare(name, f"{words}: shape"))
        elif not np.isfinite(given).all():
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(given))[0])
            found.append(TensorCheck(name, words, np.inf, index, float(given[index]), np.nan, given.size, 0, False))
    return found


def _row(name: str, words: str, index: tuple[int, ...], claimed: float, numeric: float, compared: int) -> TensorCheck:
    error = abs(claimed - numeric) / max(abs(claimed), abs(numeric), 1e-300)
    return TensorCheck(name, words, error, index, claimed, numeric, compared, 0, False)
