"""The chart of `bench` against the figures it was made of."""

import pytest
from artists import bars, from_top, names, texts
from made_up_bench import PROGRAMS, measured

from batik_scratch.bench.chart import bench_figure
from batik_scratch.bench.host import processor
from batik_scratch.figures import style


@pytest.mark.parametrize("count", [1, 3])
def test_each_panel_has_a_bar_of_the_median_for_each_program(count):
    figure = bench_figure(measured(), count)
    expected = {
        "Training step": [10, 20, 30],
        "Inference": [110, 120, 130],
        "Gradient saliency": [210, 220, 230],
        "Peak memory in training": [101, 201, 301] if count == 1 else [103, 203, 303],
    }
    assert [axes.get_title() for axes in figure.axes] == list(expected)
    for axes, (title, values) in zip(figure.axes, expected.items(), strict=True):
        memory = title.startswith("Peak")
        values = values if memory else [value / count for value in values]
        assert axes.get_xlabel() == ("MB" if memory else "ms per batch")
        drawn = bars(axes)
        assert [width for _, width, _ in drawn] == pytest.approx(values)
        assert [y for y, _, _ in drawn] == pytest.approx([0, 1, 2])
        assert texts(axes) == [
            (pytest.approx(v), y, f" {v:.0f}" if v >= 10 else f" {v:.2g}") for y, v in enumerate(values)
        ]
        ours = style.OKABE_ITO["vermillion"].lower()
        assert [colour == ours for *_, colour in drawn] == [False, True, False] and drawn[0][2] == drawn[2][2]
        assert axes.get_xlim()[0] == 0 and 1.2 < axes.get_xlim()[1] / max(values) < 1.5  # room for the numbers
        assert all(0.55 < bar.get_height() < 0.75 for bar in axes.patches)
        assert names(axes.yaxis) == dict(enumerate(PROGRAMS)) and from_top(axes)
        assert not any(line.get_visible() for line in axes.yaxis.get_gridlines())
        assert all(line.get_visible() for line in axes.xaxis.get_gridlines())


@pytest.mark.parametrize("count, word", [(1, "1 thread;"), (2, "2 threads;")])
def test_the_chart_says_what_was_measured(count, word):
    said = bench_figure(measured((1, 2)), count).get_suptitle()
    assert (
        "batch 6, 48 x 48 x 3,\nfloat32" in said
        and said.endswith(f"\n{style.label(processor()[0], 46)}")
        and word in said
        and "shorter is better" in said
    )


def test_the_chart_names_the_network():
    made = measured()
    assert bench_figure(made, 1).get_suptitle().startswith("The paper's network: ")
    made.network = "cloth"
    assert bench_figure(made, 1).get_suptitle().startswith("The network for real cloth: ")


def test_programs_that_were_not_measured_with_so_many_threads_have_no_bar():
    made = measured()
    del made.seconds["slow", 3]
    assert [len(axes.patches) for axes in bench_figure(made, 3).axes] == [2] * 4


def test_what_a_program_does_not_do_has_a_hyphen_and_no_bar():
    made = measured((1,))
    del made.seconds["slow", 1]["step"], made.memory["slow", 1]
    figure = bench_figure(made, 1)
    for number, expected in ((0, " -"), (1, " 130"), (3, " -")):
        axes = figure.axes[number]
        assert texts(axes)[2][2] == expected and (bars(axes)[2][1] == 0) == (expected == " -")
