"""A folder of hand-ins: one table, whatever the answers try; and a verdict that no answer can write for itself."""

import csv
import io
import json

import numpy as np
import pytest
from right_answers import RIGHT as OTHER_STYLE
from student_files import RIGHT

from batik_scratch.cli import main
from batik_scratch.learn import exercises
from batik_scratch.learn.exercises.confirmation import questions, verdict
from batik_scratch.learn.exercises.process import confirm_apart

CLASS = """from batik_scratch import nn


class Dense(nn.Dense):
    def forward(self, x, training=False, keep=None):
        return {forward}

    def backward(self, dy, need_dx=True, need_grads=True):
        return {backward}
"""


def by(owner, before=""):
    """An answer that lets `owner` do the work."""
    arguments = {"forward": "self, x, training, keep", "backward": "self, dy, need_dx, need_grads"}
    return before + CLASS.format(**{name: f"{owner}.{name}({given})" for name, given in arguments.items()})


FORGED = """import json, os, sys
from pathlib import Path
folder = Path(sys.argv[3])
told = {"passed": ["file", "forward", "backward", "gradients", "promises"], "running": ""}
told |= {"waiting": [], "findings": []}
(folder / "verdict.json").write_text(json.dumps(told))
os._exit(0)


class Dense:
    pass
"""
DELETES = "import pathlib, shutil\nshutil.rmtree(pathlib.Path(__file__).parent.parent)\n" + RIGHT
ENDLESS = "while True:\n    pass\n" + RIGHT
GREEDY = "import numpy as np\nMUCH = np.ones((300, 1 << 30), np.uint8)\n" + RIGHT
WRITES = "with open(__file__ + '.big', 'wb') as file:\n    while True:\n        file.write(bytes(1 << 20))\n" + RIGHT
FORKS = "import os\nwhile True:\n    os.fork()\n" + RIGHT
SOLUTION = (
    "import importlib\nTHEIRS = importlib.import_module('batik_scratch.learn.exercises.solu' + 'tions.dense').Dense\n"
)
TWO = RIGHT.replace("dy.sum(axis=0)", "2 * dy.sum(axis=0)").replace("x.T @ dy", "x.T @ dy / len(x)")
HAND_INS = {
    "anna": ("right", RIGHT),
    "base": ("refused", by("type(self).__mro__[1]")),
    "deletes": ("wrong", DELETES),
    "endless": ("wrong", ENDLESS),
    "forged": ("wrong", FORGED),
    "forks": ("wrong", FORKS),
    "greedy": ("wrong", GREEDY),
    "solution": ("refused", by("THEIRS", SOLUTION)),
    "two": ("wrong", TWO),
    "writes": ("wrong", WRITES),
}


@pytest.fixture(scope="module")
def class_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    for name, (_, text) in HAND_INS.items():
        (folder / name).mkdir()
        (folder / name / "dense.py").write_text(text)
    (folder / "empty.py").write_text("x = 1\n")
    return folder


@pytest.fixture(scope="module")
def rows(class_folder):
    return list(exercises.hand_ins.check_folder(class_folder, 4.0))


@pytest.mark.slow
def test_every_hand_in_gets_the_verdict_that_it_deserves(rows):
    expected = {f"{name}/dense.py": verdict for name, (verdict, _) in HAND_INS.items()} | {"empty.py": "no answer"}
    assert {row.file: row.verdict for row in rows} == expected


@pytest.mark.slow
def test_nothing_beside_an_answer_is_touched(rows, class_folder):
    assert {path.relative_to(class_folder).parts[0] for path in class_folder.rglob("*")} == {*HAND_INS, "empty.py"}
    assert all((class_folder / name / "dense.py").read_text() == text for name, (_, text) in HAND_INS.items())
    assert not list(class_folder.rglob("*.big"))


@pytest.mark.slow
def test_two_mistakes_at_once_are_both_named_with_their_lines(rows):
    (two,) = [row for row in rows if row.file.startswith("two")]
    assert len(two.findings) == 2 and all(found.startswith("line ") for found in two.findings)
    assert "0.333333 times" in two.findings[0] and "2 times" in two.findings[1] and two.hints


@pytest.mark.slow
def test_a_forged_verdict_is_found_out_by_new_numbers(rows):
    (forged,) = [row for row in rows if row.file.startswith("forged")]
    assert forged.findings[0].startswith("The answer passed the examination, but for new random numbers y is not")


@pytest.mark.slow
def test_csv_and_table_hold_every_row(rows):
    as_csv = list(csv.DictReader(io.StringIO(exercises.hand_ins.as_csv(rows))))
    assert [row["file"] for row in as_csv] == [row.file for row in rows]
    assert as_csv[0].keys() == set(exercises.hand_ins.Row.__dataclass_fields__)
    lines = exercises.hand_ins.table(rows).splitlines()
    assert len(lines) == len(rows) + 3 and lines[-1] == f"1 of {len(rows)} are right"


def test_what_a_spreadsheet_would_take_for_a_formula_is_quoted():
    row = exercises.hand_ins.Row("=cmd.py", "dense", "wrong", ("@SUM(1)",))
    assert "\n'=cmd.py,dense,wrong,'@SUM(1)," in exercises.hand_ins.as_csv([row])


@pytest.mark.slow
def test_the_command_prints_the_rows_and_says_by_its_exit_code_that_one_is_wrong(tmp_path, capsys):
    (tmp_path / "dense.py").write_text(RIGHT)
    assert main(["exercise", "check", str(tmp_path), "--csv"]) == 0
    assert capsys.readouterr().out.startswith("file,exercise,verdict,findings,hints,passed\ndense.py,dense,right,")
    (tmp_path / "relu.py").write_text("class ReLU(\n")
    assert main(["exercise", "check", str(tmp_path), "--json"]) == 1
    assert [row["verdict"] for row in json.loads(capsys.readouterr().out)["hand_ins"]] == ["right", "wrong"]


def test_a_folder_without_python_is_bad_input(tmp_path, capsys):
    assert main(["exercise", "check", str(tmp_path)]) == 2
    assert "there is no Python file below it" in capsys.readouterr().err


# ------------------------------------------------------------------ new numbers


@pytest.mark.parametrize("name", ["adam", "batch_normalization", "conv2d", "dropout", "saliency"])
@pytest.mark.parametrize("answer", ["the solution", "another style"])
@pytest.mark.slow
def test_right_answers_work_out_new_numbers(name, answer, tmp_path):
    exercise = exercises.find(name)
    path = tmp_path / f"{name}.py"
    path.write_text(exercises.solution(exercise) if answer == "the solution" else OTHER_STYLE[name])
    assert confirm_apart(path, exercise, 20.0) == []


@pytest.mark.parametrize("exercise", exercises.EXERCISES.values(), ids=exercises.EXERCISES)
def test_the_right_numbers_are_taken_and_no_others(exercise):
    asked = questions(exercise, np.random.default_rng(1))
    right = [dict(expected) for _, expected in asked]
    if exercise.name == "dropout":  # its numbers are drawn
        question = asked[0][0]
        rate = question["options"]["rate"]
        mask = (np.random.default_rng(0).random(question["x"].shape) >= rate) / (1 - rate)
        right = [{"y": question["x"] * mask, "dx": question["dy"] * mask}] * len(asked)
        asked = [asked[0]] * len(asked)
    assert verdict(exercise, asked, right) == []
    for name in right[0]:
        wrong = [dict(one) for one in right]
        wrong[0][name] = wrong[0][name] * (1 + 1e-6)
        (found,) = verdict(exercise, asked, wrong)
        assert "new random numbers" in found.sentence
    assert verdict(exercise, asked, []) and verdict(exercise, asked, [{}] * len(asked))


# ------------------------------------------------------------------ beginning, and how far one is


def test_a_hard_stub_has_no_formulas_and_still_the_shapes(tmp_path, monkeypatch):
    monkeypatch.setenv("BATIK_SCRATCH_CACHE", str(tmp_path / "cache"))
    assert main(["exercise", "start", "dense", str(tmp_path), "--hard"]) == 0
    hard, easy = (tmp_path / "dense.py").read_text(), exercises.stub(exercises.find("dense"))
    assert "X' dY" in easy and "X' dY" not in hard
    assert "Shapes    X (N, D), W (D, U)" in hard and "raise NotImplementedError" in hard


def test_the_list_says_how_hard_and_how_far(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BATIK_SCRATCH_CACHE", str(tmp_path / "cache"))
    main(["exercise", "start", "relu", str(tmp_path)])
    exercises.progress.remember("dense", "right")
    exercises.progress.remember("dense", "tried")  # later, and worse: what was reached stays
    capsys.readouterr()
    main(["exercise", "list"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[-2:] == ["difficulty", "yours"]
    told = {line.split()[0]: line.split()[-2:] for line in lines[1:] if line}
    assert told["dense"] == ["easy", "right"] and told["relu"] == ["easy", "begun"] and told["conv2d"][-1] == "hard"
