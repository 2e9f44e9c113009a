"""A Jacobian by differences: exact where the function bends, NaN where it has a kink, and all is put back."""

import numpy as np
import pytest

from batik_scratch.nn.gradcheck.jacobian import EPS, jacobian


def test_every_output_has_a_row_and_every_value_a_column_and_nothing_stays_moved():
    matrix, x = np.arange(6.0).reshape(2, 3), np.array([0.1, -0.2, 0.3])
    before = x.tobytes()
    assert jacobian(lambda: matrix @ x, x) == pytest.approx(matrix, abs=1e-10)
    assert x.tobytes() == before


@pytest.mark.parametrize("beside", [0, 0.1, 1 / 3, 0.5, 0.7, 0.99])
@pytest.mark.parametrize("curvature", [0, 1, 300])
@pytest.mark.parametrize("jump", [1, -2, 50])
def test_a_kink_within_the_step_is_left_out_or_does_no_harm(beside, curvature, jump):
    x = np.array([1.0])
    kink = 1 + beside * EPS
    (slope,) = jacobian(lambda: curvature * x**2 + jump * np.maximum(x - kink, 0), x).ravel()
    assert np.isnan(slope) or (beside > 0 and slope == pytest.approx(2 * curvature, abs=1e-6 * max(curvature, 1)))
    assert np.isnan(slope) or abs(jump) * (1 - beside) <= 1e-2  # a small one far out is not seen, and shifts nothing


def test_what_bends_gives_its_slope_to_nine_digits():
    x = np.array([0.3, 1.2, 1e-4])  # at the last it is nearly straight, and changes fast
    slopes = np.diagonal(jacobian(lambda: np.sin(100 * x), x))
    assert slopes == pytest.approx(100 * np.cos(100 * x), rel=1e-9)
