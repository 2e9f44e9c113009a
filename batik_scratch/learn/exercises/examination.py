"""One examination: question after question, until one finds something. It runs student code: see child.py."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...nn.gradcheck.specimen import Failure
from .answer import Answer
from .exercise import Exercise, Finding
from .mishaps import explain

PART_OF_QUESTION = {"gradients": "backward", "gradient": "backward", "special cases": "special"}


@dataclass
class Verdict:
    """What came out: the questions passed, those still waiting, what the one between them found; and which one runs."""

    passed: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    running: str = ""

    @property
    def ok(self) -> bool:
        """True if every question was passed."""
        return bool(self.passed) and not (self.findings or self.waiting or self.running)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Verdict":
        """From what JSON leaves of its `asdict`."""
        findings = [Finding(**f | {"details": tuple(f["details"])}) for f in data["findings"]]
        return cls(data["passed"], data["waiting"], findings, data["running"])


def examine(path: Path, exercise: Exercise, on_news: Callable[[Verdict], None] = lambda verdict: None) -> Verdict:
    """Examine the file; whatever the student's code raises becomes a finding.

    `on_news` gets the verdict so far when a question begins (`running` names it), and when findings are certain but
    something slow is still looking for better words. So somebody else knows how far it came, should this never return.
    """
    verdict = Verdict()

    def note(findings: list[Finding]) -> None:
        verdict.findings = findings
        on_news(verdict)

    answer = Answer(path, exercise, note)
    questions = [("file", Answer.load), *exercise.questions]
    verdict.waiting = [title for title, _ in questions]
    for title, ask in questions:
        verdict.waiting.remove(title)
        verdict.running = title
        on_news(verdict)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                verdict.findings = list(ask(answer))
        except BaseException as error:  # sys.exit too: a student's code must not end the examination
            verdict.findings = [_in_words(answer, error, PART_OF_QUESTION.get(title, title))]
        verdict.running = ""
        if verdict.findings:
            return verdict
        verdict.passed.append(title)
    return verdict


def _in_words(answer: Answer, error: BaseException, part: str) -> Finding:
    try:
        return explain(answer, error.error if isinstance(error, Failure) else error, part)
    except BaseException:  # an error of the student's own making that raises when one looks at it
        return Finding(part, "This answer raises an error that raises another when one looks at it.", stopped=True)
