"""Whatever a student's file does, the answer is words with the line of that file: never a traceback, never a hang."""

import os
import re
import subprocess
import sys
import time

import pytest
from student_files import RIGHT, checked, with_forward, written

# that version takes all memory where a method with default arguments calls itself, and raises no RecursionError
ENDLESS = pytest.mark.skipif(sys.version_info[:3] == (3, 13, 0), reason="Python 3.13.0 stops no endless recursion")
TAKES_A_PROCESS = [
    ("while True: pass", "Stopped after 1.5 s in forward: it never ends"),
    (
        "import numpy as np; a = np.ones((1500, 1500)); [0 for _ in iter(int, 1) if (a @ a) is None]",
        "Stopped after 1.5 s in forward",
    ),
    ("import os; os._exit(0)", "ended the interpreter"),
    ("b = bytearray(8 << 30)", "asks for too much memory"),
    ("import numpy as np; np.zeros((100000, 100000))", "here. _ArrayMemoryError: Unable to allocate 74.5 GiB"),
    ("x = input('x? ')", "waits for somebody to type"),
    ("import ctypes; ctypes.string_at(0)", "The interpreter itself died in forward"),
]
MISBEHAVIOUR = [
    ("raise SystemExit(0)", "ends the program"),
    ("import torch_of_nowhere", "No module named 'torch_of_nowhere'"),
    pytest.param("return self.forward(x)", "calls itself without end", marks=ENDLESS),
    ("return 1 / 0", "ZeroDivisionError: division by zero"),
    ("raise KeyboardInterrupt", "forward stops with KeyboardInterrupt"),
    ("return float(x[0, 0])", "is a float; it must be a plain NumPy array of shape (3, 4)"),
    ("return x.tolist()", "is a list"),
    ("import numpy as np; return np.matrix(x)[:, :4]", "is a matrix"),
    ("return x[:, :2] * float('nan')", "has shape (3, 2); it must have (3, 4)"),
    ("return (x @ self.params['kernel']) / 0", "is not finite"),
]


def assert_answered_with_the_line(path, code, out, words):
    assert code == 1
    assert words in re.sub(r"\s+", " ", out), out
    number = re.search(r"^line (\d+): ", out, re.MULTILINE)
    lines = path.read_text().splitlines()
    if "ended the interpreter" not in words:  # it is gone and cannot say where
        assert number
        assert "# here" in lines[int(number[1]) - 1] or "def forward" in lines[int(number[1]) - 1]


@pytest.mark.slow
@pytest.mark.parametrize(("line", "words"), TAKES_A_PROCESS, ids=[words for _, words in TAKES_A_PROCESS])
def test_what_takes_a_process_down_is_answered_with_the_students_line(tmp_path, capfd, line, words):
    path = written(tmp_path, with_forward(line))
    code, out, _ = checked(capfd, path, "--time-limit", "1.5")
    assert_answered_with_the_line(path, code, out, words)


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(("line", "words"), MISBEHAVIOUR)
def test_misbehaviour_is_answered_with_the_students_line(tmp_path, capfd, line, words):
    path = written(tmp_path, with_forward(line))
    code, out, _ = checked(capfd, path)
    assert_answered_with_the_line(path, code, out, words)


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
    start = "import threading, time\nthreading.Thread(target=lambda: time.sleep(600)).start()\n"
    started = time.monotonic()
    code, _, _ = checked(capfd, written(tmp_path, start + RIGHT))
    assert code == 0 and time.monotonic() - started < 60


@pytest.mark.slow
def test_an_answer_starts_no_process_and_writes_no_file(tmp_path, capfd):
    mark = tmp_path / "mark"
    for line, words in (
        ("__import__('subprocess').Popen(['sleep', '600'])", "starts no process"),
        (f"open({str(mark)!r}, 'w')", "writes no files"),
    ):
        code, out, _ = checked(capfd, written(tmp_path, with_forward(line)))
        assert code == 1 and words in re.sub(r"\s+", " ", out), out
    assert not mark.exists()


RAISES_WHEN_LOOKED_AT = """class Meta(type(nn.Dense)):
    def __getattribute__(cls, name):
        raise RuntimeError("hands off")

class Dense(nn.Dense, metaclass=Meta)"""


@pytest.mark.usefixtures("in_this_process")
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
