"""Is it an array, is it the right kind of array, are the numbers right; and if not, in which way not."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

Suspect = tuple[Any, str]  # what a known mistake would have given, and its name in plain words
Suspects = Iterator[Suspect]
Wrong = tuple[str, tuple[str, ...]]  # a sentence and its details
RTOL, ATOL = 1e-8, 1e-9


def wrong_kind(value: Any, like: np.ndarray, what: str) -> Wrong | None:
    """What to say if `value` is no finite array of `like`'s shape and kind; None if it is."""
    if value is None:
        return f"{what} is None; is a return missing?", ()
    if type(value) is not np.ndarray:  # a np.matrix multiplies and indexes otherwise
        if like.ndim == 0 and isinstance(value, int | float | np.number):
            return None if np.isfinite(value) else (f"{what} is {value}.", ())
        wanted = f"a plain NumPy array of shape {like.shape}" if like.ndim else "one number"
        return f"{what} is a {type(value).__name__}; it must be {wanted}.", ()
    if value.shape != like.shape:
        wanted = f"have {like.shape}" if like.ndim else "be one number"
        return f"{what} has shape {value.shape}; it must {wanted}.{_about(value, like)}", ()
    if value.dtype != like.dtype:
        fix = " Make new arrays with dtype=x.dtype, or by np.zeros_like." if value.dtype.kind == "f" else ""
        return f"{what} holds {value.dtype} numbers; it must hold {like.dtype} as the input does.{fix}", ()
    if not np.isfinite(value).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
        advice = "Look for a division by 0, log(0) or exp of much."
        return f"{what} is not finite: {value[place]} at {list(place)}. {advice}", ()
    return None


def wrong_numbers(value: np.ndarray, expected: np.ndarray, what: str, suspects: Iterable[Suspect] = ()) -> Wrong | None:
    """What to say if `value` differs from `expected`, by the first suspect that gives the same if there is one."""
    value = np.asarray(value)
    if same(value, expected):
        return None
    named = next((sentence for wrong, sentence in suspects if same(value, np.asarray(wrong))), None)
    named = named or _cut_off(value, expected, what)
    if named is None and _as_float32_rounds(value, expected):
        named = f"{what} agrees to about six digits only: an array on the way is float32; make it with dtype=x.dtype."
    return named or f"{what} has wrong numbers.", evidence(value, expected, what)


def unlike(value: Any, expected: np.ndarray, what: str, suspects: Iterable[Suspect] = ()) -> Wrong | None:
    """What to say if `value` is not `expected`: of its kind, or if that is right of its numbers."""
    return wrong_kind(value, expected, what) or wrong_numbers(value, expected, what, suspects)


def apart(a: float, b: float) -> tuple[str, str]:
    """Both numbers with six digits, or as many more as show that they differ."""
    texts = [(f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in range(6, 18)]
    return next(((one, other) for one, other in texts if one != other), texts[0])


def evidence(value: np.ndarray, expected: np.ndarray, what: str) -> tuple[str, ...]:
    """The place where they differ most, with both numbers."""
    place = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(value - expected)), value.shape))
    wrong = int((np.abs(value - expected) > ATOL + RTOL * np.abs(expected)).sum())
    where = f" at {list(place)}" if place else ""
    count = f" ({wrong} of {value.size} numbers differ)" if value.size > 1 else ""
    said, right = apart(value[place], expected[place])
    return (f"{what}{where} is {said} and should be {right}{count}",)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal up to rounding in float64."""
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=RTOL, atol=ATOL))


def _cut_off(value: np.ndarray, expected: np.ndarray, what: str) -> str | None:
    """That all is right but what lies beyond a limit, if so; one number at a limit may be there by chance."""
    low, high = value.min(), value.max()
    if not np.isclose(value, expected, RTOL, ATOL).any() or not same(value, np.clip(expected, low, high)):
        return None
    for limit, side, furthest, way in ((high, "above", expected.max(), "up"), (low, "below", expected.min(), "down")):
        if (value == limit).sum() > 1 and not np.isclose(furthest, limit, rtol=RTOL, atol=ATOL):
            wanted = f"it should go {way} to {furthest:.4g}: leave the limit out"
            return f"{what} is cut off: nothing is {side} {limit:g}, and {wanted}."
    return None


def _as_float32_rounds(value: np.ndarray, expected: np.ndarray) -> bool:
    """Off by no more than float32 rounds, which is far more than float64 does."""
    largest = np.abs(expected).max()
    return bool(np.abs(value - expected).max() <= 2 * np.finfo(np.float32).eps * largest)


def _about(value: np.ndarray, like: np.ndarray) -> str:
    if value.ndim > 1 and value.shape == like.shape[::-1]:
        return " It is transposed."
    if value.ndim and value.shape == like.shape[1:] and len(like) == 1:
        return " The first axis, the images, is lost where there is one image alone, as np.squeeze does it."
    if value.shape == like.shape[1:]:
        return " The first axis, the images, is lost: something sums or picks over it."
    if value.size == like.size:
        return " As many numbers, arranged differently."
    if value.ndim == like.ndim and value.shape[1:] == like.shape[1:]:
        return " The first axis counts the images."
    return ""
