"""Holm, McNemar, calibration: published examples and closed forms."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from batik_scratch.statistics import expected_calibration_error, holm, log_loss, mcnemar, pairs_of


def test_holm_of_his_procedure_step_by_step():
    """Four p in order: .01 x 4, .02 x 3, .03 x 2 and .04 x 1 of which none may be smaller than one before it."""
    assert holm([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])


def test_holm_keeps_the_order_that_was_given():
    """The example of R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm"): 0.03 0.06 0.06 0.02."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_stops_at_1_and_passes_over_what_is_not_known():
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    found = holm([0.02, math.nan, 0.03])
    assert found[0] == 0.04 and math.isnan(found[1]) and found[2] == 0.04
    assert holm([]) == []


def test_holm_is_wrong_about_any_at_most_5_times_of_100():
    """10,000 families of eight comparisons without a difference."""
    drawn = np.random.default_rng(5).random((10_000, 8))
    wrong = np.mean([min(holm(row)) < 0.05 for row in drawn])
    assert wrong == pytest.approx(1 - (1 - 0.05 / 8) ** 8, abs=0.007)


@pytest.mark.parametrize(("mended", "broken"), [(8, 24), (0, 0), (5, 5), (0, 6), (12, 3), (101, 60)])
def test_mcnemar_is_scipys_exact_binomial_test(mended, broken):
    n = mended + broken
    expected = stats.binomtest(mended, n, 0.5).pvalue if n else 1.0
    assert mcnemar(mended, broken) == pytest.approx(expected, rel=1e-12)
    assert mcnemar(broken, mended) == mcnemar(mended, broken)


def test_mcnemar_of_small_counts_by_hand():
    """0 of 6: 2 / 2^6. 1 of 6: 2 x 7 / 2^6."""
    assert mcnemar(0, 6) == pytest.approx(1 / 32) and mcnemar(1, 5) == pytest.approx(14 / 64)


def test_8_against_24_is_not_nothing():
    assert mcnemar(8, 24) == pytest.approx(0.007, abs=0.0005)


def test_pairs_are_counted_by_name():
    first = {"a": True, "b": True, "c": False, "d": False, "only first": True}
    second = {"d": True, "c": False, "b": False, "a": True, "only second": False}
    assert pairs_of(first, second) == (1, 1, 1.0)
    assert pairs_of({"a": False, "b": False}, {"a": True, "b": True})[:2] == (2, 0)


def test_log_loss_is_scikit_learns():
    rng = np.random.default_rng(2)
    p, y = rng.dirichlet(np.ones(3), 50), rng.integers(0, 3, 50)
    assert log_loss(y, p) == pytest.approx(metrics.log_loss(y, p, labels=[0, 1, 2]), rel=1e-12)
    assert log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(-math.log(1e-12))


def test_calibration_by_hand():
    """Two bins of two. Sure by .9 and .7, one right: |.5 - .8| 2/4; sure by .5 and .4, both right: |1 - .45| 2/4."""
    p = np.array([[0.9, 0.05, 0.05], [0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.4, 0.35, 0.25]])
    assert expected_calibration_error(np.array([0, 1, 0, 0]), p, bins=2) == pytest.approx(0.15 + 0.275)


def test_who_is_as_often_right_as_sure_is_calibrated():
    rng = np.random.default_rng(9)
    p = rng.dirichlet(np.ones(4), 100_000)
    y = (rng.random((len(p), 1)) > p.cumsum(axis=1)).sum(axis=1)
    assert expected_calibration_error(np.minimum(y, 3), p) < 0.01
    assert expected_calibration_error(np.full(len(p), 3), np.tile([1.0, 0, 0, 0], (len(p), 1))) == 1.0
