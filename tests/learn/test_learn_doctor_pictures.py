"""diagnose(plot=True): the figure shows the numbers that the words are about."""

import numpy as np
import pytest
from test_learn_doctor_shares import Linear, Ramp

from batik_scratch.figures.style import to_png
from batik_scratch.learn.doctor import diagnose


def test_where_each_output_has_its_own_x_both_slopes_are_drawn_over_it():
    (found,) = diagnose(Ramp("one limit"), (6, 7), plot=True)
    true, claimed = found.figure.axes[0].get_lines()
    assert np.allclose(true.get_ydata(), np.abs(true.get_xdata()) < 1)
    assert np.allclose(claimed.get_ydata(), claimed.get_xdata() > -1)
    assert found.figure.axes[0].get_title() == "dx: mask missing" and to_png(found.figure).startswith(b"\x89PNG")


def test_other_gradients_are_drawn_as_two_matrices():
    (found,) = diagnose(Linear("sizes"), (6,), plot=True)
    claimed, true = (axes.get_images()[0].get_array() for axes in found.figure.axes)
    assert claimed.shape == true.shape == (12, 24) and np.allclose(np.abs(true), claimed)


@pytest.mark.parametrize("plot", [False, True])
def test_the_words_are_the_same_with_a_picture_and_without(plot):
    (found,) = diagnose(Linear("sizes"), (6,), plot=plot)
    assert found == diagnose(Linear("sizes"), (6,))[0] and (found.figure is not None) == plot


def test_a_gradient_that_cannot_be_read_off_is_drawn_against_the_true_one():
    (found,) = diagnose(Linear("two digits"), (6,), plot=True)
    right, claimed = found.figure.axes[0].get_lines()
    assert np.abs(claimed.get_ydata() - claimed.get_xdata()).max() <= 0.005 and len(right.get_xdata()) == 2


def test_what_is_right_has_no_picture():
    assert diagnose(Linear(), (6,), plot=True) == []
