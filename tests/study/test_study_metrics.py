"""The metrics reproduce the paper's Table II from its own confusion matrix."""

import numpy as np
import pytest

from batik_scratch.study.metrics import classification_metrics

FIG_12 = [[49, 0, 0], [3, 42, 0], [7, 6, 21]]
NAMES = ["keratonan", "mega_mendung", "singa_barong"]


def predictions(matrix):
    pairs = [(t, p) for t, row in enumerate(matrix) for p, count in enumerate(row) for _ in range(count)]
    return np.array(pairs).T


def test_the_papers_confusion_matrix_gives_the_papers_table_2():
    metrics = classification_metrics(*predictions(FIG_12), NAMES)
    published = {"accuracy": 0.875, "precision": 0.891, "recall": 0.875, "f1": 0.868}
    assert {key: round(metrics[key], 3) for key in published} == published
    assert metrics["confusion"] == FIG_12


def test_the_interval_is_wilsons():
    metrics = classification_metrics(*predictions(FIG_12), NAMES)
    n, p, z = 128, 112 / 128, 1.959963984540054
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert metrics["accuracy_interval"] == pytest.approx([centre - half, centre + half], abs=1e-12)


def test_a_class_that_is_never_predicted_has_precision_zero_and_no_warning():
    metrics = classification_metrics(np.array([0, 1, 2]), np.array([0, 0, 0]), NAMES)
    assert metrics["per_class"]["singa_barong"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
