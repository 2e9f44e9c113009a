"""How long nothing may come back before an experiment is given up."""

from .config import ExperimentConfig
from .material import Material

LEAST = 1800.0  # seconds
SLOW = 2e-5  # seconds for a pixel of an image in an epoch: some thirty times what one core of 2020 needs


def patience(config: ExperimentConfig, material: Material) -> float:
    """Seconds without any answer after which a worker must be lost: far longer than the longest training takes.

    LEAST + SLOW N E S^2, for N images of S pixels a side and the epochs E of both stages.
    """
    epochs, size = 2 * config.study.epochs, config.study.image_size
    return LEAST + SLOW * len(material.labels) * epochs * size**2
