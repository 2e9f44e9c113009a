"""Does a map lie on the motif? Five numbers per image, each with what a map that knows nothing would get.

maps (N, H, W), larger = more important; masks (N, H, W) bool. An image whose mask is empty or full has no answer: NaN,
which is never a hit. Equal values are shared out, so that a constant map scores what chance does.
"""

from collections.abc import Callable

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from ...errors import InputError


def pointing_game(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """1 if the map's largest value lies on the motif, else 0 (N,). Chance: the motif's share of the area.

    Zhang et al., 2016, "Top-down neural attention by excitation backprop".
    """
    return _each(maps, masks, lambda m, inside: inside[m == m.max()].mean())


def energy_inside(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The share of the map's sum that lies on the motif (N,). Chance: the motif's share of the area.

    Needs maps without negative values; a map of zeros has no energy to share out: NaN.
    """
    if np.size(maps) and np.min(maps) < 0:
        raise InputError("energy_inside: needs maps >= 0; take the absolute value or the positive part first")
    return _each(maps, masks, lambda m, inside: m[inside].sum() / m.sum() if m.sum() > 0 else np.nan)


def roc_auc(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """How often a pixel of the motif has a larger value than one beside it (N,). Chance: 0.5."""
    return _each(maps, masks, lambda m, inside: roc_auc_score(inside.ravel(), m.ravel()))


def average_precision(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The mean share of motif among the pixels above each threshold (N,). Chance: the motif's share of the area."""
    return _each(maps, masks, lambda m, inside: average_precision_score(inside.ravel(), m.ravel()))


def iou_at_area(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Overlap of the motif with as many of the map's largest pixels, over their union (N,).

    Chance: a / (2 - a), with a the motif's share of the area.
    """

    def iou(m: np.ndarray, inside: np.ndarray) -> float:
        area = int(inside.sum())
        threshold = np.partition(m.ravel(), -area)[-area]
        above, level = m > threshold, m == threshold
        share = (area - above.sum()) / level.sum()  # of the pixels exactly at the threshold
        hit = inside[above].sum() + share * inside[level].sum()
        return float(hit / (2 * area - hit))

    return _each(maps, masks, iou)


METRICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "pointing game": pointing_game,
    "energy inside": energy_inside,
    "ROC-AUC": roc_auc,
    "average precision": average_precision,
    "IoU at the mask's area": iou_at_area,
}


def chance(metric: str, masks: np.ndarray) -> np.ndarray:
    """What a map that knows nothing gets, per image (N,); NaN if the mask is empty or full."""
    area = masks.mean(axis=(1, 2))  # (N,)
    area[(area == 0) | (area == 1)] = np.nan
    if metric == "ROC-AUC":
        return np.where(np.isnan(area), np.nan, 0.5)
    return area / (2 - area) if metric.startswith("IoU") else area


def _each(maps: np.ndarray, masks: np.ndarray, measure: Callable[[np.ndarray, np.ndarray], float]) -> np.ndarray:
    maps, masks = np.asarray(maps, np.float64), np.asarray(masks)
    if maps.ndim != 3 or maps.shape != masks.shape or masks.dtype != bool:
        raise InputError(
            "needs maps (N, H, W) and boolean masks of the same shape, "
            f"got {maps.shape} and {masks.dtype} {masks.shape}"
        )
    if not np.isfinite(maps).all():
        raise InputError("needs finite maps; there is a NaN or an infinity in them")
    defined = [inside.any() and not inside.all() for inside in masks]
    return np.array([measure(m, i) if ok else np.nan for m, i, ok in zip(maps, masks, defined, strict=True)])
