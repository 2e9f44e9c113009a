"""How likely is better, worse, or the same for all that matters?"""

from typing import NamedTuple

from scipy.stats import t as student

from .resampled import Estimate


class Belief(NamedTuple):
    """Probabilities that add up to 1."""

    worse: float
    equal: float
    better: float


def believe(difference: Estimate, region: float = 0.01) -> Belief:
    """Bayesian correlated t-test (Corani & Benavoli, Machine Learning 100, 2015; Benavoli et al., JMLR 18, 2017).

    After the folds were seen, and with a prior that prefers nothing, the true difference has the t distribution about
    the mean, with the corrected standard error for its scale. `region` is the region of practical equivalence, either
    way: differences inside it are equal for all that matters. Without a doubt that could be measured, all belief is
    where the mean is; with a single fold there is nothing to believe, and all three are a third.
    """
    if difference.freedom == 0:
        return Belief(1 / 3, 1 / 3, 1 / 3)
    mean = difference.mean
    if difference.scale == 0:
        return Belief(float(mean < -region), float(abs(mean) <= region), float(mean > region))
    worse = float(student.cdf((-region - mean) / difference.scale, difference.freedom))
    better = float(student.sf((region - mean) / difference.scale, difference.freedom))
    return Belief(worse, max(0.0, 1 - worse - better), better)
