"""Whatever a student's file does, the answer is words with the line of that file: never a traceback, never a hang."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batik_scratch.cli import main
from batik_scratch.errors import InputError
from batik_scratch.learn import exercises
from batik_scratch.options import build_parser

RIGHT = exercises.solution(exercises.find("dense"))
FORWARD = '        self._keep(x, training, keep)\n        return x @ self.params["kernel"] + self.params["bias"]'


def written(tmp_path, text, name="dense.py"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def with_forward(line):
    """The right answer with a line of its own at the beginning of forward."""
    assert FORWARD in RIGHT
    return RIGHT.replace(FORWARD, f"        {line}  # here\n{FORWARD}")


def checked(capfd, path, *options):
    code = main(["exercise", "check", str(path), *options])
    text = capfd.readouterr()
    assert "Traceback" not in text.out + text.err
    return code, text.out, text.err


MISBEHAVIOUR = [
    ("while True: pass", "Stopped after 1.5 s in forward: it never ends"),
    (
        "import numpy as np; a = np.ones((1500, 1500)); [0 for _ in iter(int, 1) if (a @ a) is None]",
        "Stopped after 1.5 s in forward",
    ),
    ("raise SystemExit(0)", "ends the program"),
    ("import os; os._exit(0)", "ended the interpreter"),
    ("import torch_of_nowhere", "No module named 'torch_of_nowhere'"),
    ("b = bytearray(8 << 30)", "asks for too much memory"),
    ("import numpy as np; np.zeros((100000, 100000))", "here. _ArrayMemoryError: Unable to allocate 74.5 GiB"),
    ("x = input('x? ')", "waits for somebody to type"),
    ("return self.forward(x)", "calls itself without end"),
    ("import ctypes; ctypes.string_at(0)", "The interpreter itself died in forward"),
    ("return 1 / 0", "ZeroDivisionError: division by zero"),
    ("raise KeyboardInterrupt", "forward stops with KeyboardInterrupt"),
    ("return float(x[0, 0])", "is a float; it must be a plain NumPy array of shape (3, 4)"),
    ("return x.tolist()", "is a list"),
    ("import numpy as np; return np.matrix(x)[:, :4]", "is a matrix"),
    ("return x[:, :2] * float('nan')", "has shape (3, 2); it must have (3, 4)"),
    ("return (x @ self.params['kernel']) / 0", "is not finite"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("line", "words"), MISBEHAVIOUR, ids=[words for _, words in MISBEHAVIOUR])
def test_misbehaviour_is_answered_with_the_students_line(tmp_path, capfd, line, words):
    path = written(tmp_path, with_forward(line))
    code, out, _ = checked(capfd, path, "--time-limit", "1.5")
    assert code == 1
    assert words in re.sub(r"\s+", " ", out), out
    number = re.search(r"^line (\d+): ", out, re.MULTILINE)
    lines = path.read_text().splitlines()
    if "os._exit" not in line:  # the interpreter is gone and cannot say where
        assert number
        assert "# here" in lines[int(number[1]) - 1] or "def forward" in lines[int(number[1]) - 1]


@pytest.mark.slow
def test_an_endless_print_is_cut_short(tmp_path, capfd):
    code, out, _ = checked(capfd, written(tmp_path, with_forward("while True: print('again')")), "--time-limit", "1.5")
    assert code == 1 and "Stopped after 1.5 s" in out
    assert 5 < out.count("again") < 50


@pytest.mark.slow
def test_what_was_printed_before_it_hung_is_shown(tmp_path, capfd, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    path = written(tmp_path, with_forward("print('x is', x.shape)\n        while True: pass"))
    code, out, _ = checked(capfd, path, "--time-limit", "1.5")
    assert code == 1 and "The file printed:\n  x is (3, 5)\n" in out + "\n"


@pytest.mark.slow
def test_nothing_that_the_answer_starts_goes_on_or_keeps_the_check_waiting(tmp_path, capfd):
    mark = tmp_path / "started"
    start = f"""
import subprocess, sys, threading, time
threading.Thread(target=lambda: time.sleep(600)).start()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(mark)!r}, "w").write(str(child.pid))
"""
    started = time.monotonic()
    code, _, _ = checked(capfd, written(tmp_path, start + RIGHT))
    assert code == 0 and time.monotonic() - started < 60
    assert ended(int(mark.read_text()))


def ended(pid):
    """True once the process is gone, or is a zombie that nobody has asked for yet."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


RAISES_WHEN_LOOKED_AT = """class Meta(type(nn.Dense)):
    def __getattribute__(cls, name):
        raise RuntimeError("hands off")

class Dense(nn.Dense, metaclass=Meta)"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        (RIGHT.replace("return dy", "retrun dy"), "Python cannot read the file", "retrun"),
        ("x = (\n", "Python cannot read the file: '(' was never closed", "x = ("),
        (b"\xff\xfe not python", "Python cannot read the file", None),
        (b"a = 1\0", "Python cannot read the file", None),
        ("import torch_of_nowhere\n" + RIGHT, "needs only numpy and batik_scratch", "import torch"),
        ("1 / 0\n" + RIGHT, "The file stops while it is being read: ZeroDivisionError", "1 / 0"),
        ("", "defines no Dense", None),
        ("from batik_scratch.nn import Dense\n", "is the package's own here", None),
        (RIGHT.replace("class Dense(nn.Dense)", "class Dense"), "must be a class that inherits from nn.Dense", None),
        (RIGHT.replace("def forward", "def forwards"), "has no forward of its own", None),
        (
            RIGHT + "\n    def __init__(self, d, u):\n        super().__init__(u)\n",
            "leave __init__ out",
            "def __init__",
        ),
        (
            RIGHT.replace(
                'return x @ self.params["kernel"] + self.params["bias"]', "return super().forward(x, training, keep)"
            ),
            "lets nn.Dense.forward do the work",
            "super()",
        ),
        (RIGHT + "\n    forward = 3\n", "forward is of the kind int; it must be a method", None),
        (RIGHT.replace("    def forward", "    @staticmethod\n    def forward"), "of the kind staticmethod", None),
        (
            RIGHT.replace("class Dense(nn.Dense)", RAISES_WHEN_LOOKED_AT),
            "stops with RuntimeError: hands off",
            "hands off",
        ),
        (
            with_forward("raise type('E', (Exception,), {'__getattribute__': lambda self, name: 1 / 0})"),
            "raises another when one looks at it",
            None,
        ),
    ],
    ids=[
        "typo",
        "open bracket",
        "no text",
        "zero byte",
        "missing module",
        "stops at once",
        "empty",
        "imported",
        "no base",
        "renamed",
        "constructor",
        "super",
        "a number",
        "static",
        "metaclass",
        "odd error",
    ],
)
def test_a_file_that_is_no_answer_is_explained(tmp_path, capfd, text, words, line):
    path = written(tmp_path, text)
    code, out, _ = checked(capfd, path)
    assert "The file printed" not in out
    assert code == 1 and words in re.sub(r"\s+", " ", out)
    if line:
        number = re.search(r"^line (\d+): ", out, re.MULTILINE)
        assert number and line in path.read_text().splitlines()[int(number[1]) - 1]


@pytest.mark.slow
def test_a_right_answer_passes_from_the_shell_whatever_lies_beside_it(tmp_path):
    written(tmp_path, "raise RuntimeError('I am not numpy')", "numpy.py")
    written(tmp_path, "HELP = 1", "my_helper.py")
    path = written(tmp_path, RIGHT + "\nfrom my_helper import HELP\nprint('hello', HELP)\n", "übung 1.py")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "batik_scratch", "exercise", "check", path.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "right." in done.stdout and "The file printed:\n  hello 1" in done.stdout


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("return 1 / 0", "divide by it"),
        ("return xx @ x", "No such name is known there"),
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


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_what_cannot_be_checked_is_bad_input(tmp_path):
    assert "no such file" in refused(tmp_path / "nowhere.py")
    assert "this is a folder" in refused(tmp_path)
    assert "defines nothing that an exercise asks for" in refused(written(tmp_path, "x = 1", "mine.py"))
    both = exercises.solution(exercises.find("relu")) + RIGHT
    assert "several exercises (Dense, ReLU)" in refused(written(tmp_path, both, "mine.py"))
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
    assert "did you mean conv2d?" in text and "there are: dense, flatten" in text


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
        assert line.endswith("  " + ", ".join(map(str, exercise.after)))


def test_solution_prints_what_check_accepts(tmp_path, capfd):
    assert main(["exercise", "solution", "dense"]) == 0
    assert capfd.readouterr().out == RIGHT


@pytest.mark.slow
def test_ctrl_c_ends_the_check_and_what_it_started(tmp_path):
    mark = tmp_path / "began"
    line = f"open({str(mark)!r}, 'w').write(str(__import__('os').getpid()))\n        while True: pass"
    path = written(tmp_path, with_forward(line))
    command = [sys.executable, "-m", "batik_scratch", "exercise", "check", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in out + err
    assert ended(int(mark.read_text()))


def test_the_time_limit_that_help_names_is_the_one_there_is():
    options = build_parser().parse_args(["exercise", "check", "dense.py"])
    assert options.time_limit == exercises.TIME_LIMIT
