"""Layers that subtract a mean or divide by a spread, and whose backward forgets that every input moves both."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from .checkup import ATOL, RTOL, close
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
MISTOLD = 1e-4  # a factor that is off by less is the one that is meant


@dataclass(frozen=True)
class Parts:
    """A gradient taken apart along `axes`, each group for itself: gain dy + constant + slope (x - its mean).

    All parts keep their dimensions, 1 along `axes`. A normalisation along these axes, and no other, has such a dx:
    gain = gamma / s, constant = -gain mean(dy), slope = -gain mean(dy n) / s, n = (x - mean) / s.
    """

    gradient: np.ndarray
    dy: np.ndarray
    x: np.ndarray
    axes: tuple[int, ...]

    def mean(self, array: np.ndarray) -> np.ndarray:
        """The mean of each group."""
        return array.mean(axis=self.axes, keepdims=True)

    @cached_property
    def centred(self) -> np.ndarray:
        """x less the mean of its group."""
        return self.x - self.mean(self.x)

    @cached_property
    def _solved(self) -> tuple[np.ndarray, np.ndarray]:
        """Gain and slope by least squares: two unknowns to a group, as the constant is gone with the means."""
        a, b = self.dy - self.mean(self.dy), self.centred
        g = self.gradient - self.mean(self.gradient)
        aa, ab, bb, ag, bg = (self.mean(one * other) for one, other in ((a, a), (a, b), (b, b), (a, g), (b, g)))
        determinant = aa * bb - ab * ab
        with np.errstate(all="ignore"):
            return (ag * bb - bg * ab) / determinant, (bg * aa - ag * ab) / determinant

    gain = property(lambda self: self._solved[0])
    slope = property(lambda self: self._solved[1])
    constant = property(lambda self: self.mean(self.gradient) - self.gain * self.mean(self.dy))

    @property
    def fit(self) -> bool:
        """True if there are more values than unknowns, and the parts are the whole gradient."""
        length = int(np.prod([self.x.shape[axis] for axis in self.axes]))
        return length > 4 and close(self.gain * self.dy + self.constant + self.slope * self.centred, self.gradient)

    @property
    def normalise(self) -> bool:
        """True if this is the dx of a normalisation: along these axes it has neither a mean nor a part along x."""
        true, size = self.gradient, np.abs(self.gradient).max(initial=0)
        return self.fit and bool((np.abs(self.mean(true)) <= ATOL + RTOL * size).all()) and self._unmoved_by_scale()

    def _unmoved_by_scale(self) -> bool:
        rows = _rows(self.gradient, self.axes), _rows(self.centred, self.axes)
        return _unmoved_by_scale(*rows)


def wrong_share(claim: Claim) -> Iterator[Words]:
    """A term of a normalisation is a sum where forward has a mean, or is divided by M - 1 where forward's is over M."""
    for true, given in _both(claim):
        count = int(np.prod([claim.x.shape[axis] for axis in true.axes]))
        if not given.fit or not np.allclose(given.gain, true.gain, rtol=MISTOLD):
            continue
        with np.errstate(all="ignore"):
            off = {"mean": given.constant / true.constant, "variance": given.slope / true.slope}
        for factor, words in (
            (count / (count - 1), f"""N - 1 for N: {{}} {count}/{count - 1} times the true one, to all digits. Forward
                divides by all {count} values, so backward divides by {count} too: M - 1 belongs to an estimate from a
                sample, and here nothing is estimated."""),
            (count, f"""sum for mean: {{}} {count} times the true one, to all digits. Each of the {count} values there
                has a share of 1/{count} in it: divide by {count}, or take a mean where the sum stands."""),
            *_partial_counts(claim.x.shape, true.axes),
        ):  # fmt: skip
            wrong = [way for way, ratio in off.items() if _near(ratio, factor, count)]
            if wrong and all(way in wrong or _near(ratio, 1, count) for way, ratio in off.items()):
                term = f"the term that comes by the {' and that by the '.join(wrong)} is"
                yield words.format(f"Along axes {true.axes} of {claim.x.shape} {term}")


def _partial_counts(shape: tuple[int, ...], axes: tuple[int, ...]) -> Iterator[tuple[float, str]]:
    """The factors of a sum over all axes that is divided by the length of only some of them, with what to say."""
    count = int(np.prod([shape[axis] for axis in axes]))
    for some in subsets(axes):
        divisor = int(np.prod([shape[axis] for axis in some]))
        if some != axes and 1 < divisor < count:
            product = " * ".join(str(shape[axis]) for axis in axes)
            yield (
                count / divisor,
                f"""divided by too few: {{}} {count}/{divisor} times the true one, to all digits. The
                sum runs over {product} = {count} values and was divided by {divisor}, the length of axis
                {" and ".join(map(str, some))} alone. Divide by all {count}: for images N * H * W, not N.""",
            )


def means_over_other_axes(claim: Claim) -> Iterator[Words]:
    """The means that a normalisation's dx subtracts are taken over other axes than forward's."""
    for true, _ in _both(claim):
        with np.errstate(all="ignore"):
            normed = true.centred * np.sqrt(-true.slope / (true.gain * true.mean(claim.dy * true.centred)))
        ways = [true.axes, *(axes for axes in subsets(range(claim.x.ndim)) if axes != true.axes)]
        for one, other in product(ways, repeat=2):
            if one == other == true.axes:
                continue
            means = claim.dy.mean(axis=one, keepdims=True), (claim.dy * normed).mean(axis=other, keepdims=True)
            wrong = true.gain * (claim.dy - means[0] - normed * means[1])
            if claim.is_(wrong):
                taken = " and ".join(str(axes) for axes in dict.fromkeys((one, other)) if axes != true.axes)
                yield f"""mean over the wrong axes: dx is, to all digits, what comes of means over the axes {taken} of
                    {claim.x.shape}; forward takes its mean and spread over the axes {true.axes}, and whatever is
                    averaged in backward is averaged over the same."""


def input_not_normalised(claim: Claim) -> Iterator[Words]:
    """The gradient of a scale is taken with x itself, where forward scales the normalised x."""
    axes = tuple(range(claim.dy.ndim - 1))
    if claim.name == "dx" or claim.true.ndim != 1 or claim.x.shape != claim.dy.shape or not axes:
        return
    scaled = claim.checkup.jacobian(claim.name).sum(axis=1).reshape(claim.dy.shape)  # dy / dgamma: the normalised x
    if not np.isfinite(scaled).all() or np.abs(scaled.mean(axis=axes)).max() > 1e-7:
        return
    for words, x in (("x itself", claim.x), ("x less its mean", claim.x - claim.x.mean(axis=axes))):
        if claim.is_((claim.dy * x).sum(axis=axes)):
            yield f"""input not normalised: The gradient is the sum of dy times {words}, to all digits. Forward
                multiplies {claim.name} by the normalised x, (x - mean) / s: so does backward."""


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


def part_along_itself(claim: Claim) -> Iterator[Words]:
    """Forward divides a tensor by its own length, and the part of the gradient along the tensor is wrong."""
    tensor = claim.x if claim.name == "dx" else claim.checkup.params[claim.name]
    if claim.given.shape != tensor.shape or not np.isfinite(claim.true).all():
        return
    tolerance = ATOL + RTOL * float(np.abs(claim.given).max(initial=0))
    for axes in subsets(range(tensor.ndim)):
        true, off, along = (_rows(array, axes) for array in (claim.true, claim.given - claim.true, tensor))
        if true.shape[1] < 3 or (true.shape[1] - 1) * len(true) < 4 or not _unmoved_by_scale(true, along):
            continue
        multiple = (off * along).sum(axis=1, keepdims=True) / (along**2).sum(axis=1, keepdims=True) * along
        if np.abs(multiple).max() > tolerance and (np.abs(off - multiple) <= tolerance).all():
            yield f"""normalisation terms missing: Along axes {axes} of {tensor.shape} the gradient is off by a multiple
                of {"x" if claim.name == "dx" else claim.name} itself, to all digits. Forward divides by a length, which
                each value moves: the true gradient has no part along the tensor. Subtract it with the right factor: in
                terms of the unit u, (g - u (u . g)) / length."""
            return


def by_groups(claim: Claim) -> Iterator[Words]:
    """The same as `normalisation_terms_missing`, where forward normalises groups of channels."""
    channels = claim.given.shape[-1]
    for groups in range(2, channels):
        if channels % groups or not claim.elementwise:
            continue
        shape = (*claim.given.shape[:-1], groups, channels // groups)
        split = _Split(claim.given.reshape(shape), claim.true.reshape(shape), claim.x.reshape(shape))
        for words in normalisation_terms_missing(split):  # type: ignore[arg-type]
            yield f"{words} (The {channels} channels are taken as {groups} groups of {channels // groups}.)"
            return


@dataclass(frozen=True)
class _Split:
    """As much of a claim as `normalisation_terms_missing` looks at, with the channels in groups."""

    given: np.ndarray
    true: np.ndarray
    x: np.ndarray
    name: str = "dx"


def _near(ratio: np.ndarray, factor: float, count: int) -> bool:
    """True if every group has this factor, and not that of count + 1 values."""
    return np.allclose(ratio, factor, rtol=MISTOLD / count, atol=0)


def _both(claim: Claim) -> Iterator[tuple[Parts, Parts]]:
    """The true and the given dx along each choice of axes along which forward normalises."""
    if not claim.elementwise or not np.isfinite(claim.true).all():
        return
    for axes in subsets(range(claim.x.ndim)):
        true = Parts(claim.true, claim.dy, claim.x, axes)
        if true.normalise:
            yield true, Parts(claim.given, claim.dy, claim.x, axes)


def _rows(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """One row for each group of values along `axes`."""
    length = int(np.prod([array.shape[axis] for axis in axes]))
    return np.moveaxis(array, axes, range(-len(axes), 0)).reshape(-1, length)


def _unmoved_by_scale(true: np.ndarray, centred: np.ndarray) -> bool:
    """True if stretching x changes next to nothing (an epsilon under the root is left)."""
    along = np.abs((true * centred).sum(axis=1))
    return bool((along <= 1e-2 * np.linalg.norm(true, axis=1) * np.linalg.norm(centred, axis=1) + ATOL).all())
