"""A mean over images, and how far to trust it."""

from typing import NamedTuple

import numpy as np
from scipy.stats import bootstrap


class Interval(NamedTuple):
    """A mean with its 95% interval, and over how many images."""

    mean: float
    low: float
    high: float
    images: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def mean_interval(values: np.ndarray, seed: int = 0, resamples: int = 2000) -> Interval:
    """The mean of values (N,) with a percentile bootstrap over images; NaN (undefined) is left out, and not counted."""
    kept = np.asarray(values, np.float64)
    kept = kept[np.isfinite(kept)]
    if len(kept) < 2 or np.ptp(kept) == 0:
        mean = float(kept.mean()) if len(kept) else float("nan")
        return Interval(mean, mean, mean, len(kept))
    rng = np.random.default_rng(seed)
    found = bootstrap((kept,), np.mean, n_resamples=resamples, method="percentile", rng=rng, vectorized=True)
    return Interval(
        float(kept.mean()), float(found.confidence_interval.low), float(found.confidence_interval.high), len(kept)
    )
