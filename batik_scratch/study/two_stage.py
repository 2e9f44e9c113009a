"""A run: begin a two-stage study in a new folder, or go on with one that was interrupted, task by task."""

import datetime
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..errors import InputError
from ..ops.jit import say_if_cold
from ..record import BadRunFile, RunRecord
from .changes import check_unchanged
from .config import TwoStageConfig, load_config
from .data import StudyData, load_study_data
from .environment import environment
from .locked_folder import check_free
from .progress import RunBar
from .run_folder import RunFolder, absolute, check_outside, check_photos
from .tasks import Session, images_of_tasks, two_stage_tasks


def run_two_stage(
    config: TwoStageConfig,
    out: Path,
    command: str = "",
    say: Callable[[str], None] = print,
    verbose: int = 1,
    checkpoint_every: int = 1,
) -> RunFolder:
    """Run the whole study into the folder `out`, which must not exist or be empty.

    Bad configuration, data or folder raise InputError before `out` appears. Everything in the folder but run.json
    repeats bit for bit from the same configuration, data and machine; a run that was interrupted goes on with
    `resume_two_stage`.
    """
    check_free(out)
    config = replace(config, data=absolute(config.data))
    check_outside(out, config.data)
    clock, session = _Clock(), Session(command, say, verbose, checkpoint_every)
    data = _load(config, session)
    with RunFolder.create(out, config) as folder:
        folder.data.write(data.description())
        _go_through(config, data, folder, session, clock)
    return folder


def resume_two_stage(
    out: Path,
    command: str = "",
    say: Callable[[str], None] = print,
    verbose: int = 1,
    checkpoint_every: int = 1,
    accept_changes: bool = False,
) -> RunFolder:
    """Go on with the run in the folder `out` from its last checkpoint, to the bits of an uninterrupted run.

    What is done is kept. Raises InputError if `out` is no run folder, if another process works in it, if the photos
    are not those that the run began with, or if config.toml was edited since (unless `accept_changes`).
    """
    with RunFolder.open(out) as folder:
        clock, session = _Clock(), Session(command, say, verbose, checkpoint_every)
        config = load_config(folder.config.path)
        if folder.run.exists():
            say(f"{out}: this run is finished; nothing to train")
            folder.drop_scratch()
            return folder
        check_unchanged(folder, config, accept_changes, say)
        check_photos(out, config.data)
        data = _load(config, session)
        if not folder.data.exists():
            folder.data.write(data.description())
        else:
            data = _as_begun(folder, data, config)
        _go_through(config, data, folder, session, clock)
    return folder


def _load(config: TwoStageConfig, session: Session) -> StudyData:
    session.say("data: drawing batik" if not config.data else f"data: reading {config.data}")
    data = load_study_data(config)
    say_if_cold(session.say)
    return data


def _as_begun(files: RunFolder, data: StudyData, config: TwoStageConfig) -> StudyData:
    """The data with the split that the run recorded: another release may find other near-duplicates, and so split the
    same photos otherwise. InputError if they are not the same photos.
    """
    try:
        recorded = files.data.read()
    except BadRunFile:
        raise InputError(
            f"{files.data.path}: cannot be read as JSON; this run folder is damaged, start a new run"
        ) from None
    photos = {"key": data.key, "class_names": list(data.class_names), "skipped": [path for path, _ in data.skipped]}
    begun = {key: recorded.get(key) for key in ("key", "class_names")}
    if photos != begun | {"skipped": [entry[0] for entry in recorded.get("skipped") or []]}:
        raise InputError(
            f"--resume {files.path}: the images in {config.data or 'the drawn set'} are not those that this run began "
            "with; put them back, or start a new run"
        )
    if not files.split.exists():
        return data
    rows = files.split.read()
    if [row[:3] for row in rows] != [row[:3] for row in data.split_rows()]:
        raise InputError(f"{files.split.path}: lists other images than the data; start a new run")
    held_out = np.array([row.part == "validation" for row in rows])  # (N,)
    return replace(
        data,
        train=np.flatnonzero(~held_out),
        validation=np.flatnonzero(held_out),
        near_duplicate_groups=recorded.get("near_duplicate_groups", data.near_duplicate_groups),
    )


def _go_through(config: TwoStageConfig, data: StudyData, files: RunFolder, session: Session, clock: "_Clock") -> None:
    """Every task that is not done yet; then the record, which says that all are."""
    with RunBar(images_of_tasks(config, data), shown=bool(session.verbose)) as bar:
        for task in two_stage_tasks(config, data, files, replace(session, at=bar.at)):
            if task.says:
                with tqdm.external_write_mode():  # the bar steps aside for the line
                    session.say(task.says)
            done = task.done()
            bar.begin(task.name, done)
            if not done:
                task.do()
            bar.end()
            clock.lap(task.name)
    finished = datetime.datetime.now(datetime.UTC)
    files.run.write(
        RunRecord(
            started=clock.started.isoformat(timespec="seconds"),
            finished=finished.isoformat(timespec="seconds"),
            seconds=clock.laps,
            data=config.data or "drawn",
            command=session.command,
            **environment(),
        )
    )
    files.drop_scratch()


class _Clock:
    """Seconds of each task, by a clock that never goes backwards; the date is for the reader only."""

    def __init__(self) -> None:
        self.started = datetime.datetime.now(datetime.UTC)
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 2)
        self._last = now
