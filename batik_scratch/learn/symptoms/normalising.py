"""Layers that subtract a mean or divide by a spread, and whose backward forgets that every input moves both."""

import numpy as np

from .diagnosis import ATOL, RTOL, Diagnosis
from .order import subsets
from .run import Run

MEAN = "Forward subtracts a mean there, and each x moves it: subtract the mean of dx"
SPREAD = (
    "Forward divides by a spread there, and each x moves it: subtract the normalised x times the mean of dx times it"
)
WORDS = {
    (True, False): ("a constant", MEAN),
    (False, True): ("a multiple of x less its mean", SPREAD),
    (True, True): ("a constant and a multiple of x", f"{MEAN}. {SPREAD}"),
}


def normalisation_terms_missing(run: Run, name: str, given: np.ndarray) -> Diagnosis | None:
    """Along some axes dx is off by a constant, by a multiple of x, or by both, and the true dx has nothing of the kind."""
    numeric = run.numeric(name)
    if name != "dx" or given.shape != numeric.shape or not np.isfinite(numeric).all():
        return None
    tolerance = ATOL + RTOL * float(np.abs(given).max(initial=0))
    for axes in subsets(range(numeric.ndim)):
        true, off, x = (_rows(array, axes) for array in (numeric, given - numeric, run.x))
        length = true.shape[1]
        if length < 3 or (length - 2) * len(true) < 3 or np.abs(true.sum(axis=1)).max() > length * tolerance:
            continue  # too little to tell, or forward does not subtract a mean along these axes
        constant = off.mean(axis=1, keepdims=True)
        centred = x - x.mean(axis=1, keepdims=True)
        multiple = (off * centred).sum(axis=1, keepdims=True) / (centred**2).sum(axis=1, keepdims=True) * centred
        missing = (bool((np.abs(constant) > tolerance).any()), bool((np.abs(multiple) > tolerance).any()))
        if not any(missing) or not (np.abs(off - constant - multiple) <= tolerance).all():
            continue
        if missing[1] and not _unmoved_by_scale(true, centred):
            continue
        what, advice = WORDS[missing]
        where = f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"
        return Diagnosis(
            "normalisation terms missing",
            name,
            f"Along {where} of {numeric.shape} dx is off by {what}, to all digits. {advice}.",
        )
    return None


def _rows(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """One row for each group of values along `axes`."""
    length = int(np.prod([array.shape[axis] for axis in axes]))
    return np.moveaxis(array, axes, range(-len(axes), 0)).reshape(-1, length)


def _unmoved_by_scale(true: np.ndarray, centred: np.ndarray) -> bool:
    """True where stretching x changes next to nothing (an epsilon under the root is left)."""
    along = np.abs((true * centred).sum(axis=1))
    return bool((along <= 1e-2 * np.linalg.norm(true, axis=1) * np.linalg.norm(centred, axis=1) + ATOL).all())
