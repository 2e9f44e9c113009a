"""The tables, once as rows; from them come the CSV files, the Markdown files and the page."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import paper
from .recorded import STAGES, Recorded, StageName, spoken

METRIC_NAMES = {"accuracy": "Accuracy", "precision": "Precision", "recall": "Recall", "f1": "F1-score"}
EPOCH_HEADER = ("Epoch", "Accuracy", "Loss", "Val Accuracy", "Val Loss")
LAST_EPOCHS = len(paper.TABLE_1)


@dataclass(frozen=True)
class Table:
    """A header and its rows; `digits` is how many decimals a float shows outside CSV, which keeps them all.

    `names` are the columns of class names, which CSV has as their folders are called.
    """

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    digits: int = 3
    names: tuple[int, ...] = ()

    def shown(self) -> list[list[str]]:
        """The rows as text, as the page and Markdown show them."""
        return [
            [spoken(str(v)) if i in self.names else _shown(v, self.digits) for i, v in enumerate(row)]
            for row in self.rows
        ]

    def to_csv(self) -> str:
        """CSV with floats in full."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows(self.rows)
        return text.getvalue()

    def to_markdown(self) -> str:
        """A Markdown table; the first column is text, the others stand right."""
        lines = [list(self.header), ["---", *["---:"] * (len(self.header) - 1)], *self.shown()]
        return "".join(f"| {' | '.join(_one_line(cell) for cell in line)} |\n" for line in lines)


def all_tables(run: Recorded) -> dict[str, Table]:
    """Every table of the report by its name."""
    tables = [table_1_paper(), table_2(run), split_counts(run)]
    for stage in STAGES:
        tables += [table_1(run, stage), per_class(run, stage), confusion(run, stage), mistakes(run, stage)]
    return {table.name: table for table in tables}


def table_1(run: Recorded, stage: StageName) -> Table:
    """The last epochs of a stage, as many as the paper's Table I has."""
    return Table(f"table1_{stage}", EPOCH_HEADER, run.stages[stage].epochs[-LAST_EPOCHS:], digits=4)


def table_1_paper() -> Table:
    """The paper's own Table I."""
    return Table("table1_paper", EPOCH_HEADER, paper.TABLE_1, digits=4)


def table_2(run: Recorded) -> Table:
    """Weighted metrics of both stages beside what the paper published, three times."""
    header = (
        "Metric",
        *(stage.words.capitalize() for stage in STAGES),
        "Paper, Fig. 12",
        "Paper, Table II",
        "Paper, abstract",
    )
    one, two = (run.stages[stage] for stage in STAGES)
    rows: list[tuple[Any, ...]] = []
    for m in paper.METRICS:
        published = (paper.FIGURE_12_METRICS[m], f"{paper.TABLE_2[m]:.2f}", f"{paper.ABSTRACT[m]:.2f}")
        rows.append((METRIC_NAMES[m], one.metrics[m], two.metrics[m], *published))
    for name, end in (("Accuracy, 95% interval from", 0), ("Accuracy, 95% interval to", 1)):
        rows.append((name, one.interval[end], two.interval[end], "", "", ""))
    return Table("table2", header, rows)


def per_class(run: Recorded, stage: StageName) -> Table:
    """Precision, recall, F1 and the number of validation images, class by class."""
    each = run.stages[stage].metrics["per_class"]
    rows = [
        (name, *(each[name][key] for key in ("precision", "recall", "f1", "support")))
        for name in run.folder_names
        if name in each
    ]
    return Table(f"per_class_{stage}", ("Class", "Precision", "Recall", "F1", "Images"), rows, names=(0,))


def confusion(run: Recorded, stage: StageName) -> Table:
    """The confusion matrix: a row per true class, a column per predicted one."""
    matrix = run.stages[stage].metrics["confusion"]
    rows = [(name, *counts) for name, counts in zip(run.folder_names, matrix, strict=True)]
    return Table(f"confusion_{stage}", ("True \\ predicted", *run.folder_names), rows)


def split_counts(run: Recorded) -> Table:
    """How many images of each class train and validate."""
    counts = run.data["counts"]
    rows: list[tuple[Any, ...]] = []
    for name in run.folder_names:
        train, validation = (int(counts.get(part, {}).get(name, 0)) for part in ("train", "validation"))
        rows.append((name, train, validation, train + validation))
    rows.append(("all", *(sum(row[i] for row in rows) for i in (1, 2, 3))))
    return Table("split_counts", ("Class", "Training", "Validation", "Together"), rows, names=(0,))


def mistakes(run: Recorded, stage: StageName) -> Table:
    """Every validation image that was misread, the surest mistakes first."""
    names = run.folder_names
    wrong = [p for p in run.stages[stage].predictions if p.label != p.predicted]
    wrong.sort(key=lambda p: (-p.probabilities[p.predicted], p.path))
    rows = [(p.path, names[p.label], names[p.predicted], p.probabilities[p.predicted]) for p in wrong]
    return Table(f"mistakes_{stage}", ("Image", "True", "Predicted", "Probability"), rows, names=(1, 2))


def _shown(value: Any, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def _one_line(text: str) -> str:
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").split())
