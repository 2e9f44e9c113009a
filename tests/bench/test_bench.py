"""The bench command: figures that are made up, programs that are faked, and a tiny run of the real ones."""

import importlib
import io
import subprocess
import sys
from typing import ClassVar

import pytest
from PIL import Image
from plain_mode import needs_numba

from batik_scratch import __version__, bench
from batik_scratch.bench import chart, host, process, session, start, warmup
from batik_scratch.bench.chart import bench_figure
from batik_scratch.bench.programs import PROGRAMS
from batik_scratch.cli import main
from batik_scratch.errors import InputError
from batik_scratch.ops import threads

compare = importlib.import_module("batik_scratch.bench.compare")  # bench.compare is its function
OURS, NCHW, KERAS = bench.OURS, "PyTorch NCHW", "Keras on TensorFlow"
RUNTIME = "ONNX Runtime"


@pytest.fixture
def no_packages(monkeypatch):
    """Every framework has version 1.2, installed or not."""
    monkeypatch.setattr(host.importlib.metadata, "version", lambda package: "1.2")


@pytest.fixture
def measures_nothing(monkeypatch):
    """A test in which anything is compiled or measured fails."""

    def fail(*arguments):
        raise AssertionError("the options are wrong, and yet it started to measure")

    monkeypatch.setattr(session, "compile_kernels", fail)
    monkeypatch.setattr(session, "compare", fail)


def made_up(counts=(2, 1), names=(OURS, NCHW, KERAS)):
    """Medians in ms at the most threads: ours 100, 20, 60; NCHW 200, 80, 90; Keras 150, 90, 240; at one twice that."""
    medians = {OURS: (0.1, 0.02, 0.06), NCHW: (0.2, 0.08, 0.09), KERAS: (0.15, 0.09, 0.24)}
    memory = {OURS: 300.0, NCHW: 800.0, KERAS: 600.0}
    made = bench.Comparison(8, 64, 3)
    for name in names:
        for count in counts:
            slower = max(counts) / count
            made.seconds[name, count] = {
                work: [9.0, slower * value, slower * value / 2]
                for work, value in zip(bench.WORK, medians[name], strict=True)
            }
            made.memory[name, count] = memory[name]
    return made


class FakeWorker:
    """Notes what it is asked; the n-th answer of all is n seconds."""

    asked: ClassVar[list]
    stopped: ClassVar[list]
    breaks = ""

    def __init__(self, name, count, batch, size, network, start):
        self.name = name
        if name == self.breaks:
            raise InputError("broken")

    def ask(self, what):
        self.asked.append((self.name, what))
        return float(len(self.asked))

    def stop(self):
        self.stopped.append(self.name)


@pytest.fixture
def fakes(monkeypatch):
    class Fresh(FakeWorker):
        asked: ClassVar = []
        stopped: ClassVar = []

    monkeypatch.setattr(compare, "Worker", Fresh)
    monkeypatch.setattr(compare, "write_start", lambda *asked, graph: None)
    monkeypatch.setattr(compare, "PAUSE", 0)
    return Fresh


# ------------------------------------------------------------------ figures


def test_a_median_forgets_the_round_in_which_the_machine_was_busy():
    assert made_up().median(OURS, 2, "step") == 0.1


@pytest.mark.parametrize(
    "work, times, fastest", [("step", 1.5, KERAS), ("inference", 4.0, NCHW), ("saliency", 1.5, NCHW)]
)
def test_the_ratio_is_taken_against_the_framework_that_is_fastest_at_that_work(work, times, fastest):
    ratio, name = made_up().ratio(2, work)
    assert ratio == pytest.approx(times) and name == fastest


def test_a_ratio_compares_equal_numbers_of_threads():
    made = made_up()
    made.seconds[NCHW, 1]["inference"] = [0.001] * 3
    assert made.ratio(2, "inference") == (pytest.approx(4.0), NCHW)
    assert made.ratio(1, "inference")[0] == pytest.approx(0.025)


def test_memory_is_compared_with_the_leanest_framework_at_as_many_threads():
    made = made_up()
    made.memory |= {(NCHW, 1): 150.0, (OURS, 1): 75.0, (KERAS, 1): 100.0}
    assert made.memory_share(2) == pytest.approx(0.5) and made.memory_share(1) == pytest.approx(0.75)


def test_scaling_compares_the_most_threads_with_the_fewest():
    assert made_up().scaling(KERAS, "step") == pytest.approx(2.0)
    assert made_up((6, 4)).scaling(OURS, "saliency") == pytest.approx(1.5)


def test_the_table_prints_every_median_and_what_follows_from_them(no_packages):
    lines = [line.split() for line in made_up().table().splitlines()]
    title = " ".join(lines[0])
    assert "batch 8" in title and "64x64x3" in title and "3 interleaved rounds" in title
    assert " ".join(lines[1]) == host.told_in_words()
    assert lines[3][:2] == ["2", "threads"] and lines[9][:2] == ["1", "thread"]
    assert lines[4] == [OURS, f"({__version__})", "100.0", "ms", "20.0", "ms", "60.0", "ms", "300", "MB"]
    assert " ".join(lines[6]) == f"{KERAS} (1.2, 1.2) 150.0 ms 90.0 ms 240.0 ms 600 MB"
    assert " ".join(lines[7]) == "faster than the fastest other 1.50x 4.00x 1.50x 0.50x as much"
    assert " ".join(lines[15]) == "2 threads against 1 step inference saliency"
    assert lines[16] == [OURS, f"({__version__})", "2.00x", "2.00x", "2.00x"]


def test_the_table_keeps_its_columns_under_their_titles(no_packages):
    blocks = made_up().table().split("\n\n")[1:]
    for block in blocks:
        assert len({len(line) for line in block.splitlines()}) == 1


def test_the_table_of_this_package_alone_compares_with_nobody(no_packages):
    table = made_up((2,), (OURS,)).table()
    assert "faster than" not in table and "against" not in table


def test_the_table_names_the_fewest_threads_where_one_was_not_measured(no_packages):
    assert "6 threads against 4" in made_up((6, 4)).table()


def test_a_program_that_only_predicts_has_hyphens_and_takes_part_in_inference_alone(no_packages):
    made = made_up((2,))
    made.seconds[RUNTIME, 2] = {"inference": [0.03]}
    rows = {line[:34].strip(): line[34:].split() for line in made.table().splitlines()}
    assert rows[f"{RUNTIME} (1.2)"] == ["-", "30.0", "ms", "-", "-"]
    assert rows["faster than the fastest other"][:3] == ["1.50x", "1.50x", "1.50x"]
    assert made.ratio(2, "inference") == (pytest.approx(1.5), RUNTIME) and made.ratio(2, "step")[1] == KERAS
    made.seconds[RUNTIME, 1] = {"inference": [0.06]}
    assert made.scaling(RUNTIME, "inference") == 2 and made.scaling(RUNTIME, "step") is None


def test_a_program_with_other_numbers_says_so_in_its_row_and_is_compared_with_nobody(no_packages):
    made = made_up((2,))
    made.differences = {NCHW: {"inference": 0.031, "saliency": 0.002}, KERAS: {"inference": 9e-5, "saliency": 0.009}}
    rows = [line for line in made.table().splitlines() if "gives other numbers" in line]
    assert len(rows) == 1 and rows[0].startswith(NCHW) and rows[0].endswith("gives other numbers: inference by 3e-02")
    assert made.ratio(2, "inference") == (pytest.approx(4.5), KERAS) and made.ratio(2, "saliency")[1] == KERAS
    made.differences[KERAS]["saliency"] = float("inf")
    assert "gives other numbers: saliency\n" in made.table()
    assert made.ratio(2, "step") is None and made.memory_share(2) is None
    labels = [label.get_text() for label in bench_figure(made, 2).axes[0].get_yticklabels()]
    assert labels == [OURS, f"{NCHW}\n(other numbers)", f"{KERAS}\n(other numbers)"]


# ------------------------------------------------------------------ chart


@pytest.mark.parametrize("names", [(OURS,), (OURS, NCHW, KERAS)])
def test_the_chart_has_a_bar_per_program_in_each_panel_and_units_on_every_axis(names):
    figure = bench_figure(made_up(names=names), 2)
    assert len(figure.axes) == 4
    for axes, unit in zip(figure.axes, ["ms per batch"] * 3 + ["MB"], strict=True):
        assert len(axes.patches) == len(names)
        assert axes.get_xlabel() == unit and axes.get_title()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(names)
    assert [bar.get_width() for bar in figure.axes[0].patches] == pytest.approx([100, 200, 150][: len(names)])


def test_the_chart_clips_no_text_however_long_the_processor_is_called(monkeypatch):
    monkeypatch.setattr(
        chart, "processor", lambda: ("Chip(R) Wide(TM) Platinum 9876WW Processor @ 2.70 GHz " * 3, "AVX2")
    )
    figure = bench_figure(made_up(), 2)
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height


# ------------------------------------------------------------------ the run


def test_only_frameworks_whose_every_module_is_there_are_measured(monkeypatch):
    there = {"torch", "captum", "keras"}
    monkeypatch.setattr(compare.importlib.util, "find_spec", lambda name: name if name in there else None)
    assert bench.installed_peers() == [NCHW, "PyTorch channels_last"]
    there.clear()
    assert bench.installed_peers() == []


def test_rounds_go_around_the_programs_so_that_a_busy_machine_hurts_all(fakes):
    made = bench.compare([OURS, NCHW], [1], 8, 64, 2)
    steps = [name for name, what in fakes.asked if what == "step 5"]
    assert steps == [OURS, NCHW, OURS, NCHW]
    assert made.seconds[NCHW, 1]["step"] == [6.0, 8.0]  # 1 to 4 told its numbers, and answered the untimed calls
    assert made.memory == {(OURS, 1): 9.0, (NCHW, 1): 10.0}  # after training, before anything else


def test_a_program_that_does_not_start_leaves_no_other_running(fakes):
    fakes.breaks = KERAS
    with pytest.raises(InputError, match="broken"):
        bench.compare([OURS, NCHW, KERAS], [1], 8, 64, 1)
    assert fakes.stopped == [NCHW]


def test_progress_is_shown_on_a_terminal_only(monkeypatch):
    for terminal, shown in ((False, ""), (True, f"\r{'step, round 1 of 2':60s}")):
        stream = io.StringIO()
        stream.isatty = lambda answer=terminal: answer
        monkeypatch.setattr(sys, "stderr", stream)
        session._say("step, round 1 of 2")
        assert stream.getvalue() == shown


def test_a_failed_run_leaves_no_chart_and_a_clean_line(fakes, monkeypatch, tmp_path):
    said = []
    monkeypatch.setattr(session, "compile_kernels", lambda: "")
    monkeypatch.setattr(session, "_say", said.append)
    fakes.breaks = OURS
    with pytest.raises(InputError, match="broken"):
        session.measure([], [1], 2, 32, 1, tmp_path / "charts" / "b.png")
    assert said[-1] == "" and list(tmp_path.iterdir()) == []


def test_the_chart_appears_whole_or_not_at_all(fakes, monkeypatch, tmp_path):
    (tmp_path / "b.png").write_text("the old one")
    monkeypatch.setattr(session, "compile_kernels", lambda: "")
    monkeypatch.setattr(session, "to_png", lambda figure: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        session.measure([], [1], 2, 32, 1, tmp_path / "b.png")
    assert [path.name for path in tmp_path.iterdir()] == ["b.png"]
    assert (tmp_path / "b.png").read_text() == "the old one"


# ------------------------------------------------------------------ options


@pytest.mark.parametrize(
    "options, rule",
    [
        (["--rounds", "0"], "--rounds: needs a whole number >= 1, got 0"),
        (["--batch", "0"], "--batch: needs a whole number >= 1, got 0"),
        (["--image-size", "3"], "--image-size: needs a whole number >= 22, got 3"),
        (["--threads", "99999"], f"--threads: needs numbers from 1 to {threads.allowed()}"),
        (["--threads", "0,1"], "got [0, 1]"),
        (["--only", "nonsense"], f"no program 'nonsense' here; there are {OURS}"),
        (["--out", "."], "--out: needs a place where the PNG can be written"),
    ],
)
def test_wrong_options_end_with_the_rule_before_anything_is_measured(options, rule, measures_nothing, capsys):
    assert main(["bench", *options]) == 2
    said = capsys.readouterr().err
    assert rule in said and len(said.splitlines()) <= 2


def test_a_chart_below_a_file_is_refused_before_anything_is_measured(measures_nothing, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["bench", "--out", str(tmp_path / "file" / "b.png")]) == 2
    assert "--out" in capsys.readouterr().err


def test_threads_that_are_no_numbers_are_a_mistyped_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["bench", "--threads", "two"])
    assert stop.value.code == 2 and "whole numbers with commas between" in capsys.readouterr().err


def test_programs_are_named_once_and_this_one_always_takes_part(fakes, monkeypatch, tmp_path, no_packages):
    monkeypatch.setattr(session, "installed_peers", lambda: [NCHW])
    monkeypatch.setattr(session, "compile_kernels", lambda: "")
    monkeypatch.setattr(session, "layer_table", lambda batch, size, network: "layers")
    text = session.measure([NCHW, f" {NCHW}", OURS], [1], 2, 32, 1, tmp_path / "b.png")
    timed = [name for name, what in fakes.asked if not what.startswith("difference")]
    assert list(dict.fromkeys(timed)) == [OURS, NCHW]
    assert text.count("1 thread ") == 1 and "layers" in text
    with Image.open(tmp_path / "b.png") as chart:
        assert chart.format == "PNG" and chart.width > 700


@needs_numba
def test_kernels_that_cannot_be_compiled_are_an_error_in_one_line(monkeypatch):
    monkeypatch.setattr(warmup, "PROGRAM", "raise MemoryError('no room')")
    with pytest.raises(InputError, match="cannot be compiled here: MemoryError: no room"):
        warmup.compile_kernels()


# ------------------------------------------------------------------ real processes


def test_the_process_of_a_framework_loads_nothing_of_numba():
    """Else its peak memory would count what it never uses: 130 MB."""
    code = "import sys, batik_scratch.bench.worker; print(sorted({'numba', 'scipy', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_a_program_that_nobody_knows_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"nonsense stopped: KeyError: 'nonsense'; .*--only batik_scratch"):
        process.Worker("nonsense", 1, 2, 32, "paper", tmp_path)


@pytest.mark.slow
def test_a_worker_answers_with_times_and_memory_and_says_so_when_it_was_killed(tmp_path):
    start.write_start(tmp_path, 2, 32, "paper", graph=False)
    worker = process.Worker(OURS, 1, 2, 32, "paper", tmp_path)
    try:
        for work in bench.WORK:
            assert 0 < worker.ask(f"{work} 2") < 60
        assert 50 < worker.ask("memory") < 5000
        worker.process.kill()
        with pytest.raises(InputError, match=r"batik_scratch stopped: killed by signal 9.*smaller --batch"):
            worker.ask("step 1")
        with pytest.raises(InputError, match="killed by signal 9"):
            worker.ask("step 1")
    finally:
        worker.stop()


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("name", [name for name in bench.installed_peers()])
@pytest.mark.parametrize("network", ["paper", "cloth"])
def test_every_other_program_gives_our_numbers_and_does_its_kinds_of_work(name, network, tmp_path):
    start.write_start(tmp_path, 2, 32, network, graph="onnx" in PROGRAMS[name].modules)
    worker = process.Worker(name, 1, 2, 32, network, tmp_path)
    try:
        kinds = PROGRAMS[name].work
        far = {work: worker.ask(f"difference {work}") for work in start.LIMITS if work in kinds}
        assert all(far[work] <= start.LIMITS[work] for work in far), far
        assert all(0 < worker.ask(f"{work} 1") < 60 for work in kinds)
    finally:
        worker.stop()


@pytest.mark.slow
def test_the_layer_table_has_a_line_per_step_and_its_shares_add_up():
    from batik_scratch.bench.layers import layer_table

    before = threads.count()
    lines = layer_table(2, 32, repeats=2).splitlines()
    names = [line[:44].strip() for line in lines[1:]]
    assert names[0] == "conv2d + ReLU + max-pooling" and names[-2:] == ["Adam", "all"]
    assert {"conv2d_1 + ReLU + max-pooling", "dropout", "dense", "dense_1"} <= set(names)
    shares = [float(line.split()[-1].rstrip("%")) for line in lines[1:-1]]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares) + 0.01)  # each is rounded
    assert lines[0].split()[-1] == "share" and threads.count() == before


@pytest.mark.slow
def test_warmup_says_that_the_kernels_are_compiled(capsys):
    assert main(["bench", "--warmup"]) == 0
    assert "compiled" in capsys.readouterr().out


@pytest.mark.slow
def test_a_small_bench_prints_tables_and_writes_a_chart(tmp_path, capsys):
    chart = tmp_path / "new" / "bench.png"
    options = ["--only", OURS, "--batch", "2", "--image-size", "32", "--rounds", "1", "--threads", "1"]
    assert main(["bench", *options, "--out", str(chart)]) == 0
    text = capsys.readouterr().out
    assert "1 thread " in text and "conv2d + ReLU" in text and f"chart: {chart}" in text
    assert [path.name for path in chart.parent.iterdir()] == ["bench.png"]
    with Image.open(chart) as picture:
        assert picture.format == "PNG"
