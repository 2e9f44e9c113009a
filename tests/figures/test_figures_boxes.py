"""An array drawn as boxes shows every number at its place, on its colour, and nothing else."""

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle

from batik_scratch.figures import style
from batik_scratch.figures.boxes import TINTS, draw_numbers, outline, tint


def new_axes():
    return style.new_figure(3, 2).subplots()


def test_every_number_stands_in_its_box_with_row_0_on_top():
    axes = new_axes()
    draw_numbers(axes, np.array([[1.0, 2.5, 3.0], [4.0, 5.0, -6.0]]), title="a table")
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written[(0.5, 0.5)] == "1" and written[(1.5, 0.5)] == "2.5" and written[(2.5, 1.5)] == "-6"
    assert len(written) == 6
    assert axes.yaxis_inverted()
    assert axes.get_title() == "a table"


def test_a_box_has_the_colour_that_it_is_given():
    axes = new_axes()
    draw_numbers(axes, np.zeros((1, 2)), [["#ff0000", "white"]], form="{:.1f}")
    boxes = {patch.get_xy(): patch for patch in axes.patches}
    assert to_hex(boxes[(0, 0)].get_facecolor()) == "#ff0000"
    assert to_hex(boxes[(1, 0)].get_facecolor()) == "#ffffff"
    assert [text.get_text() for text in axes.texts] == ["0.0", "0.0"]


def test_an_empty_form_leaves_the_boxes_empty():
    axes = new_axes()
    draw_numbers(axes, np.ones((2, 2)), form="")
    assert [text.get_text() for text in axes.texts] == [""] * 4


def test_an_outline_frames_the_window_that_it_is_told():
    axes = new_axes()
    outline(axes, 1, 2, 3, 4)
    (frame,) = axes.patches
    assert isinstance(frame, Rectangle)
    assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == (2, 1, 4, 3)
    assert not frame.get_fill()


@pytest.mark.parametrize("name", TINTS)
def test_a_tint_runs_from_white_to_the_colour_itself(name):
    assert tint(name, 0) == (1, 1, 1)
    assert tint(name, 1) == pytest.approx(to_rgb(style.OKABE_ITO[name]))
    assert tint(name, 0.5) == pytest.approx([(1 + part) / 2 for part in to_rgb(style.OKABE_ITO[name])])
