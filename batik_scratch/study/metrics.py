"""How good a set of predictions is: scikit-learn's metrics, weighted by class size as in the paper's Table II."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from ..record import ClassificationMetrics


def classification_metrics(
    labels: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]
) -> ClassificationMetrics:
    """Metrics of predicted classes (N,) against labels (N,)."""
    indices = list(range(len(class_names)))
    precision, recall, f1, _ = precision_recall_fscore_support(labels, predicted, average="weighted", zero_division=0)
    each = precision_recall_fscore_support(labels, predicted, labels=indices, zero_division=0)
    hits = int((labels == predicted).sum())
    interval = binomtest(hits, len(labels)).proportion_ci(0.95, method="wilson")
    return {
        "accuracy": hits / len(labels),
        "accuracy_interval": [float(interval.low), float(interval.high)],
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "confusion": confusion_matrix(labels, predicted, labels=indices).tolist(),
        "class_names": list(class_names),
        "per_class": {
            name: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
            for name, p, r, f, n in zip(class_names, *each, strict=True)
        },
    }
