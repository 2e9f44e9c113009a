"""An interrupted run goes on to the same bits; two runs never work in one folder."""

import errno
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from study.conftest import TINY
from study.test_study_two_stage import contents

from batik_scratch import files, nn
from batik_scratch.errors import InputError
from batik_scratch.record.formats import JsonFile, ScratchArray
from batik_scratch.record.pictures import ExamplesFile
from batik_scratch.record.stage import MapsFile
from batik_scratch.study import RunFolder, resume_two_stage, run_two_stage, stage, tasks, two_stage
from batik_scratch.study.stop import StopRequest


def quiet(text):
    pass


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, nothing tidies up."""


def killed_at(monkeypatch, where, name, call, run):
    """Run until the `call`-th call of where.name, and die there."""
    original, count = getattr(where, name), iter(range(1, 10_000))

    def dying(*arguments, **options):
        if next(count) == call:
            raise Killed
        return original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(where, name, dying)
        with pytest.raises(Killed):
            run()


@pytest.mark.parametrize(
    ("where", "name", "call"),
    [
        (JsonFile, "write", 2),
        (tasks, "describe", 1),
        (nn.Sequential, "train_step", 2),
        (nn.Checkpoint, "save", 1),
        (nn.Checkpoint, "save", 2),
        (stage, "classification_metrics", 1),
        (stage, "drop_checkpoint", 1),
        (tasks, "overlay_maps", 2),
        (MapsFile, "write", 1),
        (ScratchArray, "remove", 1),
        (nn.Checkpoint, "save", 3),
        (stage, "classification_metrics", 2),
        (MapsFile, "write", 2),
        (ExamplesFile, "write", 1),
        (two_stage, "environment", 1),
    ],
)
def test_a_run_killed_anywhere_and_resumed_equals_the_undisturbed_one(
    tiny_run, tmp_path, monkeypatch, where, name, call
):
    out = tmp_path / "run"
    killed_at(monkeypatch, where, name, call, lambda: run_two_stage(TINY, out, say=quiet, verbose=0))
    assert not (out / "run.json").exists()
    (out / "stage1" / ".new-left.tmp").write_text("half a fi")  # what a real kill leaves behind
    resumed = resume_two_stage(out, say=quiet, verbose=0)
    assert contents(resumed) == contents(tiny_run)


def test_a_finished_run_is_left_as_it_is(tiny_run):
    before, said = contents(tiny_run), []
    resume_two_stage(tiny_run.path, say=said.append)
    assert contents(tiny_run) == before and "finished" in said[0]


def test_two_runs_never_work_in_one_folder(tmp_path):
    with RunFolder.create(tmp_path / "run", TINY):
        with pytest.raises(InputError, match="another run is at work"):
            resume_two_stage(tmp_path / "run", say=quiet)
        with pytest.raises(InputError, match="not empty"):
            run_two_stage(TINY, tmp_path / "run", say=quiet)
    RunFolder.open(tmp_path / "run").__exit__()


def test_two_runs_that_start_at_once_share_no_folder(tmp_path, monkeypatch):
    from batik_scratch.study import locked_folder

    monkeypatch.setattr(locked_folder, "check_free", lambda path: None)  # both looked before either made it
    with RunFolder.create(tmp_path / "run", TINY) as first:
        with pytest.raises(OSError, match="not empty"):
            RunFolder.create(tmp_path / "run", TINY)
        assert (first / "config.toml").is_file()
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_changed_photos_are_noticed(tiny_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(tiny_run.path, copy)
    (copy / "run.json").unlink()
    data = json.loads((copy / "data.json").read_text())
    (copy / "data.json").write_text(json.dumps(data | {"key": "0" * 32}))
    with pytest.raises(InputError, match="not those that this run began with"):
        resume_two_stage(copy, say=quiet)


def test_a_run_goes_on_with_the_split_that_it_recorded(tiny_run, tmp_path):
    """As if another release had grouped, and so split, the same photos otherwise."""
    copy = tmp_path / "run"
    shutil.copytree(tiny_run.path, copy)
    for written in ("run.json", "stage1/saliency.npz", "stage2/metrics.json", "stage2/predictions.csv"):
        (copy / written).unlink()
    head, *rows = (copy / "split.csv").read_text().splitlines()
    first = next(i for i, row in enumerate(rows) if row.endswith(",train"))
    same_class = rows[first].split(",")[1]
    second = next(i for i, row in enumerate(rows) if row.endswith(",validation") and row.split(",")[1] == same_class)
    rows[first] = rows[first].removesuffix("train") + "validation"
    rows[second] = rows[second].removesuffix("validation") + "train"
    (copy / "split.csv").write_text("\n".join([head, *rows]) + "\n")
    resume_two_stage(copy, say=quiet)
    held_out = {row.split(",")[0] for row in rows if row.endswith(",validation")}
    predicted = (copy / "stage2/predictions.csv").read_text().splitlines()[1:]
    assert {row.split(",")[0] for row in predicted} == held_out
    assert (copy / "split.csv").read_text().splitlines() == [head, *rows]


def test_what_is_no_run_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no run folder \(no config.toml"):
        resume_two_stage(tmp_path, say=quiet)


@pytest.fixture
def interruptible():
    """Ctrl-C as in a terminal, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_stop_request_notes_the_first_signal_and_obeys_the_second(capsys, interruptible):
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), StopRequest() as stop:
        assert not stop.asked()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked() and "after this batch" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt), StopRequest():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the second signal must stop at once")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_signal_stays_ignored(interruptible):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert not stop.asked()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_stop_request_outside_the_main_thread_changes_nothing():
    seen = []

    def enter():
        with StopRequest() as stop:
            seen.append(stop.asked())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [False]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command_stops_cleanly_and_says_how_to_go_on(tmp_path, interruptible, number, code):
    line = [sys.executable, "-u", "-m", "batik_scratch", "run", "--image-size", "32", "--epochs", "50", "--out", "r"]
    with subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for text in process.stdout:
            if "epoch   2" in text:
                break
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code and "batik-scratch run --resume r" in errors and "Traceback" not in errors
    assert (tmp_path / "r/stage1/checkpoint/latest.npz").is_file()


@pytest.mark.slow
def test_killed_five_times_and_resumed():
    script = Path(__file__).with_name("kill_and_resume.py")
    done = subprocess.run([sys.executable, str(script), "--kills", "5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 kills" in done.stdout


def test_a_full_disk_is_an_error_before_the_first_byte_of_a_mapped_file(tmp_path, monkeypatch):
    def no_room(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(OSError, match="No space left"):
        files.new_array(tmp_path / "a.npy", np.uint8, (10, 10))


@pytest.mark.slow
def test_without_room_the_run_says_so_keeps_what_it_has_and_goes_on_later(tmp_path):
    """A limit on the size of a file stands for the full disk: the maps do not fit."""
    line = [sys.executable, "-m", "batik_scratch", "run", "--image-size", "32", "--epochs", "2", "--out", "r"]
    limited = f"ulimit -f 2000; exec {shlex.join(line)}"  # in KB: the images fit, the maps do not
    done = subprocess.run(["bash", "-c", limited], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "File too large" in done.stderr and "--resume r" in done.stderr
    assert "Traceback" not in done.stderr and not list((tmp_path / "r").rglob(".new-*"))
    line = [sys.executable, "-m", "batik_scratch", "run", "--resume", "r"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and (tmp_path / "r/report.html").is_file(), done.stderr
