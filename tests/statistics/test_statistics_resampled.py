"""Means over folds: closed forms, the promise of the interval, and what depends on what."""

import math

import numpy as np
import pytest
from scipy import stats

from batik_scratch.errors import InputError
from batik_scratch.statistics import believe, corrected, parts_of_variance, smallest_difference

# accuracies of 1, 2, 3, 4: mean 2.5, variance 5/3
FOUR = [1.0, 2.0, 3.0, 4.0]


def correlated(rng, experiments, folds, rho, spread=1.0):
    """Values (experiments, folds) of mean 0 whose every pair is correlated by rho."""
    common, own = rng.standard_normal((experiments, 1)), rng.standard_normal((experiments, folds))
    return spread * (math.sqrt(rho) * common + math.sqrt(1 - rho) * own)


def test_the_standard_error_is_nadeaus_and_bengios():
    """(1/J + test/train) s^2 by hand: (1/4 + 1/3) 5/3 = 35/36."""
    found = corrected(FOUR, 1 / 4)
    assert found.mean == 2.5 and found.freedom == 3
    assert found.scale == pytest.approx(math.sqrt(35 / 36), rel=1e-14)
    reach = 3.182446305284263 * math.sqrt(35 / 36)  # t of 3 degrees of freedom, .975, from a printed table: 3.182
    assert (found.low, found.high) == pytest.approx((2.5 - reach, 2.5 + reach), rel=1e-9)


def test_p_is_the_two_sided_tail_and_meets_the_interval():
    found = corrected(FOUR, 1 / 4)
    assert found.p == pytest.approx(2 * stats.t.sf(2.5 / found.scale, 3), rel=1e-12)
    edge = corrected(FOUR, 1 / 4, level=1 - found.p)
    assert edge.low == pytest.approx(0, abs=1e-9)


def test_without_overlap_it_is_the_ordinary_t_test():
    """As the test share goes to 0 the second term does, and SciPy's one-sample test is left."""
    values = np.random.default_rng(1).normal(0.3, 1, 12)
    found = corrected(values.tolist(), 1e-12)
    assert found.p == pytest.approx(stats.ttest_1samp(values, 0).pvalue, rel=1e-6)


def test_mirrored_values_have_the_mirrored_interval():
    found, mirrored = corrected(FOUR, 0.25), corrected([-x for x in FOUR], 0.25)
    assert (mirrored.low, mirrored.high, mirrored.p) == pytest.approx((-found.high, -found.low, found.p), rel=1e-12)


def test_a_single_fold_has_no_interval_and_equal_ones_no_doubt():
    one = corrected([0.4], 0.25)
    assert one.low == -math.inf and one.high == math.inf and math.isnan(one.p)
    assert corrected([0.1] * 4, 0.25)[:4] == (0.1, 0.1, 0.1, 0.0)
    assert corrected([0.0] * 4, 0.25).p == 1.0


@pytest.mark.parametrize("bad", [([], 0.25), ([1.0, math.nan], 0.25), (FOUR, 0.0), (FOUR, 1.0)])
def test_what_is_no_sample_is_refused(bad):
    with pytest.raises(InputError, match="corrected"):
        corrected(*bad)


@pytest.mark.parametrize(("folds", "rho"), [(12, 1 / 4), (20, 1 / 4), (6, 1 / 3)])
def test_the_interval_holds_the_truth_95_times_of_100(folds, rho):
    """2,000 experiments without a difference, whose folds are correlated as the correction assumes: 95 +- 1%."""
    drawn = correlated(np.random.default_rng(7), 2000, folds, rho)
    held = [found.low <= 0 <= found.high for found in (corrected(row, rho) for row in drawn)]
    assert 0.94 <= np.mean(held) <= 0.96


def test_the_uncorrected_interval_would_not():
    """Why there is a correction: the ordinary t interval of the same experiments holds the truth far less often."""
    drawn = correlated(np.random.default_rng(7), 2000, 20, 1 / 4)
    held = [found.low <= 0 <= found.high for found in (corrected(row, 1e-9) for row in drawn)]
    assert np.mean(held) < 0.7


@pytest.mark.parametrize("folds", [3, 12, 40])
def test_a_difference_of_the_stated_size_is_found_with_the_stated_power(folds):
    """2,000 experiments whose true difference is what `smallest_difference` says for their true standard error."""
    rng, rho = np.random.default_rng(11), 1 / 4
    of_mean = math.sqrt(1 / folds + (1 - 1 / folds) * rho)  # of the mean of correlated values of deviation 1
    example = corrected(list(range(folds)), rho)
    size = smallest_difference(example) / example.scale * of_mean
    found = [corrected(row + size, rho).p < 0.05 for row in correlated(rng, 2000, folds, rho)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.027)  # three standard errors of such a share


def test_the_smallest_difference_grows_with_the_power_that_is_asked_and_is_endless_for_one_fold():
    found = corrected(FOUR, 0.25)
    assert smallest_difference(found, 0.5) < smallest_difference(found, 0.8) < smallest_difference(found, 0.95)
    assert smallest_difference(corrected([0.1], 0.25)) == math.inf


def test_with_many_folds_the_smallest_difference_is_the_textbooks():
    """Of a normal test: z(.975) + z(.8) = 1.960 + 0.842 standard errors (Cohen)."""
    found = corrected(np.random.default_rng(0).standard_normal(5000).tolist(), 0.25)
    assert smallest_difference(found) / found.scale == pytest.approx(2.8016, abs=2e-3)


def test_belief_adds_up_and_is_the_t_distributions():
    """The posterior of Benavoli et al.: a t about the mean; outside the region its tails."""
    found = corrected([0.02, 0.03, -0.01, 0.04, 0.05, 0.0], 1 / 3)
    belief = believe(found, 0.01)
    posterior = stats.t(found.freedom, found.mean, found.scale)
    assert belief.worse == pytest.approx(posterior.cdf(-0.01)) and belief.better == pytest.approx(posterior.sf(0.01))
    assert sum(belief) == pytest.approx(1) and belief.better > belief.worse


def test_belief_without_a_region_is_the_one_sided_p():
    found = corrected(FOUR, 0.25)
    assert believe(found, 0.0).worse == pytest.approx(found.p / 2)


def test_belief_where_nothing_can_be_measured():
    assert believe(corrected([0.0] * 4, 0.25)) == (0, 1, 0)
    assert believe(corrected([0.05] * 4, 0.25)) == (0, 0, 1)
    assert believe(corrected([-0.05] * 4, 0.25)) == (1, 0, 0)
    assert believe(corrected([0.3], 0.25)) == (1 / 3, 1 / 3, 1 / 3)


def test_the_parts_of_the_variance_by_hand():
    """Two folds of two: means 2 and 6, each +- 1. MSW = 2, MSB = 2 x 8 = 16, split = (16 - 2) / 2."""
    assert parts_of_variance(np.array([[1.0, 3.0], [5.0, 7.0]])) == pytest.approx((7.0, 2.0))


def test_the_parts_of_the_variance_are_found_again():
    rng = np.random.default_rng(3)
    values = 0.5 * rng.standard_normal((20_000, 1)) + 0.2 * rng.standard_normal((20_000, 3))
    assert parts_of_variance(values) == pytest.approx((0.25, 0.04), rel=0.03)


def test_weights_that_make_all_the_difference_leave_none_for_the_split():
    assert parts_of_variance(np.array([[0.0, 1.0], [1.0, 0.0]])) == (0.0, 0.5)
    assert all(math.isnan(part) for part in parts_of_variance(np.ones((4, 1))))
