"""Several comparisons at once: one of twenty is significant by luck."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """p adjusted for as many comparisons (Holm, Scandinavian Journal of Statistics 6, 1979), in the order given.

    The i-th smallest of m is multiplied by m - i + 1; none becomes smaller than one that was smaller before, and none
    larger than 1. Whoever calls those below 0.05 significant is wrong about any of them with a probability of 0.05 at
    most, however the comparisons depend on each other. NaN stays NaN, and counts for nothing.
    """
    p = np.asarray(p_values, np.float64)  # (m,)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted.tolist()
