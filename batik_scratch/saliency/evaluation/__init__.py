"""Judging maps: do they find the motif, do they name what the network used, do they notice when the network changes?"""

from .bootstrap import Interval, mean_interval
from .controls import centre_prior, sobel
from .faithfulness import deletion, insertion
from .localisation import METRICS, average_precision, energy_inside, iou_at_area, pointing_game, roc_auc
from .randomisation import randomised_layers, similarity, structural_similarity
from .table import Evaluation, evaluate_methods

__all__ = [
    "METRICS",
    "Evaluation",
    "Interval",
    "average_precision",
    "centre_prior",
    "deletion",
    "energy_inside",
    "evaluate_methods",
    "insertion",
    "iou_at_area",
    "mean_interval",
    "pointing_game",
    "randomised_layers",
    "roc_auc",
    "similarity",
    "sobel",
    "structural_similarity",
]
