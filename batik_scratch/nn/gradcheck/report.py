"""What a gradient check found: a verdict per tensor, and a table of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import shown
from ..layers import Layer

HEADER = ("tensor", "method", "error", "worst at", "analytic", "numeric", "compared", "skipped", "verdict")
NUMBERS = (2, 4, 5, 6, 7)  # the columns that are set flush right


@dataclass(frozen=True)
class TensorCheck:
    """One tensor's verdict by one method.

    name, method        "dx", "kernel", ...; how the numeric value was found
    error               relative error |a - n| / max(|a|, |n|) at the worst place
    worst               index of that place; () if a single number was compared
    analytic, numeric   both values there
    compared, skipped   how many places, and how many more crossed a kink
    ok                  all places agree, and few were skipped
    """

    name: str
    method: str
    error: float
    worst: tuple[int, ...]
    analytic: float
    numeric: float
    compared: int
    skipped: int
    ok: bool

    def cells(self) -> tuple[str, ...]:
        """The row of the table, column by column as in HEADER."""
        place = "(" + ", ".join(map(str, self.worst)) + ")" if self.worst else "-"
        values = ("-" if np.isnan(value) else f"{value:+.8e}" for value in (self.analytic, self.numeric))
        counts = (str(self.compared), str(self.skipped))
        return self.name, self.method, f"{self.error:.1e}", place, *values, *counts, "ok" if self.ok else "WRONG"


@dataclass(repr=False)
class GradientReport:
    """All tensors of one check; `str()` is a table, `ok` the verdict.

    layer, input_shape    what was checked, if it was a layer: enough to examine it further
    """

    title: str
    tensors: list[TensorCheck] = field(default_factory=list)
    layer: Layer | None = None
    input_shape: tuple[int, ...] = ()

    @property
    def ok(self) -> bool:
        """True if every tensor agrees, and there is one."""
        return bool(self.tensors) and all(tensor.ok for tensor in self.tensors)

    @property
    def wrong(self) -> list[TensorCheck]:
        """The checks that failed."""
        return [tensor for tensor in self.tensors if not tensor.ok]

    def raise_if_wrong(self) -> None:
        """AssertionError with the table unless everything agrees."""
        if not self.ok:
            raise AssertionError(f"wrong gradient\n{self}")

    def __str__(self) -> str:
        return tables([self])

    def __repr__(self) -> str:
        worst = max((tensor.error for tensor in self.tensors), default=np.nan)
        told = f"largest error {worst:.1e}" if self.ok else "WRONG: " + ", ".join(sorted({t.name for t in self.wrong}))
        return f"<GradientReport of {self.title}: {len(self.tensors)} comparisons, {told}>"

    def _repr_html_(self) -> str:
        return shown.html_table(self.title, HEADER, [tensor.cells() for tensor in self.tensors], NUMBERS)


def tables(reports: list[GradientReport]) -> str:
    """One table of several reports: a title, then a row per tensor and method, all in the same columns."""
    cells = [HEADER, *(check.cells() for report in reports for check in report.tensors)]
    rows = iter(in_columns(cells, NUMBERS))
    lines = ["  " + next(rows)]
    for report in reports:
        lines += [report.title, *("  " + next(rows) for _ in report.tensors)]
    return "\n".join(lines)


def in_columns(rows: Sequence[tuple[str, ...]], right: Collection[int] = ()) -> list[str]:
    """A line for each row, its cells in columns two blanks apart; those of the columns in `right` are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [
        [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        for row in rows
    ]
    return ["  ".join(cells).rstrip() for cells in padded]


def nothing_to_compare(name: str, method: str, compared: int = 0, skipped: int = 0) -> TensorCheck:
    """A failed check that has no two numbers to show."""
    return TensorCheck(name, method, np.inf, (), np.nan, np.nan, compared, skipped, False)


def broken_promise(name: str, what: str, now: Any, before: np.ndarray) -> TensorCheck:
    """A failed check for what should have stayed as it was, with the place where most changed."""
    if np.shape(now) != before.shape:
        return nothing_to_compare(name, what, compared=before.size)
    difference = np.nan_to_num(np.abs(now - before), nan=np.inf)
    worst = tuple(int(i) for i in np.unravel_index(int(difference.argmax()), before.shape))
    largest = max(abs(float(now[worst])), abs(float(before[worst])), 1e-300)
    error = float(difference[worst]) / largest
    return TensorCheck(name, what, error, worst, float(now[worst]), float(before[worst]), before.size, 0, False)
