"""The metrics reproduce the paper's Table II from its own confusion matrix."""

import json

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


def test_every_figure_is_that_of_its_own_class_and_weighted_by_its_size():
    confusion = np.array([[5, 1, 2], [0, 3, 0], [4, 2, 9]])  # 8, 3 and 15 images; rows true, columns predicted
    names = ["b", "c", "a"]
    found = classification_metrics(*predictions(confusion), names)
    hits, true, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = hits / predicted, hits / true
    f1 = 2 * precision * recall / (precision + recall)
    assert found["accuracy"] == 17 / 26 and found["class_names"] == names
    assert found["confusion"] == confusion.tolist()
    for key, each in (("precision", precision), ("recall", recall), ("f1", f1)):
        assert found[key] == pytest.approx((each * true).sum() / 26)
        assert [found["per_class"][name][key] for name in names] == pytest.approx(each)
    assert [found["per_class"][name]["support"] for name in names] == [8, 3, 15]
    assert json.loads(json.dumps(found)) == found  # plain numbers, as JSON takes them


def test_a_class_never_predicted_counts_as_zero_in_the_weighted_figures_too():
    labels, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 1])
    found = classification_metrics(labels, predicted, [*NAMES, "absent"])
    assert found["precision"] == pytest.approx((3 * (2 / 3) + 2 * (1 / 3) + 0) / 6)
    assert found["recall"] == pytest.approx(3 / 6)
    assert found["f1"] == pytest.approx((3 * (2 / 3) + 2 * (2 / 5) + 0) / 6)
    assert found["per_class"]["singa_barong"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert found["per_class"]["absent"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert found["confusion"] == [[2, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
