"""Results that are kept without their cells are drawn again, by the script beside them."""

import runpy
import sys
from pathlib import Path

from experiment.test_experiment_results import CONFIG, DATA, reached, record

from batik_scratch.cli import main
from batik_scratch.experiment.graph import all_cells
from batik_scratch.experiment.results import results
from batik_scratch.record.experiment import ExperimentFiles

SCRIPT = Path(__file__).parents[2] / "examples" / "results" / "draw.py"


def drawn(monkeypatch, there, here, *more):
    monkeypatch.setattr(sys, "argv", ["draw.py", str(there), "--folder", str(here), *more])
    runpy.run_path(str(SCRIPT), run_name="__main__")


def test_the_forest_plot_is_drawn_again_from_results_alone(tmp_path, monkeypatch, capsys):
    there, here = tmp_path / "experiment", tmp_path / "kept"
    there.mkdir()
    here.mkdir()
    made = results(CONFIG, DATA, [record(cell, reached(cell)) for cell in all_cells(CONFIG)], {})
    ExperimentFiles(there).results.write(made)
    drawn(monkeypatch, there, here)
    assert (here / "results.json").read_bytes() == (there / "results.json").read_bytes()
    assert (here / "claim.png").read_bytes().startswith(b"\x89PNG")
    page = " ".join((here / "README.md").read_text().split())
    assert "with saliency maps laid over them, accuracy is 3.1 points higher" in page and "![" in page
    assert main(["report", str(here)]) == 0 and (here / "experiment.html").exists()

    made["settings"]["study"]["data"] = "/home/somebody/photos"
    ExperimentFiles(there).results.write(made)
    drawn(monkeypatch, there, here, "--beside", "photos")
    page = " ".join((here / "README.md").read_text().split())
    assert page.count("accuracy is 3.1 points higher") == 2 and "`photos/results.json`" in page
    assert '"data": "photos"' in (here / "photos" / "results.json").read_text()
