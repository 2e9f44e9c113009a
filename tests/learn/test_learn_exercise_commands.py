"""The commands around an exercise: hints, bad input, the list, and what a terminal gets to see."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from student_files import RIGHT, checked, ended, with_forward, written

from batik_scratch.cli import build_parser, main
from batik_scratch.errors import InputError
from batik_scratch.learn import exercises


@pytest.mark.usefixtures("in_this_process")
def test_hints_go_from_a_nudge_to_the_line_and_begin_anew_with_a_new_trouble(tmp_path, capfd):
    def hinted(text):
        path.write_text(text)
        assert main(["exercise", "hint", str(path)]) == 0
        return capfd.readouterr().out

    path = written(tmp_path, RIGHT)
    wrong = RIGHT.replace("x.T @ dy", "x.T @ dy * 2")
    assert "hint 1 of 3: dW has W's shape" in hinted(wrong)
    assert "hint 2 of 3" in hinted(wrong)
    assert "exercise solution dense" in hinted(wrong)
    assert "hint 3 of 3" in hinted(wrong)  # the last one stays
    assert "hint 1 of 3: The bias of unit u" in hinted(RIGHT.replace("dy.sum(axis=0)", "dy.sum(axis=0) * 2"))
    assert "nothing to hint" in hinted(RIGHT)


@pytest.mark.usefixtures("in_this_process")
def test_a_name_of_forward_in_backward_is_answered_by_keep_and_recall(tmp_path, capfd):
    path = written(tmp_path, RIGHT.replace("x = self._recall()", "dy = dy * (xx > 0)"))
    assert main(["exercise", "hint", str(path)]) == 0
    assert "takes out by value = self._recall()" in re.sub(r"\s+", " ", capfd.readouterr().out)


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("return 1 / 0", "divide by it"),
        ("return xx @ x", "No such name is known there"),
        ("self._keep(x)", "takes three things"),
        ("x.weights", "What stands before the dot"),
        ("self.params['biases']", "nothing under that key"),
        ("assert x is None", "its own words say"),
        ("return x + 'a'", "its own words say"),
    ],
)
def test_a_hint_on_what_has_nothing_to_do_with_shapes_speaks_of_none(tmp_path, capfd, line, first):
    path = written(tmp_path, with_forward(line))
    hints = []
    for _ in range(2):
        assert main(["exercise", "hint", str(path)]) == 0
        hints.append(re.sub(r"\s+", " ", capfd.readouterr().out))
    assert "hint 1 of 2" in hints[0] and first in hints[0] and "hint 2 of 2: Print what goes into" in hints[1]
    for words in ("shape", "(N", "product", "@ (D"):
        assert words not in "".join(hints).partition("hint 1")[2]


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("line", ["return x @ x", "return x[:, 7]", "return x + x.T", "return x.reshape(7)"])
def test_a_hint_on_arrays_that_do_not_fit_is_the_formula(tmp_path, capfd, line):
    assert main(["exercise", "hint", str(written(tmp_path, with_forward(line)))]) == 0
    assert "hint 1 of 3: One image is a row x (D,)." in capfd.readouterr().out


@pytest.mark.slow
def test_what_the_file_prints_neither_colours_the_terminal_nor_fills_it(tmp_path, capfd):
    say = r"print('\x1b[31mred\x1b[2J\x1b]0;title\x07', '\x00\x08\x9b', 'x' * 4000)"
    code, out, _ = checked(capfd, written(tmp_path, with_forward(say)))
    assert code == 0 and "The file printed:\n  red" in out
    assert all(character.isprintable() or character == "\n" for character in out)
    assert max(map(len, out.splitlines())) < 250 and "... (" in out


@pytest.mark.usefixtures("in_this_process")
def test_what_an_error_says_leaves_the_terminal_alone_too(tmp_path, capfd):
    code, out, _ = checked(capfd, written(tmp_path, with_forward(r"raise ValueError('\x1b[31mred' + 'x' * 5000)")))
    assert code == 1 and "ValueError: redxxx" in re.sub(r"\s+", " ", out)
    assert all(character.isprintable() or character == "\n" for character in out) and len(out) < 2000


def refused(*arguments):
    with pytest.raises(InputError) as error:
        exercises.check(*arguments)
    return str(error.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_and_a_device_are_no_file_and_no_folder_either(tmp_path):
    os.mkfifo(tmp_path / "dense.py")
    for path in (tmp_path / "dense.py", Path(os.devnull)):
        assert "not a regular file" in refused(path)
    (tmp_path / "dense.py").unlink()  # who copies this folder would wait for its other end


def test_what_cannot_be_checked_is_bad_input(tmp_path):
    assert "no such file" in refused(tmp_path / "nowhere.py")
    assert "this is a folder" in refused(tmp_path)
    assert "defines nothing that an exercise asks for" in refused(written(tmp_path, "x = 1", "mine.py"))
    both = exercises.solution(exercises.find("relu")) + RIGHT
    assert "several exercises (ReLU, Dense)" in refused(written(tmp_path, both, "mine.py"))
    assert "too large" in refused(written(tmp_path, "#" * 1_000_001))
    assert "--time-limit" in refused(written(tmp_path, RIGHT), -1.0)
    assert "--time-limit" in refused(written(tmp_path, RIGHT), float("nan"))


@pytest.mark.parametrize("command", ["check", "hint"])
def test_bad_input_has_exit_code_two(tmp_path, capfd, command):
    assert main(["exercise", command, str(tmp_path / "nowhere.py")]) == 2
    assert "no such file" in capfd.readouterr().err


def test_an_exercise_is_known_by_its_class_and_a_near_miss_is_suggested(capfd):
    assert exercises.find("Conv2D").name == exercises.find("conv2d.py").name == "conv2d"
    for command in (["start", "convolution"], ["solution", "conv2"]):
        assert main(["exercise", *command]) == 2
    text = capfd.readouterr().err
    assert "did you mean conv2d?" in text and "there are: relu, flatten" in text


def test_start_never_overwrites(tmp_path, capfd):
    folder = tmp_path / "new" / "folder"
    assert main(["exercise", "start", "relu", str(folder)]) == 0
    assert "exercise check" in capfd.readouterr().out
    (folder / "relu.py").write_text("mine")
    assert main(["exercise", "start", "relu", str(folder)]) == 2
    assert "left as it is" in capfd.readouterr().err and (folder / "relu.py").read_text() == "mine"
    assert main(["exercise", "start", "relu", str(folder / "relu.py")]) == 2  # a file where a folder should be


def test_the_list_names_every_exercise_with_its_lessons(capfd):
    assert main(["exercise", "list"]) == 0
    table = capfd.readouterr().out
    for exercise in exercises.EXERCISES.values():
        line = next(line for line in table.splitlines() if line.startswith(f"{exercise.name} "))
        assert "  " + ", ".join(map(str, exercise.after)) + "  " in line


def test_solution_prints_what_check_accepts(tmp_path, capfd):
    assert main(["exercise", "solution", "dense"]) == 0
    assert capfd.readouterr().out == RIGHT


@pytest.mark.slow
def test_ctrl_c_ends_the_check_and_what_it_started(tmp_path):
    path = written(tmp_path, with_forward("while True: pass"))
    command = [sys.executable, "-m", "batik_scratch", "exercise", "check", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    children, deadline = Path(f"/proc/{process.pid}/task/{process.pid}/children"), time.monotonic() + 60
    if not children.exists():
        process.kill()
        pytest.skip("needs /proc, to see which processes the check started")
    while not (started := children.read_text().split()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2)  # for the child to come as far as the answer
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in out + err
    assert all(ended(int(pid)) for pid in started)


def test_the_time_limit_that_help_names_is_the_one_there_is():
    options = build_parser().parse_args(["exercise", "check", "dense.py"])
    assert options.time_limit == exercises.TIME_LIMIT
