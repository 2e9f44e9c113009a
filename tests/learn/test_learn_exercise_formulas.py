"""Every mistake that a check knows by name is called by that name, and no wrong answer by another's."""

import pytest
from wrong_formulas import FORMULAS
from wrong_habits import HABITS

from batik_scratch.learn import exercises
from batik_scratch.learn.exercises.examination import examine


def examined(tmp_path, name, text):
    path = tmp_path / f"{name}.py"
    path.write_text(text)
    return examine(path, exercises.find(name))


@pytest.mark.parametrize(
    ("name", "old", "new", "part", "reply"), FORMULAS, ids=[f"{r[0]}-{r[4][:40]}" for r in FORMULAS]
)
def test_a_well_known_mistake_is_called_by_its_name(tmp_path, name, old, new, part, reply):
    right = exercises.solution(exercises.find(name))
    assert old in right
    (finding, *_) = examined(tmp_path, name, right.replace(old, new)).findings
    said = "\n".join([finding.sentence, *finding.details, ""])
    assert (finding.part, reply) == (part, reply if reply in said else said)


@pytest.mark.parametrize(
    ("name", "old", "new", "part", "reply", "line"), HABITS, ids=[f"{r[0]}-{r[4][:40]}" for r in HABITS]
)
def test_what_else_may_be_wrong_is_told_with_its_line(tmp_path, name, old, new, part, reply, line):
    text = exercises.solution(exercises.find(name)).replace(old, new)
    (finding, *_) = examined(tmp_path, name, text).findings
    said = "\n".join([finding.sentence, *finding.details, ""])
    assert (finding.part, reply) == (part, reply if reply in said else said)
    assert (line is None) == (finding.line is None)
    assert line is None or line in text.splitlines()[finding.line - 1]
