"""`batik-scratch report`: draw the report of a run or of an experiment again."""

import argparse
from pathlib import Path
from typing import Any

from ..errors import InputError
from .shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its options."""
    what = "draw the report of a run or an experiment again"
    p = add_command(commands, "report", call, what, "report runs/20260101-120000")
    p.add_argument("folder", type=Path, metavar="DIR", help="folder of a run or of an experiment")


def call(options: argparse.Namespace) -> int:
    """Write the page and what belongs to it; of an experiment also while it is still at work."""
    from ..report import write_report

    folder = options.folder
    if (folder / "experiment.toml").is_file():
        page = report_experiment(folder)
    elif (folder / "results.json").is_file():  # kept without its cells
        from ..report.experiment import write_experiment_report

        page = write_experiment_report(folder)
    elif (folder / "config.toml").is_file() or not folder.is_dir():
        page = write_report(folder)
    else:
        raise InputError(
            f"report {folder}: needs the folder of a run (with config.toml) or of an experiment (with experiment.toml "
            "or results.json); give one that `run` or `experiment` made"
        )
    print(f"report: {page}")
    return DONE


def report_experiment(folder: Path) -> Path:
    """results.json from the cells that are there, then the report; returns the page's path."""
    from ..experiment import write_results
    from ..record.experiment import ExperimentFiles
    from ..report.experiment import write_experiment_report

    write_results(ExperimentFiles(folder))
    return write_experiment_report(folder)
