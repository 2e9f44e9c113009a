"""What two passes of one layer must have in common: other dtypes, other dy, gradients that are not asked for."""

from typing import Any

import numpy as np

from .circumstances import Setting
from .numeric import distinct, fits
from .report import TensorCheck, nothing_to_compare
from .specimen import Gradients

Looked = tuple[list[TensorCheck], int]  # the wrong tensors, and how many numbers were compared
COARSE = 2e-3  # of the largest value: far above what float32 rounds to, far below any factor
LARGEST = 1e30  # what float32 holds with room to spare
FINE = 1e-9


def in_float32(words: str, setting: Setting) -> Looked:
    """The gradients of the same layer in float32, beside those in float64."""
    x, dy = _through_float32(setting.x), _through_float32(setting.dy)
    fine, y = setting.at(x), setting.at(x).y
    coarse = setting.specimen.astype("float32")
    y32 = coarse.forward(_to_float32(x))
    if y32.shape != y.shape or not _near(y32, y, COARSE):
        return [], 0  # another draw of random numbers, or too few digits to say anything
    return _unlike(words, coarse.backward(_to_float32(dy)), fine.gradients(dy), COARSE, 1e-5 * np.abs(dy).max())


def overflowing(words: str, setting: Setting) -> Looked:
    """Inputs to 100: where the float64 result fits into float32, the float32 result must be finite."""
    if setting.x.dtype.kind != "f":
        return [], 0
    there = setting.at(setting.specimen.suited(_through_float32(distinct(setting.x.shape, setting.rng, 200.0))))
    if not there.measurable:
        return [], 0
    coarse = there.specimen.astype("float32")
    y32 = coarse.forward(_to_float32(there.x))
    small = {"dx": coarse.backward(_to_float32(there.dy)).get("dx")}
    both = [("y", y32, there.y), ("dx", small["dx"], there.gradients().get("dx"))]
    for name, narrow, wide in both:
        if not (isinstance(narrow, np.ndarray) and isinstance(wide, np.ndarray) and narrow.shape == wide.shape):
            continue
        bad = ~np.isfinite(narrow) & (np.abs(wide) < LARGEST) | ~np.isfinite(wide)
        if bad.any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            return [
                TensorCheck(name, words, np.inf, at, float(narrow[at]), float(wide[at]), bad.size, 0, False)
            ], bad.size
    return [], there.y.size + there.x.size


def dy_times_100(words: str, setting: Setting) -> Looked:
    """backward is linear in dy: a hundred times the dy, a hundred times the gradient."""
    hundredfold = {k: g * 100 if isinstance(g, np.ndarray) else g for k, g in setting.gradients().items()}
    return _unlike(words, setting.gradients(100 * setting.dy), hundredfold, FINE)


def dy_of_zeros(words: str, setting: Setting) -> Looked:
    """No dy, no gradient."""
    nothing = {k: np.zeros_like(g) if isinstance(g, np.ndarray) else g for k, g in setting.gradients().items()}
    return _unlike(words, setting.gradients(np.zeros_like(setting.dy)), nothing, FINE)


def without_dx(words: str, setting: Setting) -> Looked:
    """The parameters' gradients are the same if dx is not asked for."""
    return _with_an_option(words, setting, "dx", need_dx=False)


def without_grads(words: str, setting: Setting) -> Looked:
    """dx is the same if the parameters' gradients are not asked for."""
    return _with_an_option(words, setting, "", need_grads=False)


def by_chance_at_rest(words: str, setting: Setting) -> Looked:
    """At rest nothing is drawn by chance: a prediction is the same again."""
    first = setting.specimen.forward(setting.x, training=False)
    setting.specimen.draw_on()
    again = setting.specimen.forward(setting.x, training=False)
    if first.shape == again.shape and _near(first, again, FINE):
        return [], first.size
    return [nothing_to_compare("y", words, compared=first.size)], first.size


def _with_an_option(words: str, setting: Setting, without: str, **option: Any) -> Looked:
    usual = setting.gradients()
    names = [name for name in usual if (name != without if without else name == "dx")]
    setting.specimen.layer.grads = {}
    other = setting.gradients(**option)
    return _unlike(words, {k: other.get(k) for k in names}, {k: usual[k] for k in names}, FINE)


def _unlike(words: str, given: Gradients, right: Gradients, rtol: float, atol: float = 1e-12) -> Looked:
    """Rows for the gradients that are not those of `right`; what is wrong there already is not looked at here."""
    wrong, compared = [], 0
    for name, expected in right.items():
        found = np.asarray(given.get(name))
        if not fits(expected, expected) or not np.isfinite(expected).all():
            continue
        if not fits(given.get(name), expected):
            wrong.append(nothing_to_compare(name, f"{words}: shape"))
            continue
        compared += expected.size
        if not _near(found, expected, rtol, atol):
            off = np.nan_to_num(np.abs(found - expected), nan=np.inf)
            at = tuple(int(i) for i in np.unravel_index(int(off.argmax()), off.shape))
            error = float(off[at] / max(abs(float(expected[at])), abs(float(found[at])), 1e-300))
            row = TensorCheck(name, words, error, at, float(found[at]), float(expected[at]), off.size, 0, False)
            wrong.append(row)
    return wrong, compared


def _near(a: np.ndarray, b: np.ndarray, rtol: float, atol: float = 1e-12) -> bool:
    """True if both agree to `rtol` of the largest value and `atol`."""
    return bool((np.abs(a - b) <= rtol * np.abs(b).max(initial=0) + atol).all())


def _to_float32(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _through_float32(array: np.ndarray) -> np.ndarray:
    """The same numbers with as many digits as float32 keeps, so that both dtypes are given equal ones."""
    return _to_float32(array).astype(array.dtype)
