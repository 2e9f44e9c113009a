"""How good a model is on labelled images: the figures, for a reader and for a program."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..images.passed_over import shortened
from .metrics import classification_metrics

SHOWN = 12  # classes whose rows and columns a terminal has room for


class Outcome:
    """What a model predicted, held against the labels.

    labels, predicted   class numbers (N,)
    model               the file that it is in
    epochs              that it was trained just now; None if it was there before
    """

    def __init__(
        self, labels: np.ndarray, predicted: np.ndarray, names: Sequence[str], model: Path, epochs: int | None = None
    ) -> None:
        self.images, self.names, self.model, self.epochs = len(labels), list(names), model, epochs
        self.metrics = classification_metrics(labels, predicted, names)

    def to_json(self) -> dict[str, Any]:
        """images, the metrics that `classification_metrics` gives, model; and the epochs of a training."""
        told = {"images": self.images, **self.metrics}
        return told | {"model": str(self.model)} | ({} if self.epochs is None else {"epochs": self.epochs})

    def __str__(self) -> str:
        metrics, names = self.metrics, self.names
        low, high = metrics["accuracy_interval"]
        lines = [
            f"{self.images} images: accuracy {metrics['accuracy']:.3f} (95% interval {low:.3f} to {high:.3f}), "
            f"weighted precision {metrics['precision']:.3f}, recall {metrics['recall']:.3f}, F1 {metrics['f1']:.3f}"
        ]
        confusion = np.array(metrics["confusion"])  # (U, U)
        there = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1)).tolist()  # or answered
        shown = list(range(len(names))) if len(names) <= SHOWN else there
        width = max(len(names[c]) for c in shown)
        for true in shown[:SHOWN]:
            answers = shown if len(shown) <= SHOWN else np.flatnonzero(confusion[true]).tolist()
            told = [f"{names[c]}: {confusion[true, c]}" for c in answers]
            lines.append(f"  {names[true]:{width}s}  predicted as  {shortened(told, SHOWN, '  ')}")
        if len(shown) > SHOWN:
            lines.append(f"  and {len(shown) - SHOWN} more classes")
        if self.epochs is not None:
            lines.append(f"model: {self.model}")
        return "\n".join(lines)
