"""`bench`: what its options lead to, what it prints and draws, and what --warmup compiles."""

import importlib
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from fake_clock import Clock
from matplotlib.figure import Figure
from PIL import Image
from plain_mode import needs_numba

from batik_scratch import __version__, bench, images, nn, saliency
from batik_scratch.bench import host, session, warmup
from batik_scratch.cli import main
from batik_scratch.ops import threads

compare = importlib.import_module("batik_scratch.bench.compare")  # bench.compare is its function
OURS, NCHW, KERAS = bench.OURS, "PyTorch NCHW", "Keras on TensorFlow"


@pytest.fixture
def happened(monkeypatch):
    """What a bench does, in order, on a machine of three threads with two frameworks; nothing is measured.

    Program number p (from 0) takes 10 (p + 1) + threads seconds for anything, and 100 (p + 1) + threads MB.
    """
    log, started = [], []

    class Program:
        def __init__(self, *arguments):
            log.append(("start", *arguments[:-1]))  # the last is the folder of the start
            started.append(arguments[0])
            self.amount = len(dict.fromkeys(started)), arguments[1]

        def ask(self, what):
            place, count = self.amount
            return (100.0 if what == "memory" else 10.0) * place + count

        def stop(self):
            log.append(("stop",))

    def table(batch, size, network):
        log.append(("layers", batch, size, network))
        return "the layers"

    monkeypatch.setattr(compare, "Worker", Program)
    monkeypatch.setattr(compare, "time", Clock().module())
    monkeypatch.setattr(compare, "write_start", lambda *asked, graph: None)
    monkeypatch.setattr(compare, "_differences", lambda *asked: {"inference": 1e-6, "saliency": 1e-4})
    monkeypatch.setattr(host.importlib.metadata, "version", lambda package: {"torch": "1.2"}.get(package, "3.4"))
    monkeypatch.setattr(session, "installed_peers", lambda: [NCHW, KERAS])
    monkeypatch.setattr(session, "compile_kernels", lambda: log.append(("compile",)))
    monkeypatch.setattr(session, "layer_table", table)
    monkeypatch.setattr(threads, "allowed", lambda: 3)
    monkeypatch.setattr(threads, "use", lambda count: log.append(("use", count)))
    return log


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were drawn."""
    found, right = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **o: (found.append(self), right(self, *a, **o)))
    return found


def test_the_options_reach_the_programs_the_table_of_layers_and_the_chart(happened, drawn, tmp_path, capsys):
    out = tmp_path / "new" / "b.png"
    options = [
        "--only",
        f"{KERAS}, {NCHW}",
        "--threads",
        "3,1,3",
        "--batch",
        "5",
        "--image-size",
        "41",
        "--rounds",
        "2",
        "--network",
        "cloth",
    ]
    assert main(["bench", *options, "--out", str(out)]) == 0
    programs = [(name, count) for name in (OURS, KERAS, NCHW) for count in (1, 3)]
    done = [("compile",), *(("start", *program, 5, 41, "cloth") for program in programs), *[("stop",)] * 6]
    assert happened == [*done, ("use", 3), ("layers", 5, 41, "cloth")]
    text = capsys.readouterr().out
    expected = bench.Comparison(5, 41, 2, "cloth")
    for p, (name, count) in enumerate(programs):
        expected.seconds[name, count] = {work: [10.0 * (p // 2 + 1) + count] * 2 for work in bench.WORK}
        expected.memory[name, count] = 100.0 * (p // 2 + 1) + count
    assert text == f"{expected.table()}\n\nthe layers\n\nchart: {out}\n"
    title = drawn[0].get_suptitle()
    assert title.startswith("The network for real cloth: ")
    assert "batch 5" in title and "41 x 41 x 3" in title and "3 threads" in title
    assert [bar.get_width() for bar in drawn[0].axes[0].patches] == [13_000, 23_000, 33_000]
    with Image.open(out) as chart:
        assert chart.format == "PNG"


def test_without_options_every_program_is_measured_with_all_threads(happened, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["bench"]) == 0
    starts = [entry[1:] for entry in happened if entry[0] == "start"]
    assert starts == [(name, 3, 32, 150, "paper") for name in (OURS, NCHW, KERAS)]
    assert "medians of 7 interleaved rounds of 5 calls" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["bench.png"]


def test_the_least_of_everything_is_allowed_and_an_old_chart_gives_way(happened, tmp_path, capsys):
    out = tmp_path / "b.png"
    out.write_text("the old one")
    options = ["--only", OURS, "--threads", "1", "--batch", "1", "--image-size", "22", "--rounds", "1"]
    assert main(["bench", *options, "--out", str(out)]) == 0
    assert [entry[1:] for entry in happened if entry[0] == "start"] == [(OURS, 1, 1, 22, "paper")]
    with Image.open(out) as chart:
        assert chart.format == "PNG"


@pytest.mark.parametrize(
    "options, rule",
    [
        (["--image-size", "21"], "--image-size: needs a whole number >= 22, got 21"),
        (["--threads", "1,4"], "--threads: needs numbers from 1 to 3 (what is allowed here), got [1, 4]"),
        (["--only", "Keras"], f"no program 'Keras' here; there are {OURS}, {NCHW}, {KERAS}"),
    ],
)
def test_one_less_than_the_least_and_one_more_than_the_most_are_refused(options, rule, happened, tmp_path, capsys):
    assert main(["bench", *options, "--out", str(tmp_path / "b.png")]) == 2
    assert rule in capsys.readouterr().err and happened == [] and list(tmp_path.iterdir()) == []


@needs_numba
def test_the_kernels_are_compiled_in_a_process_of_their_own_which_says_how_long_it_took(monkeypatch, capsys):
    asked = []

    def run(command, **options):
        asked.append(command)
        return SimpleNamespace(returncode=0, stdout="compiled in 12 s\n", stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    assert main(["bench", "--warmup"]) == 0
    assert capsys.readouterr().out == "compiled in 12 s\n"
    assert asked[0][0] == sys.executable and "warm_up()" in asked[0][-1]


# ------------------------------------------------------------------ the table


def made_of(seconds, rounds=3):
    """seconds: {(name, threads): seconds of anything}; memory is 7 times as many MB."""
    made = bench.Comparison(5, 41, rounds)
    for (name, count), value in seconds.items():
        made.seconds[name, count] = {work: [value, value * 3, value * 0.9] for work in bench.WORK}
        made.memory[name, count] = 7 * value
    return made


def test_programs_that_were_not_measured_with_all_numbers_of_threads_appear_where_they_were(monkeypatch):
    monkeypatch.setattr(host.importlib.metadata, "version", lambda package: "1.2")
    made = made_of({(OURS, 1): 4.0, (OURS, 3): 2.0, (NCHW, 3): 6.0, (OURS, 2): 2.5})
    blocks = [block.splitlines() for block in made.table().split("\n\n")]
    assert [block[0].split()[:2] for block in blocks[1:4]] == [["3", "threads"], ["2", "threads"], ["1", "thread"]]
    assert [len(block) for block in blocks[1:4]] == [4, 2, 2]
    assert blocks[1][-1].split()[-6:] == ["3.00x", "3.00x", "3.00x", "0.33x", "as", "much"]
    assert blocks[4][0].startswith("3 threads against 1 ")
    assert [line.split()[-1] for line in blocks[4][1:]] == ["2.00x", "1.00x"]


def test_a_framework_is_named_with_the_version_of_its_own_package(monkeypatch):
    versions = {"torch": "1.2", "keras": "3.4", "tensorflow-cpu": "5.6", "onnxruntime": "7.8"}
    monkeypatch.setattr(host, "_distributions", lambda: {"tensorflow": ["tensorflow-cpu"]})
    monkeypatch.setattr(host.importlib.metadata, "version", lambda package: versions[package])
    named = [f"{OURS} ({__version__})", f"{NCHW} (1.2)", f"{KERAS} (3.4, 5.6)", "ONNX Runtime (7.8)"]
    assert [host.describe(name) for name in (OURS, NCHW, KERAS, "ONNX Runtime")] == named


# ------------------------------------------------------------------ warming up


def test_warming_up_trains_predicts_explains_and_augments_at_each_networks_size(monkeypatch, capsys):
    done = []

    def noting(owner, name, what):
        right = getattr(owner, name)

        def instead(self, *arguments, **options):
            done.append(what(self, *arguments))
            return right(self, *arguments, **options)

        monkeypatch.setattr(owner, name, instead)

    def layers_of(model):
        return [layer.algorithm for layer in model.layers if isinstance(layer, nn.Conv2D)]

    noting(nn.Sequential, "fit", lambda model, x, y: ("fit", x.shape[1:], x.dtype, *layers_of(model)))
    noting(nn.Sequential, "predict", lambda model, x: ("predict", x.shape[1:], x.dtype, *layers_of(model)))
    noting(
        saliency.Gradient, "attribute", lambda method, x: ("explain", x.shape[1:], x.dtype, *layers_of(method.model))
    )
    noting(
        images.ImageAugmenter,
        "__call__",
        lambda augmenter, pixels, rng: ("augment", augmenter.rotation_range > 0, pixels.shape[3]),
    )
    warmup.warm_up()
    pixels, auto = np.dtype(np.float32), "auto"
    paper, cloth = ((150, 150, 3), pixels, auto, auto, auto), ((64, 64, 3), pixels, auto, auto)
    expected = {(what, *place) for place in (paper, cloth) for what in ("fit", "predict", "explain")}
    assert {*done} == expected | {("augment", True, 3)}
    assert capsys.readouterr().out == ""  # what is printed is what it returns


@pytest.mark.parametrize(
    "cold, words", [(True, "kernels compiled in 12 s"), (False, "kernels were compiled already (12.3 s)")]
)
def test_warming_up_says_how_long_it_took_and_whether_there_was_anything_to_do(cold, words, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(warmup, "time", clock.module())
    monkeypatch.setattr(warmup, "cache_is_cold", lambda: cold)
    monkeypatch.setattr(nn.Sequential, "fit", lambda self, *a, **o: clock.pass_(12.3 / 2))  # of two networks
    assert warmup.warm_up() == words


WARM_THEN_RUN = """
import gc, sys
from pathlib import Path
from numba.core.registry import CPUDispatcher
from batik_scratch.bench.warmup import warm_up
from batik_scratch.study import TwoStageConfig, run_two_stage

def compiled():
    kernels = [k for k in gc.get_objects() if isinstance(k, CPUDispatcher)]
    return {(kernel.py_func.__name__, str(signature)) for kernel in kernels for signature in kernel.signatures}

warm_up()
warm = compiled()
run_two_stage(TwoStageConfig(draw_counts=(4, 4, 4), epochs=1), Path(sys.argv[1]), say=lambda text: None, verbose=0)
print(len(warm), sorted(compiled() - warm))
"""


@pytest.mark.slow
def test_after_warming_up_a_run_compiles_nothing_more(tmp_path):
    command = [sys.executable, "-c", WARM_THEN_RUN, str(tmp_path / "r")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    known, more = done.stdout.split(maxsplit=1)
    assert int(known) > 5 and more == "[]\n"
