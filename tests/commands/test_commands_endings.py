"""How a command ends: its exit code, what it says to whom, and what it leaves behind."""

import datetime
import errno
import io
import os
import re
import runpy
import signal
import sys

import pytest

import batik_scratch
from batik_scratch import motifs, report, study
from batik_scratch.cli import main
from batik_scratch.errors import InputError, TrainingDiverged


@pytest.fixture
def ends(noted, command):
    """ends(code, error) -> what is printed where drawing a data set raises that error."""

    def draw(code, error):
        noted(motifs, "write_dataset", error)
        return command(code, "data", "draw")

    return draw


@pytest.mark.parametrize(
    "error, code",
    [
        (InputError("the rule"), 2),
        (TrainingDiverged("the rule"), 1),
        (OSError(errno.ENOSPC, "the rule", "some/file"), 2),
        (KeyboardInterrupt(), 130),
        (KeyboardInterrupt("SIGTERM"), 143),
    ],
)
def test_each_kind_of_ending_has_its_exit_code_and_says_why_beside_the_output(error, code, ends):
    said = ends(code, error)
    assert said.out == "" and "Traceback" not in said.err
    if code >= 130:
        assert said.err == "\nstopped; what was written so far is kept\n"
    else:
        assert said.err.startswith("batik-scratch: error: ") and "the rule" in said.err


def test_an_error_of_the_system_names_the_file_and_what_to_look_at(ends):
    words = ends(2, OSError(errno.ENOSPC, "No space left on device", "some/file")).err
    assert words.startswith("batik-scratch: error: some/file: No space left on device; check the disk's space")
    words = ends(2, OSError("in words alone")).err
    assert words.startswith("batik-scratch: error: in words alone; check")


def test_a_bug_is_not_hidden(noted):
    noted(motifs, "write_dataset", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["data", "draw"])


def test_a_long_error_is_cut_after_six_lines_and_says_how_many_more_there_are(ends):
    lines = [f"line {number}" for number in range(7)]
    assert ends(2, InputError("\n".join(lines))).err == "batik-scratch: error: " + "\n".join(lines) + "\n"
    for more in (2, 3):
        lines.append("one more")
        assert ends(2, InputError("\n".join(lines))).err.splitlines()[5:] == ["line 5", f"... and {more} more lines"]


def test_the_signal_of_a_machine_that_shuts_down_ends_a_command_as_ctrl_c_does(command, monkeypatch):
    monkeypatch.setattr(motifs, "write_dataset", lambda *a, **o: os.kill(os.getpid(), signal.SIGTERM))
    assert "stopped" in command(143, "data", "draw").err
    monkeypatch.setattr(motifs, "write_dataset", lambda *a, **o: signal.raise_signal(signal.SIGINT))
    assert "stopped" in command(130, "data", "draw").err


def test_a_reader_that_went_away_is_no_error(noted, monkeypatch):
    """As `| head` does: nothing is said, not even by the interpreter at its end."""
    noted(motifs, "write_dataset", BrokenPipeError(errno.EPIPE, "Broken pipe"))
    ears = io.StringIO()
    monkeypatch.setattr(sys, "stderr", ears)
    assert main(["data", "draw"]) == 0 and ears.closed


@pytest.mark.parametrize("words, code", [(["exercise", "solution", "dense"], 0), (["exercise", "solution", "x"], 2)])
def test_the_module_and_the_console_script_take_their_words_from_the_shell(words, code, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["batik-scratch", *words])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("batik_scratch", run_name="__main__")
    assert stop.value.code == code
    assert ("class Dense" in capsys.readouterr().out) == (code == 0)


def test_importing_the_module_runs_nothing(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["batik-scratch", "exercise", "list"])
    runpy.run_module("batik_scratch.__main__", run_name="imported")
    assert capsys.readouterr().out == ""


def test_the_package_hands_out_its_rooms_by_name_and_nothing_else():
    for name in batik_scratch.__all__:
        found = batik_scratch.__getattr__(name).__name__  # as where nothing is loaded yet
        assert found == (name if name == "CNNClassifier" else f"batik_scratch.{name}")
    with pytest.raises(AttributeError, match="'cellar'"):
        _ = batik_scratch.cellar


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0 and capsys.readouterr().out == f"batik-scratch {batik_scratch.__version__}\n"


# ------------------------------------------------------------------ a run that ends early


@pytest.mark.parametrize("error, code", [(TrainingDiverged("NaN"), 1), (KeyboardInterrupt(), 130)])
@pytest.mark.parametrize("resumed", [True, False])
def test_a_run_that_stops_says_how_to_go_on_where_there_is_something_to_go_on_with(
    error, code, resumed, tmp_path, command, noted
):
    noted(study, "resume_two_stage" if resumed else "run_two_stage", error)
    option, out = "--resume" if resumed else "--out", tmp_path / "r"
    assert "to go on" not in command(code, "run", option, out).err
    out.mkdir()
    (out / "config.toml").write_text("")
    assert f"\nto go on: batik-scratch run --resume {out}\n" in command(code, "run", option, out).err


def test_a_report_that_fails_says_how_to_go_on_and_bad_input_does_not(tmp_path, command, noted):
    class Folder:
        path = tmp_path

    (tmp_path / "config.toml").write_text("")
    noted(study, "run_two_stage", Folder())
    noted(report, "write_report", OSError(errno.ENOSPC, "No space left on device"))
    assert "to go on" in command(2, "run", "--out", tmp_path).err
    noted(report, "write_report", InputError("bad"))
    assert "to go on" not in command(2, "run", "--out", tmp_path).err


def test_a_run_without_a_folder_gets_one_by_the_time_and_never_an_old_one(tmp_path, command, noted, monkeypatch):
    class Folder:
        path = tmp_path

    class Stopped(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2031, 2, 3, 14, 5, 6)

    monkeypatch.chdir(tmp_path)
    noted(report, "write_report", "page")
    noted(report, "run_verdict", "verdict")
    calls = noted(study, "run_two_stage", Folder())
    command(0, "run")
    assert re.fullmatch(r"runs/20\d{6}-\d{6}", str(calls[0][0][1]))
    monkeypatch.setattr(datetime, "datetime", Stopped)
    for taken, free in [("20310203-140506", ""), ("20310203-140506-2", "-2"), ("20310203-140506-3", "-3")]:
        command(0, "run")
        assert str(calls[-1][0][1]) == f"runs/20310203-140506{free}"
        (tmp_path / "runs" / taken).mkdir(parents=True)
    command(0, "run")
    assert str(calls[-1][0][1]) == "runs/20310203-140506-4"
