"""Real processes of this machine whose cells raise, hang or die: clear words, and nothing lost."""

import dataclasses
import os
import time

import pytest
from experiment.conftest import TINY, quiet
from experiment.test_experiment_schedule import made_up

from batik_scratch.errors import InputError
from batik_scratch.experiment import resume_experiment, run_experiment
from batik_scratch.experiment.cells import Cell
from batik_scratch.experiment.executors.executor import WorkerLost
from batik_scratch.experiment.executors.here import Here

pytestmark = pytest.mark.slow
CONFIG = dataclasses.replace(TINY, arms=("images", "saliency"), repeats=1, folds=2, inits=1, permuted=0)
BAD, NEEDS_IT = "r0-f1-inner_1-i0", "r0-f1-saliency-i0"
CELLS = 2 * (3 + 2)


def raises(config, material, cell, maps):
    if cell.name == BAD:
        raise ValueError("no light in here")
    return made_up(config, material, cell, maps)


def hangs(config, material, cell, maps):
    if cell.name == BAD:
        time.sleep(1000)
    return made_up(config, material, cell, maps)


def dies(config, material, cell, maps):
    if cell.name == BAD:
        os._exit(9)
    return made_up(config, material, cell, maps)


def start(work):
    return lambda config, material: Here(config, material, 2, work)


def goes_on(out):
    """All cells are there once the fault is gone."""
    folder = resume_experiment(out, start(made_up), say=quiet)
    assert folder.results.read()["cells"] == {"planned": CELLS, "done": CELLS, "failed": {}}


def test_a_cell_that_raises_is_recorded_with_its_error_and_the_rest_goes_on(tmp_path):
    folder = run_experiment(CONFIG, tmp_path / "e", start(raises), say=quiet)
    assert folder.failures() == {BAD: "ValueError: no light in here", NEEDS_IT: f"it needs {BAD}, which failed"}
    goes_on(tmp_path / "e")


def test_a_cell_that_kills_its_process_fails_alone(tmp_path):
    folder = run_experiment(CONFIG, tmp_path / "e", start(dies), say=quiet)
    failures = folder.failures()
    assert set(failures) == {BAD, NEEDS_IT}
    assert failures[BAD].startswith("WorkerLost: its process was killed, crashed or had no memory left.")
    assert "EXIT(9)" in failures[BAD] and "\n" not in failures[BAD]
    goes_on(tmp_path / "e")


def test_a_cell_that_is_given_to_a_pool_whose_process_just_died_is_told_by_its_result():
    here = Here(CONFIG, None, 1, hangs)
    try:
        here._pool.submit(os._exit, 9).exception()  # the pool is broken from here on
        cell = Cell(0, 0, "images", 0)
        with pytest.raises(WorkerLost, match="its process was killed"):
            here.result(here.submit(cell, {}))
        here.mend()
        assert not here.submit(cell, {}).done()
    finally:
        here.close(in_a_hurry=True)


def test_a_process_that_never_answers_ends_in_an_error_that_names_the_cell(tmp_path):
    with pytest.raises(InputError, match=rf"no worker answered for 25 seconds; 1 cells were waited for \({BAD}\)"):
        run_experiment(CONFIG, tmp_path / "e", start(hangs), say=quiet, silence=25)
    assert len(list((tmp_path / "e" / "cells").iterdir())) == CELLS - 2
    goes_on(tmp_path / "e")
