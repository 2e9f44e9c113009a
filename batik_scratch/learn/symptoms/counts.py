"""A normalisation whose sums in dx are divided by another number than forward's means are."""

from collections.abc import Iterator

import numpy as np

from .checkup import ATOL, close
from .claim import Claim, Words
from .matrices import pair_of

SMALLEST = 4  # values that are normalised together
WHOLE = 1e-5


def divided_by_another_number(claim: Claim) -> Iterator[Words]:
    """dx has both of a normalisation's terms, and both are m / M times the true ones: M divides where m belongs.

    Of y = gamma (x - mean) / s the matrix is J = D - D (1 1' + n n') / m, with D = diag(gamma / s): outside of the
    diagonal stand the two terms alone, and J 1 = 0 says what the diagonal has of D.
    """
    if not claim.elementwise or (pair := pair_of(claim)) is None:
        return
    claimed, true = pair
    within = np.abs(true) > ATOL
    count = int(within.sum(axis=1).max())
    beside = true - np.diag(np.diagonal(true))
    if count < SMALLEST or (within.sum(axis=1) < count - 1).any() or not _normalises(true, within, claim.x):
        return
    beside_claimed = claimed - np.diag(np.diagonal(claimed))
    factor = float((beside_claimed * beside).sum() / (beside**2).sum())
    if abs(factor) < WHOLE or abs(factor - 1) < WHOLE or not close(beside_claimed, factor * beside):
        return
    gain = claimed.sum(axis=1) / (1 - factor)  # of each output: gamma / s
    if not close(np.diagonal(claimed), gain + factor * (np.diagonal(true) - gain), 10.0):
        return
    divisor = count / factor
    if abs(divisor - round(divisor)) > WHOLE * divisor or divisor < 0.5 or round(divisor) == count - 1:
        return
    yield f"""divided by another number: dx has both of a normalisation's terms, the mean of dx and the normalised x
        times the mean of dx times it, and both are {factor:.4g} times the true ones, to all digits. Forward normalises
        {count} values together, so each of these sums is divided by {count}; here it is divided by
        {round(divisor)}{_which(round(divisor), claim.x.shape)}. Divide by the number of values that share a mean, or
        take .mean over the very axes of the sum."""


def _normalises(true: np.ndarray, within: np.ndarray, x: np.ndarray) -> bool:
    """True if adding a number to the x of a group changes nothing, and stretching them next to nothing (an epsilon)."""
    size = float(np.abs(true).max())
    values = x.reshape(-1)
    means = within @ values / within.sum(axis=1)
    centred = values[None, :] - means[:, None]
    along = np.abs((true * centred).sum(axis=1))
    lengths = np.linalg.norm(true, axis=1) * np.linalg.norm(centred * within, axis=1)
    return bool((np.abs(true.sum(axis=1)) <= 1e-6 * size).all() and (along <= 2e-2 * lengths + ATOL).all())


def _which(divisor: int, shape: tuple[int, ...]) -> str:
    """What has so many values, if that is clear."""
    for words, size in (("not divided at all", 1), ("all values of the batch", int(np.prod(shape))),
                        ("all values of an image", int(np.prod(shape[1:]))),
                        ("the places of an image", int(np.prod(shape[1:-1])) if len(shape) > 2 else 0),
                        ("the channels", shape[-1]), ("the images", shape[0])):  # fmt: skip
        if divisor == size:
            return f", {words}" if size == 1 else f", the number of {words}"
    return ""
