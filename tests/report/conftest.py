"""Synthetic run folders for the report's tests."""

import pytest
from page_tree import parse
from synthetic_run import BLANK, build_run

from batik_scratch.report import write, write_report
from batik_scratch.report.pictures import all_pictures
from batik_scratch.report.recorded import read_run


@pytest.fixture
def make_run(tmp_path):
    """make_run(**changes) -> a fresh run folder."""
    made = []

    def make(**changes):
        made.append(build_run(tmp_path / f"run{len(made)}", **changes))
        return made[-1]

    return make


@pytest.fixture
def read(make_run):
    """read(**changes) -> a fresh run folder as the report sees it."""
    return lambda **changes: read_run(make_run(**changes))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The usual run folder; tests read it and change nothing."""
    return build_run(tmp_path_factory.mktemp("run") / "run")


@pytest.fixture(scope="session")
def run(folder):
    """The usual run folder as the report sees it."""
    return read_run(folder)


@pytest.fixture(scope="session")
def pictures(run):
    """The figures of the usual run, made but not rendered."""
    return all_pictures(run)


@pytest.fixture
def undrawn(monkeypatch, pictures):
    """Every figure of every run is the same small PNG: for tests of words and numbers, without seconds of drawing."""
    monkeypatch.setattr(write, "all_pictures", lambda run: pictures)
    monkeypatch.setattr(write, "to_png", lambda figure: BLANK)


@pytest.fixture(scope="session")
def reported(tmp_path_factory, pictures):
    """The usual run folder, reported once; tests read it and change nothing."""
    folder = build_run(tmp_path_factory.mktemp("report") / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "all_pictures", lambda run: pictures)  # not made twice
        write_report(folder)
    return folder


@pytest.fixture(scope="session")
def text(reported):
    """The page of the usual run folder."""
    return (reported / "report.html").read_text()


@pytest.fixture(scope="session")
def page(text):
    """The same as elements."""
    return parse(text)


@pytest.fixture
def page_of(make_run, undrawn):
    """page_of(**changes) -> the page of a run folder, without the figures."""
    return lambda **changes: parse(write_report(make_run(**changes)).read_text())
