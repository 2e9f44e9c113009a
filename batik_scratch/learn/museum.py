"""A walk through the museum: every bug is checked, and the doctor called to it."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from ..nn import Layer, Optimizer
from ..nn.gradcheck import GradientReport, check_layer, check_loss, check_optimizer, check_quotient
from ..nn.gradcheck.report import in_columns
from .bugs import EXHIBITS, Exhibit
from .doctor import Diagnosis, diagnose, diagnose_loss, diagnose_optimizer, diagnose_quotient
from .update_rules import right_rule

HEADER = ("bug", "caught by", "error", "diagnosis")


@dataclass(frozen=True)
class Visit:
    """What was found out about one bug.

    caught_by    "check_layer: dx, central difference", or "" if the check let it through
    error        relative error at the worst place; infinite if there is nothing to compare
    diagnoses    what the doctor says, first finding first
    """

    exhibit: Exhibit
    caught_by: str
    error: float
    diagnoses: tuple[Diagnosis, ...]

    @property
    def caught(self) -> bool:
        """True if the check called the very gradient wrong that is."""
        return bool(self.caught_by)

    @property
    def named(self) -> bool:
        """True if the doctor's first word is the right one."""
        return bool(self.diagnoses) and self.diagnoses[0].name == self.exhibit.diagnosis


def visit(exhibit: Exhibit) -> Visit:
    """Check one bug and have it diagnosed."""
    check, doctor = _examiners(exhibit)
    name, diagnoses = check.func.__name__, tuple(doctor())
    try:
        report = check()
    except Exception as error:  # a bug may show in that the layer does not run at all
        return Visit(exhibit, f"{name}: {exhibit.tensor} raises {type(error).__name__}", float("inf"), diagnoses)
    for row in report.wrong:
        if row.name.split(" ")[0] == exhibit.tensor.split(" ")[0]:
            return Visit(exhibit, f"{name}: {row.name}, {row.method}", row.error, diagnoses)
    return Visit(exhibit, "", 0.0, diagnoses)


def walk() -> Iterator[Visit]:
    """Every exhibit, in the order of the rooms."""
    return map(visit, EXHIBITS)


def table(visits: list[Visit]) -> str:
    """Bug, caught by, error, diagnosis; below each row the doctor's words; the last line is the count."""
    header, *rows = in_columns([HEADER, *map(_cells, visits)])
    lines = [header]
    for one, row in zip(visits, rows, strict=True):
        lines.append(row)
        lines += [in_lines(f"{diagnosis.tensor}: {diagnosis.sentence}", "    ") for diagnosis in one.diagnoses]
    named, caught = sum(one.named for one in visits), sum(one.caught for one in visits)
    lines += ["", f"{named} of {len(visits)} bugs named by the doctor", f"{caught} of {len(visits)} bugs caught"]
    return "\n".join(lines)


def in_lines(text: str, indent: str) -> str:
    """The text in lines that fit a terminal of 120 columns."""
    return textwrap.fill(text, 118, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False)


def _examiners(exhibit: Exhibit) -> tuple[partial[GradientReport], partial[list[Diagnosis]]]:
    """The check and the doctor's call for what kind of thing the bug is."""
    bug, shape = exhibit.bug, exhibit.shape
    if isinstance(bug, Layer):
        return partial(check_layer, bug, shape), partial(diagnose, bug, shape)
    if isinstance(bug, Optimizer):
        return partial(check_optimizer, bug, right_rule(bug)), partial(diagnose_optimizer, bug)
    if hasattr(bug, "__name__"):
        return partial(check_quotient, bug), partial(diagnose_quotient, bug)
    return partial(check_loss, bug), partial(diagnose_loss, bug)


def _cells(one: Visit) -> tuple[str, ...]:
    names = ", ".join(diagnosis.name for diagnosis in one.diagnoses) or "none"
    verdict = names if one.named else f"{names} (it is: {one.exhibit.diagnosis})"
    error = f"{one.error:.1e}" if one.caught else "-"
    return one.exhibit.name, one.caught_by or "NOT CAUGHT", error, verdict
