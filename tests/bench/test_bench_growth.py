"""Growth over batches and sizes: what is measured, the table, the document and the figure."""

import json
import math

import pytest
from matplotlib.colors import to_hex

from batik_scratch import bench
from batik_scratch.bench import growth, growth_chart, host, session
from batik_scratch.bench.growth import Growth, Setting
from batik_scratch.cli import main
from batik_scratch.errors import InputError
from batik_scratch.figures import style

OURS, NCHW, KERAS, ORT = bench.OURS, "PyTorch NCHW", "Keras on TensorFlow", "ONNX Runtime"
SETTINGS = [Setting(1, 30), Setting(1, 60), Setting(1, 120), Setting(4, 60)]
# how many times as long as ours, by setting; ONNX Runtime only predicts
TIMES = {NCHW: (8.0, 4.0, 2.0, 3.0), KERAS: (2.0, 5.0, 1.5, 1.25), ORT: (0.5, 3.0, 4.0, 1.75)}


def made_of(setting, place, threads=(2,)):
    """Ours takes 10 ms for a step, 1 ms for inference, 5 ms for a map."""
    one = bench.Comparison(*setting, 3)
    for count in threads:
        for name in (OURS, *TIMES):
            times = 1 if name == OURS else TIMES[name][place]
            own = {"step": 0.01, "inference": 0.001, "saliency": 0.005}
            one.seconds[name, count] = {
                work: [times * seconds * 2 / count] * 3
                for work, seconds in own.items()
                if name != ORT or work == "inference"
            }
            if name != ORT:
                one.memory[name, count] = 100.0
    return one


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(host.importlib.metadata, "version", lambda package: "1.2")
    monkeypatch.setattr(host, "_distributions", lambda: {})
    return Growth([made_of(setting, place) for place, setting in enumerate(SETTINGS)])


@pytest.fixture
def asked(monkeypatch):
    """The settings that the command measures, on a machine of three threads; the figures are made up."""
    found = []

    def compare(names, counts, batch, size, rounds, say, network):
        found.append((batch, size, rounds, network, tuple(counts)))
        say("at work")
        one = made_of((batch, size), len(found) % 4, counts)
        one.network = network
        return one

    monkeypatch.setattr(session, "compare", compare)
    monkeypatch.setattr(session, "installed_peers", lambda: list(TIMES))
    monkeypatch.setattr(session, "compile_kernels", lambda: "")
    monkeypatch.setattr(session.threads, "allowed", lambda: 3)
    monkeypatch.setattr(session.threads, "use", lambda count: None)
    monkeypatch.setattr(host.importlib.metadata, "version", lambda package: "1.2")
    return found


# ------------------------------------------------------------------ what is measured


def test_one_image_grows_and_batches_of_the_networks_own_size_do():
    assert growth.usual_settings("paper") == [
        (1, 64), (1, 150), (1, 224), (1, 300), (8, 150), (32, 150), (128, 150),
    ]  # fmt: skip
    assert growth.usual_settings("cloth") == [(1, 64), (1, 150), (1, 224), (1, 300), (8, 64), (32, 64), (128, 64)]


def test_pairs_are_read_and_each_is_measured_once():
    assert growth.read_settings("1x64,8x150,1x64") == [(1, 64), (8, 150)]


@pytest.mark.parametrize("text", ["64", "1x", "1x2x3", "ax64", "1x64,", "1X64"])
def test_pairs_that_are_none_are_refused_with_an_example(text):
    with pytest.raises(InputError, match=r"--growth: needs pairs .*such as --growth 1x64,8x150"):
        growth.read_settings(text)


@pytest.mark.parametrize(
    "words, settings",
    [
        (["--growth"], growth.usual_settings("paper")),
        (["--growth", "1x30,2x40"], [(1, 30), (2, 40)]),
        (["--growth", "--network", "cloth"], growth.usual_settings("cloth")),
    ],
)
def test_the_command_measures_the_usual_settings_or_those_that_are_named(words, settings, asked, tmp_path, capsys):
    out = tmp_path / "g.png"
    assert main(["bench", *words, "--rounds", "2", "--threads", "2,3", "--out", str(out)]) == 0
    network = "cloth" if "cloth" in words else "paper"
    assert asked == [(*setting, 2, network, (2, 3)) for setting in settings]
    text = capsys.readouterr().out
    assert text.endswith(f"chart: {out}\n") and "step, 3 threads" in text and "saliency, 2 threads" in text
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "words, rule",
    [
        (["--growth", "1x30,1x21"], "--growth, pixels: needs a whole number >= 22, got 21"),
        (["--growth", "0x30"], "--growth, images in a batch: needs a whole number >= 1, got 0"),
        (["--growth", "--batch", "8"], "leave out --batch and --image-size"),
        (["--growth", "--image-size", "64"], "leave out --batch and --image-size"),
        (["--growth", "many"], "--growth: needs pairs"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_measured(words, rule, asked, tmp_path, capsys):
    assert main(["bench", *words, "--out", str(tmp_path / "g.png")]) == 2
    assert rule in capsys.readouterr().err and asked == [] and list(tmp_path.iterdir()) == []


def test_progress_says_which_setting_it_is(asked, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(session, "_say", said.append)
    session.grown(None, [1], SETTINGS[:2], 1, tmp_path / "g.png")
    assert said == ["1 x 30 px: at work", "1 x 60 px: at work", ""]


# ------------------------------------------------------------------ the table


def test_each_kind_of_work_has_a_row_per_setting_against_the_fastest_other(made):
    blocks = [block.splitlines() for block in made.table().split("\n\n")]
    assert blocks[0][1] == host.told_in_words()
    step, inference, saliency = (dict(zip(("title", *SETTINGS), block, strict=True)) for block in blocks[1:4])
    assert step["title"].startswith("step, 2 threads ") and inference["title"].startswith("inference, 2 threads ")
    assert " ".join(step[1, 60].split()) == "1 image of 60 pixels 10.00 ms 40.00 ms 4.00x PyTorch NCHW (1.2)"
    assert (
        " ".join(step[4, 60].split()) == "4 images of 60 pixels 10.00 ms 12.50 ms 1.25x Keras on TensorFlow (1.2, 1.2)"
    )
    assert " ".join(inference[1, 30].split()) == "1 image of 30 pixels 1.00 ms 0.50 ms 0.50x ONNX Runtime (1.2)"
    assert " ".join(saliency[1, 30].split()[5:]) == "5.00 ms 10.00 ms 2.00x Keras on TensorFlow (1.2, 1.2)"
    assert blocks[4] == ["the least with 2 threads: 0.50x, inference, 1 image of 30 pixels"]
    for title, row in ((step["title"], step[1, 60]), (inference["title"], inference[4, 60])):
        assert row[: len(title)].endswith("x") and title.endswith("times")  # numbers stand under their titles


def test_alone_this_package_has_its_milliseconds_and_nobody_to_be_compared_with(made):
    for one in made.comparisons:
        for name in TIMES:
            del one.seconds[name, 2]
    text = made.table()
    assert " ".join(text.splitlines()[4].split()) == "1 image of 30 pixels 10.00 ms - -"
    assert "the least" not in text


def test_a_program_with_other_numbers_is_named_and_compared_with_nobody(made):
    made.comparisons[0].differences[ORT] = {"inference": 0.002}
    text = made.table()
    row = next(line for line in text.split("inference, 2 threads")[1].splitlines() if "30 pixels" in line)
    assert " ".join(row.split()[5:]) == "1.00 ms 2.00 ms 2.00x Keras on TensorFlow (1.2, 1.2)"
    assert text.endswith("ONNX Runtime (1.2) gives other numbers, and is compared with nobody: 1 image of 30 pixels")
    made.comparisons[0].differences[ORT] = {"inference": 1e-6}
    assert "other numbers" not in made.table()


def test_the_document_has_all_of_every_setting(asked, tmp_path, capsys):
    assert main(["bench", "--growth", "1x30,4x60", "--json", "--threads", "1", "--out", str(tmp_path / "g.png")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["form", "growth", "chart"] and told["form"] == "batik-scratch bench 1"
    assert [(one["batch"], one["image_size"]) for one in told["growth"]] == [(1, 30), (4, 60)]
    for one in told["growth"]:
        assert one["processor"] == host.processor()[0] and one["calls"] == 5
        assert [entry["name"] for entry in one["programs"]] == [OURS, *TIMES]
        assert all(entry["threads"] == 1 and entry["versions"] for entry in one["programs"])
        assert one["programs"][-1]["seconds"]["step"] is None and one["programs"][-1]["peak_memory_mb"] is None
        assert [entry["work"] for entry in one["ratios"]] == list(bench.WORK)


# ------------------------------------------------------------------ the figure


def lines_of(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_the_figure_has_a_row_for_each_kind_of_work_over_pixels_and_over_batches(made):
    figure = growth_chart.growth_figure(made, 2)
    titles = ["Training step", "Inference", "Gradient saliency"]
    assert [axes.get_title("left") for axes in figure.axes] == [title for title in titles for _ in range(2)]
    assert [axes.get_xlabel() for axes in figure.axes] == ["pixels, 1 image", "images of 60 pixels"] * 3
    assert all(axes.get_ylabel() == f"times as long as {OURS}" for axes in figure.axes[::2])
    assert "2 threads" in figure.get_suptitle() and style.label(host.processor()[0], 46) in figure.get_suptitle()
    for number, axes in enumerate(figure.axes):
        lines = lines_of(axes)
        assert set(lines) == {OURS, NCHW, KERAS} | ({ORT} if number in (2, 3) else set())
        assert set(lines[OURS].get_ydata()) == {1}
        places, sizes = ((0, 1, 2), [30, 60, 120]) if number % 2 == 0 else ((1, 3), [1, 4])
        for name in set(lines) - {OURS}:
            assert list(lines[name].get_xdata()) == sizes
            assert list(lines[name].get_ydata()) == pytest.approx([TIMES[name][place] for place in places])
    said = [text.get_text() for text in figure.axes[2].texts]
    assert said == ["0.50", "3.0", "1.5"]  # the lowest at each size


def test_programs_are_told_apart_without_colours_and_ours_has_its_own(made):
    figure = growth_chart.growth_figure(made, 2)
    others = [line for name, line in lines_of(figure.axes[2]).items() if name != OURS]
    assert len({line.get_marker() for line in others}) == len({line.get_linestyle() for line in others}) == 3
    colours = [to_hex(line.get_color()) for line in lines_of(figure.axes[2]).values()]
    assert len(set(colours)) == 4 and set(colours) <= {colour.lower() for colour in style.OKABE_ITO.values()}
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {OURS, *TIMES}


def test_the_figure_of_growth_fits_a_phone_and_clips_nothing(made, monkeypatch):
    name = "Chip(R) Wide(TM) Platinum 9876WW Processor @ 2.70 GHz " * 3
    monkeypatch.setattr(growth_chart, "processor", lambda: (name, "AVX2"))
    figure = growth_chart.growth_figure(made, 2)
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert width == style.NARROW
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
    for axes in figure.axes:
        low, high = axes.get_ylim()
        values = [value for line in axes.get_lines() for value in line.get_ydata()]
        assert low < min(values) and max(values) < high
        left, right = axes.get_xlim()
        sizes = [value for name, line in lines_of(axes).items() if name != OURS for value in line.get_xdata()]
        assert left < min(sizes) and max(sizes) < right


def test_a_single_setting_and_nobody_else_can_be_drawn_too():
    alone = bench.Comparison(1, 30, 1)
    alone.seconds[OURS, 1] = {work: [0.1] for work in bench.WORK}
    figure = growth_chart.growth_figure(Growth([alone]), 1)
    figure.draw_without_rendering()
    assert all(math.isfinite(number) for axes in figure.axes for number in (*axes.get_xlim(), *axes.get_ylim()))
