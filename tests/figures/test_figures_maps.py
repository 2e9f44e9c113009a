"""Figures made of pictures and saliency maps: which picture stands where, under which name, on which scale."""

import numpy as np
import pytest
from artists import colour_bar, from_top, image, lines, names, panels, pixels, titles
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from batik_scratch import figures
from batik_scratch.figures import style

NOISE = np.random.default_rng(23)


def pictures(count, high=5, wide=7):
    return NOISE.integers(0, 256, (count, high, wide, 3), dtype=np.uint8)


def maps(*shape):
    return NOISE.gamma(0.7, 1.5, (*shape, 5, 7)).astype(np.float32)


def place(axes):
    """Its row and column in the grid."""
    spec = axes.get_subplotspec()
    return spec.rowspan.start, spec.colspan.start


def placed(figure):
    """{(row, column): axes} of what is shown."""
    return {place(axes): axes for axes in panels(figure)}


def is_map_from_nothing_to(axes, percentile, values):
    """The map as it is, on a scale whose end is that percentile of its own values."""
    np.testing.assert_array_equal(pixels(axes), values)
    assert image(axes).get_cmap() is style.SALIENCY
    low, high = image(axes).get_clim()
    assert low == 0 and high == pytest.approx(np.percentile(values, percentile))


def is_picture(axes, picture):
    np.testing.assert_array_equal(pixels(axes), picture)
    assert len(axes.get_xticks()) == len(axes.get_yticks()) == 0
    assert {(to_hex(spine.get_edgecolor()), spine.get_linewidth()) for spine in axes.spines.values()} == {
        (style.GRID, 0.8)
    }
    assert from_top(axes) and not image(axes).get_extent()[0] > image(axes).get_extent()[1]


# ------------------------------------------------------------------ samples


def test_samples_stand_in_the_line_of_their_class():
    groups, called = [pictures(3), pictures(5), pictures(1)], ["a_b", "second", "third"]
    shown = placed(figures.sample_grid(groups, called, per_class=4))
    assert sorted(shown) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (1, 3), (2, 0)]
    for (line, column), axes in shown.items():
        is_picture(axes, groups[line][column])
        assert axes.get_title(loc="left") == ({0: "a b", 1: "second", 2: "third"}[line] if column == 0 else "")


@pytest.mark.parametrize("groups, columns, asked", [(4, 1, None), (5, 2, None), (5, 3, 3)])
def test_many_classes_stand_two_to_a_line_with_a_gap_between(groups, columns, asked):
    given = [pictures(2) for _ in range(groups)]
    shown = placed(figures.sample_grid(given, [f"n{i}" for i in range(groups)], per_class=2, columns=asked))
    assert len(shown) == 2 * groups
    for index, group in enumerate(given):
        row, column = divmod(index, columns)
        for number in range(2):
            axes = shown[row, 3 * column + number]
            is_picture(axes, group[number])
            assert titles(axes) == (f"n{index}" if number == 0 else "")


def test_a_long_name_is_cut_to_the_room_above_its_pictures():
    short = placed(figures.sample_grid([pictures(1)] * 6, ["m" * 300] * 6, per_class=1, columns=6))[0, 0]
    wide = placed(figures.sample_grid([pictures(4)], ["m" * 300], per_class=4))[0, 0]
    narrowest = placed(figures.sample_grid([pictures(1)] * 20, ["m" * 300] * 20, per_class=1, columns=20))[0, 0]
    assert len(titles(narrowest)) == 8 < len(titles(short)) < 20 and 70 < len(titles(wide)) < 110


# ------------------------------------------------------------------ saliency


@pytest.mark.parametrize("count, columns, lines_, across", [(5, 4, 2, 4), (2, 4, 1, 2), (6, 3, 2, 3)])
def test_each_picture_stands_above_its_map_its_overlay_and_the_second_map(count, columns, lines_, across):
    images, overlays, first, second = pictures(count), pictures(count), maps(count), maps(count)
    called = [f"title {i}\nand more" for i in range(count)]
    figure = figures.saliency_panel(images, first, overlays, called, second, 97.0, columns)
    shown = placed(figure)
    assert len(shown) == 4 * count
    for i in range(count):
        block, column = divmod(i, across)
        original, raw, overlay, further = (shown[4 * block + row, column] for row in range(4))
        is_picture(original, images[i])
        is_picture(overlay, overlays[i])
        is_map_from_nothing_to(raw, 97, first[i])
        is_map_from_nothing_to(further, 97, second[i])
        assert [titles(axes) for axes in (original, raw, overlay, further)] == [called[i], "", "", ""]
        said = [axes.get_ylabel() for axes in (original, raw, overlay, further)]
        assert said == (["original", "raw map", "overlay", "map, stage two"] if column == 0 else [""] * 4)
    assert {row // 4 for row, _ in shown} == set(range(lines_))


@pytest.mark.parametrize("first, second", [(True, False), (False, True), (False, False)])
def test_rows_of_maps_that_are_not_given_are_left_out(first, second):
    given = maps(2)
    figure = figures.saliency_panel(
        pictures(2), given if first else None, pictures(2), ["a", "b"], given if second else None
    )
    said = [axes.get_ylabel() for axes in panels(figure) if axes.get_ylabel()]
    assert said == [
        "original", *["raw map"] * first, "overlay", *["map, stage two"] * second,
    ]  # fmt: skip
    assert len([axes for axes in figure.axes if axes.get_label() == "<colorbar>"]) == (first or second)


def test_maps_are_drawn_to_their_99th_percentile_and_four_to_a_line_unless_told():
    first = maps(5)
    shown = placed(figures.saliency_panel(pictures(5), first, pictures(5), list("abcde")))
    is_map_from_nothing_to(shown[1, 3], 99, first[3])
    is_map_from_nothing_to(shown[4, 0], 99, first[4])


def test_the_titles_of_wrong_predictions_alone_are_vermillion():
    colours = [
        [to_hex(axes.title.get_color()) for axes in panels(figures.saliency_panel(*given)) if titles(axes)]
        for given in (
            (pictures(3), None, pictures(3), list("abc"), None, 99.0, 4, [True, False, True]),
            (pictures(3), None, pictures(3), list("abc")),
        )
    ]
    assert colours == [[style.INK, style.WRONG.lower(), style.INK], [style.INK] * 3]


@pytest.mark.parametrize(
    "count, ends", [(2, ["no influence", "each map's 97.5th percentile and above"]), (1, ["none", "97.5th pct."])]
)
def test_the_scale_below_the_maps_says_what_its_ends_mean(count, ends):
    figure = figures.saliency_panel(pictures(count), maps(count), pictures(count), ["t"] * count, percentile=97.5)
    bar = colour_bar(figure)
    assert names(bar.xaxis) == dict(zip((0.0, 1.0), ends, strict=True)) and bar.get_xlim() == (0, 1)
    assert not bar.spines["outline"].get_visible()
    assert bar.collections[-1].get_cmap() is style.SALIENCY


def test_a_constant_map_is_drawn_as_nothing():
    figure = figures.saliency_panel(pictures(1), np.zeros((1, 5, 7)), pictures(1), [""])
    (axes,) = [axes for axes in panels(figure) if axes.get_ylabel() == "raw map"]
    assert image(axes).get_clim() == (0, 1) and not pixels(axes).any()


# ------------------------------------------------------------------ methods


@pytest.mark.parametrize("methods, per_line", [(3, 3), (7, 7), (9, 7)])
def test_a_map_stands_in_the_row_of_its_class_and_the_column_of_its_method(methods, per_line):
    picture, drawn = pictures(1)[0], maps(2, methods)
    called = [f"method {m}" for m in range(methods)]
    shown = placed(figures.methods_grid(picture, drawn, ["kawung\n71.0 %", "mega_mendung"], called, explained=1))
    blocks = -(-methods // per_line)
    assert len(shown) == 2 * (methods + blocks)
    for u, name in enumerate(("kawung\n71.0 %", "mega mendung")):
        for block in range(blocks):
            first = shown[2 * block + u, 0]
            is_picture(first, picture)
            assert first.get_ylabel() == name and not titles(first)
            assert to_hex(first.yaxis.label.get_color()) == (style.RIGHT.lower() if u == 1 else style.INK)
        for m in range(methods):
            block, column = divmod(m, per_line)
            axes = shown[2 * block + u, 1 + column]
            is_map_from_nothing_to(axes, 99, drawn[u, m])
            assert titles(axes) == (called[m] if u == 0 else "") and not axes.get_ylabel()


def test_one_picture_one_method_and_one_class_are_drawn_too():
    picture, given = pictures(1), maps(1, 1)
    for figure, count in (
        (figures.sample_grid([picture], ["a"]), 1),
        (figures.saliency_panel(picture, None, picture, ["a"]), 2),
        (figures.methods_grid(picture[0], given, ["a"], ["b"]), 2),
        (figures.cascade(picture[0] / 255, ["none", "a"], {"b": [1, 0]}, {"b": maps(2)}), 3),
    ):
        assert len([axes for axes in panels(figure) if axes.get_images()]) == count


def test_without_an_explained_class_no_name_is_blue():
    figure = figures.methods_grid(pictures(1)[0], maps(2, 2), ["a", "b"], ["c", "d"])
    assert {to_hex(axes.yaxis.label.get_color()) for axes in panels(figure) if axes.get_ylabel()} == {style.INK}


# ------------------------------------------------------------------ destroyed networks


LIKENESS = {"gradient": [1, 0.5, 0.25], "lrp": [1, 0.2, -0.3], "also lrp": [1, 0.205, -0.3], "ig": [1, 0.212, -0.3]}


@pytest.fixture(scope="module")
def cascade():
    picture = NOISE.random((5, 7, 3)) * 1.2 - 0.1
    drawn = {name: maps(3) for name in LIKENESS}
    return figures.cascade(picture, ["none", "dense_1", "conv2d"], LIKENESS, drawn), picture, drawn


def test_the_likeness_of_each_method_is_drawn_over_the_layers_drawn_anew(cascade):
    axes = next(axes for axes in cascade[0].findobj(Axes) if axes.get_legend())
    assert names(axes.xaxis) == {0: "trained", 1: "+ dense_1", 2: "+ conv2d"}
    drawn = lines(axes)
    assert {name: list(line.get_ydata()) for name, line in drawn.items()} == {
        "gradient": LIKENESS["gradient"], "lrp,\nalso lrp": LIKENESS["lrp"], "ig": LIKENESS["ig"]
    }  # fmt: skip
    assert all(list(line.get_xdata()) == [0, 1, 2] for line in drawn.values())
    assert axes.get_ylim() == (pytest.approx(-0.35), 1.05)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(drawn)
    assert axes.get_xlabel() == "weights drawn anew, from the output down"
    assert axes.get_ylabel() == "likeness of the maps\n(absolute rank correlation)"


def test_the_maps_of_each_stage_stand_beside_the_picture_in_the_line_of_their_method(cascade):
    figure, picture, drawn = cascade
    shown = {place(axes): axes for axes in panels(figure) if axes.get_images()}
    assert len(shown) == 4 * 4
    for row, name in enumerate(LIKENESS):
        is_picture(shown[row, 0], np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
        assert shown[row, 0].get_ylabel() == name
        for stage in range(3):
            axes = shown[row, stage + 1]
            is_map_from_nothing_to(axes, 99, drawn[name][stage])
            assert titles(axes) == (["trained", "+ dense_1", "+ conv2d"][stage] if row == 0 else "")


def test_every_curve_of_many_methods_looks_unlike_every_other():
    likeness = {f"method {m}": [1, m / 20] for m in range(14)}
    figure = figures.cascade(
        np.ones((2, 2, 3)), ["none", "dense"], likeness, {name: np.ones((2, 2, 2)) for name in likeness}
    )
    axes = next(axes for axes in figure.findobj(Axes) if axes.get_legend())
    looks = [(to_hex(line.get_color()), line.get_marker(), line.get_linestyle()) for line in axes.lines]
    assert len(set(looks)) == 14
    assert len({colour for colour, _, _ in looks[:7]}) == len({marker for _, marker, _ in looks[:13]}) - 6 == 7
    assert style.OKABE_ITO["yellow"].lower() not in {colour for colour, _, _ in looks}  # too pale for a line
    assert [dashes for *_, dashes in looks] == ["-"] * 7 + ["--"] * 7
    assert axes.get_ylim() == (-0.05, 1.05)
