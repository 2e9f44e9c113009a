"""What a gradient check prints, and where it draws the line."""

import numpy as np
import pytest

from batik_scratch.nn.gradcheck.numeric import WIDTH, at_places, distinct, verdict
from batik_scratch.nn.gradcheck.report import GradientReport, TensorCheck, broken_promise, tables

TABLE = """\
  tensor        method              error  worst at        analytic          numeric  compared  skipped  verdict
Dense(units=3) (4,)
  kernel        central difference  5.0e-01  (2, 0)    +2.00000000e+00  +1.00000000e+00       120        3  WRONG
  x, untouched  contract                inf  -                       -                -         6        0  WRONG
Flatten (4, 4)
  dx            complex step        1.0e-16  (0, 13)   -1.00000000e-03  -1.00000000e-03         8        0  ok"""


def test_the_table_of_two_reports_has_common_columns():
    kernel = TensorCheck("kernel", "central difference", 0.5, (2, 0), 2.0, 1.0, 120, 3, False)
    x = TensorCheck("x, untouched", "contract", np.inf, (), np.nan, np.nan, 6, 0, False)
    dx = TensorCheck("dx", "complex step", 1e-16, (0, 13), -1e-3, -1e-3, 8, 0, True)
    reports = [GradientReport("Dense(units=3) (4,)", [kernel, x]), GradientReport("Flatten (4, 4)", [dx])]
    assert [line.split() for line in tables(reports).splitlines()] == [line.split() for line in TABLE.splitlines()]
    header, _, first, second, _, third = tables(reports).splitlines()
    for word in ("tensor", "method", "worst at", "verdict"):  # words begin below the word
        assert first[header.index(word) - 1] == " " != first[header.index(word)]
    for word in ("error", "analytic", "numeric", "compared", "skipped"):  # numbers end below its end
        end = header.index(word) + len(word)
        assert all(line[end - 1] != " " and line[end : end + 1] in ("", " ") for line in (first, second, third))


@pytest.mark.parametrize(("skipped", "ok"), [(5, True), (6, False)])
def test_at_most_one_place_in_twenty_may_be_skipped(skipped, ok):
    compared = 100 - skipped
    ones = np.ones(compared)
    check = verdict("dx", "central difference", ones, ones, (100,), np.arange(compared), skipped, 1e-6)
    assert (check.ok, check.compared, check.skipped) == (ok, compared, skipped)


@pytest.mark.parametrize(("times", "ok"), [(0.9, True), (1.5, False), (-0.9, True), (-1.5, False)])
def test_the_tolerance_is_the_absolute_one_and_the_relative_one_together(times, ok):
    numeric = np.array([1.0, 0.25])
    analytic = numeric + np.array([0.0, times * (1e-8 + 1e-6 * 0.25)])
    assert verdict("dx", "central difference", analytic, numeric, (2,), np.arange(2), 0, 1e-6).ok is ok
    large = 1000 * numeric  # the absolute part grows with the largest
    analytic = large + np.array([0.0, times * (1e-5 + 1e-6 * 250)])
    assert verdict("dx", "central difference", analytic, large, (2,), np.arange(2), 0, 1e-6).ok is ok


def test_the_complex_steps_tolerance_shrinks_with_the_gradient():
    tensor, gradient = np.ones(5, complex), np.full(5, 1e-6)
    rng = np.random.default_rng(0)
    right = at_places("dx", tensor, gradient, lambda: 1e-6 * tensor, np.ones(5), rng)
    wrong = at_places("dx", tensor, gradient * (1 + 1e-6), lambda: 1e-6 * tensor, np.ones(5), rng)
    assert right.ok and right.method == "complex step" and not wrong.ok


def test_nothing_compared_is_nothing_shown():
    nothing = np.zeros(0)
    check = verdict("dx", "central difference", nothing, nothing, (4,), np.zeros(0, int), 4, 1e-6)
    assert not check.ok and check.error == np.inf and (check.compared, check.skipped) == (0, 4)


def test_zero_against_zero_is_no_error():
    check = verdict("dx", "central difference", np.zeros(4), np.zeros(4), (4,), np.arange(4), 0, 1e-6)
    assert check.ok and check.error == 0


def test_the_worst_place_is_the_one_farthest_beyond_its_tolerance_not_the_largest_difference():
    analytic, numeric = np.array([1.0, 1000.0, 0.5]), np.array([1.0, 1000.0002, 0.5001])
    check = verdict("kernel", "central difference", analytic, numeric, (2, 3), np.array([0, 2, 4]), 0, 1e-6)
    assert not check.ok and check.worst == (1, 1) and np.isclose(check.error, 1e-4 / 0.5001)
    assert (check.analytic, check.numeric) == (0.5, 0.5001)


def test_what_changed_is_shown_where_it_changed_most_relative_to_the_values_there():
    check = broken_promise("dy", "untouched", np.array([[1.0, 4.0], [3.0, 3.0]]), np.array([[1.0, 2.0], [3.0, 2.0]]))
    assert (check.ok, check.worst, check.error) == (False, (0, 1), 0.5)
    assert (check.analytic, check.numeric, check.compared) == (4.0, 2.0, 4)
    assert broken_promise("dy", "untouched", np.array([0.2]), np.array([0.1])).error == pytest.approx(0.5)
    other = broken_promise("dy", "untouched", np.zeros(3), np.zeros(4))
    assert (other.ok, other.error, other.worst, other.compared, other.skipped) == (False, np.inf, (), 4, 0)


@pytest.mark.parametrize("shape", [(7,), (2, 3, 4)])
def test_the_checks_input_has_no_ties_nothing_near_zero_and_both_signs(shape):
    values = distinct(shape, np.random.default_rng(0))
    step = WIDTH / values.size
    assert values.shape == shape and np.allclose(np.diff(np.sort(values.ravel())), step)
    assert np.isclose(np.abs(values).min(), step / 2) and abs((values > 0).sum() - (values < 0).sum()) <= 1
