"""What `write_report` reads and writes: every piece needed, every file whole, any number of classes and epochs."""

import csv
import subprocess
import sys

import numpy as np
import pytest
from synthetic_run import BLANK

from batik_scratch.errors import InputError
from batik_scratch.figures import style
from batik_scratch.report import write, write_report
from batik_scratch.report.tables import all_tables

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


@pytest.mark.parametrize("piece", PIECES)
def test_a_missing_piece_is_named_and_nothing_is_written(make_run, piece):
    folder = make_run()
    (folder / piece).unlink()
    with pytest.raises(InputError, match="is missing; give a finished run") as caught:
        write_report(folder)
    assert str(folder / piece) in str(caught.value)
    assert not any((folder / name).exists() for name in ("figures", "tables", "report.html"))


@pytest.mark.parametrize("piece", [p for p in PIECES if p != "network.txt"])
def test_a_damaged_piece_is_named(make_run, piece):
    folder = make_run()
    (folder / piece).write_bytes(b'"]\x00\xff,,,\n1,2\n[[[')
    with pytest.raises(InputError) as caught:
        write_report(folder)
    assert str(folder / piece) in str(caught.value)


def test_a_folder_that_is_not_there_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        write_report(tmp_path / "nowhere")


def test_examples_are_never_unpickled(make_run):
    folder = make_run()
    with np.load(folder / "examples.npz") as archive:
        arrays = dict(archive)
    np.savez(folder / "examples.npz", **(arrays | {"paths": arrays["paths"].astype(object)}))
    with pytest.raises(InputError, match=r"examples\.npz"):
        write_report(folder)


def test_run_json_may_lack_every_key(make_run, undrawn):
    folder = make_run()
    (folder / "run.json").write_text("{}")
    assert "What was run" in write_report(folder).read_text()


def test_every_table_is_written_as_csv_and_markdown(reported, run):
    tables = all_tables(run)
    assert {p.name for p in (reported / "tables").iterdir()} == {f"{n}.{e}" for n in tables for e in ("csv", "md")}
    for name, table in tables.items():
        assert (reported / "tables" / f"{name}.csv").read_text() == table.to_csv()
        assert (reported / "tables" / f"{name}.md").read_text() == table.to_markdown()


def test_every_figure_is_written_under_its_own_name(make_run, undrawn, monkeypatch, pictures):
    """The wide one, and no other file; behind a PNG is its figure's number here."""
    monkeypatch.setattr(write, "to_png", lambda figure: BLANK + id(figure).to_bytes(8, "big"))
    folder = make_run()
    assert write_report(str(folder)) == folder / "report.html"
    files = {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}
    assert len(files) == 8
    assert files == {f"{name}.png": write.to_png(picture.figure) for name, picture in pictures.items()}


def test_nothing_is_written_where_a_figure_cannot_be_drawn(make_run, undrawn, monkeypatch):
    monkeypatch.setattr(write, "to_png", lambda figure: 1 / 0)
    folder = make_run()
    before = sorted(folder.rglob("*"))
    with pytest.raises(ZeroDivisionError):
        write_report(folder)
    assert sorted(folder.rglob("*")) == before


def test_a_png_holds_its_figure_at_170_dots_an_inch_and_nothing_else():
    png = style.to_png(style.new_figure(2, 1))
    assert png.startswith(b"\x89PNG") and b"tEXt" not in png and b"tIME" not in png
    assert [int.from_bytes(png[i : i + 4], "big") for i in (16, 20)] == [340, 170]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "epochs"), [(("kawung", "parang"), 1), (tuple(f"a long motif name, number {i}" for i in range(7)), 2)]
)
def test_other_numbers_of_classes_and_epochs_are_reported(make_run, names, epochs):
    folder = make_run(names=names, epochs=(epochs, epochs))
    page = write_report(folder).read_text()
    assert all(page.count(name) > 5 for name in names)
    with (folder / "tables" / "table1_stage2.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 1 + epochs
    assert len(list((folder / "figures").glob("*.png"))) == 8
    assert not list(folder.rglob("*.tmp"))


def test_reporting_again_replaces_the_report(make_run, undrawn):
    folder = make_run()
    before = write_report(folder).read_bytes()
    (folder / "report.html").write_text("old")
    assert write_report(folder).read_bytes() == before


def test_reporting_loads_neither_network_nor_pyplot(make_run):
    code = (
        "import sys; from pathlib import Path; from batik_scratch.report import write_report\n"
        "write_report(Path(sys.argv[1]))\n"
        "print([m for m in sys.modules if m.startswith(('batik_scratch.nn', 'batik_scratch.saliency', 'numba', "
        "'matplotlib.pyplot'))])"
    )
    done = subprocess.run([sys.executable, "-c", code, make_run()], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
