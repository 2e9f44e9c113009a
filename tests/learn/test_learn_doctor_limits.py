"""Where numbers alone are hard to read: steep bends, kinks, gradients that are none, layers that are too large."""

import numpy as np
import pytest
from student_layers import Elementwise

from batik_scratch.learn.doctor import diagnose
from batik_scratch.learn.symptoms.checkup import WIDTH
from batik_scratch.nn.gradcheck.jacobian import EPS
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
    assert names(diagnose(wrong, (5,))) == [("dx", "right on one side")]


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
