"""What `batik-scratch gradcheck` prints: the table of every check, and the doctor's words if one fails."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from ..learn import museum
from ..learn.doctor import diagnose
from ..nn.gradcheck import GradientReport
from ..nn.gradcheck.everything import all_checks, saved_check
from ..nn.gradcheck.report import tables
from .colour import GREEN, RED, paint

T = TypeVar("T")


def report(layer: str | None = None, model: Path | None = None, thorough: bool = False) -> tuple[str, bool]:
    """The table, and True if all is right: of everything, of the layers called `layer`, or of a saved network.

    InputError if there is no such layer (it lists those there are), or the file is no model.
    """
    reports = _checked(layer, model, thorough)
    wrong = [one for one in reports if not one.ok]
    lines = [tables(reports), ""]
    for one in wrong:
        lines += [paint(f"WRONG: {one.title}", RED, sys.stdout), *_words(one)]
    rows = [row for one in reports for row in one.tensors]
    bad = sum(not row.ok for row in rows)
    said = f"{bad} of {len(rows)} checks are wrong" if bad else f"{len(rows)} checks, all right"
    lines.append(paint(said, RED if bad else GREEN, sys.stdout))
    return "\n".join(lines), not wrong


def figures(layer: str | None = None, model: Path | None = None, thorough: bool = False) -> tuple[dict[str, Any], bool]:
    """The same for a program: each check with its tensors' verdicts, and the doctor's words where one is wrong."""
    reports = _checked(layer, model, thorough)
    checks = [
        {
            "title": one.title,
            "ok": one.ok,
            "tensors": [asdict(row) for row in one.tensors],
            "diagnosis": "" if one.ok else "\n".join(line.strip() for line in _words(one)),
        }
        for one in reports
    ]
    ok = all(one.ok for one in reports)
    return {"ok": ok, "checks": checks}, ok


def museum_figures() -> tuple[dict[str, Any], bool]:
    """The museum for a program: each bug, what caught it, and what the doctor said first."""
    visits = _visited()
    told = [
        {
            "exhibit": one.exhibit.name,
            "caught": one.caught,
            "caught_by": one.caught_by,
            "error": one.error,
            "named": one.named,
        }
        for one in visits
    ]
    ok = all(one.caught for one in visits)
    return {"ok": ok, "exhibits": told}, ok


def museum_report() -> tuple[str, bool]:
    """The museum's table, and True if every bug was caught."""
    visits = _visited()
    return museum.table(visits), all(one.caught for one in visits)


def _checked(layer: str | None, model: Path | None, thorough: bool) -> list[GradientReport]:
    return [saved_check(model)] if model is not None else list(_with_bar(all_checks(layer, thorough), "checking"))


def _visited() -> list[museum.Visit]:
    return list(_with_bar(museum.walk(), "walking", len(museum.EXHIBITS)))


def _words(wrong: GradientReport) -> list[str]:
    """The doctor's, if it was a layer and he finds something; else which rows to look at."""
    found = [] if wrong.layer is None else diagnose(wrong.layer, wrong.input_shape)
    if found:
        return [museum.in_lines(str(one), "  ") for one in found]
    rows = [(f"{row.name}, {row.method}", row) for row in wrong.wrong]
    return [f"  {name}: {row.analytic:.8g}, and it should be {row.numeric:.8g}" for name, row in rows]


def _with_bar(work: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
    return tqdm(work, total=total, desc=what, unit="check", leave=False, disable=None)
