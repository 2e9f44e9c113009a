"""What is missing, taken by itself: dy times one number, a product of two vectors, a power of what stands there.

`lacking` is the true matrix less the claimed one; row i of it says what output i should send back and does not.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np

from .checkup import ATOL, close
from .claim import Claim, Words
from .matrices import pair_of
from .order import subsets

ENOUGH = 3  # places that have a number in common, or rows and columns of a product
FEW = 8  # pairs by which a power is told
LARGEST_POWER = 3
PARTS = (12, 8)  # a number that somebody would write is a whole number of these parts
GROUPS = {
    (2, (1,)): "image by image",
    (3, (1, 2)): "image by image",
    (3, (1,)): "image by image and unit by unit",
    (3, (2,)): "step by step of each image",
    (4, (1, 2, 3)): "image by image",
    (4, (1, 2)): "image by image and channel by channel",
    (4, (3,)): "place by place of each image",
}


def factor_held_fixed(claim: Claim) -> Iterator[Words]:
    """y = x s(x) + ..., s being one number to an image (or channel, place): s dy is missing, or what s sends back."""
    if claim.name != "dx" or (pair := pair_of(claim)) is None or len(claim.x) < 2 or len(claim.y) != len(claim.x):
        return
    claimed, lacking = pair[0], pair[1] - pair[0]
    if (np.abs(claimed) > ATOL).sum() < ENOUGH:
        return
    yield from _number_times_dy(claim, pair[1], lacking)
    yield from _number_sends_nothing(claim, pair[1], lacking)


def _number_times_dy(claim: Claim, true: np.ndarray, lacking: np.ndarray) -> Iterator[Words]:
    diagonal = np.diagonal(lacking)
    beside = np.abs(true - np.diag(np.diagonal(true))) > ATOL if claim.elementwise else np.zeros(0, bool)
    if beside.sum() < true.shape[0] or not close(lacking, np.diag(diagonal)):
        return  # of y that depend on their own x alone the difference never lies elsewhere
    numbers = diagonal.reshape(claim.x.shape)
    for axes in sorted(subsets(range(1, claim.x.ndim)), key=len, reverse=True):
        same = numbers.mean(axis=axes, keepdims=True)
        alike = int(np.prod([claim.x.shape[axis] for axis in axes]))
        if alike < ENOUGH or not close(numbers, np.broadcast_to(same, numbers.shape)) or np.ptp(same) < 1e-6:
            continue
        where = GROUPS.get((claim.x.ndim, axes), f"with the places along axes {axes} alike")
        yield f"""product rule's term missing: dx lacks dy times one number, {where}, from {same.min():.4g} to
            {same.max():.4g}; all else is right. So forward multiplies x by a number s that it makes of x,
            y = x s(x) + ..., and x itself is held fixed there. By the product rule each factor has its turn: add
            s dy, beside what goes back through s."""
        return


def _number_sends_nothing(claim: Claim, true: np.ndarray, lacking: np.ndarray) -> Iterator[Words]:
    n = len(claim.x)
    blocks = [matrix.reshape(n, claim.y[0].size, n, claim.x[0].size) for matrix in (true, lacking)]
    of_images = [block[range(n), :, range(n)] for block in blocks]  # (N, y of an image, x of an image)
    if any(
        (np.abs(block) > ATOL).sum() != (np.abs(own) > ATOL).sum() for block, own in zip(blocks, of_images, strict=True)
    ):
        return
    if min(of_images[0].shape[1:]) < ENOUGH or any(_product(block) is not None for block in of_images[0]):
        return
    vectors = [_product(block) for block in of_images[1]]
    pairs = [pair for pair in vectors if pair is not None]
    if len(pairs) < n or any(min(np.count_nonzero(np.abs(v) > 1e-6) for v in pair) < ENOUGH for pair in pairs):
        return
    outputs = np.stack([u for u, _ in pairs])
    factor = next((f" (and u is {word})" for word, value in _known(claim) if _parallel(outputs, value)), "")
    yield f"""number taken for a constant: What dx lacks is, image by image, the product of two vectors u v', to all
        digits: the sum of dy u over the outputs, times v{factor}. So one number of each image (a product with weights,
        a mean, a norm, a gate) enters all its outputs, by the factors u, and its own derivative v is missing. With
        y = u s(x) + ... add (sum of dy u) times the derivative of s."""


def _product(block: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Both vectors, each of length 1, if the block is a multiple of u v'."""
    row, column = np.unravel_index(int(np.abs(block).argmax()), block.shape)
    u, v = block[:, column], block[row]
    if abs(block[row, column]) < 1e-6 or not close(block, np.outer(u, v) / block[row, column], 10.0):
        return None
    return u / np.linalg.norm(u), v / np.linalg.norm(v)


def _known(claim: Claim) -> Iterator[tuple[str, np.ndarray]]:
    n = len(claim.x)
    yield "x itself", claim.x.reshape(n, -1)
    yield "the same at all outputs", np.ones((n, claim.y[0].size))
    yield "y itself", claim.y.reshape(n, -1)


def _parallel(vectors: np.ndarray, value: np.ndarray) -> bool:
    """True if each row of `vectors`, of length 1, points along that of `value` or against it."""
    if vectors.shape != value.shape:
        return False
    along = np.abs((vectors * value).sum(axis=1))
    return bool((np.abs(along - np.linalg.norm(value, axis=1)) <= 1e-7 * along).all())


def local_term_missing(claim: Claim) -> Iterator[Words]:
    """A parameter's gradient lacks c v^a x^b dy, v being its own value there and x the input that belongs to it."""
    if (pair := pair_of(claim)) is None:
        return
    if claim.name == "dx":
        yield from _power_of_x_missing(claim, pair[1] - pair[0])
        return
    lacking, v = pair[1] - pair[0], claim.checkup.params[claim.name]
    there = np.abs(lacking) > ATOL
    if there.sum() < FEW or (np.abs(pair[0]) > ATOL).sum() < FEW:
        return
    for (which, mask), (letter, x) in product(_pairs(claim), _inputs(claim)):
        if not there[mask].all() or there[~mask].any():
            continue
        own = np.broadcast_to(v.reshape(1, -1), lacking.shape)[mask]
        fit = _monomial(lacking[mask], own, None if x is None else x[mask])
        if fit is None or fit[1:] == (0, 0):
            continue
        term = _formula(_indexed(claim.name, v), letter, *fit)
        yield f"""local term missing: {claim.name} lacks {term} times dy, at all {mask.sum()} pairs of {which}; all
            else is right. Either forward has it (a square that is taken away, a diagonal), and it is to be
            differentiated by {claim.name} too; or backward has it, with the other sign, and should not."""
        return


def _power_of_x_missing(claim: Claim, lacking: np.ndarray) -> Iterator[Words]:
    """dx lacks c x^b dy, c being the same in all images."""
    n = len(claim.x)
    if claim.x.ndim != 2 or claim.y.ndim != 2 or claim.elementwise or n < ENOUGH or len(claim.y) != n:
        return
    shares = lacking.reshape(n, -1, n, claim.x.shape[1])
    own = shares[range(n), :, range(n)]  # (N, U, D)
    if (np.abs(own) > ATOL).sum() < FEW or (np.abs(own) > ATOL).sum() != (np.abs(lacking) > ATOL).sum():
        return
    for power in range(1, LARGEST_POWER + 1):
        term = claim.x[:, None, :] ** power
        c = (own * term).sum(axis=0) / (term**2).sum(axis=0)  # (U, D)
        if close(own, c * term) and (np.abs(c) > ATOL).sum() >= ENOUGH:
            word = f"x[n, i]{f'^{power}' if power > 1 else ''}"
            yield f"""local term missing: dx lacks a number times {word} times dy at {(np.abs(c) > ATOL).sum()} pairs of
                an output and an input, a number that is the same in all {n} images{_number(claim, c)}; all else is
                right. Either forward has that term (a power of x by itself, a diagonal that is taken away), and it is
                to be differentiated too; or backward has it, with the other sign, and should not."""
            return


def _number(claim: Claim, c: np.ndarray) -> str:
    """What that number is, if a parameter tells it."""
    for key, value in claim.checkup.params.items():
        if value.ndim != 2 or value.shape[0] != c.shape[1]:
            continue
        squares = (value**2).sum(axis=1)[None]
        for word, known in ((key, value.T), (f"{key}^2", value.T**2), (f"the sum of {key}^2 over each row", squares)):
            size = float((c * known).sum() / (known**2).sum()) if known.shape == c.shape else 0.0
            if _written(size) and close(c, size * known):
                return f" ({size:.4g} times {word})"
    return f" (from {c.min():.4g} to {c.max():.4g})"


def _pairs(claim: Claim) -> Iterator[tuple[str, np.ndarray]]:
    """Which outputs and values of the parameter may belong together: all, or those of one index."""
    v, places = claim.checkup.params[claim.name], np.indices(claim.y.shape)
    indices = np.indices(v.shape).reshape(v.ndim, 1, -1)
    yield f"an output and a value of {claim.name}", np.ones((claim.y.size, v.size), bool)
    for axis in range(v.ndim) if claim.y.ndim > 1 else ():
        if 1 < v.shape[axis] == claim.y.shape[-1]:
            yield (
                f"an output and a value of {claim.name} with its own index along axis {axis}",
                places[-1].reshape(-1, 1) == indices[axis],
            )


def _inputs(claim: Claim) -> Iterator[tuple[str, np.ndarray | None]]:
    """The input that belongs to an output and a value of the parameter (y.size, size): none, of its index or place."""
    v, x = claim.checkup.params[claim.name], claim.x
    shape = (claim.y.size, v.size)
    yield "", None
    if x.ndim == 2:
        images = np.indices(claim.y.shape)[0].reshape(-1, 1)
        for axis in range(v.ndim):
            if v.shape[axis] == x.shape[1]:
                index = np.indices(v.shape)[axis].reshape(1, -1)
                yield "x" if v.ndim == 1 else f"x[n, {'ijkl'[axis]}]", np.broadcast_to(x[images, index], shape)
    if x.shape == claim.y.shape:
        yield "x", np.broadcast_to(x.reshape(-1, 1), shape)


def _monomial(values: np.ndarray, v: np.ndarray, x: np.ndarray | None) -> tuple[float, int, int] | None:
    """(c, a, b) with values = c v^a x^b everywhere, c a number that somebody would write; else None."""
    for a, b in product(range(LARGEST_POWER + 1), range(LARGEST_POWER + 1) if x is not None else (0,)):
        term = v**a if x is None else v**a * x**b
        size = float((values * term).sum() / (term**2).sum())
        if close(values, size * term) and _written(size):
            return size, a, b
    return None


def _written(size: float) -> bool:
    return 0.05 < abs(size) < 20 and any(abs(size * parts - round(size * parts)) < 1e-5 for parts in PARTS)


def _indexed(name: str, v: np.ndarray) -> str:
    return name if v.ndim == 1 else f"{name}[{', '.join('ijkl'[: v.ndim])}]"


def _formula(name: str, letter: str, size: float, a: int, b: int) -> str:
    factors = [f"{word}{f'^{power}' if power > 1 else ''}" for word, power in ((letter, b), (name, a)) if power]
    number = "" if abs(abs(size) - 1) < 1e-5 else f"{abs(size):.4g} "
    return f"the term {'-' if size < 0 else ''}{number}{' '.join(factors)}"
