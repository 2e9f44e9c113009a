"""Cross-entropy in closed form, by scikit-learn, and at the edges of what it takes."""

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss

from batik_scratch import nn
from batik_scratch.errors import InputError

ON_LOGITS, ON_PROBABILITIES = nn.SparseCategoricalCrossentropy(from_logits=True), nn.SparseCategoricalCrossentropy()


def test_equal_logits_cost_the_logarithm_of_the_classes_whatever_is_added():
    for shift in (0.0, -700.0, 900.0):
        value, gradient = ON_LOGITS(np.full((2, 5), shift), np.array([3, 0]))
        assert value == pytest.approx(math.log(5), rel=1e-12)
        expected = np.full((2, 5), 0.1)
        expected[[0, 1], [3, 0]] -= 0.5
        np.testing.assert_allclose(gradient, expected, rtol=1e-12)


def test_loss_and_gradient_are_scikit_learns_and_the_definitions():
    rng = np.random.default_rng(4)
    logits, y = 3 * rng.standard_normal((7, 4)), np.array([2, 0, 3, 3, 1, 3, 2])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    value, dlogits = ON_LOGITS(logits, y)
    assert value == pytest.approx(log_loss(y, p, labels=range(4)), rel=1e-12)
    np.testing.assert_allclose(dlogits, (p - np.eye(4)[y]) / 7, rtol=1e-12)
    value, dp = ON_PROBABILITIES(p, y)
    assert value == pytest.approx(log_loss(y, p, labels=range(4)), rel=1e-12)
    np.testing.assert_allclose(dp, -np.eye(4)[y] / p / 7, rtol=1e-12)
    assert isinstance(value, float)


def test_the_outputs_stay_as_they_were():
    rng = np.random.default_rng(4)
    p = rng.dirichlet(np.ones(3), 4)
    for loss, outputs in ((ON_LOGITS, np.log(p)), (ON_PROBABILITIES, p)):
        before = outputs.copy()
        loss(outputs, np.array([0, 2, 1, 1]))
        assert np.array_equal(outputs, before)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_the_gradient_has_the_outputs_dtype(dtype):
    p = np.array([[0.25, 0.75], [0.5, 0.5]]).astype(dtype)
    for loss in (ON_LOGITS, ON_PROBABILITIES):
        assert loss(p, np.array([1, 0]))[1].dtype == dtype


def test_a_loss_of_complex_logits_carries_their_derivative():
    logits, y = np.random.default_rng(2).standard_normal((3, 4)), np.array([3, 0, 1])
    direction = np.random.default_rng(3).standard_normal((3, 4))
    value, gradient = ON_LOGITS(logits + 1e-20j * direction, y)
    assert value.imag / 1e-20 == pytest.approx((gradient.real * direction).sum(), rel=1e-12)
    assert value.real == pytest.approx(ON_LOGITS(logits, y)[0], rel=1e-12)


@pytest.mark.parametrize("off", [9e-4, -9e-4])
def test_rounding_is_no_reason_to_refuse_probabilities(off):
    p = np.array([[0.2, 0.3, 0.5], [0.6, 0.4 + off, 0.0]])
    assert ON_PROBABILITIES(p, np.array([1, 0]))[0] == pytest.approx(-(math.log(0.3) + math.log(0.6)) / 2)


@pytest.mark.parametrize("row", [[0.5, 0.5 + 2e-3, 0.0], [0.5, 0.5 - 2e-3, 0.0], [-1e-9, 0.5, 0.5], [1.2, -0.2, 0.0]])
def test_one_row_that_is_no_distribution_is_refused_wherever_it_stands(row):
    for rows in ([row, [0.0, 0.5, 0.5]], [[0.0, 0.5, 0.5], row]):
        with pytest.raises(InputError, match="from_logits=True"):
            ON_PROBABILITIES(np.array(rows), np.array([1, 1]))


def test_a_certain_prediction_costs_nothing():
    assert ON_PROBABILITIES(np.array([[0.0, 1.0]]), np.array([1]))[0] == 0.0


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([0, 1, 4]), r"0\.\.3 for 4 classes, got 0\.\.4"),
        (np.array([2, -1, 1]), r"got -1\.\.2"),
        (np.array([0.0, 1.0, 2.0]), r"whole numbers \(class indices\), got float64"),
        (np.array([True, False, True]), "whole numbers .*, got bool"),
        (np.array([0, 1]), r"outputs \(3, 4\), got shape \(2,\)$"),
        (np.array([[0], [1], [2]]), r"got shape \(3, 1\)$"),
        (np.eye(4, dtype=int)[[0, 1, 2]], r"got shape \(3, 4\); use argmax"),
    ],
)
def test_labels_that_name_no_class_are_explained(y, message):
    for loss in (ON_LOGITS, ON_PROBABILITIES):
        with pytest.raises(InputError, match=message):
            loss(np.full((3, 4), 0.25), y)


def test_labels_of_the_first_and_the_last_class_and_of_any_whole_type_are_taken():
    for dtype in ("uint8", "int32", "int64"):
        assert ON_LOGITS(np.zeros((2, 4)), np.array([0, 3], dtype))[0] == pytest.approx(math.log(4))
    assert ON_LOGITS(np.zeros((2, 4)), [0, 3])[0] == pytest.approx(math.log(4))
    with pytest.raises(InputError, match="got none"):
        ON_LOGITS(np.zeros((0, 4)), np.zeros(0, int))
    with pytest.raises(InputError, match=r"per row of outputs \(4,\)"):
        ON_LOGITS(np.zeros(4), np.zeros(4, int))
