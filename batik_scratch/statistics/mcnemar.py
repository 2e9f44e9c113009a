"""Two classifiers that judged the same images."""

from collections.abc import Mapping
from typing import NamedTuple

from scipy.stats import binom


class Pairs(NamedTuple):
    """Images that the second has right and the first wrong; the first right and the second wrong; and McNemar's p."""

    mended: int
    broken: int
    p: float


def mcnemar(mended: int, broken: int) -> float:
    """The exact two-sided p of McNemar's test (Psychometrika 12, 1947), by the binomial distribution.

    Images on which both are right, or both wrong, say nothing of who is better. If neither is, each of the others falls
    to either side with probability 1/2: p = min(1, 2 P[Binomial(mended + broken, 1/2) <= the smaller of the two]).
    """
    return min(1.0, 2 * float(binom.cdf(min(mended, broken), mended + broken, 0.5)))


def pairs_of(first: Mapping[str, bool], second: Mapping[str, bool]) -> Pairs:
    """Who had which image right, by the images' names; images that only one of them judged are left out."""
    both = first.keys() & second.keys()
    mended = sum(second[name] and not first[name] for name in both)
    broken = sum(first[name] and not second[name] for name in both)
    return Pairs(mended, broken, mcnemar(mended, broken))
