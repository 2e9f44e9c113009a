"""How figures look: nothing cut, nothing on top of another, little empty paper; colours, names and files."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from artists import colour_bar, in_sight, laid_out, panels
from matplotlib.colors import to_rgb

from batik_scratch import figures
from batik_scratch.figures import style
from batik_scratch.figures.bars import Bars, bar_panels
from batik_scratch.figures.ratios import Ratios, ratio_panels

SQUARES = np.random.default_rng(5).integers(0, 256, (8, 9, 9, 3), dtype=np.uint8)
MAPS = SQUARES[..., 0] / 255
LONG = [
    "a long motif name",
    "mega_mendung",
    "kawung of Yogyakarta",
    "parang",
    "x" * 60,
    "ceplok",
    "nitik",
    "lereng",
    "tambal",
]


def matrix(classes):
    return figures.Matrix("stage one", np.full((classes, classes), 108), LONG[:classes])


def curve(epochs):
    return figures.Curve(
        "stage two", list(range(1, epochs + 1)), [1.5 / e for e in range(1, epochs + 1)], [0.7] * epochs
    )


def prediction(classes, columns):
    return figures.prediction(SQUARES[0], LONG[:classes], np.arange(1, classes + 1) / classes, 0, columns)


def likeness(methods):
    return {f"method {m}": np.linspace(1, m / 20, 4) for m in range(methods)}


def bar_chart():
    titles = ("Training step", "Inference", "Gradient saliency", "Peak memory in training")
    panels = [
        Bars(title, "ms per batch", [scale * p for p in (1, 2, 3)]) for scale, title in enumerate(titles, start=9)
    ]
    return bar_panels(["fast", "batik_scratch", "slow"], panels, "The paper's network: shorter is better", "slow")


def ratio_chart():
    lines = {"fast": [1.2, 0.9, None], "slow": [8, 6.5, 7], "slower": [30, 22, 19]}
    panels = [Ratios("Training step", f"images of {size} pixels", [1, 8, 128], lines) for size in (64, 150) * 3]
    return ratio_panels(panels, "times as long as batik_scratch", "The paper's network", "ours", list(lines))


CASES = {
    "three matrices": (lambda: figures.confusion([matrix(3)] * 3), 0.225),
    "three matrices below each other": (lambda: figures.confusion([matrix(3)] * 3, 1), 0.225),
    "two matrices of eight": (lambda: figures.confusion([matrix(8)] * 2), 0.345),
    "a matrix of nine": (lambda: figures.confusion([matrix(9)], 1), 0.205),
    "two curves": (lambda: figures.curves([curve(4), curve(40)], "loss"), None),
    "two curves below each other": (lambda: figures.curves([curve(4), curve(40)], "loss", 1), None),
    "accuracies": (lambda: figures.accuracy_intervals(("one", "two"), (0.5, 0.7), ((0.4, 0.6), None), 0.3), None),
    "many accuracies": (lambda: figures.accuracy_intervals("abcdef", (0.5,) * 6, (None,) * 6, 0.6, style.NARROW), None),
    "a prediction": (lambda: prediction(3, 2), None),
    "a prediction of nine": (lambda: prediction(9, 2), None),
    "a prediction below": (lambda: prediction(9, 1), None),
    "samples": (lambda: figures.sample_grid([SQUARES[:4]] * 3, LONG[:3]), 0.78),
    "samples in two columns": (lambda: figures.sample_grid([SQUARES[:2]] * 5, LONG[:5], 2), 0.57),
    "narrow samples": (lambda: figures.sample_grid([SQUARES[:2]] * 2, LONG[:2], 2, 1, style.NARROW), 0.77),
    "saliency": (lambda: figures.saliency_panel(SQUARES, MAPS, SQUARES, ["a\nb"] * 8, MAPS), 0.8),
    "saliency without maps": (lambda: figures.saliency_panel(SQUARES[:3], None, SQUARES[:3], ["a\nb"] * 3), 0.81),
    "saliency of one": (lambda: figures.saliency_panel(SQUARES[:1], MAPS, SQUARES, ["a\nb"]), 0.76),
    "methods": (lambda: figures.methods_grid(SQUARES[0], MAPS.reshape(2, 4, 9, 9), LONG[:2], "abcd"), 0.775),
    "many methods": (lambda: figures.methods_grid(SQUARES[0], np.ones((1, 9, 9, 9)), ["a"], "abcdefghi"), 0.485),
    "a cascade": (lambda: figures.cascade(MAPS[:3].transpose(1, 2, 0), ["none", "a", "b", "c"], likeness(5),
                                          dict.fromkeys(likeness(5), MAPS[:4])), 0.52),
    "bars": (bar_chart, None),
    "ratios": (ratio_chart, None),
}  # fmt: skip
SIZES = {  # of the first and the last panel, in inches: large enough to be read, and no larger than their numbers need
    "three matrices": (1.61, 1.61, 1.61, 1.61),
    "three matrices below each other": (2.0, 2.0, 2.0, 2.0),
    "two matrices of eight": (2.81, 2.81, 2.81, 2.81),
    "a matrix of nine": (3.2, 3.2, 3.2, 3.2),
    "two curves": (4.06, 2.32, 4.06, 2.32),
    "two curves below each other": (3.86, 2.55, 3.86, 2.55),
    "accuracies": (8.44, 1.13, 8.44, 1.13),
    "many accuracies": (4.2, 2.93, 4.2, 2.93),
    "a prediction": (2.42, 2.42, 4.42, 2.42),
    "a prediction of nine": (2.45, 2.45, 4.17, 3.08),
    "a prediction below": (2.31, 2.31, 2.31, 3.43),
    "samples": (2.15, 2.15, 2.15, 2.15),
    "samples in two columns": (1.98, 1.98, 1.98, 1.98),
    "narrow samples": (2.16, 2.16, 2.16, 2.16),
    "saliency": (2.1, 2.1, 2.1, 2.1),
    "saliency without maps": (2.82, 2.82, 2.82, 2.82),
    "saliency of one": (2.9, 2.9, 2.9, 2.9),
    "methods": (1.9, 1.9, 1.9, 1.9),
    "many methods": (1.4, 1.4, 1.4, 1.4),
    "a cascade": (6.89, 2.8, 1.02, 1.02),
    "bars": (1.65, 1.05, 1.65, 1.05),
    "ratios": (1.9, 1.54, 1.9, 1.54),
}


@pytest.fixture(scope="module")
def drawn(request):
    """The figure of a case, labelled with its name, its parts in their places."""
    figure = CASES[request.param][0]()
    figure.set_label(request.param)
    figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize("drawn", CASES, indirect=True)
def test_nothing_is_cut_and_nothing_lies_on_another_and_little_paper_is_empty(drawn):
    case, shown = drawn.get_label(), panels(drawn)
    assert laid_out(drawn, CASES[case][1]) == []
    sizes = [inches for axes in (shown[0], shown[-1]) for inches in axes.get_window_extent().size / drawn.dpi]
    assert sizes == pytest.approx(SIZES[case], rel=0.05)


@pytest.mark.parametrize(
    "drawn, other, axis", [("samples", 1, 0), ("many methods", 1, 0), ("methods", 5, 1)], indirect=["drawn"]
)
def test_pictures_of_a_grid_stand_close_together(drawn, other, axis):
    """Beside each other, and below."""
    one, other = (panels(drawn)[number].get_window_extent() for number in (0, other))
    gap = (other.x0 - one.x1, one.y0 - other.y1)[axis]
    assert gap / drawn.dpi == pytest.approx(0.06, abs=0.01)


def test_the_legend_of_a_wide_figure_is_one_line_and_of_a_narrow_one_two():
    reduced = figures.Curve("stage one", [1, 2, 3], [3, 2, 1], [4, 3, 2], [1, 1, 0.5])
    heights = []
    for columns in (2, 1):
        figure = figures.curves([reduced, reduced], "loss", columns)
        assert laid_out(figure) == []
        heights.append(figure.legends[0].get_window_extent().height / figure.dpi)
    assert heights[0] < 0.3 < heights[1]


@pytest.mark.parametrize("drawn, share", [("three matrices", 40), ("saliency", 50)], indirect=["drawn"])
def test_the_scale_is_a_thin_strip_of_half_the_width(drawn, share):
    box = colour_bar(drawn).get_window_extent()
    assert box.width / box.height == pytest.approx(share, rel=0.02)
    assert box.width / drawn.bbox.width == pytest.approx(0.45, abs=0.05)


def test_two_matrices_of_nine_below_each_other_fill_their_paper():
    """Each a square as wide as the room beside its names."""
    figure = figures.confusion([matrix(9)] * 2, 1)
    assert laid_out(figure, 0.2) == [] and figure.get_size_inches()[0] == style.WIDE


@pytest.mark.parametrize(
    "draw, width, narrow",
    [
        (lambda: figures.confusion([matrix(3)]), style.NARROW, True),
        (lambda: figures.confusion([matrix(8)] * 2, 1), style.NARROW, True),
        (lambda: figures.confusion([matrix(9)]), style.WIDE, False),
        (lambda: figures.confusion([matrix(3)] * 2), style.WIDE, False),
        (lambda: figures.curves([curve(3)], "loss"), style.NARROW, True),
        (lambda: figures.curves([curve(3)] * 2, "loss"), style.WIDE, False),
    ],
)
def test_what_stands_in_one_column_fits_a_phone_unless_it_has_many_classes(draw, width, narrow):
    assert draw().get_size_inches()[0] == width == (4.6 if narrow else 9.0)


# ------------------------------------------------------------------ words


def test_labels_are_one_short_drawable_line():
    assert style.label("singa_barong") == "singa barong"
    assert style.label("a\n\tb\x00c\u2028d") == "a b c d"
    assert style.label("日本é") == "\N{WHITE SQUARE}" * 2 + "é"
    assert style.label("$x$") == r"\$x\$"


def test_a_long_label_keeps_more_of_its_beginning_than_of_its_end():
    assert style.label("abcdefghijklmnopqrstuvwxyz", 10) == "abcdef…xyz"
    assert style.label("abcdefghij", 10) == "abcdefghij"
    assert style.label("abcdef ghijklmn opqrstuvw xyz", 14) == "abcdef g…w xyz"
    assert len(style.label("w" * 500)) == 24 and len(style.label("w" * 500, 20)) == 20
    assert style.label("abcdefg hijkl mnop", 11) == "abcdef…mnop"  # no space beside the dots


def test_texts_are_in_the_font_that_comes_with_matplotlib():
    figure = figures.confusion([figures.Matrix("m", [[1]], ["a"])])
    style.to_png(figure)
    assert {text.get_fontname() for text in in_sight(figure)} == {"DejaVu Sans"}


# ------------------------------------------------------------------ colours and files


@pytest.mark.parametrize("name", ["TRAINING", "VALIDATION", "RIGHT", "WRONG"])
def test_colours_that_carry_meaning_are_okabe_and_itos(name):
    assert getattr(style, name) in style.OKABE_ITO.values()


def test_what_is_right_and_wrong_and_the_two_curves_have_different_colours():
    assert style.RIGHT != style.WRONG and style.TRAINING != style.VALIDATION


@pytest.mark.parametrize("scale, falls", [(style.COUNTS, True), (style.SALIENCY, False)])
def test_lightness_only_falls_with_counts_and_only_rises_with_influence(scale, falls):
    light = np.array([np.dot(to_rgb(scale(x)[:3]), (0.2126, 0.7152, 0.0722)) for x in np.linspace(0, 1, 41)])
    assert (np.diff(light) < 0).all() if falls else (np.diff(light) > 0).all()
    assert light.max() == pytest.approx(1) and light.min() < 0.2


def test_axes_have_a_light_grid_behind_their_lines_and_no_box():
    (axes,) = panels(figures.curves([curve(4)], "loss"))
    assert {side: spine.get_visible() for side, spine in axes.spines.items()} == {
        "left": True, "bottom": True, "top": False, "right": False
    }  # fmt: skip
    grid = [line for axis in (axes.xaxis, axes.yaxis) for line in axis.get_gridlines()]
    assert axes.get_facecolor() == (1, 1, 1, 1)
    assert grid and all(line.get_visible() and line.get_color() == style.GRID for line in grid)
    assert axes.get_axisbelow() is True


@pytest.mark.parametrize(
    "drawn", ["two curves", "three matrices", "accuracies", "a prediction", "a cascade", "bars"], indirect=True
)
def test_the_ticks_of_every_axis_are_written_alike(drawn):
    scales = [axes for axes in panels(drawn) if len(axes.get_xticks())]
    assert scales
    for axes in scales:
        for tick in [*axes.xaxis.get_major_ticks(), *axes.yaxis.get_major_ticks()]:
            text = tick.label1
            assert text.get_color() == style.INK and text.get_fontname() == style.FONT
            assert text.get_fontsize() in (style.SMALL_SIZE, style.TEXT_SIZE)
        assert axes.xaxis.get_major_ticks()[0].label1.get_fontsize() == style.SMALL_SIZE
        boxless = {side for side, spine in axes.spines.items() if not spine.get_visible()}
        assert {"top", "right"} <= boxless


@pytest.mark.parametrize("classes, turned", [(4, False), (5, True)])
def test_names_below_a_matrix_are_turned_where_they_have_no_room(classes, turned):
    for names in (list("abcdefg")[:classes], ["a motif", "another motif", "a third motif"]):
        long = len(names[0]) > 1
        (axes,) = panels(figures.confusion([figures.Matrix("m", np.eye(len(names), dtype=int), names)]))
        label = axes.xaxis.get_major_ticks()[0].label1
        expected = (40, "right", "anchor") if turned or long else (0, "center", "default")
        assert (label.get_rotation(), label.get_ha(), label.get_rotation_mode()) == expected


def test_cells_are_smaller_where_there_are_more_than_six_classes():
    heights = [figures.confusion([matrix(classes)]).get_size_inches()[1] for classes in (5, 6, 7, 8)]
    assert heights[0] < heights[1] > heights[2] < heights[3]


@pytest.mark.parametrize("letters, turned", [(22, False), (23, True)])
def test_names_of_a_few_classes_are_turned_beyond_a_line(letters, turned):
    names = ["a" * 10, "b" * (letters - 10)]
    (axes,) = panels(figures.confusion([figures.Matrix("m", [[1, 2], [3, 4]], names)]))
    assert (axes.xaxis.get_major_ticks()[0].label1.get_rotation() > 0) == turned


def test_bars_have_no_grid_and_accuracies_none_across():
    _, bars = panels(prediction(3, 2))
    assert not any(line.get_visible() for axis in (bars.xaxis, bars.yaxis) for line in axis.get_gridlines())
    (axes,) = panels(figures.accuracy_intervals("a", (0.5,), (None,), 0.3))
    assert all(line.get_visible() for line in axes.xaxis.get_gridlines())
    assert not any(line.get_visible() for line in axes.yaxis.get_gridlines())
    assert not bars.spines["left"].get_visible() and not axes.spines["left"].get_visible()


def test_the_same_figure_gives_the_same_bytes_from_any_thread():
    def draw(_):
        return style.to_png(figures.confusion([figures.Matrix("m", [[1, 2], [3, 4]], ["a", "b"])]))

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(draw, range(4)))) == 1
