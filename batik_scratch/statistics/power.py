"""What an experiment of this size could have shown."""

import math

from scipy.optimize import brentq
from scipy.stats import nct
from scipy.stats import t as student

from .resampled import Estimate


def smallest_difference(difference: Estimate, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest true difference that the test of `difference` would call significant with probability `power`.

    The statistic follows the noncentral t distribution with noncentrality true difference / standard error (Cohen,
    "Statistical Power Analysis for the Behavioral Sciences", 1988). It is solved for the noncentrality, with the
    standard error that was observed: a statement about the size of the experiment, and not about what it found.
    """
    if difference.freedom == 0:
        return math.inf
    limit = float(student.ppf(1 - alpha / 2, difference.freedom))

    def lacking(noncentrality: float) -> float:
        found = nct.sf(limit, difference.freedom, noncentrality)
        if noncentrality < 4:  # beyond it the other side is empty, and SciPy has no number for it
            found += nct.cdf(-limit, difference.freedom, noncentrality)
        return float(found) - power

    highest = 1.0
    while lacking(highest) < 0:
        highest += 1
    return difference.scale * float(brentq(lacking, highest - 1, highest))
