"""Where training stands: epochs, batches, and what this epoch's loss and accuracy are so far."""

from dataclasses import dataclass, field

import numpy as np


class RunningMean:
    """Loss and accuracy over an epoch so far, every image counting once."""

    def __init__(self) -> None:
        self.images = 0
        self.loss_sum = 0.0
        self.hits = 0

    def add(self, loss: float, logits: np.ndarray, y: np.ndarray) -> None:
        """Count one batch: its mean loss, logits (N, U) and labels (N,)."""
        self.images += len(y)
        self.loss_sum += float(np.real(loss)) * len(y)
        self.hits += int((logits.real.argmax(axis=1) == y).sum())

    def logs(self, prefix: str = "") -> dict[str, float]:
        """{"accuracy": share, "loss": mean}, named with `prefix`."""
        return {f"{prefix}accuracy": self.hits / self.images, f"{prefix}loss": self.loss_sum / self.images}


@dataclass
class Progress:
    """Where training stands: whole epochs done, batches of the next epoch done, and that epoch's running means."""

    epoch: int = 0
    batch: int = 0
    mean: RunningMean = field(default_factory=RunningMean)
