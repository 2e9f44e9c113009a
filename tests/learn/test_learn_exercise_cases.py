"""An exercise tries what its words say, shows what the package has, and what it hands out stays its own."""

import inspect
import math
import re
from pathlib import Path

import numpy as np
import pytest

from batik_scratch.learn import exercises
from batik_scratch.learn.exercises.examination import examine
from batik_scratch.learn.exercises.layer_questions import LayerQuestions
from batik_scratch.learn.exercises.tasks import saliency

CASES = [
    (exercise, case)
    for exercise in exercises.EXERCISES.values()
    if isinstance(exercise.questions, LayerQuestions)
    for case in exercise.questions.trials
]


def pair(size):
    return size if isinstance(size, tuple) else (size, size)


@pytest.mark.parametrize(("exercise", "case"), CASES, ids=lambda it: getattr(it, "words", getattr(it, "name", "")))
def test_the_words_of_a_case_are_its_numbers(exercise, case):
    words, options, told = case.words, dict(case.options), 0

    def numbers(pattern):
        nonlocal told
        found = re.search(pattern, words)
        told += len(found.groups()) if found else 0
        return tuple(map(float, found.groups())) if found else None

    shape = (
        numbers(r"maps of (\d+) x (\d+) x (\d+)") or numbers(r"rows of (\d+)") or numbers(r"(\d+) (?:classes|features)")
    )
    window = numbers(r"(\d+) x (\d+) (?:kernel|windows|at)")
    strides = numbers(r"strides (\d+), (\d+)") or numbers(r"stride (\d+)")
    assert shape in (None, case.shape)
    assert window in (None, pair(options.get("kernel_size", options.get("pool_size"))))
    assert strides is None or pair(options.get("strides", 1)) in (strides, 2 * strides)
    for option, pattern in (("units", r"(\d+) unit"), ("rate", r"rate ([\d.]+)")):
        assert numbers(pattern) == ((options[option],) if option in options else None)
    assert told == len(re.findall(r"\d+(?:\.\d+)?", words)) > 0  # no number of the words was passed over
    if window:
        steps = strides or (window if "pool_size" in options else (1.0,))
        steps *= 2 // len(steps)
        left = [(length - size) % step > 0 for length, size, step in zip(case.shape[:2], window, steps, strict=True)]
        laps = "pool_size" in options and any(step < size for step, size in zip(steps, window, strict=True))
        assert (any(left), all(left), laps) == tuple(
            part in words for part in ("left over", "a row and a column", "overlap")
        )
    assert 2 <= math.prod(case.shape) <= 80  # plain loops are tried a thousand times


@pytest.mark.parametrize("exercise", exercises.EXERCISES.values(), ids=exercises.EXERCISES)
def test_the_file_in_the_package_is_a_right_answer_as_it_stands(exercise):
    path = Path(exercises.__file__).with_name("solutions") / f"{exercise.name}.py"
    assert examine(path, exercise).findings == []


@pytest.mark.parametrize("exercise", [e for e in exercises.EXERCISES.values() if e.writes], ids=lambda e: e.name)
def test_a_solution_takes_what_the_packages_own_takes(exercise):
    namespace = {}
    exec(exercises.solution(exercise), namespace)
    for name in exercise.writes:
        ours, theirs = (
            inspect.signature(getattr(owner, name)) for owner in (namespace[exercise.answer], exercise.reference)
        )
        assert [(p.name, p.default) for p in ours.parameters.values()] == [
            (p.name, p.default) for p in theirs.parameters.values()
        ]


def test_an_answer_that_writes_into_its_classes_spoils_no_later_examination(tmp_path):
    exercise, before = exercises.find("saliency"), saliency.CLASSES.copy()
    text = exercises.solution(exercise)
    body = re.search(r"\n    return (.+)\n", text)
    path = tmp_path / "saliency.py"
    path.write_text(text.replace(body[0], f"\n    answer = {body[1]}\n    classes[...] = 0\n    return answer\n"))
    examine(path, exercise)
    assert np.array_equal(saliency.CLASSES, before)
