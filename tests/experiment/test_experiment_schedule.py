"""Who runs when, what is written, and what happens when cells or workers fail."""

import dataclasses
from collections import Counter
from typing import Any, ClassVar

import numpy as np
import pytest
from experiment.conftest import TINY, InLine, quiet

from batik_scratch.errors import InputError
from batik_scratch.experiment import Cell, resume_experiment, run_experiment
from batik_scratch.experiment.executors.executor import WorkerLost
from batik_scratch.experiment.graph import all_cells, needs
from batik_scratch.experiment.material import Material
from batik_scratch.experiment.patience import patience
from batik_scratch.experiment.training import Outcome


def made_up(config, material, cell, maps):
    """A cell without a training: its answers are the labels."""
    labels = material.labels[:6].tolist()
    record = {
        "cell": cell._asdict(),
        **dict.fromkeys(("accuracy", "macro_f1", "log_loss", "ece"), 0.5),
        "confusion": np.eye(3, dtype=int).tolist(),
        "curves": {name: [0.1, 0.2] for name in ("accuracy", "loss", "val_accuracy", "val_loss")},
        "rows": list(range(6)),
        "labels": labels,
        "predicted": labels,
        "probabilities": [[1.0, 0.0, 0.0]] * 6,
    }
    n, size = len(material.labels), config.study.image_size
    of_all = np.zeros((n, size, size), np.uint8)
    if cell.arm == "stage_one":
        return Outcome(record, {"in_fold": of_all, "true_in_fold": of_all, "other": of_all[:1], "other_class": labels})
    if cell.is_stage_one:
        from batik_scratch.experiment.material import inner_parts

        part = inner_parts(config, material, cell.group) == int(cell.arm[-1])
        return Outcome(record, {"predicted": of_all[part], "true": of_all[part]})
    return Outcome(record, {})


class Watched(InLine):
    """Remembers itself, and fails as it is told: `faults` has, by the cell's name, the errors of its first runs."""

    last: ClassVar[Any] = None
    faults: ClassVar[dict[str, list[Exception]]] = {}

    def __init__(self, config, material):
        super().__init__(config, material, made_up)
        self.faults = {name: list(errors) for name, errors in type(self).faults.items()}
        Watched.last = self

    def result(self, future):
        left = self.faults.get(self.pending[future][0].name)
        if left:
            self.pending.pop(future)
            raise left.pop(0)
        return super().result(future)


def failing(name, errors):
    return type("Failing", (Watched,), {"faults": {name: errors}})


def test_the_graph_has_each_cell_once_and_what_it_needs_before_it():
    cells = all_cells(TINY)
    # 3 folds of 2 repeats and 1 permuted one: the whole network and 2 inner ones, 3 arms of 2 initialisations
    assert len(cells) == len(set(cells)) == 3 * 3 * (3 + 6)
    for place, cell in enumerate(cells):
        assert set(needs(TINY, cell)) <= set(cells[:place])
    assert [need.arm for need in needs(TINY, Cell(0, 0, "saliency"))] == ["stage_one", "inner_0", "inner_1"]
    assert [need.arm for need in needs(TINY, Cell(0, 0, "resplit"))] == ["stage_one"]
    assert needs(TINY, Cell(0, 0, "images")) == []


def test_an_arm_without_maps_trains_no_stage_one():
    cells = all_cells(dataclasses.replace(TINY, arms=("images", "sobel")))
    assert {cell.arm for cell in cells} == {"images", "sobel"}


def test_every_cell_runs_once_after_what_it_needs_and_no_maps_are_left(tmp_path):
    folder = run_experiment(TINY, tmp_path / "e", Watched, say=quiet)
    ran = Watched.last.submitted
    assert Counter(ran) == Counter(all_cells(TINY)) and Watched.last.closed == 1
    for place, cell in enumerate(ran):
        assert set(needs(TINY, cell)) <= set(ran[:place])
    assert {path.stem for path in folder.cells.iterdir()} == {cell.name for cell in ran}
    assert not list(folder.maps.iterdir()) and not list(folder.failed.iterdir())
    assert folder.results.read()["cells"] == {"planned": 81, "done": 81, "failed": {}}


def test_a_cell_that_fails_twice_runs_a_third_time(tmp_path):
    start = failing("r0-f1-saliency-i0", [ValueError("once"), ValueError("twice")])
    folder = run_experiment(TINY, tmp_path / "e", start, say=quiet)
    assert Counter(Watched.last.submitted)[Cell(0, 1, "saliency")] == 3
    assert folder.cell("r0-f1-saliency-i0").exists() and not folder.failures()


def test_a_cell_that_fails_three_times_is_recorded_with_what_needed_it_and_resume_tries_it_again(tmp_path):
    said = []
    start = failing("r0-f1-inner_1-i0", [ValueError("no light")] * 3)
    folder = run_experiment(TINY, tmp_path / "e", start, say=said.append)
    assert folder.failures() == {
        "r0-f1-inner_1-i0": "ValueError: no light",
        "r0-f1-saliency-i0": "it needs r0-f1-inner_1-i0, which failed",
        "r0-f1-saliency-i1": "it needs r0-f1-inner_1-i0, which failed",
    }
    assert "3 of 81 cells failed" in said[-1] and folder.results.read()["cells"]["done"] == 78
    before = {path.name: path.stat().st_mtime_ns for path in folder.cells.iterdir()}
    folder = resume_experiment(tmp_path / "e", Watched, say=quiet)
    # what failed, and nothing else: the maps of the fold were kept for this
    assert sorted({cell.name for cell in Watched.last.submitted}) == [
        "r0-f1-inner_1-i0",
        "r0-f1-saliency-i0",
        "r0-f1-saliency-i1",
    ]
    assert not folder.failures() and folder.results.read()["cells"]["done"] == 81
    assert before.items() <= {path.name: path.stat().st_mtime_ns for path in folder.cells.iterdir()}.items()


def test_a_worker_lost_costs_nothing_but_time(tmp_path):
    start = failing("r0-f0-stage_one-i0", [WorkerLost("gone")])
    folder = run_experiment(TINY, tmp_path / "e", start, say=quiet)
    assert Watched.last.mended == 1 and not folder.failures()
    assert folder.results.read()["cells"]["done"] == 81


def test_a_cell_that_takes_its_worker_along_fails_alone(tmp_path):
    """Whoever ran beside it is run again, and is not blamed."""
    start = failing("r0-f0-saliency-i1", [WorkerLost("gone")] * 9)
    folder = run_experiment(TINY, tmp_path / "e", start, say=quiet)
    assert folder.failures() == {"r0-f0-saliency-i1": "WorkerLost: gone"}
    assert Watched.last.mended == 3


def test_silence_is_an_error_that_names_who_was_waited_for_and_loses_nothing(tmp_path):
    class Silent(Watched):
        def wait(self, futures, seconds):
            assert seconds == 7
            return super().wait(futures, seconds) if len(self.submitted) < 20 else []

    with pytest.raises(InputError, match=r"no worker answered for 7 seconds; 4 cells were waited for \(r0-.*--resume"):
        run_experiment(TINY, tmp_path / "e", Silent, say=quiet, silence=7)
    assert len(list((tmp_path / "e" / "cells").iterdir())) >= 15 and Watched.last.closed == 1
    folder = resume_experiment(tmp_path / "e", Watched, say=quiet)
    assert folder.results.read()["cells"]["done"] == 81


def test_a_client_that_was_stopped_for_hours_gives_its_workers_time_when_it_goes_on(tmp_path):
    """As by Ctrl-Z and fg: one wait that lasted for hours counts as one slice of the silence, and is no end."""
    waits = []

    class Stopped(Watched):
        def wait(self, futures, seconds):
            waits.append(seconds)
            return [] if len(waits) in (3, 4) else super().wait(futures, seconds)

    folder = run_experiment(TINY, tmp_path / "e", Stopped, say=quiet, silence=25)
    assert folder.results.read()["cells"]["done"] == 81
    assert waits[2:5] == [10, 10, 5]


def test_a_training_that_takes_hours_is_waited_for():
    """table1 at 150 pixels trains 200 epochs: some 20 minutes on a fast core, and an hour and more on a slow one."""
    study = dataclasses.replace(TINY.study, epochs=100, image_size=150)
    made = Material(np.empty(0), np.zeros(568), np.empty(0), [], None, "", "")
    assert patience(dataclasses.replace(TINY, study=study), made) > 6 * 3600
    assert 1800 <= patience(TINY, made) < 1900


def test_what_was_interrupted_goes_on_with_what_is_missing(tmp_path):
    class Interrupted(Watched):
        def wait(self, futures, seconds):
            if len(self.submitted) >= 40:
                raise KeyboardInterrupt
            return super().wait(futures, seconds)

    with pytest.raises(KeyboardInterrupt):
        run_experiment(TINY, tmp_path / "e", Interrupted, say=quiet)
    done = {path.stem for path in (tmp_path / "e" / "cells").iterdir()}
    assert 30 < len(done) < 40 and (tmp_path / "e" / "run.json").exists()
    resume_experiment(tmp_path / "e", Watched, say=quiet)
    assert not done & {cell.name for cell in Watched.last.submitted}


def test_maps_that_were_lost_are_made_again_where_they_are_still_needed(tmp_path):
    folder = run_experiment(TINY, tmp_path / "e", Watched, say=quiet)
    folder.cell("r1-f2-saliency-i1").remove()
    folder.cell("r0-f0-resplit-i0").remove()
    resume_experiment(tmp_path / "e", Watched, say=quiet)
    assert sorted(cell.name for cell in Watched.last.submitted) == [
        "r0-f0-resplit-i0",
        "r0-f0-stage_one-i0",
        "r1-f2-inner_0-i0",
        "r1-f2-inner_1-i0",
        "r1-f2-saliency-i1",
        "r1-f2-stage_one-i0",
    ]


def test_two_processes_keep_out_of_one_folder(tmp_path):
    class Nosy(Watched):
        def submit(self, cell, maps):
            with pytest.raises(InputError, match="another run is at work"):
                resume_experiment(tmp_path / "e", Watched, say=quiet)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(TINY, tmp_path / "e", Nosy, say=quiet)


def test_other_images_are_not_gone_on_with(tmp_path):
    folder = run_experiment(TINY, tmp_path / "e", Watched, say=quiet)
    described = dict(folder.data.read())
    folder.data.write(described | {"key": "another"})
    with pytest.raises(InputError, match="not those that this experiment began with"):
        resume_experiment(tmp_path / "e", Watched, say=quiet)
