"""What a student is told, word for word: the verdict's layout, the next exercise, hints that count, kinds of arrays."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from student_files import RIGHT, written

from batik_scratch.errors import InputError
from batik_scratch.images.places import user_cache
from batik_scratch.learn import exercises
from batik_scratch.learn.exercises.compare import same, wrong_kind, wrong_numbers
from batik_scratch.learn.exercises.examination import Verdict
from batik_scratch.learn.exercises.exercise import Finding
from batik_scratch.learn.exercises.mishaps import explain
from batik_scratch.learn.exercises.plain import plain, plain_lines

NAMES = list(exercises.EXERCISES)
DENSE = exercises.find("dense")


def told(verdict, printed="", name="dense", folder="my folder"):
    return str(exercises.Result(Path(folder) / f"{name}.py", exercises.find(name), verdict, printed))


def test_a_wrong_answer_is_told_finding_by_finding_with_lines_evidence_and_what_passed():
    words = " ".join(["word"] * 30)
    code = "there: " + "x" * 120
    findings = [Finding("kernel", words, (code, words), 17), Finding("bias", "Short.", ("small",))]
    verdict = Verdict(["file", "forward"], ["promises", "special cases"], findings)
    assert told(verdict, "\n\none\ntwo  \n\n").split("\n") == [
        "dense.py: not right yet.",
        "",
        "line 17: " + " ".join(["word"] * 18),
        "  " + " ".join(["word"] * 12),
        "  " + code,  # a line of code stays whole
        "  " + " ".join(["word"] * 19),
        "    " + " ".join(["word"] * 11),
        "",
        "Short.",
        "  small",
        "",
        "passed: file, forward",
        "not looked at yet: promises, special cases",
        "a hint: batik-scratch exercise hint 'my folder/dense.py'",
        "",
        "The file printed:",
        "  one",
        "  two  ",
    ]


def test_lines_are_as_long_as_a_hundred_characters_and_no_longer():
    text = told(
        Verdict([], [], [Finding("file", "a" * 50 + " " + "b" * 49), Finding("file", "a" * 50 + " " + "b" * 50)])
    )
    assert "a" * 50 + " " + "b" * 49 in text and "a" * 50 + "\n  " + "b" * 50 in text
    assert "passed" not in text and "not looked at" not in text


@pytest.mark.parametrize(("name", "later"), list(zip(NAMES, [*NAMES[1:], None], strict=True)))
def test_a_right_answer_leads_to_the_next_exercise_in_the_same_folder(name, later):
    onwards = f"next: batik-scratch exercise start {later} 'my folder'" if later else "That was the last exercise."
    text = told(Verdict(["file", "forward"]), name=name)
    assert text.split("\n") == [f"{name}.py: right.", "passed: file, forward", onwards]


def test_in_a_browser_nobody_is_sent_to_a_shell(monkeypatch):
    monkeypatch.setattr(sys.modules[exercises.Result.__module__], "in_browser", lambda: True)
    assert told(Verdict(["file"]), name="relu").endswith("\nnext: flatten")
    assert told(Verdict(["file"], [], [Finding("file", "no")])).endswith("\na hint: the cell below")


def test_a_verdict_is_right_only_where_all_was_looked_at_and_nothing_found():
    assert Verdict(["file"]).ok and not Verdict().ok
    for other in (
        Verdict(["file"], ["promises"]),
        Verdict(["file"], [], [Finding("file", "no")]),
        Verdict(["file"], running="b"),
    ):
        assert not other.ok


def test_twelve_lines_of_what_was_printed_are_shown_and_more_is_marked():
    def shown(count):
        text = told(Verdict(["file"]), "\n".join(f"line {number}" for number in range(count)))
        return text.partition("The file printed:\n")[2].split("\n")

    assert shown(12) == [f"  line {number}" for number in range(12)]
    assert shown(13) == [*(f"  line {number}" for number in range(12)), "  ..."]


def test_words_of_others_are_made_plain_and_cut_at_their_length():
    assert plain("\x1b[1;31mred\x1b[0m\ta\x1b]0;title\x07b\x00\x9bc") == "red abc"
    assert plain("x" * 200) == "x" * 200 and plain("x" * 1201) == "x" * 200 + " ... (1,001 more)"
    assert plain("abcdef", 4) == "abcd ... (2 more)"
    assert plain_lines("\n \na\n\nb\n \n", 9) == ["a", "", "b"] and plain_lines("\n \n", 3) == []


# ------------------------------------------------------------------ which exercise, which limits


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("mine.py", RIGHT, "dense"),
        ("relu.py", RIGHT, "dense"),  # what it defines counts for more than its name
        ("relu.py", "class ReLU(", "relu"),
        ("relu.py", "x = (", "relu"),
        ("ReLU.py", "x = (", "relu"),
        ("cross-entropy.py", "def cross_entropy(", "cross_entropy"),
        ("conv2d.py", "class Dense:\n    pass\n\nclass Conv2D:\n    pass\n", "conv2d"),
        ("mine.py", "if True:\n    class ReLU: pass\n\ndef gradient_map(): pass\n", "saliency"),
    ],
)
def test_a_file_answers_what_it_defines_else_what_it_is_called(tmp_path, file, text, name):
    assert exercises.check(written(tmp_path, text, file)).exercise.name == name


@pytest.mark.usefixtures("in_this_process")
def test_the_limits_themselves_are_allowed(tmp_path):
    assert exercises.check(written(tmp_path, "#" * 999_993 + "\nx = 1\n")).verdict.findings[0].part == "file"
    path = written(tmp_path, RIGHT)
    assert exercises.check(path, 0.001).ok and exercises.check(path, 999_999).ok
    for limit in (0, 1e6, -1, float("inf")):
        with pytest.raises(InputError, match=f"--time-limit: needs seconds above 0, got {limit:g}".replace("+", r"\+")):
            exercises.check(path, limit)


# ------------------------------------------------------------------ hints


@pytest.mark.usefixtures("in_this_process")
def test_hints_are_counted_for_each_file_and_each_trouble_and_survive_a_broken_memory(tmp_path):
    def number(path):
        return int(exercises.hint(path).partition("\nhint ")[2].split()[0])

    one = written(tmp_path, RIGHT.replace("x.T @ dy", "-x.T @ dy"))
    two = written(tmp_path, RIGHT.replace("x.T @ dy", "-x.T @ dy"), "two.py")
    assert [number(one), number(two), number(one), number(two), number(one)] == [1, 1, 2, 2, 3]
    written(tmp_path, RIGHT.replace("@ dy", "@ dyy"))  # the same part, but Python stopped
    assert [number(one), number(one)] == [1, 2]
    memory = user_cache() / "hints.json"
    assert json.loads(memory.read_text())[str(two.resolve())] == ["kernel", 2]
    for broken in (
        "[1, 2]",
        "{",
        json.dumps({str(two.resolve()): "kernel"}),
        json.dumps({str(two.resolve()): ["kernel"]}),
    ):
        memory.write_text(broken)
        assert [number(two), number(two)] == [1, 2]


@pytest.mark.usefixtures("in_this_process")
def test_a_hint_repeats_the_finding_with_its_line_and_says_how_to_go_on(tmp_path):
    path = written(tmp_path, RIGHT.replace("dy.sum(axis=0)", "dy.sum(axis=0) * 2"), "my answer.py")
    line = next(n for n, text in enumerate(path.read_text().split("\n"), 1) if '"bias"] = dy' in text)
    first = exercises.hint(path).split("\n")
    assert first[0].startswith(f"my answer.py, line {line}: The gradient of the bias is wrong. Every value is 2 times")
    assert f"hint 1 of 3: {DENSE.hints['bias'][0]}" in re.sub(r"\s+", " ", " ".join(first))
    assert first[-1] == "Ask again for the next hint."
    exercises.hint(path)
    last = exercises.hint(path)
    assert DENSE.hints["bias"][2] in last
    assert last.endswith("\nThat was the last hint. The whole answer: batik-scratch exercise solution dense")


@pytest.mark.usefixtures("in_this_process")
def test_where_there_is_no_hint_the_evidence_is_told(tmp_path):
    text = exercises.hint(written(tmp_path, RIGHT.replace("x, training=False, keep=None", "x")))
    assert "must be:\n  def forward(self, x, training=False, keep=None):" in text and "hint" not in text
    dx = exercises.hint(written(tmp_path, RIGHT.replace("return dy @", "return -dy @")))
    assert f"hint 1 of 3: {DENSE.hints['backward'][0]}" in dx.replace("\n  ", " ")  # dx has the hints of backward


# ------------------------------------------------------------------ kinds and numbers


LIKE = np.zeros((3, 4))


@pytest.mark.parametrize(
    ("value", "like", "says"),
    [
        (None, LIKE, "y is None; is a return missing?"),
        ([1.0], LIKE, "y is a list; it must be a plain NumPy array of shape (3, 4)."),
        (LIKE.T, LIKE, "y has shape (4, 3); it must have (3, 4). It is transposed."),
        (LIKE[0], LIKE, "y has shape (4,); it must have (3, 4). The first axis, the images, is lost: something sums"),
        (
            LIKE[0],
            LIKE[:1],
            "y has shape (4,); it must have (1, 4). The first axis, the images, is lost where there is one",
        ),
        (LIKE.reshape(2, 6), LIKE, "y has shape (2, 6); it must have (3, 4). As many numbers, arranged differently."),
        (LIKE[:2], LIKE, "y has shape (2, 4); it must have (3, 4). The first axis counts the images."),
        (LIKE[:, :3], LIKE, "y has shape (3, 3); it must have (3, 4).|"),
        (np.zeros(5), np.float64(1), "y has shape (5,); it must be one number.|"),
        (np.float64(2), np.array(1.0), None),
        (3, np.array(1.0), None),
        (np.nan, np.array(1.0), "y is nan."),
        ("3", np.array(1.0), "y is a str; it must be one number."),
        (
            LIKE.astype("f4"),
            LIKE,
            "y holds float32 numbers; it must hold float64 as the input does. Make new arrays with",
        ),
        (LIKE.astype("i4"), LIKE, "y holds int32 numbers; it must hold float64 as the input does.|"),
        (np.where(np.eye(3, 4, 1) > 0, -np.inf, 0), LIKE, "y is not finite: -inf at [0, 1]."),
        (LIKE, LIKE, None),
    ],
)
def test_an_array_of_the_wrong_kind_is_told_in_which_way(value, like, says):
    found = wrong_kind(value, like, "y")
    assert (found is None) == (says is None)
    assert found is None or ((found[0] + "|").startswith(says) and found[1] == ())


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_rounding_passes_and_a_millionth_of_a_value_does_not(scale):
    right = scale * np.array([[1.5, -20.0], [3.0, 0.25]])
    assert same(right * (1 + 1e-9), right) and same(right + 5e-10, right) and same(right * (1 + 5e-9), right)
    assert not same(right + scale * np.array([[0, 0], [1e-6, 0]]) + 2e-9, right)
    assert not same(right + 3e-9 + 3e-8 * np.abs(right), right)
    assert not same(right, right[0])


def test_the_evidence_is_the_worst_place_with_both_numbers_and_how_many_differ():
    right = np.arange(6.0).reshape(2, 3)
    wrong = right + np.array([[0, 1e-3, 0], [0, -2.5, 1e-12]])
    assert wrong_numbers(wrong, right, "y") == (
        "y has wrong numbers.",
        ("y at [1, 1] is 1.5 and should be 4 (2 of 6 numbers differ)",),
    )
    assert wrong_numbers(np.array(2.0), np.array(3.0), "L") == ("L has wrong numbers.", ("L is 2 and should be 3",))
    suspects = [(np.zeros((3, 2)), "another shape"), (right, "right"), (wrong + 1e-12, "this one"), (wrong, "too late")]
    assert wrong_numbers(wrong, right, "y", suspects)[0] == "this one"
    assert wrong_numbers(right * (1 + 1e-10), right, "y", suspects) is None


@pytest.mark.parametrize(
    ("error", "stopped"),
    [
        (IndexError("out of range"), False),
        (InputError("Dense: needs"), False),
        (ValueError("operands could not be broadcast"), False),
        (TypeError("only integer scalar arrays can be converted"), False),
        (ValueError("math domain error"), True),
        (KeyError("shape"), True),
        (RuntimeError("shape"), True),
    ],
    ids=repr,
)
def test_an_error_from_outside_the_file_stopped_python_unless_arrays_did_not_fit(error, stopped):
    class Asked:
        path = Path("nowhere.py")

    found = explain(Asked, error, "backward")
    assert (found.part, found.line, found.stopped) == ("backward", None, stopped)
    assert found.sentence.startswith(f"The check stumbled over this answer: {type(error).__name__}")
