"""One examination: the steps in order, until one finds something. It runs student code, so it runs in a process of its own."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .answer import Answer
from .exercise import Exercise, Finding
from .mishaps import explain

PART_OF_STEP = {"gradients": "backward", "gradient": "backward", "special cases": "special"}


@dataclass
class Verdict:
    """What came out: the steps that passed, those not reached, and what the step between them found."""

    passed: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True where every step passed."""
        return not self.findings and not self.waiting and bool(self.passed)

    def to_json(self) -> dict[str, Any]:
        """As plain lists and dictionaries."""
        findings = [vars(finding) for finding in self.findings]
        return {"passed": self.passed, "waiting": self.waiting, "findings": findings}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Verdict":
        """From what `to_json` gave."""
        findings = [Finding(f["part"], f["sentence"], tuple(f["details"]), f["line"]) for f in data["findings"]]
        return cls(data["passed"], data["waiting"], findings)


def examine(path: Path, exercise: Exercise, on_step: Callable[[str], None] = lambda title: None) -> Verdict:
    """Examine the file; whatever the student's code raises becomes a finding. `on_step` hears of each step's beginning."""
    answer, verdict = Answer(path, exercise), Verdict()
    steps = [("file", answer.run), *exercise.examine(answer)]
    verdict.waiting = [title for title, _ in steps]
    for title, step in steps:
        verdict.waiting.remove(title)
        on_step(title)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                verdict.findings = list(step())
        except BaseException as error:  # sys.exit too: a student's code must not end the examination
            verdict.findings = [explain(answer, error, PART_OF_STEP.get(title, title))]
        if verdict.findings:
            return verdict
        verdict.passed.append(title)
    return verdict
