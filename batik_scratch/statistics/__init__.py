"""What can be said of classifiers that were compared on some images: pure functions of numbers, each with its source.

resampled   means over folds with an honest interval      bayes        probabilities instead of a p
power       what so many folds can show                   mcnemar      two classifiers on the same images
holm        several p at once                             calibration  log-loss, and how sure was right
"""

from .bayes import Belief, believe
from .calibration import expected_calibration_error, log_loss
from .holm import holm
from .mcnemar import Pairs, mcnemar, pairs_of
from .power import smallest_difference
from .resampled import Estimate, corrected, parts_of_variance

__all__ = [
    "Belief",
    "Estimate",
    "Pairs",
    "believe",
    "corrected",
    "expected_calibration_error",
    "holm",
    "log_loss",
    "mcnemar",
    "pairs_of",
    "parts_of_variance",
    "smallest_difference",
]
