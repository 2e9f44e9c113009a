"""Where numbers alone are hard to read: steep bends, kinks, gradients that are none, layers that are too large."""

import numpy as np
import pytest
from student_layers import Elementwise

from batik_scratch.learn.doctor import diagnose
from batik_scratch.learn.symptoms.checkup import WIDTH
from batik_scratch.learn.symptoms.differences import EPS, differences
from batik_scratch.nn.gradcheck.numeric import distinct


def names(diagnoses):
    return [(diagnosis.tensor, diagnosis.name) for diagnosis in diagnoses]


STEEP = [
    (lambda x: 100 * x**2, lambda x: 200 * x),
    (lambda x: np.exp(5 * x), lambda x: 5 * np.exp(5 * x)),
    (lambda x: x**8, lambda x: 8 * x**7),
    (lambda x: np.sin(30 * x), lambda x: 30 * np.cos(30 * x)),
    (lambda x: (255 * x) ** 2 / 100, lambda x: 2 * 255 * 255 * x / 100),
]


@pytest.mark.parametrize(("f", "slope"), STEEP, ids=("square", "exp", "power", "sine", "pixels"))
def test_a_steep_bend_is_no_kink_and_a_right_gradient_of_it_is_right(f, slope):
    assert diagnose(Elementwise(f, slope), (5,)) == []


@pytest.mark.parametrize(("f", "slope"), STEEP, ids=("square", "exp", "power", "sine", "pixels"))
def test_a_wrong_gradient_is_found_where_the_function_bends_steeply(f, slope):
    wrong = Elementwise(f, lambda x: np.where(x > 1, 0.2, 1) * slope(x))
    assert names(diagnose(wrong, (5,))) == [("dx", "unexplained")]


@pytest.mark.parametrize("beside", [0, 0.1, 1 / 3, 0.5, 0.7, 0.99])
@pytest.mark.parametrize("curvature", [0, 1, 300])
@pytest.mark.parametrize("jump", [1, -2, 50])
def test_a_kink_within_the_step_is_left_out_or_does_no_harm(beside, curvature, jump):
    x = np.array([1.0])
    kink = 1 + beside * EPS
    (slope,) = differences(lambda: curvature * x**2 + jump * np.maximum(x - kink, 0), x).ravel()
    assert np.isnan(slope) or (beside > 0 and slope == pytest.approx(2 * curvature, abs=1e-6 * max(curvature, 1)))
    assert np.isnan(slope) or abs(jump) * (1 - beside) <= 1e-2  # a small one far out is not seen, and shifts nothing


def test_what_bends_gives_its_slope_to_nine_digits():
    x = np.array([0.3, 1.2, 1e-4])  # at the last it is nearly straight, and changes fast
    slopes = np.diagonal(differences(lambda: np.sin(100 * x), x))
    assert slopes == pytest.approx(100 * np.cos(100 * x), rel=1e-9)


def test_a_right_layer_whose_kink_lies_under_some_values_is_right():
    edge = np.abs(distinct((3, 6), np.random.default_rng(0), WIDTH)).ravel()[0]
    clip = Elementwise(lambda x: np.clip(x, -edge, edge), lambda x: (np.abs(x) < edge) * 1.0)
    assert diagnose(clip, (6,)) == []


@pytest.mark.parametrize("size", range(1, 200))
def test_no_input_lies_where_clippings_usually_have_their_kinks(size):
    twice = 2 * distinct((size,), np.random.default_rng(0), WIDTH)
    assert np.abs(twice - np.round(twice)).min() > 0.09 / size > 20 * EPS


def test_where_every_derivative_jumps_the_doctor_says_that_it_cannot_tell():
    step = np.diff(np.sort(distinct((2, 4), np.random.default_rng(0), WIDTH), axis=None))[0]
    zigzag = Elementwise(lambda x: np.abs(x / step - np.round(x / step)), lambda x: x)  # kinks under all values
    (found,) = diagnose(zigzag, (4,), n=2)
    assert found.name == "not measurable" and "nan" not in found.sentence
