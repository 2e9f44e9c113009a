"""The process in which a student's file is checked: what comes back from it, what it may use, and how it may end."""

import sys

import pytest
from student_files import RIGHT, checked, with_forward, written

from batik_scratch.errors import InputError
from batik_scratch.learn import exercises
from batik_scratch.learn.exercises.examination import examine

# what is asked for is not touched, so it costs address space and no time
GREEDY = """
import sys
print("asks", input.__name__, sys.stdin.read() == "", sys.argv[0].endswith("child.py"))
for hundredths in (90, 110):
    try:
        bytearray_like = np.empty(hundredths * (1 << 30) // 100, np.uint8)
        print(hundredths, "granted")
        del bytearray_like
    except MemoryError:
        print(hundredths, "refused")
"""


def test_the_process_hands_back_the_whole_verdict_and_what_was_printed(tmp_path):
    wrong = "import numpy as np\n" + RIGHT.replace("dy.sum(axis=0)", "2 * dy.sum(axis=0)") + GREEDY
    path = written(tmp_path, wrong)
    result = exercises.check(path)
    assert result.printed == "asks input True True\n90 granted\n110 refused\n"
    assert not result.ok and (result.path, result.exercise.name) == (path, "dense")
    alike = written(tmp_path, wrong.replace(GREEDY, ""), "alike.py")
    assert result.verdict == examine(alike, exercises.find("dense"))  # each finding with its details and its line
    assert result.verdict.findings[0].details and path.read_text() == wrong
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["alike.py", "dense.py"]  # nothing is left beside it


@pytest.mark.parametrize(
    ("line", "sentence", "named"),
    [
        ("import os; os._exit(0)", "The file ended the interpreter (os._exit?)", False),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "The system killed the process", False),
        ("import ctypes; [ctypes.string_at(0) for _ in '1']", "The interpreter itself died in forward: Segm", True),
    ],
    ids=["left", "killed", "crashed"],
)
def test_a_process_that_ends_early_is_told_from_one_that_is_done(tmp_path, line, sentence, named):
    path = written(tmp_path, with_forward(line))
    result = exercises.check(path)
    (finding,) = result.verdict.findings
    assert not result.ok and finding.sentence.startswith(sentence) and finding.part == "forward"
    assert result.verdict.passed == ["file"] and result.verdict.waiting == ["backward", "gradients", "promises"]
    assert (finding.line is not None) == named
    assert not named or "# here" in path.read_text().splitlines()[finding.line - 1]


def test_time_that_is_up_is_told_with_function_and_line_and_what_was_printed(tmp_path, capfd):
    stuck = "def backward():\n    print('in', flush=True)\n    while True: pass  # here\n\n\nbackward()\n"
    path = written(tmp_path, stuck + RIGHT)
    code, out, _ = checked(capfd, path, "--time-limit", "0.5")
    assert code == 1 and out.startswith(
        "dense.py: not right yet.\n\nline 3: Stopped after 0.5 s in backward: it never ends"
    )
    assert "\nnot looked at yet: forward, backward, gradients, promises\n" in out and "passed:" not in out
    assert out.endswith("\n\nThe file printed:\n  in\n")


@pytest.mark.parametrize(("says", "told"), [("", "it said nothing"), ("first\nno numpy\n\n", "no numpy")])
def test_an_interpreter_that_does_not_start_is_bad_input_with_its_last_words(tmp_path, monkeypatch, says, told):
    broken = written(tmp_path, f"#!/bin/sh\nprintf '{says}'\nexit 1\n", "python")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(InputError, match=rf"could not start its own interpreter: {told}$"):
        exercises.check(written(tmp_path, RIGHT))
