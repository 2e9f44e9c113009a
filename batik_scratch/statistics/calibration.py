"""Whether a classifier knows how sure it may be."""

import numpy as np


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean of -log p of the true class: labels (N,), probabilities (N, U). A p of 0 counts as 1e-12."""
    p = np.asarray(probabilities, np.float64)[np.arange(len(labels)), labels]  # (N,)
    return float(-np.log(np.maximum(p, 1e-12)).mean())


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> float:
    """ECE (Guo et al., "On Calibration of Modern Neural Networks", 2017), with as many bins of equal width as they had.

    The answers are sorted into bins by the probability p of the class that was answered:
    ECE = sum over bins of (images in the bin / N) |share of right answers - mean p|, in [0, 1], 0 is best.
    """
    p = np.asarray(probabilities, np.float64)  # (N, U)
    sure, right = p.max(axis=1), p.argmax(axis=1) == labels  # (N,) both
    place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)  # (N,): a bin holds its upper end
    gap = np.bincount(place, right - sure, bins)  # (bins,): images in the bin x (share right - mean p)
    return float(np.abs(gap).sum() / len(sure))
