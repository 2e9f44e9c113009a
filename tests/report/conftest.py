"""Synthetic run folders for the report's tests."""

import pytest
from synthetic_run import *  # noqa: F403
from synthetic_run import build_run


@pytest.fixture
def make_run(tmp_path):
    """make_run(**changes) -> a fresh run folder."""
    made = []

    def make(**changes):
        made.append(build_run(tmp_path / f"run{len(made)}", **changes))
        return made[-1]

    return make


@pytest.fixture
def undrawn(monkeypatch):
    """Every figure becomes the same small PNG: for tests of words and numbers, without the seconds of drawing."""
    from batik_scratch.report import style, write

    png = style.to_png(style.new_figure(1, 1))
    monkeypatch.setattr(write, "to_png", lambda figure: png)


@pytest.fixture(scope="session")
def reported(tmp_path_factory):
    """One run folder of three classes, reported once; tests read it and change nothing."""
    from batik_scratch.report import write_report

    folder = build_run(tmp_path_factory.mktemp("report") / "run")
    write_report(folder)
    return folder
