"""An experiment: begun in a new folder, or gone on with; cell by cell, then the results."""

import datetime
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..bars import tqdm
from ..errors import InputError
from ..ops.jit import say_if_cold
from ..record import RunRecord
from ..study.environment import environment
from ..study.locked_folder import check_free
from ..study.run_folder import absolute, check_outside, check_photos
from .arms import check_arms, check_possible
from .config import ExperimentConfig, load_experiment_config
from .executors.executor import Executor
from .folder import ExperimentFolder
from .graph import all_cells
from .material import Material, check_size, load_material
from .results import write_results
from .schedule import Schedule

Start = Callable[[ExperimentConfig, Material], Executor]


def run_experiment(
    config: ExperimentConfig,
    out: Path,
    start: Start,
    command: str = "",
    say: Callable[[str], None] = print,
    silence: float | None = None,
) -> ExperimentFolder:
    """Run the whole experiment into the folder `out`, which must not exist or be empty.

    start: makes the executor, `executors.here.Here` or `executors.cluster.Cluster`

    Whatever is wrong with the configuration, the images or the cluster raises InputError before `out` appears. cells/
    and results.json repeat bit for bit from the same configuration, images and kind of processor, whoever runs the
    cells; an experiment that was interrupted goes on with `resume_experiment`.
    """
    check_free(out)
    check_arms(config.arms)
    config = replace(config, study=replace(config.study, data=absolute(config.study.data)))
    check_outside(out, config.study.data)
    material = _load(config, say)
    executor = start(config, material)
    try:
        with ExperimentFolder.create(out, config) as folder:
            folder.data.write(material.description())  # type: ignore[arg-type]
            _go_through(config, material, folder, executor, command, say, silence)
    finally:
        executor.close(in_a_hurry=True)
    return folder


def resume_experiment(
    out: Path, start: Start, command: str = "", say: Callable[[str], None] = print, silence: float | None = None
) -> ExperimentFolder:
    """Run what is missing in the folder `out`, and what failed; cells that are there are kept.

    Raises InputError if `out` is no experiment's folder, if another process works in it, or if the images are not those
    that it began with.
    """
    with ExperimentFolder.open(out) as folder:
        config = load_experiment_config(folder.config.path)
        check_photos(out, config.study.data, folder.config.name)
        material = _load(config, say)
        described = json.loads(json.dumps(material.description()))
        if not folder.data.exists():
            folder.data.write(described)
        elif folder.data.value() != described:
            raise InputError(
                f"--resume {out}: the images in {config.study.data or 'the drawn set'} are not those that this "
                "experiment began with; put them back, or start a new experiment"
            )
        executor = start(config, material)
        try:
            _go_through(config, material, folder, executor, command, say, silence)
        finally:
            executor.close(in_a_hurry=True)
    return folder


def _load(config: ExperimentConfig, say: Callable[[str], None]) -> Material:
    say("data: drawing batik" if not config.study.data else f"data: reading {config.study.data}")
    material = load_material(config.study)
    check_size(config, material)
    check_possible(config.arms, config.study.network, material.masks is not None)
    say_if_cold(say)
    return material


def _go_through(
    config: ExperimentConfig,
    material: Material,
    folder: ExperimentFolder,
    executor: Executor,
    command: str,
    say: Callable[[str], None],
    silence: float | None,
) -> None:
    total = len(all_cells(config))
    say(
        f"{len(material.labels)} images in {len(material.class_names)} classes; {total} cells: {config.repeats} "
        f"repeats of {config.folds} folds, {len(config.arms)} arms, {config.inits} initialisations, {config.permuted} "
        f"repeats with permuted labels; {executor.slots} at a time"
    )
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    with tqdm(total=total, desc="experiment", unit="cell", disable=None, smoothing=0.05) as bar:
        schedule = Schedule(config, material, folder, executor, lambda done: _show(bar, done), silence)
        bar.initial = len(schedule.done)
        try:
            schedule.run()
        finally:
            _record(folder, config, started, time.perf_counter() - clock, command)
    write_results(folder)
    if schedule.failed:
        say(f"{len(schedule.failed)} of {total} cells failed; see {folder.failed}. --resume tries them again")


def _show(bar: Any, done: int) -> None:
    bar.n = done
    bar.refresh()


def _record(
    folder: ExperimentFolder,
    config: ExperimentConfig,
    started: datetime.datetime,
    seconds: float,
    command: str,
) -> None:
    """run.json; the seconds of sessions before this one are added up."""
    before = folder.run.read() if folder.run.exists() else None
    spent = (before["seconds"].get("cells", 0.0) if before else 0.0) + seconds
    folder.run.write(
        RunRecord(
            started=before["started"] if before else started.isoformat(timespec="seconds"),
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seconds={"cells": round(spent, 2)},
            data=str(Path(config.study.data).absolute()) if config.study.data else "drawn",
            command=command,
            **environment(),
        )
    )
