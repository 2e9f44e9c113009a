"""A folder of answers, one row a hand-in: for whoever has a class to read."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from ...errors import InputError
from ...nn.gradcheck.report import in_columns
from .check import Result, examined
from .hints import hints_for

HEADER = ("file", "exercise", "verdict", "first finding")
SHOWN = 90  # characters of a finding in the table


@dataclass(frozen=True)
class Row:
    """One hand-in.

    file        below the folder
    exercise    what it answers, "" if that is nothing
    verdict     "right", "wrong", "refused" (the package does the work), or "no answer" (no exercise, or no Python file)
    findings    what is wrong, in plain words, each behind its line
    hints       those for the first finding, from a nudge to nearly the line itself
    passed      the questions that were passed
    """

    file: str
    exercise: str
    verdict: str
    findings: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Is it right?"""
        return self.verdict == "right"


def check_folder(folder: Path, time_limit: float, workers: int | None = None) -> Iterator[Row]:
    """The rows of every Python file below `folder`, in the order of their names, as they are examined.

    Each file has `time_limit` seconds and 1 GB; as many are examined at a time as there are processors. InputError if
    there is no Python file.
    """
    files = sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)
    if not files:
        raise InputError(f"{folder}: there is no Python file below it; hand-ins are files such as name/dense.py")
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        yield from pool.map(lambda path: _row(folder, path, time_limit), files)


def table(rows: Sequence[Row]) -> str:
    """The rows in columns, and the count below."""
    cells = [(row.file, row.exercise or "-", row.verdict, _short(row.findings)) for row in rows]
    right = sum(row.ok for row in rows)
    return "\n".join([*in_columns([HEADER, *cells]), "", f"{right} of {len(rows)} are right"])


def as_csv(rows: Sequence[Row]) -> str:
    """A line for each row, with a header; several findings, hints and questions stand in one cell, line by line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row.__dataclass_fields__)
    for row in rows:
        cells = ["\n".join(cell) if isinstance(cell, tuple) else cell for cell in asdict(row).values()]
        # a spreadsheet takes what begins with one of these for a formula
        writer.writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell for cell in cells])
    return text.getvalue()


def _row(folder: Path, path: Path, time_limit: float) -> Row:
    name = path.relative_to(folder).as_posix()
    try:
        result = examined(path, time_limit)
    except (InputError, OSError, RuntimeError) as error:  # RuntimeError: the system gives no thread
        return Row(name, "", "no answer", (str(error).removeprefix(f"{path}: "),))
    return of_result(name, result)


def of_result(name: str, result: Result) -> Row:
    """The row of a checked file."""
    findings = tuple(
        f"line {found.line}: {found.sentence}" if found.line else found.sentence for found in result.verdict.findings
    )
    verdict = "right" if result.ok else "refused" if result.refused else "wrong"
    hints = () if result.ok or result.refused else tuple(hints_for(result))
    return Row(name, result.exercise.name, verdict, findings, hints, tuple(result.verdict.passed))


def _short(findings: tuple[str, ...]) -> str:
    first = findings[0] if findings else ""
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return (first if len(first) <= SHOWN else f"{first[: SHOWN - 4]} ...") + more
