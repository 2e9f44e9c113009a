"""What `write_report` reads and writes: complete tables, honest errors, any number of classes and epochs."""

import csv
import json

import numpy as np
import pytest

from batik_scratch.errors import InputError
from batik_scratch.report import paper, write_report

PIECES = (
    "config.toml",
    "run.json",
    "network.txt",
    "split.csv",
    "data.json",
    "examples.npz",
    *(f"{stage}/{name}.csv" for stage in ("stage1", "stage2") for name in ("history", "predictions")),
    *(f"{stage}/metrics.json" for stage in ("stage1", "stage2")),
)
SMALL = {"per_class": 4, "size": 16, "epochs": 3}


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("piece", PIECES)
def test_a_missing_piece_is_named_and_nothing_is_written(make_run, piece):
    folder = make_run(**SMALL)
    (folder / piece).unlink()
    with pytest.raises(InputError, match="missing") as caught:
        write_report(folder)
    assert str(folder / piece) in str(caught.value)
    assert not any((folder / name).exists() for name in ("figures", "tables", "report.html"))


@pytest.mark.parametrize("piece", [p for p in PIECES if p != "network.txt"])
def test_a_damaged_piece_is_named(make_run, piece):
    folder = make_run(**SMALL)
    (folder / piece).write_bytes(b'"]\x00\xff,,,\n1,2\n[[[')
    with pytest.raises(InputError) as caught:
        write_report(folder)
    assert str(folder / piece) in str(caught.value)


def test_a_folder_that_is_not_there_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        write_report(tmp_path / "nowhere")


def test_examples_are_never_unpickled(make_run):
    folder = make_run(**SMALL)
    with np.load(folder / "examples.npz") as archive:
        arrays = dict(archive)
    np.savez(folder / "examples.npz", **(arrays | {"paths": arrays["paths"].astype(object)}))
    with pytest.raises(InputError, match=r"examples\.npz"):
        write_report(folder)


def test_run_json_may_lack_every_key(make_run, undrawn):
    folder = make_run(**SMALL)
    (folder / "run.json").write_text("{}")
    assert "What was run" in write_report(folder).read_text()


def test_table_1_holds_the_last_eleven_epochs_in_full(reported):
    history = read_csv(reported / "stage1" / "history.csv")[1:]
    table = read_csv(reported / "tables" / "table1_stage1.csv")
    assert table[0] == ["Epoch", "Accuracy", "Loss", "Val Accuracy", "Val Loss"]
    assert [row[0] for row in table[1:]] == [str(epoch) for epoch in range(20, 31)]
    assert [[float(x) for x in row] for row in table[1:]] == [[float(x) for x in row[:5]] for row in history[-11:]]


def test_the_papers_table_1_has_its_eleven_rows(reported):
    rows = read_csv(reported / "tables" / "table1_paper.csv")[1:]
    assert len(rows) == 11
    assert rows[0] == ["90", "0.968", "0.1821", "0.8592", "0.3755"]
    assert rows[-1] == ["100", "0.9121", "0.2514", "0.8451", "0.4232"]


def test_table_2_holds_the_recorded_metrics_bit_for_bit(reported):
    rows = {row[0]: row[1:] for row in read_csv(reported / "tables" / "table2.csv")}
    metrics = [json.loads((reported / stage / "metrics.json").read_text()) for stage in ("stage1", "stage2")]
    for name, key in (("Accuracy", "accuracy"), ("Precision", "precision"), ("Recall", "recall"), ("F1-score", "f1")):
        assert [float(x) for x in rows[name][:2]] == [m[key] for m in metrics]
    assert rows["Precision"][2:] == ["0.891", "0.89", "0.83"]


def test_figure_12_of_the_paper_gives_its_exact_table_2():
    matrix = np.array(paper.FIGURE_12)
    support, hits = matrix.sum(axis=1), np.diag(matrix)
    precision, recall = hits / matrix.sum(axis=0), hits / support
    f1 = 2 * precision * recall / (precision + recall)
    weighted = [float((support * x).sum() / support.sum()) for x in (recall, precision, recall, f1)]
    assert [round(x, 3) for x in weighted] == [paper.FIGURE_12_METRICS[m] for m in paper.METRICS]


def test_mistakes_are_listed_surest_first(reported):
    rows = read_csv(reported / "tables" / "mistakes_stage1.csv")[1:]
    predictions = read_csv(reported / "stage1" / "predictions.csv")[1:]
    assert len(rows) == sum(row[1] != row[2] for row in predictions) > 3
    assert [float(row[3]) for row in rows] == sorted((float(row[3]) for row in rows), reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "epochs"), [(("kawung", "parang"), 1), (tuple(f"a long motif name, number {i}" for i in range(7)), 2)]
)
def test_other_numbers_of_classes_and_epochs_are_reported(make_run, names, epochs):
    folder = make_run(names=names, epochs=epochs, per_class=4, size=16)
    page = write_report(folder).read_text()
    assert all(page.count(name) > 5 for name in names)
    assert len(read_csv(folder / "tables" / "table1_stage2.csv")) == 1 + epochs
    assert len(list((folder / "figures").glob("*.png"))) == 8
    assert not list(folder.rglob("*.tmp"))


def test_markdown_tables_keep_their_columns_whatever_a_class_is_called(make_run, undrawn):
    folder = make_run(names=("a|b", "c\nd", "<i>"), **SMALL)
    write_report(folder)
    lines = (folder / "tables" / "per_class_stage1.md").read_text().splitlines()
    assert len(lines) == 5
    assert {line.replace("\\|", "").count("|") for line in lines} == {6}


@pytest.mark.slow
def test_reporting_again_replaces_the_report(make_run, undrawn):
    folder = make_run(**SMALL)
    before = write_report(folder).read_bytes()
    (folder / "report.html").write_text("old")
    assert write_report(folder).read_bytes() == before
