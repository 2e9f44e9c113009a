"""Checking a student's file, and saying in plain words what came out, most useful first."""

import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path

from ...browser import in_browser
from ...errors import InputError
from .catalogue import EXERCISES, find
from .examination import Verdict
from .exercise import Exercise
from .here import examine_here
from .plain import plain_lines
from .process import confirm_apart, examine_apart
from .progress import RIGHT, TRIED, remember

TIME_LIMIT = 20.0
SHOWN = 12  # lines of what the file printed
REFUSED = re.compile(r"^Refused: |the point is to write it yourself")
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Result:
    """A checked file; `str()` is what to tell the student."""

    path: Path
    exercise: Exercise
    verdict: Verdict
    printed: str

    @property
    def ok(self) -> bool:
        """Is the answer right?"""
        return self.verdict.ok

    @property
    def refused(self) -> bool:
        """Does the package do the work in the answer's place?"""
        return any(REFUSED.search(finding.sentence) for finding in self.verdict.findings)

    def __str__(self) -> str:
        lines = self._right() if self.ok else self._wrong()
        if printed := plain_lines(self.printed, SHOWN):
            lines += ["", "The file printed:", *(f"  {line}" for line in printed)]
        return "\n".join(lines)

    def _right(self) -> list[str]:
        names = list(EXERCISES)
        later = names[names.index(self.exercise.name) + 1 :]
        after = "That was the last exercise."
        if later:
            after = f"next: batik-scratch exercise start {later[0]} {shlex.quote(str(self.path.parent))}"
            if in_browser():
                after = f"next: {later[0]}"
        return [f"{self.path.name}: right.", f"passed: {', '.join(self.verdict.passed)}", after]

    def _wrong(self) -> list[str]:
        lines = [f"{self.path.name}: not right yet."]
        for finding in self.verdict.findings:
            where = f"line {finding.line}: " if finding.line else ""
            lines += ["", *wrapped(where + finding.sentence)]
            lines += [line for detail in finding.details for line in wrapped(detail, "  ")]
        lines.append("")
        if self.verdict.passed:
            lines.append(f"passed: {', '.join(self.verdict.passed)}")
        if self.verdict.waiting:
            lines.append(f"not looked at yet: {', '.join(self.verdict.waiting)}")
        asked = "the cell below" if in_browser() else f"batik-scratch exercise hint {shlex.quote(str(self.path))}"
        return [*lines, f"a hint: {asked}"]


def wrapped(text: str, indent: str = "") -> list[str]:
    """Lines of at most 100 characters; a line of code that is quoted stays whole."""
    if text.startswith("there: "):
        return [indent + text]
    return textwrap.wrap(text, 100, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False)


def check(path: Path, time_limit: float = TIME_LIMIT) -> Result:
    """Examine the file at `path` in a process of its own, for at most `time_limit` seconds; and remember how far it is.

    In a browser there is no other process, and no limit.

    InputError if there is no such file, or if it holds no exercise.
    """
    result = examined(path, time_limit)
    remember(result.exercise.name, RIGHT if result.ok else TRIED)
    return result


def examined(path: Path, time_limit: float) -> Result:
    """The same, of somebody else's file: nothing is remembered."""
    if not 0 < time_limit < 1e6:
        raise InputError(f"--time-limit: needs seconds above 0, got {time_limit:g}")
    exercise = which(path)
    if in_browser():
        return Result(path, exercise, *examine_here(path.resolve(), exercise))
    verdict, printed = examine_apart(path.resolve(), exercise, time_limit)
    if verdict.ok:
        verdict.findings = confirm_apart(path.resolve(), exercise, time_limit)
    return Result(path, exercise, verdict, printed)


def which(path: Path) -> Exercise:
    """The exercise that a file answers: by what it defines, else by its name; the file may be broken."""
    if not path.exists():
        raise InputError(f"{path}: there is no such file; batik-scratch exercise start NAME writes one")
    if path.is_dir():
        raise InputError(f"{path}: needs a Python file, and this is a folder; name the file in it")
    if not path.is_file():  # a pipe would keep the check waiting, and an endless device too
        raise InputError(f"{path}: needs a Python file, and this is not a regular file (a pipe or a device)")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path}: is too large for an answer ({path.stat().st_size:,} bytes); name a Python file")
    text = path.read_bytes().decode("utf-8", "replace")
    defined = set(re.findall(r"^(?:class|def)\s+(\w+)", text, re.MULTILINE))
    found = [exercise for exercise in EXERCISES.values() if exercise.answer in defined]
    named = EXERCISES.get(path.stem.lower())
    if named and (named in found or not found):
        return named
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(exercise.answer for exercise in found)
        raise InputError(f"{path}: answers several exercises ({names}); give each a file of its own")
    try:
        return find(path.stem)
    except InputError:
        known = ", ".join(exercise.answer for exercise in EXERCISES.values())
        raise InputError(f"{path}: defines nothing that an exercise asks for; one of: {known}") from None
