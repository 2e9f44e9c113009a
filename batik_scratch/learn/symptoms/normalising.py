"""Layers that subtract a mean or divide by a spread, and whose backward forgets that every input moves both."""

from collections.abc import Iterator

import numpy as np

from .checkup import ATOL, RTOL
from .claim import Claim, Words
from .order import subsets

MEAN = "Forward subtracts a mean there, and each x moves it: subtract the mean of dx"
SPREAD = """Forward divides by a spread there, and each x moves it: subtract the normalised x times the mean of dx times
    it"""
WORDS = {
    (True, False): ("a constant", MEAN),
    (False, True): ("a multiple of x less its mean", SPREAD),
    (True, True): ("a constant and a multiple of x", f"{MEAN}. {SPREAD}"),
}


def normalisation_terms_missing(claim: Claim) -> Iterator[Words]:
    """Along some axes dx is off by a constant, a multiple of x, or both, and the true dx has nothing of the kind."""
    if claim.name != "dx" or not np.isfinite(claim.true).all():
        return
    tolerance = ATOL + RTOL * float(np.abs(claim.given).max(initial=0))
    for axes in subsets(range(claim.true.ndim)):
        true, off, x = (_rows(array, axes) for array in (claim.true, claim.given - claim.true, claim.x))
        length = true.shape[1]
        if length < 3 or (length - 2) * len(true) < 3 or np.abs(true.sum(axis=1)).max() > length * tolerance:
            continue  # too little to tell, or forward does not subtract a mean along these axes
        constant = off.mean(axis=1, keepdims=True)
        centred = x - x.mean(axis=1, keepdims=True)
        multiple = (off * centred).sum(axis=1, keepdims=True) / (centred**2).sum(axis=1, keepdims=True) * centred
        missing = (bool((np.abs(constant) > tolerance).any()), bool((np.abs(multiple) > tolerance).any()))
        if not any(missing) or not (np.abs(off - constant - multiple) <= tolerance).all():
            continue
        if not missing[1] or _unmoved_by_scale(true, centred):
            what, advice = WORDS[missing]
            where = f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"
            yield f"""normalisation terms missing: Along {where} of {claim.true.shape} dx is off by {what}, to all
                digits. {advice}."""


def _rows(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """One row for each group of values along `axes`."""
    length = int(np.prod([array.shape[axis] for axis in axes]))
    return np.moveaxis(array, axes, range(-len(axes), 0)).reshape(-1, length)


def _unmoved_by_scale(true: np.ndarray, centred: np.ndarray) -> bool:
    """True if stretching x changes next to nothing (an epsilon under the root is left)."""
    along = np.abs((true * centred).sum(axis=1))
    return bool((along <= 1e-2 * np.linalg.norm(true, axis=1) * np.linalg.norm(centred, axis=1) + ATOL).all())
