"""A program's process: what it is started with, what it answers, and what is asked of all of them."""

import importlib
import io
import os
import resource
import signal
import stat
import sys

import numpy as np
import pytest
from fake_clock import Clock

from batik_scratch import bench
from batik_scratch.bench import process, programs, worker
from batik_scratch.errors import InputError

compare = importlib.import_module("batik_scratch.bench.compare")  # bench.compare is its function


@pytest.fixture
def answered(monkeypatch, tmp_path):
    """answered(program, lines) -> the lines that a worker's process answers, and its other output."""

    def run(program, lines):
        out, err = (tmp_path / "out").open("w"), (tmp_path / "err").open("w")
        with out, err, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
            patch.setitem(worker.PROGRAMS, "made up", programs.Program(program, (), ()))
            worker.main("made up", "5", "41", "cloth", str(tmp_path))
        return (tmp_path / "out").read_text().splitlines(), (tmp_path / "err").read_text()

    return run


def test_a_worker_answers_the_seconds_of_one_call_after_one_that_is_not_timed(answered, monkeypatch, tmp_path):
    clock, built = Clock(), []
    monkeypatch.setattr(worker, "time", clock.module())

    def program(batch, size, network, start):
        built.append((batch, size, network, start))
        clock.pass_(500)
        seconds = {"step": iter([100, 1, 2, 6, 7]), "inference": iter([100, 0.25, 0.5, 200, 8])}

        def work(name):
            print("a framework's noise")
            sys.stdout.flush()
            clock.pass_(next(seconds[name]))

        return {name: lambda name=name: work(name) for name in seconds}

    lines, noise = answered(program, ["step 4", "inference 2", "inference 1"])
    assert lines == ["ready", "4.0", "0.375", "8.0"] and built == [(5, 41, "cloth", tmp_path)]
    assert noise.count("a framework's noise") == 5 + 3 + 2  # beside the answers, where nobody reads it


def test_calls_that_are_over_at_once_are_repeated_until_a_twentieth_of_a_second_is_filled(answered, monkeypatch):
    clock, done = Clock(), []
    monkeypatch.setattr(worker, "time", clock.module())

    def work():
        done.append(1)
        clock.pass_(0.00390625 if len(done) > 1 else 100)  # a 256th; the first call is not timed

    lines, _ = answered(lambda *asked: {"step": work}, ["step 5"])
    assert lines[1] == "0.00390625" and len(done) == 1 + 13


def test_a_worker_answers_its_peak_memory_in_mb(answered, monkeypatch):
    monkeypatch.setattr(worker, "peak_memory", lambda: 1234.5)
    lines, _ = answered(lambda *asked: {"step": lambda: None}, ["memory", "step 1", "memory"])
    assert lines[0] == "ready" and lines[1] == lines[3] == "1234.5"


def test_a_worker_answers_how_far_its_next_answer_is_from_this_packages(answered, tmp_path):
    np.save(tmp_path / "inference.npy", np.array([[0.5, 0.5], [0.25, -2.0]]))
    np.save(tmp_path / "saliency.npy", np.ones((1, 2, 2, 1)))
    logits = iter([np.array([[0.5, 0.5], [0.25, -2.0]]), np.array([[0.5, 0.5], [0.25, -1.0]])])

    def program(*asked):
        return {"inference": lambda: next(logits), "saliency": lambda: np.full((1, 2, 2, 1), 1.5)}

    lines, _ = answered(program, ["difference inference", "difference inference", "difference saliency"])
    assert [float(line) for line in lines[1:]] == pytest.approx([0, 0.5, 0.5])


def test_peak_memory_is_what_the_system_calls_the_high_water_mark_in_mb(monkeypatch):
    assert 10 < worker.peak_memory() < 100_000
    monkeypatch.setattr(worker.Path, "is_file", lambda self: str(self) == "/proc/self/status")
    status = "VmPeak:\t 9000000 kB\nVmHWM:\t 3145728 kB\nVmRSS:\t 1024 kB\n"
    monkeypatch.setattr(worker.Path, "read_text", lambda self: status)
    assert worker.peak_memory() == 3072.0


@pytest.mark.parametrize("platform, mb", [("linux", 3072.0), ("darwin", 3.0)])  # kilobytes there, bytes here
def test_without_proc_the_unit_of_the_figure_is_the_platforms(platform, mb, monkeypatch):
    monkeypatch.setattr(worker.Path, "is_file", lambda self: False)
    monkeypatch.setattr(sys, "platform", platform)
    usage = type("Usage", (), {"ru_maxrss": 3 * 2**20})
    monkeypatch.setattr(resource, "getrusage", lambda who: usage if who == resource.RUSAGE_SELF else None)
    assert worker.peak_memory() == mb


def test_a_status_file_without_the_peak_leaves_the_other_figure(monkeypatch):
    monkeypatch.setattr(worker.Path, "is_file", lambda self: True)
    monkeypatch.setattr(worker.Path, "read_text", lambda self: "Name:\tpython\nVmRSS:\t 1 kB\n")
    monkeypatch.setattr(resource, "getrusage", lambda who: type("Usage", (), {"ru_maxrss": 2048}))
    monkeypatch.setattr(sys, "platform", "linux")
    assert worker.peak_memory() == 2.0


# ------------------------------------------------------------------ the other end of the pipe


@pytest.fixture
def patience():
    """A test that waits for a process in vain fails after half a minute, instead of waiting for ever."""

    def give_up(number, frame):
        raise AssertionError("the two processes wait for each other")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def instead(monkeypatch, tmp_path, patience):
    """instead(shell script) runs that in the place of Python; it finds a folder of its own in $PLACE."""

    def replace(script):
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(program))
        monkeypatch.setenv("PLACE", str(tmp_path))
        monkeypatch.setenv("KEPT", "as it was")
        return tmp_path

    return replace


def test_a_program_is_started_with_its_name_its_sizes_and_its_threads(instead):
    places = instead(
        'echo "$@" > $PLACE/arguments; env > $PLACE/env; echo ready; read line; echo $line > $PLACE/asked; echo 2.5'
    )
    one = process.Worker("PyTorch NCHW", 3, 5, 41, "cloth", "a folder")
    try:
        assert one.ask("step 5") == 2.5
    finally:
        one.stop()
    assert (places / "arguments").read_text() == "-m batik_scratch.bench.worker PyTorch NCHW 5 41 cloth a folder\n"
    assert (places / "asked").read_text() == "step 5\n"
    told = dict(line.split("=", 1) for line in (places / "env").read_text().splitlines() if "=" in line)
    for variable in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        assert told[variable] == "3" and os.environ.get(variable) != "3"
    assert told["KEPT"] == "as it was"


@pytest.mark.parametrize(
    "name, script, why",
    [
        ("PyTorch NCHW", "echo first >&2; echo 'the last word' >&2; exit 3", "the last word"),
        ("PyTorch NCHW", "exit 3", "no word"),
        ("batik_scratch", "kill -9 $$", "killed by signal 9, perhaps for want of memory"),
        ("batik_scratch", "echo ready; echo gone >&2", "gone"),
    ],
)
def test_a_program_that_ends_says_why_and_what_may_help(name, script, why, instead):
    instead(script)
    with pytest.raises(InputError) as error:
        one = process.Worker(name, 1, 2, 32, "paper", "here")
        try:
            one.ask("step 1")
        finally:
            one.stop()
    text = str(error.value)
    assert text.startswith(f"bench: {name} stopped: {why}; ") and "smaller --batch or --image-size" in text
    assert ("--only batik_scratch" in text) == (name != "batik_scratch")


def test_a_program_that_never_was_ready_is_stopped(instead, monkeypatch):
    instead("exec sleep 600")
    stopped = []
    monkeypatch.setattr(process.Worker, "_answer", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    right = process.Worker.stop
    monkeypatch.setattr(process.Worker, "stop", lambda self: (right(self), stopped.append(self.process.returncode)))
    with pytest.raises(KeyboardInterrupt):
        process.Worker("batik_scratch", 1, 2, 32, "paper", "here")
    assert stopped == [-9]


def test_stopping_ends_the_process_and_closes_every_pipe(instead):
    instead("echo ready; exec sleep 600")
    one = process.Worker("batik_scratch", 1, 2, 32, "paper", "here")
    one.stop()
    assert one.process.returncode == -9
    assert one.process.stdin.closed and one.process.stdout.closed and one.errors.closed


# ------------------------------------------------------------------ who is asked what, and when


def able(work, *modules):
    """A program that does these kinds of work."""
    return programs.Program(None, modules, (), work)


class Noted:
    """A program whose answers are numbers counted on over all of them."""

    def __init__(self, log, clock, name, threads, batch, size, network, start):
        self.log, self.clock, self.key = log, clock, (name, threads)
        assert start.is_dir()
        log.append(("start", name, threads, batch, size, network))

    def ask(self, what):
        self.log.append((what, *self.key, self.clock.now))
        self.clock.pass_(7)
        return float(len(self.log))

    def stop(self):
        self.log.append(("stop", *self.key))


def test_every_program_is_measured_with_each_number_of_threads_turn_by_turn(monkeypatch):
    log, said, clock = [], [], Clock()
    monkeypatch.setattr(compare, "time", clock.module())
    monkeypatch.setattr(compare, "Worker", lambda *arguments: Noted(log, clock, *arguments))
    monkeypatch.setattr(compare, "OURS", "a")
    monkeypatch.setattr(compare, "PROGRAMS", {"a": able(bench.WORK), "b": able(bench.WORK)})
    monkeypatch.setattr(compare, "write_start", lambda *asked, graph: log.append((*asked[1:], graph)))
    made = bench.compare(["a", "b"], [3, 1], 5, 41, 2, said.append, "cloth")
    programs = [("a", 3), ("a", 1), ("b", 3), ("b", 1)]
    assert (made.batch, made.size, made.rounds, made.network) == (5, 41, 2, "cloth")
    # before all others: the same beginning for all, and the numbers of the one that is not ours
    asked_first = [("difference inference", "b", 3), ("difference saliency", "b", 3)]
    assert log[0] == (5, 41, "cloth", False) and log[1] == ("start", "b", 3, 5, 41, "cloth")
    assert [entry[:3] for entry in log[2:4]] == asked_first and log[4] == ("stop", "b", 3)
    assert made.differences == {"b": {"inference": 3.0, "saliency": 4.0}}
    del log[:5], said[0]
    assert log[:4] == [("start", *program, 5, 41, "cloth") for program in programs]
    assert log[-4:] == [("stop", *program) for program in programs]
    order = []
    for work in ("step", "inference", "saliency"):
        order += [(f"{work} 2", *program) for program in programs]
        order += [(f"{work} 5", *program) for _ in range(2) for program in programs]
        order += [("memory", *program) for program in programs] if work == "step" else []
    asked = log[4:-4]
    assert [entry[:3] for entry in asked] == order
    answers = {entry: [i + 10.0 for i, other in enumerate(asked) if other[:3] == entry] for entry in set(order)}
    for name, threads in programs:
        for work in bench.WORK:
            assert made.seconds[name, threads][work] == answers[f"{work} 5", name, threads]
        assert [made.memory[name, threads]] == answers["memory", name, threads]
    timed = sum(entry[0].endswith(" 5") for entry in asked)
    assert clock.slept == [0.3] * timed == [0.3] * 24
    ends = [entry[3] for entry in asked if entry[0].endswith(" 5")]
    assert all(round(at - 1000, 1) % 1 for at in ends[:3])  # the pause comes before the measurement
    rounds = [f"{work}, round {n} of 2" for work in bench.WORK for n in (1, 2)]
    assert said == ["starting a", "starting a", "starting b", "starting b", *rounds]


def test_a_measurement_that_fails_stops_every_program(monkeypatch):
    log, clock = [], Clock()
    monkeypatch.setattr(compare, "time", clock.module())

    class Breaks(Noted):
        def ask(self, what):
            if what == "inference 5" and self.key == ("b", 1):
                raise InputError("gone")
            return super().ask(what)

    monkeypatch.setattr(compare, "Worker", lambda *arguments: Breaks(log, clock, *arguments))
    monkeypatch.setattr(compare, "PROGRAMS", {"a": able(bench.WORK), "b": able(bench.WORK)})
    monkeypatch.setattr(compare, "write_start", lambda *asked, graph: None)
    with pytest.raises(InputError, match="gone"):
        bench.compare(["a", "b"], [1], 5, 41, 1)
    assert log[-2:] == [("stop", "a", 1), ("stop", "b", 1)]


def test_a_program_that_only_predicts_is_asked_for_nothing_else(monkeypatch):
    log, clock, graphs = [], Clock(), []
    monkeypatch.setattr(compare, "time", clock.module())
    monkeypatch.setattr(compare, "Worker", lambda *arguments: Noted(log, clock, *arguments))
    monkeypatch.setattr(compare, "OURS", "a")
    monkeypatch.setattr(compare, "PROGRAMS", {"a": able(bench.WORK), "b": able(("inference",), "reader", "onnx")})
    monkeypatch.setattr(compare, "write_start", lambda *asked, graph: graphs.append(graph))
    made = bench.compare(["a", "b"], [1], 5, 41, 1)
    assert [entry[0] for entry in log if entry[1:3] == ("b", 1) and entry[0] not in ("start", "stop")] == [
        "difference inference", "inference 2", "inference 5",
    ]  # fmt: skip
    assert list(made.seconds["b", 1]) == ["inference"] and list(made.memory) == [("a", 1)]
    assert list(made.differences["b"]) == ["inference"] and graphs == [True]  # it reads ONNX


def test_a_program_whose_numbers_cannot_be_had_is_stopped_before_anything_is_timed(monkeypatch):
    log, clock = [], Clock()

    class Breaks(Noted):
        def ask(self, what):
            raise InputError("gone")

    monkeypatch.setattr(compare, "Worker", lambda *arguments: Breaks(log, clock, *arguments))
    monkeypatch.setattr(compare, "PROGRAMS", {"b": able(bench.WORK)})
    monkeypatch.setattr(compare, "write_start", lambda *asked, graph: None)
    with pytest.raises(InputError, match="gone"):
        bench.compare(["b"], [1], 5, 41, 1)
    assert log == [("start", "b", 1, 5, 41, "paper"), ("stop", "b", 1)]
