"""What `batik-scratch gradcheck` prints: the table of every check, and the doctor's words if one fails."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from ..learn import museum
from ..learn.doctor import diagnose
from ..nn.gradcheck import GradientReport
from ..nn.gradcheck.everything import all_checks, saved_check
from ..nn.gradcheck.report import tables

T = TypeVar("T")


def report(layer: str | None = None, model: Path | None = None, thorough: bool = False) -> tuple[str, bool]:
    """The table, and True if all is right: of everything, of the layers called `layer`, or of a saved network.

    InputError if there is no such layer (it lists those there are), or the file is no model.
    """
    reports = [saved_check(model)] if model is not None else list(_with_bar(all_checks(layer, thorough), "checking"))
    wrong = [one for one in reports if not one.ok]
    lines = [tables(reports), ""]
    for one in wrong:
        lines += [f"WRONG: {one.title}", *_words(one)]
    rows = [row for one in reports for row in one.tensors]
    bad = sum(not row.ok for row in rows)
    lines.append(f"{bad} of {len(rows)} checks are wrong" if bad else f"{len(rows)} checks, all right")
    return "\n".join(lines), not wrong


def museum_report() -> tuple[str, bool]:
    """The museum's table, and True if every bug was caught."""
    visits = list(_with_bar(museum.walk(), "walking", len(museum.EXHIBITS)))
    return museum.table(visits), all(one.caught for one in visits)


def _words(wrong: GradientReport) -> list[str]:
    """The doctor's, if it was a layer and he finds something; else which rows to look at."""
    found = [] if wrong.layer is None else diagnose(wrong.layer, wrong.input_shape)
    if found:
        return [museum.in_lines(str(one), "  ") for one in found]
    rows = [(f"{row.name}, {row.method}", row) for row in wrong.wrong]
    return [f"  {name}: {row.analytic:.8g}, and it should be {row.numeric:.8g}" for name, row in rows]


def _with_bar(work: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
    return tqdm(work, total=total, desc=what, unit="check", leave=False, disable=None)
