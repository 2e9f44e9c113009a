"""The figures as pure functions: integer epochs, marked reductions, percentages that add up, nothing clipped."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.text import Text

from batik_scratch.report import figures, style

EPOCHS = [1, 2, 3, 4]


def a_curve(rates=None, epochs=EPOCHS):
    falling = [1 / e for e in epochs]
    return figures.Curve("stage", epochs, falling, falling[::-1], rates)


def texts(figure):
    return {text.get_text() for text in figure.findobj(Text)}


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20).filter(lambda p: sum(p) > 1e-3))
def test_percentages_add_up_to_one_hundred_and_keep_close(shares):
    shares = np.array(shares)
    percents = figures.percentages(shares)
    assert round(percents.sum() * 100) == 10_000
    np.testing.assert_allclose(percents, 100 * shares / shares.sum(), atol=0.0101)


def test_percentages_of_thirds_give_the_odd_hundredth_to_one():
    assert sorted(figures.percentages(np.ones(3)).tolist()) == [33.33, 33.33, 33.34]


def test_each_reduction_of_the_learning_rate_is_marked_once():
    (axes,) = figures.curves([a_curve([1e-3, 1e-3, 3e-4, 1e-4])], "loss").axes
    dotted = [float(line.get_xdata()[0]) for line in axes.lines if line.get_linestyle() == ":"]
    assert dotted == [3.0, 4.0]


def test_epoch_ticks_are_whole_numbers_even_for_one_epoch():
    figure = figures.curves([a_curve(epochs=[1]), a_curve(epochs=list(range(1, 8)))], "loss")
    for axes in figure.axes:
        low, high = axes.get_xlim()
        shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert shown and all(tick == int(tick) and tick >= 1 for tick in shown)


def test_confusion_prints_every_count_and_shortens_long_names():
    figure = figures.confusion([figures.Matrix("m", [[17, 3], [5, 29]], ["x" * 60, "$y$"])])
    assert {"17", "3", "5", "29", r"\$y\$"} <= texts(figure)
    assert not any("x" * 20 in text for text in texts(figure))


def test_a_prediction_of_many_classes_sums_up_the_unlikely_ones():
    shares = np.linspace(20, 1, 20) / 210
    figure = figures.prediction(np.zeros((8, 8, 3), np.uint8), [f"class {i}" for i in range(20)], shares, 0)
    percents = [float(text[:-2]) for text in texts(figure) if text.endswith(" %")]
    assert "the other 11" in texts(figure)
    assert len(percents) == 10 and round(sum(percents), 2) == 100


def test_a_saliency_panel_shows_each_picture_map_and_overlay_once():
    images = np.zeros((5, 6, 6, 3), np.uint8)
    maps = np.random.default_rng(0).random((5, 6, 6)).astype(np.float32)
    figure = figures.saliency_panel(images, maps, images, [f"t{i}" for i in range(5)])
    shown = [image for axes in figure.axes if axes.get_visible() for image in axes.get_images()]
    assert len(shown) == 15
    assert {f"t{i}" for i in range(5)} | {"original", "raw map", "overlay"} <= texts(figure)


def test_a_constant_map_is_drawn_as_nothing():
    figure = figures.saliency_panel(np.zeros((1, 4, 4, 3), np.uint8), np.zeros((1, 4, 4)), np.zeros((1, 4, 4, 3)), [""])
    assert style.to_png(figure).startswith(b"\x89PNG")


def test_the_same_figure_gives_the_same_bytes_from_any_thread():
    def draw(_):
        return style.to_png(figures.confusion([figures.Matrix("m", [[1, 2], [3, 4]], ["a", "b"])]))

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(draw, range(8)))) == 1


def test_labels_are_one_short_drawable_line():
    assert style.label("singa_barong") == "singa barong"
    assert style.label("a\n\tb\x00c") == "a b c"
    assert style.label("日本") == "\N{WHITE SQUARE}" * 2
    assert style.label("$x$") == r"\$x\$"
    assert len(style.label("w" * 500, 20)) == 20


@pytest.mark.parametrize("name", ["TRAINING", "VALIDATION", "RIGHT", "WRONG"])
def test_colours_that_carry_meaning_are_okabe_and_itos(name):
    assert getattr(style, name) in style.OKABE_ITO.values()


def test_reporting_loads_neither_network_nor_pyplot():
    code = (
        "import sys, batik_scratch.report\n"
        "print([m for m in sys.modules if m.startswith(('batik_scratch.nn', 'batik_scratch.saliency', 'numba', "
        "'matplotlib.pyplot'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_curves_that_lie_on_each_other_are_one_line_with_all_names():
    likeness = {"gradient": [1, 0.5], "gradient-x-input": [1, 0.2], "lrp": [1, 0.205]}
    maps = {name: np.ones((2, 6, 6)) for name in likeness}
    figure = figures.cascade(np.ones((6, 6, 3)), ["none", "dense"], likeness, maps)
    axes = next(axes for axes in figure.findobj(Axes) if axes.get_legend())
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["gradient", "gradient-x-input,\nlrp"]
    assert len(axes.lines) == 2
