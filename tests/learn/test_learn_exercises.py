"""The exercises: right answers pass, stubs say what to write, and a wrong answer is told what is wrong with it."""

import ast
import inspect
import os
import re
import threading
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from right_answers import RIGHT
from wrong_answers import WRONG

from batik_scratch.learn import exercises
from batik_scratch.learn.exercises import catalogue, process
from batik_scratch.learn.exercises.answer import misfit
from batik_scratch.learn.exercises.catalogue import difficulty, table
from batik_scratch.learn.exercises.compare import apart, wrong_numbers
from batik_scratch.learn.exercises.examination import examine

ROOT = Path(__file__).resolve().parents[2]
PACKAGE, INDEX = ROOT / "batik_scratch", ROOT / "examples" / "exercises" / "README.md"
each_exercise = pytest.mark.parametrize("exercise", exercises.EXERCISES.values(), ids=exercises.EXERCISES)


def examined(tmp_path, exercise, text):
    path = tmp_path / f"{exercise.name}.py"
    path.write_text(text)
    return examine(path, exercise)


def words(verdict):
    return "\n".join([verdict.findings[0].sentence, *verdict.findings[0].details])


@each_exercise
def test_the_shipped_solution_passes(tmp_path, exercise):
    verdict = examined(tmp_path, exercise, exercises.solution(exercise))
    assert verdict.findings == [] and verdict.waiting == [] and len(verdict.passed) >= 3


@each_exercise
def test_the_stub_says_what_is_to_be_written_and_where(tmp_path, exercise):
    text = exercises.stub(exercise)
    verdict = examined(tmp_path, exercise, text)
    finding = verdict.findings[0]
    assert "is still to be written" in finding.sentence and not verdict.ok
    assert "NotImplementedError" in text.splitlines()[finding.line - 1]


@each_exercise
def test_a_stub_keeps_the_packages_docstring_and_no_body(exercise):
    stub = exercises.stub(exercise)
    for line in inspect.cleandoc(exercise.docstring).splitlines():
        assert line in stub
    answer = next(n for n in ast.parse(stub).body if getattr(n, "name", "") == exercise.answer)
    functions = [n for n in ast.walk(answer) if isinstance(n, ast.FunctionDef)]
    assert {f.name for f in functions} == set(exercise.writes or [exercise.answer])
    for function in functions:
        docstring, only = function.body
        assert isinstance(docstring, ast.Expr) and isinstance(only, ast.Raise)
    assert ast.parse(exercises.solution(exercise))


@pytest.mark.parametrize(
    ("name", "old", "new", "part", "reply"), WRONG, ids=[f"{name}-{reply}" for name, _, _, _, reply in WRONG]
)
def test_a_typical_wrong_answer_gets_the_right_reply(tmp_path, name, old, new, part, reply):
    exercise = exercises.find(name)
    right = exercises.solution(exercise)
    assert old in right
    verdict = examined(tmp_path, exercise, right.replace(old, new))
    assert not verdict.ok
    assert (verdict.findings[0].part, reply) == (part, reply if reply in words(verdict) else words(verdict))
    assert part == "special" or verdict.findings[0].line or part == "file"


@each_exercise
def test_the_index_page_says_the_same_as_the_command_and_links_to_what_there_is(exercise):
    row = next(line for line in INDEX.read_text().splitlines() if line.startswith(f"| `{exercise.name}` |"))
    _, _, task, after, own, _ = (cell.strip() for cell in row.split("|"))
    assert task == exercise.task
    assert re.findall(r"\[(\d+)\]\(../lessons/0?\1_\w+\.py\)", after) == [str(number) for number in exercise.after]
    links = re.findall(r"\]\(([^)]+)\)", after + own)
    assert len(links) > len(exercise.after) and all((INDEX.parent / link).is_file() for link in links)


def test_the_easiest_exercises_come_first_and_those_of_one_kind_in_the_order_of_their_lessons():
    kinds = ("easy", "middle", "hard")
    places = [(kinds.index(difficulty(name)), max(one.after)) for name, one in exercises.EXERCISES.items()]
    assert places == sorted(places)


def test_the_list_tells_where_to_begin_and_what_comes_next(monkeypatch):
    known = {}
    monkeypatch.setattr(catalogue, "progress", lambda: known)
    assert table().endswith("\n\nto begin: batik-scratch exercise start relu my_exercises")
    known |= {"relu": "right", "flatten": "tried"}
    assert table().endswith("\n\nnext: batik-scratch exercise start flatten my_exercises")
    known |= dict.fromkeys(exercises.EXERCISES, "right")
    assert table().endswith("\n\nall of them are right")


def test_an_installed_package_has_the_texts_too():
    for folder in ("solutions", "tasks"):  # python packages travel with pip, other folders do not
        assert (PACKAGE / "learn" / "exercises" / folder / "__init__.py").is_file()


@each_exercise
def test_every_part_that_can_be_wrong_has_graded_hints(exercise):
    parts = {part for name, _, _, part, _ in WRONG if name == exercise.name} - {"promises", "file"}
    parts -= {"dx", "kernel", "bias"} - set(exercise.hints)
    assert parts <= set(exercise.hints) and all(len(hints) >= 2 for hints in exercise.hints.values())


@each_exercise
def test_a_right_answer_written_in_another_way_passes_too(tmp_path, exercise):
    verdict = examined(tmp_path, exercise, RIGHT[exercise.name])
    assert verdict.findings == [] and verdict.ok


def test_a_wrong_gradient_is_known_before_the_doctor_has_a_name_for_it(tmp_path):
    exercise = exercises.find("dense")
    path = tmp_path / "dense.py"
    path.write_text(exercises.solution(exercise).replace("x.T @ dy", "2 * x.T @ dy"))
    news = []
    verdict = examine(path, exercise, lambda verdict: news.append(asdict(verdict)))
    early = news[-1]
    assert (
        early["running"] == "gradients" and early["findings"][0]["sentence"] == "The gradient of the kernel is wrong."
    )
    assert verdict.findings[0].sentence.startswith("The gradient of the kernel is wrong. Every value is 2 times")
    assert verdict.running == "" and not verdict.ok
    assert [entry["running"] for entry in news[:4]] == ["file", "forward", "backward", "gradients"]


@pytest.mark.parametrize(
    "fill",
    [
        'self.grads["kernel"] = 2 * x.T @ dy',
        'self.grads = {"kernel": 2 * x.T @ dy}',
        'self.grads.update(kernel=2 * x.T @ dy); self.grads["kernel"] *= 1',
        'self.grads.setdefault("kernel", x.T @ dy)',
    ],
)
def test_the_line_that_fills_a_wrong_gradient_is_named(tmp_path, fill):
    exercise = exercises.find("dense")
    verdict = examined(
        tmp_path, exercise, exercises.solution(exercise).replace('self.grads["kernel"] = x.T @ dy', fill)
    )
    line = (tmp_path / "dense.py").read_text().splitlines()[verdict.findings[0].line - 1]
    assert verdict.findings[0].part == "kernel" and line.strip().startswith(fill)


def test_what_the_doctor_can_name_comes_before_what_it_cannot(tmp_path):
    exercise = exercises.find("dense")
    odd = exercises.solution(exercise).replace("x.T @ dy", "x.T @ dy + np.sin(x.T) @ dy**3")
    odd = odd.replace("dy.sum(axis=0)", "-dy.sum(axis=0)").replace("from batik", "import numpy as np\nfrom batik")
    findings = examined(tmp_path, exercise, odd).findings
    assert [f.part for f in findings] == ["bias", "kernel"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("training=False, keep=None", "training: bool = False, keep=None, **more"),
        ("(self, x, training=False, keep=None)", "(me, x, *more, **options)"),
        ("(self, dy, need_dx=True, need_grads=True)", "(self, dy, need_dx=1, need_grads=1, scale=1)"),
    ],
)
def test_parameters_may_be_written_in_any_way_that_takes_the_calls(old, new):
    dense = exercises.find("dense")
    text = exercises.solution(dense)
    assert old in text
    scope = {}
    exec(text.replace(old, new), scope)
    method = "forward" if "training" in old else "backward"
    assert misfit(dense, method, vars(scope["Dense"])[method]) is None


@pytest.mark.parametrize(
    ("a", "b", "texts"),
    [
        (1.5, 2.5, ("1.5", "2.5")),
        (1.46846571, 1.46846569, ("1.46846571", "1.46846569")),
        (1.0, 1.0 + 2**-52, ("1", "1.0000000000000002")),
        (1.0, 1.0, ("1", "1")),
    ],
)
def test_two_numbers_get_as_many_digits_as_tell_them_apart(a, b, texts):
    assert apart(a, b) == texts


RIGHT_NUMBERS = np.random.default_rng(0).standard_normal(50) * 5


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (RIGHT_NUMBERS.astype("float32").astype("float64"), "agrees to about six digits only"),
        (RIGHT_NUMBERS + 2e-6 * np.abs(RIGHT_NUMBERS).max(), "has wrong numbers"),
        (np.minimum(RIGHT_NUMBERS, 1), "nothing is above 1, and it should go up to"),
        (np.maximum(RIGHT_NUMBERS, -1), "nothing is below -1, and it should go down to"),
        (
            np.minimum(RIGHT_NUMBERS, np.sort(RIGHT_NUMBERS)[-2] + 0.01),
            "has wrong numbers",
        ),  # one place, maybe by chance
        (np.zeros(50), "has wrong numbers"),
    ],
    ids=["float32", "a small number added", "cut off above", "cut off below", "one wrong", "all zero"],
)
def test_wrong_numbers_are_called_rounded_or_cut_off_only_where_they_are(value, sentence):
    assert sentence in wrong_numbers(value, RIGHT_NUMBERS, "y")[0]


def test_only_the_beginning_of_a_flood_of_output_is_kept():
    read, write = os.pipe()
    kept = []
    reader = threading.Thread(target=process._collect, args=(os.fdopen(read, "rb"), kept))
    reader.start()
    with os.fdopen(write, "wb") as pipe:
        pipe.write(b"x" * 1_000_000)
    reader.join(10)
    assert not reader.is_alive() and b"".join(kept) == b"x" * process.PRINTED
