"""Each table, number by number, against the files of the run folder."""

import csv
import json

import pytest
from synthetic_run import NAMES, STAGES

from batik_scratch.report import paper
from batik_scratch.report.tables import Table, all_tables

FIRST, SECOND = [[3, 2, 0], [0, 4, 3], [3, 0, 6]], [[4, 0, 1], [2, 5, 0], [0, 2, 7]]  # as synthetic_run says
TABLE_1 = """
    90 96.80 18.21 85.92 37.55    91 98.42 13.97 88.73 35.09    92 97.14 12.06 87.32 35.46
    93 97.57 12.86 85.21 39.03    94 96.57 16.95 87.32 39.17    95 97.68 14.65 83.10 39.47
    96 94.79 16.94 78.87 56.55    97 93.96 19.33 83.10 36.18    98 96.92 11.80 85.21 45.75
    99 89.61 28.13 80.99 56.29   100 91.21 25.14 84.51 42.32
"""


@pytest.fixture(scope="module")
def tables(run):
    return all_tables(run)


def rows_of(text):
    """The rows of a CSV text below its header."""
    return list(csv.reader(text.splitlines()))[1:]


def recorded(folder, stage):
    return json.loads((folder / stage / "metrics.json").read_text())


# ------------------------------------------------------------------ Table I


@pytest.mark.parametrize("stage, epochs", [("stage1", range(4, 15)), ("stage2", range(2, 13))])
def test_table_1_holds_the_last_eleven_epochs_of_its_stage(folder, tables, stage, epochs):
    with (folder / stage / "history.csv").open(newline="") as file:
        history = {row["epoch"]: row for row in csv.DictReader(file)}
    table = tables[f"table1_{stage}"]
    names = ("epoch", "accuracy", "loss", "val_accuracy", "val_loss")
    expected = [[float(history[str(e)][name]) for name in names] for e in epochs]
    assert list(table.header) == ["Epoch", "Accuracy", "Loss", "Val Accuracy", "Val Loss"]
    assert [list(map(float, row)) for row in rows_of(table.to_csv())] == expected
    assert table.shown() == [[str(int(row[0])), *(f"{x:.4f}" for x in row[1:])] for row in expected]


def test_table_1_of_a_short_run_holds_every_epoch(read):
    assert [len(all_tables(read(epochs=(1, 3)))[f"table1_{stage}"].rows) for stage in STAGES] == [1, 3]


# ------------------------------------------------------------------ Table II


def test_table_2_holds_the_metrics_of_both_stages_beside_the_papers(folder, tables):
    first, second = (recorded(folder, stage) for stage in STAGES)
    assert list(tables["table2"].header) == [
        "Metric", "Stage one", "Stage two", "Paper, Fig. 12", "Paper, Table II", "Paper, abstract",
    ]  # fmt: skip
    published = {
        "accuracy": ("0.875", "0.87", "0.82"),
        "precision": ("0.891", "0.89", "0.83"),
        "recall": ("0.875", "0.88", "0.82"),
        "f1": ("0.868", "0.87", "0.82"),
    }
    names = {"accuracy": "Accuracy", "precision": "Precision", "recall": "Recall", "f1": "F1-score"}
    rows = rows_of(tables["table2"].to_csv())
    assert rows[:4] == [[names[m], repr(first[m]), repr(second[m]), *published[m]] for m in names]
    ends = [("from", 0), ("to", 1)]
    assert rows[4:] == [
        [f"Accuracy, 95% interval {word}", *(repr(m["accuracy_interval"][end]) for m in (first, second)), "", "", ""]
        for word, end in ends
    ]


def test_table_2_is_shown_with_three_decimals_and_the_papers_own(folder, tables):
    first, second = (recorded(folder, stage) for stage in STAGES)
    shown = tables["table2"].shown()
    assert shown[1] == ["Precision", f"{first['precision']:.3f}", f"{second['precision']:.3f}", "0.891", "0.89", "0.83"]
    assert shown[0] == ["Accuracy", "0.619", "0.762", "0.875", "0.87", "0.82"]  # 13 and 16 of 21


# ------------------------------------------------------------------ classes


@pytest.mark.parametrize("stage, matrix", [("stage1", FIRST), ("stage2", SECOND)])
def test_the_confusion_table_has_a_row_for_each_true_class(tables, stage, matrix):
    table = tables[f"confusion_{stage}"]
    assert list(table.header) == ["True \\ predicted", *NAMES]
    assert [list(row) for row in table.rows] == [[name, *row] for name, row in zip(NAMES, matrix, strict=True)]


@pytest.mark.parametrize("stage, matrix", [("stage1", FIRST), ("stage2", SECOND)])
def test_the_table_of_classes_is_what_follows_from_the_confusion_matrix(tables, stage, matrix):
    table = tables[f"per_class_{stage}"]
    assert list(table.header) == ["Class", "Precision", "Recall", "F1", "Images"]
    expected = []
    for c, name in enumerate(NAMES):
        answered, images = sum(row[c] for row in matrix), sum(matrix[c])
        precision, recall = matrix[c][c] / answered, matrix[c][c] / images
        f1 = 2 * matrix[c][c] / (answered + images)
        expected.append([name.replace("_", " "), f"{precision:.3f}", f"{recall:.3f}", f"{f1:.3f}", str(images)])
    assert table.shown() == expected


def test_a_class_that_the_metrics_leave_out_has_no_row(read):
    each = {"singa_barong": {"precision": 0.125, "recall": 0.25, "f1": 0.5, "support": 3}}
    table = all_tables(read(metrics=[{"per_class": each}, {}]))["per_class_stage1"]
    assert table.shown() == [["singa barong", "0.125", "0.250", "0.500", "3"]]


def test_the_split_is_counted_class_by_class_and_together(tables):
    assert list(tables["split_counts"].header) == ["Class", "Training", "Validation", "Together"]
    assert tables["split_counts"].shown() == [
        ["keratonan", "15", "5", "20"],
        ["mega mendung", "22", "7", "29"],
        ["singa barong", "29", "9", "38"],
        ["all", "66", "21", "87"],
    ]


def test_a_class_without_training_images_is_counted_as_none(read):
    counts = {"train": {"keratonan": 4}, "validation": {"singa_barong": 3}}
    table = all_tables(read(described={"counts": counts}))["split_counts"]
    expected = [["keratonan", 4, 0, 4], ["mega_mendung", 0, 0, 0], ["singa_barong", 0, 3, 3], ["all", 4, 3, 7]]
    assert [list(row) for row in table.rows] == expected


# ------------------------------------------------------------------ mistakes


@pytest.mark.parametrize("stage, count", [("stage1", 8), ("stage2", 5)])
def test_every_mistake_of_a_stage_is_listed_the_surest_first(folder, tables, stage, count):
    with (folder / stage / "predictions.csv").open(newline="") as file:
        given = list(csv.reader(file))[1:]
    wrong = [
        [path, NAMES[int(label)], NAMES[int(answer)], shares[int(answer)]]
        for path, label, answer, *shares in given
        if label != answer
    ]
    wrong.sort(key=lambda row: float(row[3]), reverse=True)
    table = tables[f"mistakes_{stage}"]
    assert list(table.header) == ["Image", "True", "Predicted", "Probability"]
    assert rows_of(table.to_csv()) == wrong and len(wrong) == count
    assert table.shown()[0][3] == f"{float(wrong[0][3]):.3f}"


def test_mistakes_of_equal_certainty_stand_in_the_order_of_their_names(make_run):
    from batik_scratch.report.recorded import read_run

    folder = make_run()
    path = folder / "stage1" / "predictions.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *(",".join([*row.split(",")[:3], "0.5", "0.5", "0.5"]) for row in rows)]))
    images = [row[0] for row in all_tables(read_run(folder))["mistakes_stage1"].rows]
    assert len(images) == 8 and images == sorted(images)


# ------------------------------------------------------------------ files


def test_every_table_is_listed_under_its_own_name(tables):
    assert all(table.name == name for name, table in tables.items())
    assert set(tables) == {
        "table1_paper", "table2", "split_counts",
        *(f"{what}_{stage}" for what in ("table1", "per_class", "confusion", "mistakes") for stage in STAGES),
    }  # fmt: skip


def test_csv_keeps_every_digit_and_any_text():
    table = Table("t", ("a, b", "n"), [('x "y"\nz', 1 / 3), ("", 5)])
    assert list(csv.reader(table.to_csv().splitlines(keepends=True))) == [
        ["a, b", "n"],
        ['x "y"\nz', "0.3333333333333333"],
        ["", "5"],
    ]
    assert table.to_csv().startswith('"a, b",n\n')


def test_markdown_has_a_line_of_cells_for_header_rule_and_rows():
    table = Table("t", ("Class", "F1", "Images"), [("a|b\\c\nd <i>", 0.12345, 7), ("e", 1.0, 12)], digits=2)
    assert table.to_markdown() == (
        "| Class | F1 | Images |\n| --- | ---: | ---: |\n| a\\|b\\\\c d &lt;i> | 0.12 | 7 |\n| e | 1.00 | 12 |\n"
    )


def test_a_table_shows_three_decimals_unless_told():
    assert Table("t", ("a",), [(0.98765,)]).shown() == [["0.988"]]


# ------------------------------------------------------------------ the paper


def test_the_papers_table_1_is_as_printed(tables):
    printed = TABLE_1.split()  # hundredths
    rows = [[printed[i], *(f"{float(x) / 100:.4f}" for x in printed[i + 1 : i + 5])] for i in range(0, 55, 5)]
    assert tables["table1_paper"].shown() == rows
    assert list(tables["table1_paper"].header) == list(tables["table1_stage1"].header)


def test_the_papers_matrix_and_percentages_are_as_printed():
    assert paper.FIGURE_12 == ((49, 0, 0), (3, 42, 0), (7, 6, 21)) and paper.CLASS_NAMES == NAMES
    assert sum(map(sum, paper.FIGURE_12)) == 128
    assert paper.FIGURE_10 == (85.87, 3.81, 0.32)


def test_figure_12_of_the_paper_gives_its_exact_table_2():
    matrix = paper.FIGURE_12
    images, answered = [sum(row) for row in matrix], [sum(column) for column in zip(*matrix, strict=True)]
    hits = [matrix[c][c] for c in range(3)]
    precision, recall = ([h / n for h, n in zip(hits, ns, strict=True)] for ns in (answered, images))
    f1 = [2 * h / (a + b) for h, a, b in zip(hits, answered, images, strict=True)]
    weighted = [sum(n * x for n, x in zip(images, xs, strict=True)) / 128 for xs in (recall, precision, recall, f1)]
    assert [round(x, 3) for x in weighted] == [paper.FIGURE_12_METRICS[m] for m in paper.METRICS]
