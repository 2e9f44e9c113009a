"""The figures' data: which number, name and colour stands where, read from what a figure is about to draw."""

import numpy as np
import pytest
from artists import bars, colour_bar, contrast, from_top, image, lines, names, panels, pixels, texts, titles
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from batik_scratch import figures
from batik_scratch.figures import style

NOISE = np.random.default_rng(11)
LETTERS = ["class " + letter for letter in "abcdefghijklmn"]


def a_curve(rates=None, epochs=4, title="a stage"):
    values = NOISE.uniform(0.1, 0.9, (2, epochs))
    return figures.Curve(title, list(range(1, epochs + 1)), values[0], values[1], rates)


# ------------------------------------------------------------------ confusion

MATRIX = [[17, 0, 3], [5, 29, 2], [1, 8, 40]]
SMALLER = [[0, 1], [0, 0]]


@pytest.fixture(scope="module")
def confusion():
    panels_ = [figures.Matrix("one", MATRIX, LETTERS[:3]), figures.Matrix("two", SMALLER, ["x_y", "$z$"])]
    return figures.confusion(panels_)


def test_each_matrix_has_its_title_and_the_names_of_its_classes_on_both_axes(confusion):
    one, two = panels(confusion)
    for axes, title, expected in ((one, "one", LETTERS[:3]), (two, "two", ["x y", r"\$z\$"])):
        assert titles(axes) == title
        assert names(axes.xaxis) == names(axes.yaxis) == dict(enumerate(expected))
        assert axes.get_xlabel() == "predicted label" and from_top(axes)
    assert one.get_ylabel() == "true label"


def test_each_count_stands_in_the_row_of_its_true_and_the_column_of_its_predicted_class(confusion):
    for axes, matrix in zip(panels(confusion), (MATRIX, SMALLER), strict=True):
        cells = {(row, column): str(n) for row, line in enumerate(matrix) for column, n in enumerate(line)}
        assert {(y, x): text for x, y, text in texts(axes)} == cells


def test_a_cell_is_coloured_by_its_share_of_the_true_class(confusion):
    one, two = panels(confusion)
    shares = [[n / sum(row) for n in row] for row in MATRIX]
    np.testing.assert_allclose(pixels(one), shares)
    np.testing.assert_allclose(pixels(two), [[0, 1], [0, 0]])  # a class without images has no shares
    for axes in (one, two):
        assert image(axes).get_clim() == (0, 1) and image(axes).get_cmap() is style.COUNTS
        assert image(axes).get_extent() == [-0.5, len(pixels(axes)) - 0.5, len(pixels(axes)) - 0.5, -0.5]


def test_white_lines_stand_between_the_cells_and_nowhere_else(confusion):
    axes = panels(confusion)[0]
    for axis in (axes.xaxis, axes.yaxis):
        assert axis.get_minorticklocs().tolist() == [-0.5, 0.5, 1.5, 2.5]
        assert {tick.gridline.get_color() for tick in axis.get_minor_ticks() if tick.gridline.get_visible()} == {
            "white"
        }
        assert not any(tick.gridline.get_visible() for tick in axis.get_major_ticks())
        marks = [mark for tick in [*axis.get_minor_ticks(), *axis.get_major_ticks()] for mark in (tick.tick1line,)]
        assert {mark.get_markersize() for mark in marks} == {0}
    assert not any(spine.get_visible() for spine in axes.spines.values())


def test_the_scale_beside_the_matrices_goes_from_nothing_to_all(confusion):
    bar = colour_bar(confusion)
    assert bar.get_xlabel() == "share of the images of the true class"
    assert bar.get_xlim() == (0, 1) and not bar.spines["outline"].get_visible()
    assert bar.xaxis.get_major_ticks()[0].label1.get_fontsize() == style.SMALL_SIZE
    confusion.draw_without_rendering()
    shown = {float(at): label.get_text() for at, label in zip(bar.get_xticks(), bar.get_xticklabels(), strict=True)}
    assert shown[0.0] == "0%" and shown[1.0] == "100%"


def test_every_count_can_be_read_on_the_colour_of_its_cell():
    """All shares from 0 to 1 in 21 steps of the only true class."""
    rows = [[k, 20 - k] for k in range(21)]
    for pair in zip(rows[::2], rows[1::2], strict=False):
        (axes,) = panels(figures.confusion([figures.Matrix("m", pair, ["a", "b"])]))
        grounds = style.COUNTS(pixels(axes))
        for text in axes.texts:
            column, row = map(int, text.get_position())
            assert contrast(text.get_color(), grounds[row, column][:3]) > 3.4, text.get_text()


@pytest.mark.parametrize("classes, room", [(6, 16), (7, 14)])
def test_names_of_many_classes_are_cut_shorter(classes, room):
    long = [letter * 30 for letter in "abcdefg"[:classes]]
    (axes,) = panels(figures.confusion([figures.Matrix("m", np.eye(classes, dtype=int), long)]))
    assert {len(name) for name in names(axes.xaxis).values()} == {room}


@pytest.mark.parametrize("classes, pale", [(6, False), (7, True)])
def test_zeros_step_back_in_a_large_matrix(classes, pale):
    counts = np.diag(range(1, classes + 1))
    (axes,) = panels(figures.confusion([figures.Matrix("m", counts, LETTERS[:classes])]))
    for text in axes.texts:
        assert (contrast(text.get_color(), "white") < 2.5) == (
            pale and text.get_text() == "0"
        ) or text.get_text() != "0"


@pytest.mark.parametrize(
    "columns, rows_named", [(None, [True, False, False]), (1, [True] * 3), (2, [True, False, True])]
)
def test_matrices_stand_in_as_many_columns_as_asked_and_the_first_of_each_row_says_what_rows_are(columns, rows_named):
    made = [figures.Matrix(title, MATRIX, LETTERS[:3]) for title in ("one", "two", "three")]
    figure = figures.confusion(made, columns)
    assert [bool(axes.get_ylabel()) for axes in panels(figure)] == rows_named
    assert [titles(axes) for axes in panels(figure)] == ["one", "two", "three"]
    starts = {axes.get_subplotspec().colspan.start for axes in panels(figure)}
    assert len(starts) == (columns or 3)


# ------------------------------------------------------------------ curves


def test_training_and_validation_are_drawn_over_their_epochs():
    one, two = a_curve(epochs=3, title="first"), a_curve(epochs=20, title="second")
    for axes, curve in zip(panels(figures.curves([one, two], "loss")), (one, two), strict=True):
        drawn = lines(axes)
        assert axes.get_title(loc="left") == titles(axes) == curve.title and axes.get_xlabel() == "epoch"
        for name, values, colour in (
            ("training", curve.training, style.TRAINING),
            ("validation", curve.validation, style.VALIDATION),
        ):
            assert list(drawn[name].get_xdata()) == curve.epochs
            np.testing.assert_array_equal(drawn[name].get_ydata(), values)
            assert to_hex(drawn[name].get_color()) == colour.lower()
        assert drawn["training"].get_linestyle() != drawn["validation"].get_linestyle()
        assert set(drawn) == {"training", "validation"}


@pytest.mark.parametrize("rates", [([3, 2, 1, 1], [3, 3, 2, 1]), ([3, 3, 2, 2], None)])
def test_the_legend_names_each_kind_of_line_once(rates):
    figure = figures.curves([a_curve(each) for each in rates], "loss")
    (legend,) = figure.legends
    shown = {
        text.get_text(): to_hex(line.get_color())
        for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }
    assert shown == {
        "training": style.TRAINING.lower(), "learning rate reduced": style.MUTED, "validation": style.VALIDATION.lower()
    }  # fmt: skip
    assert len(legend.get_texts()) == 3


def test_each_reduction_of_the_learning_rate_is_marked_once():
    (axes,) = panels(figures.curves([a_curve([1e-3, 1e-3, 3e-4, 3e-4, 1e-4, 2e-4], 6)], "loss"))
    dotted = [set(map(float, line.get_xdata())) for line in axes.lines if line.get_linestyle() == ":"]
    assert dotted == [{3.0}, {5.0}]  # a rise is no reduction


def test_a_rate_that_falls_by_plan_is_not_marked_at_every_epoch():
    (axes,) = panels(figures.curves([a_curve([1e-3, 2e-3, 3e-3, 2e-3, 1e-3, 1e-4], 6)], "loss"))
    assert len(axes.lines) == 2


def test_curves_without_learning_rates_have_no_marks():
    (axes,) = panels(figures.curves([a_curve()], "loss"))
    assert len(axes.lines) == 2


def test_all_curves_share_one_scale_from_zero_to_a_little_above_the_largest_value():
    low, high = (figures.Curve("c", [1, 2], [0.1, 0.2], values) for values in ([0.3, 0.25], [2.0, 5.0]))
    figure = figures.curves([low, high], "loss")
    assert [axes.get_ylim() for axes in panels(figure)] == [(0, pytest.approx(5.3))] * 2
    assert panels(figure)[0].get_ylabel() == "loss" and not panels(figure)[1].get_ylabel()
    assert panels(figures.curves([low], "accuracy", top=1.02))[0].get_ylim() == (0, 1.02)


def test_a_value_that_is_no_number_does_not_spoil_the_scale():
    curve = figures.Curve("c", [1, 2, 3], [0.5, float("nan"), float("inf")], [0.25, 0.5, 0.25])
    assert panels(figures.curves([curve], "loss"))[0].get_ylim() == (0, pytest.approx(0.53))
    for value in (float("nan"), 0.0):
        bottom, top = panels(figures.curves([figures.Curve("c", [1], [value], [value])], "loss"))[0].get_ylim()
        assert bottom == 0 and 1 <= top <= 1.06


@pytest.mark.parametrize("epochs, dots", [(15, True), (16, False)])
def test_few_epochs_are_marked_by_dots(epochs, dots):
    (axes,) = panels(figures.curves([a_curve(epochs=epochs)], "loss"))
    assert all((line.get_marker() == "o") == dots for line in axes.lines)


@pytest.mark.parametrize("epochs, low, high", [(1, 0.5, 1.5), (4, 0.5, 4.5), (101, -1, 103)])
def test_the_curves_fill_their_panel_from_first_to_last_epoch(epochs, low, high):
    (axes,) = panels(figures.curves([a_curve(epochs=epochs)], "loss"))
    assert axes.get_xlim() == (pytest.approx(low), pytest.approx(high))


def test_ticks_that_would_stand_too_close_are_left_out():
    (axes,) = panels(figures.curves([a_curve(epochs=9)], "loss"))
    assert [tick for tick in axes.get_xticks() if 1 <= tick <= 9] == [2, 4, 6, 8]
    (axes,) = panels(figures.curves([a_curve(epochs=7)], "loss"))
    assert [tick for tick in axes.get_xticks() if 1 <= tick <= 7] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("epochs", [1, 7, 100])
def test_epoch_ticks_are_a_few_whole_numbers_even_for_one_epoch(epochs):
    (axes,) = panels(figures.curves([a_curve(epochs=epochs)], "loss"))
    low, high = axes.get_xlim()
    shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert 1 <= len(shown) <= 9 and all(tick == int(tick) for tick in shown)


def test_curves_below_each_other_keep_their_order_and_each_its_y_label():
    figure = figures.curves([a_curve(title="one"), a_curve(title="two")], "loss", columns=1)
    assert [titles(axes) for axes in panels(figure)] == ["one", "two"]
    assert [axes.get_ylabel() for axes in panels(figure)] == ["loss", "loss"]
    assert [axes.get_subplotspec().rowspan.start for axes in panels(figure)] == [0, 1]


# ------------------------------------------------------------------ accuracies


@pytest.mark.parametrize("chance, side", [(0.3, "left"), (0.5, "left"), (0.7, "right")])
def test_accuracies_stand_as_dots_on_their_intervals_and_published_ones_as_diamonds(chance, side):
    values, intervals = (0.5, 0.75, 0.25), ((0.4, 0.65), None, (0.1, 0.3))
    (axes,) = panels(figures.accuracy_intervals(("a", "b", "c"), values, intervals, chance))
    assert names(axes.yaxis) == {0: "a", 1: "b", 2: "c"} and from_top(axes)
    *drawn, dotted = axes.lines
    found = [(tuple(line.get_xdata()), tuple(line.get_ydata()), line.get_marker()) for line in drawn]
    assert found == [
        ((0.4, 0.65), (0, 0), "None"), ((0.5,), (0,), "o"), ((0.75,), (1,), "D"), ((0.1, 0.3), (2, 2), "None"),
        ((0.25,), (2,), "o"),
    ]  # fmt: skip
    assert [to_hex(line.get_color()) == style.PAPER for line in drawn] == [False, False, True, False, False]
    assert {line.get_solid_capstyle() for line in drawn if len(line.get_xdata()) == 2} == {
        "butt"
    }  # no longer than it is
    assert set(dotted.get_xdata()) == {chance} and dotted.get_linestyle() == ":"
    written = {text.get_text(): text for text in axes.texts}
    assert {text: written[text].xy for text in ("0.500", "0.75", "0.250")} == {
        "0.500": (0.5, 0), "0.75": (0.75, 1), "0.250": (0.25, 2)
    }  # fmt: skip
    words = written["always the largest class"]
    assert words.get_ha() == side and words.get_position()[0] == pytest.approx(chance, abs=0.02)
    assert (words.get_position()[0] < chance) == (side == "right")
    assert 2 < words.get_position()[1] < axes.get_ylim()[0] and -1 < axes.get_ylim()[1] < -0.5
    assert axes.get_xlim() == (0, 1.02) and axes.get_xlabel() == "accuracy on the validation images"


# ------------------------------------------------------------------ a prediction


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20).filter(lambda p: sum(p) > 1e-3))
def test_percentages_add_up_to_one_hundred_and_keep_close(shares):
    shares = np.array(shares)
    percents = figures.percentages(shares)
    assert round(percents.sum() * 100) == 10_000
    np.testing.assert_allclose(percents, 100 * shares / shares.sum(), atol=0.0101)


def test_the_odd_hundredths_go_to_the_largest_remainders():
    assert sorted(figures.percentages(np.ones(3)).tolist()) == [33.33, 33.33, 33.34]
    assert figures.percentages([0.123444, 0.456666, 0.41989]).tolist() == [12.34, 45.67, 41.99]
    assert figures.percentages([1, 1, 1]).tolist() == [33.34, 33.33, 33.33]
    assert figures.percentages(np.ones(90)).tolist() == [1.12] * 10 + [1.11] * 80  # of equals to the first


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("truth, hit", [(1, True), (0, False), (2, False)])
def test_the_bars_are_the_percentages_the_likeliest_first(columns, truth, hit):
    picture = NOISE.integers(0, 256, (5, 9, 3), dtype=np.uint8)
    figure = figures.prediction(picture, ["kawung", "mega_mendung", "parang"], [0.2, 0.6841, 0.1159], truth, columns)
    left, right = panels(figure)
    np.testing.assert_array_equal(pixels(left), picture)
    assert titles(left) == f"true: {['kawung', 'mega mendung', 'parang'][truth]}"
    assert titles(right) == f"predicted: mega mendung ({'right' if hit else 'wrong'})"
    assert names(right.yaxis) == {0: "mega mendung", 1: "kawung", 2: "parang"} and from_top(right)
    assert [(y, width) for y, width, _ in bars(right)] == [
        (0, pytest.approx(68.41)), (1, pytest.approx(20)), (2, pytest.approx(11.59))
    ]  # fmt: skip
    grey = bars(right)[1][2]
    assert [colour for *_, colour in bars(right)] == [(style.RIGHT if hit else style.WRONG).lower(), grey, grey]
    assert [(round(x - 1.5, 2), y, text) for x, y, text in texts(right)] == [
        (68.41, 0, "68.41 %"), (20, 1, "20.00 %"), (11.59, 2, "11.59 %")
    ]  # fmt: skip
    assert all(0.55 < bar.get_height() < 0.75 for bar in right.patches)  # a gap between, narrower than a bar
    assert list(right.get_xticks()) == [0, 20, 40, 60, 80, 100]
    assert right.get_xlim()[0] == 0 and right.get_xlabel().startswith("probability") and "(%)" in right.get_xlabel()
    across = [axes.get_subplotspec().colspan.start for axes in (left, right)]
    assert across == ([0, 1] if columns == 2 else [0, 0])


@pytest.mark.parametrize("classes, drawn", [(9, 9), (10, 10), (11, 10), (14, 10)])
def test_a_prediction_of_many_classes_sums_up_the_unlikely_ones(classes, drawn):
    shares = np.arange(1, classes + 1) / (classes * (classes + 1) / 2)  # the last is the likeliest
    _, axes = panels(figures.prediction(np.zeros((8, 8, 3), np.uint8), LETTERS[:classes], shares, 0))
    named = list(names(axes.yaxis).values())
    widths = [width for _, width, _ in bars(axes)]
    assert len(named) == len(widths) == len(texts(axes)) == drawn
    assert named[:9] == LETTERS[:classes][::-1][:9]
    assert sum(widths) == pytest.approx(100)
    assert any(name.startswith("the other") for name in named) == (classes > 10)
    if classes > 10:
        assert named[9] == f"the other {classes - 9}"
        assert widths[9] == pytest.approx(100 * sum(range(1, classes - 8)) / sum(range(1, classes + 1)), abs=0.05)
    assert sum(float(text[:-2]) for *_, text in texts(axes)) == pytest.approx(100)
