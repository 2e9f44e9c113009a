"""The chart of `bench` against the figures it was made of, and what the command hands on to what measures."""

import io
import subprocess

import pytest
from artists import bars, from_top, names, texts
from made_up_bench import PROGRAMS, measured

from batik_scratch import bench
from batik_scratch.errors import InputError
from batik_scratch.ops import threads
from batik_scratch.report import bench as command
from batik_scratch.report import style
from batik_scratch.report.figures.bench import bench_figure


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
        assert texts(axes) == [(pytest.approx(v), y, f" {v:.0f}") for y, v in enumerate(values)]
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
    assert "batch 6, 48 x 48 x 3, float32" in said and word in said and "shorter is better" in said


def test_programs_that_were_not_measured_with_so_many_threads_have_no_bar():
    made = measured()
    del made.seconds["slow", 3]
    assert [len(axes.patches) for axes in bench_figure(made, 3).axes] == [2] * 4


# ------------------------------------------------------------------ the command


@pytest.fixture
def asked(monkeypatch):
    """What the command asks of what measures, in order; there are the programs PROGRAMS, and three threads are allowed."""
    found = {}

    def compare(names, counts, batch, size, rounds, say):
        found["compare"] = (list(names), list(counts), batch, size, rounds)
        found["progress"] = say
        return measured(counts)

    monkeypatch.setattr(bench, "compare", compare)
    monkeypatch.setattr(bench, "installed_peers", lambda: ["fast", "slow"])
    monkeypatch.setattr(bench.Comparison, "table", lambda self: "the table")
    monkeypatch.setattr(command, "layer_table", lambda batch, size: f"layers of {batch} at {size}")
    monkeypatch.setattr(command, "compile_kernels", lambda: found.setdefault("compiled", "compare" not in found))
    monkeypatch.setattr(command, "bench_figure", lambda comparison, count: found.setdefault("chart", count))
    monkeypatch.setattr(command, "to_png", lambda figure: b"a chart")
    monkeypatch.setattr(threads, "allowed", lambda: 3)
    monkeypatch.setattr(threads, "use", lambda count: found.setdefault("threads", count))
    return found


@pytest.mark.parametrize(
    "only, counts, programs, sorted_counts",
    [
        (None, None, [bench.OURS, "fast", "slow"], [3]),
        ([], [2], [bench.OURS], [2]),
        ([" slow "], [3, 1, 3], [bench.OURS, "slow"], [1, 3]),
        (["fast", bench.OURS, "fast"], [], [bench.OURS, "fast"], [3]),
    ],
)
def test_programs_and_threads_are_those_asked_for_or_all(asked, tmp_path, only, counts, programs, sorted_counts):
    said = command.run_bench(only, counts, 6, 48, 5, tmp_path / "new" / "folder" / "b.png")
    assert asked["compiled"] and asked["compare"] == (programs, sorted_counts, 6, 48, 5)
    assert asked["chart"] == asked["threads"] == sorted_counts[-1]
    assert (tmp_path / "new" / "folder" / "b.png").read_bytes() == b"a chart"
    assert said == f"the table\n\nlayers of 6 at 48\n\nchart: {tmp_path / 'new' / 'folder' / 'b.png'}"


@pytest.mark.parametrize(
    "batch, size, rounds, counts, rule",
    [
        (0, 48, 5, [1], r"--batch: needs a whole number >= 1, got 0"),
        (1, 21, 5, [1], r"--image-size: needs a whole number >= 22, got 21"),
        (1, 22, 0, [1], r"--rounds: needs a whole number >= 1, got 0"),
        (1, 22, 1, [1, 4], r"--threads: needs numbers from 1 to 3 .*got \[1, 4\]"),
        (1, 22, 1, [0, 3], r"--threads: .*got \[0, 3\]"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_measured(
    asked, tmp_path, batch, size, rounds, counts, rule
):
    with pytest.raises(InputError, match=rule):
        command.run_bench(None, counts, batch, size, rounds, tmp_path / "b.png")
    assert not asked


def test_the_smallest_numbers_are_measured(asked, tmp_path):
    command.run_bench(None, [1, 3], 1, 22, 1, tmp_path / "b.png")
    assert asked["compare"][1:] == ([1, 3], 1, 22, 1)


def test_a_program_that_is_not_there_is_named_with_those_that_are(asked, tmp_path):
    with pytest.raises(InputError, match=rf"no program 'torch' here; there are {bench.OURS}, fast, slow"):
        command.run_bench(["fast", "torch"], None, 6, 48, 5, tmp_path / "b.png")


def test_what_compiling_says_is_handed_on_and_so_is_its_last_word(monkeypatch):
    asked = []

    def run(arguments, **_):
        asked.append(arguments[1:])
        return subprocess.CompletedProcess(arguments, len(asked) - 1, " compiled in 3 s\n", "many\nlines\nno room\n")

    monkeypatch.setattr(command.subprocess, "run", run)
    assert command.compile_kernels() == "compiled in 3 s"
    with pytest.raises(InputError, match="cannot be compiled here: no room; check"):
        command.compile_kernels()
    assert "warm_up()" in asked[0][1]


def test_a_compiler_that_dies_without_a_word_is_an_error_too(monkeypatch):
    monkeypatch.setattr(command.subprocess, "run", lambda a, **_: subprocess.CompletedProcess(a, -9, "", ""))
    with pytest.raises(InputError, match="no word"):
        command.compile_kernels()


class Terminal(io.StringIO):
    """A terminal, and what has been seen on it: a line that is not ended appears with a flush."""

    seen = ""

    def isatty(self):
        return True

    def flush(self):
        self.seen = self.getvalue()


def test_progress_overwrites_its_line_on_a_terminal_at_once(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(command.sys, "stderr", terminal)
    for text in ("a long word", "b", ""):
        command._say(text)
        assert terminal.seen == terminal.getvalue()
    lines = terminal.seen.split("\r")
    assert [line.strip() for line in lines] == ["", "a long word", "b", "", ""] and not capsys.readouterr().out
    assert len(lines[1]) == len(lines[2]) == len(lines[3]) == 60
