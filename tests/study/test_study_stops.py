"""Checkpoints as often as asked, clean stops, and what a run prints."""

import dataclasses
import io
import os
import shutil
import signal

import numpy as np
import pytest
from study.study_witness import PHOTOGRAPHED
from study.test_study_two_stage import contents

from batik_scratch import nn
from batik_scratch.study import resume_two_stage, run_two_stage
from batik_scratch.study.stop import StopRequest

STEPS = 3  # batches of one epoch: 16 photos train, 6 at a time


class Killed(BaseException):
    """Stands for SIGKILL."""


def until_the_maps(text):
    if text.startswith("saliency"):
        raise Killed


class Terminal(io.StringIO):
    """Standard error of somebody who watches."""

    def isatty(self):
        return True


class Steps:
    """Counts training steps; at the `last` one, does something before it."""

    def __init__(self, monkeypatch):
        self.count, self.last, self.then = 0, 0, None
        original, steps = nn.Sequential.train_step, self

        def train_step(model, x, y):
            steps.count += 1
            if steps.count == steps.last:
                steps.then()
            return original(model, x, y)

        monkeypatch.setattr(nn.Sequential, "train_step", train_step)

    def at(self, last, then):
        self.count, self.last, self.then = 0, last, then


def die():
    raise Killed


@pytest.fixture
def config(photos):
    return dataclasses.replace(PHOTOGRAPHED, data=str(photos), epochs=3)


def test_a_run_saves_after_as_many_epochs_as_it_was_told(config, tmp_path, monkeypatch):
    steps = Steps(monkeypatch)
    for first, second in (({}, {"checkpoint_every": 3}), ({"checkpoint_every": 2}, {})):
        out = tmp_path / f"run{len(first)}"
        steps.at(STEPS + 2, die)  # in the second epoch
        with pytest.raises(Killed):
            run_two_stage(config, out, say=until_the_maps, verbose=0, **first)
        assert (out / "stage1/checkpoint/latest.npz").is_file() == (not first)
        with pytest.raises(Killed):
            steps.at(STEPS + 2, die)  # in the second epoch that is left
            resume_two_stage(out, say=until_the_maps, verbose=0, **second)
        steps.at(0, die)
        with pytest.raises(Killed):
            resume_two_stage(out, say=until_the_maps, verbose=0)
        assert steps.count == 2 * STEPS  # in both cases one epoch of three was saved
        assert not (out / "stage1/checkpoint/latest.npz").exists()


@pytest.mark.parametrize("study", ["photographed"], indirect=True)
def test_a_run_asked_to_stop_finishes_its_batch_and_goes_on_from_the_next(study, tmp_path, monkeypatch, capsys):
    steps, out = Steps(monkeypatch), tmp_path / "run"
    steps.at(STEPS + 2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        run_two_stage(study.witness.config, out, say=until_the_maps, verbose=0)
    assert steps.count == STEPS + 2 and (out / "stage1/checkpoint/latest.npz").is_file()
    steps.at(0, die)
    resumed = resume_two_stage(out, say=lambda text: None, verbose=0)
    assert steps.count == 2 * 6 * STEPS - (STEPS + 2)  # no batch twice, none left out
    assert contents(resumed) == contents(study.folder)
    printed = capsys.readouterr()
    assert "once more to stop at once" in printed.err and printed.out == ""
    assert len(printed.err.splitlines()) == 2  # an empty line before; no bars where nobody watches


def test_a_run_prints_its_steps_and_a_line_for_each_epoch_unless_told_otherwise(config, tmp_path, capsys, monkeypatch):
    terminals = [Terminal(), Terminal()]
    monkeypatch.setattr("sys.stderr", terminals[0])
    # no checkpoint in so few epochs: nothing to take away at the end
    folder = run_two_stage(dataclasses.replace(config, epochs=2), tmp_path / "run", checkpoint_every=3)
    monkeypatch.setattr("sys.stderr", terminals[1])
    printed = capsys.readouterr()
    for text in ("data: reading", "51 images in 3 classes", "stage 1: ", "saliency: ", "stage 2: "):
        assert text in printed.out
    assert [line[:11] for line in printed.out.splitlines() if "epoch" in line] == ["epoch   1/2", "epoch   2/2"] * 2
    (folder / "run.json").unlink()
    np.save(folder / "overlaid.npy", np.zeros((51, 26, 26, 3), np.uint8))
    shutil.rmtree(folder / "stage2/checkpoint")
    (folder / "stage2/metrics.json").unlink()
    resume_two_stage(folder.path)
    printed = capsys.readouterr()
    assert printed.out.count("epoch   2/2") == 1 and "stage 2: " in printed.out
    assert all("\repoch 2/2:" in terminal.getvalue() for terminal in terminals)  # bars, for somebody who watches


def test_both_stages_read_their_images_from_files_so_that_memory_stays_flat(config, tmp_path, monkeypatch):
    images, fit = [], nn.Sequential.fit

    def watched(model, batches, **options):
        images.append([batches.images, options["validation_data"].images])
        if len(images) in (2, 3):
            raise Killed  # in stage two, and there once more
        return fit(model, batches, **options)

    monkeypatch.setattr(nn.Sequential, "fit", watched)
    for run in (lambda out, **options: run_two_stage(config, out, **options), resume_two_stage):
        with pytest.raises(Killed):
            run(tmp_path / "run", say=lambda text: None, verbose=0)
    assert len(images) == 3 and all(isinstance(each, np.memmap) for pair in images for each in pair)


@pytest.mark.parametrize("study", ["photographed"], indirect=True)
def test_bars_count_the_images_of_both_stages_maps_and_leave_nothing_behind(study, tmp_path, monkeypatch):
    run, terminal = tmp_path / "run", Terminal()
    shutil.copytree(study.folder.path, run)
    for name in ("run.json", "stage1/saliency.npz", "stage2/saliency.npz"):
        (run / name).unlink()
    seconds = iter(range(10_000))
    monkeypatch.setattr("tqdm.std.time", lambda: next(seconds))  # a bar shows itself again after a while
    monkeypatch.setattr("sys.stderr", terminal)
    resume_two_stage(run, say=lambda text: None, verbose=0)
    shown = [text.strip() for text in terminal.getvalue().split("\r")]
    for title, counts in (("saliency: ", ["0/51", "32/51"]), ("saliency, stage 2: ", ["0/35", "32/35"])):
        bars = [text for text in shown if text.startswith(title)]
        assert [text.split("| ")[-1].split(" [")[0] for text in bars[:2]] == counts
        assert "image/s]" in bars[1] or "s/image]" in bars[1]
    assert shown[-1] == "" and "\n" not in terminal.getvalue()


@pytest.mark.parametrize("study", ["photographed"], indirect=True)
def test_overlays_are_on_the_disk_before_the_maps_say_that_they_are(study, tmp_path, monkeypatch):
    run, flushed, flush = tmp_path / "run", [], np.memmap.flush
    shutil.copytree(study.folder.path, run)
    for name in ("run.json", "stage1/saliency.npz"):
        (run / name).unlink()

    def watched(array):
        flushed.append((os.path.basename(array.filename), (run / "stage1/saliency.npz").exists()))
        flush(array)

    monkeypatch.setattr(np.memmap, "flush", watched)
    resume_two_stage(run, say=lambda text: None, verbose=0)
    assert ("overlaid.npy", False) in flushed


@pytest.mark.parametrize("study", ["photographed"], indirect=True)
def test_a_finished_run_gets_rid_of_what_a_kill_left_and_says_so(study, tmp_path):
    run, said = tmp_path / "run", []
    shutil.copytree(study.folder.path, run)
    (run / "overlaid.npy").write_bytes(b"killed before this was removed")
    again = resume_two_stage(run, say=said.append, verbose=0)
    assert contents(again) == contents(study.folder) and "nothing to train" in said[0] and len(said) == 1
    assert (run / "run.json").read_bytes() == (study.folder / "run.json").read_bytes()


@pytest.fixture
def handlers():
    """Ctrl-C as in a terminal; afterwards both signals do what they did."""
    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(("number", "said"), [(signal.SIGINT, ()), (signal.SIGTERM, ("SIGTERM",))])
def test_a_stop_says_which_signal_it_was_so_that_the_exit_code_can(handlers, number, said, times, capsys):
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt) as caught, StopRequest() as stop:
        for _ in range(times):
            os.kill(os.getpid(), number)
            assert stop.asked()
    assert caught.value.args == said
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before
    assert capsys.readouterr().err.count("stopping after this batch") == 1


def test_an_error_is_not_hidden_by_a_stop_and_no_signal_is_no_stop(handlers, capsys):
    with pytest.raises(ZeroDivisionError), StopRequest():
        os.kill(os.getpid(), signal.SIGTERM)
        raise ZeroDivisionError
    with StopRequest() as stop:
        assert not stop.asked()
    with pytest.raises(KeyboardInterrupt, match="mine"), StopRequest():
        raise KeyboardInterrupt("mine")
