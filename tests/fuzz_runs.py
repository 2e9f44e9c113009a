"""Damage what a run leaves, one file at a time, and go on with it: only documented errors may come out.

    python tests/fuzz_runs.py [--models 25000] [--checkpoints 25000] [--settings 25000] [--runs 25000] [--seed 0]

Models and checkpoints as in fuzz_files.py, and also with a checksum that is right: any value of the description
replaced, taken away or repeated, and weights that are no numbers. Settings: TOML of a run and of an experiment. Runs:
any file of a run folder, finished or interrupted at three places, and of the cache beside it; then it is read for the
report, or resumed. A trial of more than a minute of processor time counts as a hang, and so does one of ten minutes by
the clock, since a busy machine takes its time. Prints counts, the slowest and the growth of memory.
"""

import argparse
import contextlib
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# as in conftest.py: on a busy machine threads that wait by turning in a loop make a trial many times as long
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzz_files import damaged, damaged_model
from images.folders_of_photos import make_folder

from batik_scratch import nn
from batik_scratch.errors import InputError, TrainingDiverged
from batik_scratch.experiment.config import ExperimentConfig, load_experiment_config
from batik_scratch.images import cache
from batik_scratch.nn import model_file
from batik_scratch.report.page import Embedded, render_page
from batik_scratch.report.pictures import all_pictures
from batik_scratch.report.recorded import read_run
from batik_scratch.report.tables import all_tables
from batik_scratch.study import TwoStageConfig, load_config, resume_two_stage, run_two_stage
from batik_scratch.study.single import load_classifier

Trial = tuple[Path, bytes, Callable[[], object]]
DOCUMENTED = (InputError, TrainingDiverged)
SECONDS, BY_THE_CLOCK = 60, 600
SIZE = 32
ODD = [
    0,
    -1,
    3,
    2.5,
    10**20,
    -(10**400),
    float("nan"),
    float("inf"),
    None,
    True,
    "",
    "x",
    "é\0\n" * 40,
    [],
    [1],
    {},
    [[]],
]


# ------------------------------------------------ damage


def places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value inside a JSON value."""
    inside = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in inside] + [place for _, v in inside for place in places(v)]


def changed(value: Any, rng: random.Random) -> Any:
    """A JSON value with a few of its parts replaced, taken away or repeated."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        found = places(value)
        if not found:
            return rng.choice(ODD)
        container, key = rng.choice(found)
        way = rng.random()
        if way < 0.2:
            del container[key]
        elif way < 0.3 and isinstance(container, list):
            container.append(container[key])
        elif way < 0.4:
            other, name = rng.choice(found)
            container[key] = json.loads(json.dumps(other.get(name) if isinstance(other, dict) else container[key]))
        elif way < 0.5 and isinstance(container[key], int | float):
            container[key] = container[key] * rng.choice((-1, 10, 0.5, 1e300))
        else:
            container[key] = rng.choice(ODD)
    return value


def changed_text(text: str, rng: random.Random) -> bytes:
    """A text with a few words replaced, or lines lost, repeated or in another order; or bytes that are damaged."""
    if rng.random() < 0.3:
        return damaged([text.encode()], rng) if text else b"\xff"
    lines = text.splitlines()
    words = ["-1", "1e999", "nan", "true", '""', "[]", "{}", "99999999999999999999", '"x"', ",", "=", "é", "\0", "[x]"]
    for _ in range(rng.choice((1, 1, 2, 4))):
        row = rng.randrange(len(lines))
        way = rng.randrange(5)
        if way == 0:
            lines.insert(rng.randrange(len(lines)), lines[row])
        elif way == 1 and len(lines) > 1:
            del lines[row]
        elif way == 2 and "=" in lines[row]:
            lines[row] = lines[row].split("=")[0] + "= " + rng.choice(words)
        elif way == 3 and "," in lines[row]:
            cells = lines[row].split(",")
            cells[rng.randrange(len(cells))] = rng.choice(words)
            lines[row] = ",".join(cells)
        else:
            start = rng.randrange(len(lines[row]) + 1)
            lines[row] = lines[row][:start] + rng.choice(words) + lines[row][start + rng.randrange(6) :]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def sealed(whole: bytes, target: Path, rng: random.Random) -> bytes:
    """A model file or checkpoint with another description or other numbers, and a checksum that is right."""
    with np.load(io.BytesIO(whole)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    text = arrays.pop("description").tobytes()
    description = json.loads(text)
    del description["sha256"]
    if rng.random() < 0.85:
        description = changed(description, rng)
    else:
        name = rng.choice(sorted(arrays))
        arrays[name] = rng.choice(
            [arrays[name] * np.nan, arrays[name] * np.float32(1e38), arrays[name].T, arrays[name][..., :0]]
        )
    try:
        model_file.write_arrays(target, arrays, description)
    except (TypeError, ValueError):  # what was made of the description is no object
        return whole
    return target.read_bytes()


def damaged_file(content: bytes, name: str, target: Path, rng: random.Random) -> bytes:
    """A file of a run folder with something wrong, in its own format or in its bytes."""
    if rng.random() < 0.2:
        return damaged([content], rng) if content else b"x"
    if name.endswith(".json"):
        return json.dumps(changed(json.loads(content), rng), ensure_ascii=False).encode("utf-8", "surrogatepass")
    if name.endswith(".npz") and "description.npy" in zipfile.ZipFile(io.BytesIO(content)).namelist():
        return sealed(content, target, rng) if rng.random() < 0.5 else damaged_model(content, rng)
    if name.endswith(".npz"):
        return other_arrays(content, rng)
    if name.endswith((".toml", ".csv", ".txt")):
        return changed_text(content.decode(), rng)
    return damaged([content], rng)


def other_arrays(content: bytes, rng: random.Random) -> bytes:
    """An .npz with one array missing, of another shape or type, or without sense."""
    with np.load(io.BytesIO(content)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    name = rng.choice(sorted(arrays))
    a = arrays.pop(name)
    numbers = a.dtype.kind in "fiu"
    made = [None, a[:0], a[..., None], a.astype(str), a[:1], a.T, np.array(3), np.full(a.shape, 200), a[::-1]]
    made += [a * np.nan, a.astype(float) * 1e300, -a.astype(np.int64) - 1] if numbers else []
    if (value := rng.choice(made)) is not None:
        arrays[name] = value
    memory = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.savez(memory, **arrays)
    return memory.getvalue()


# ------------------------------------------------ trials


def feed(title: str, trials: Iterator[Trial]) -> int:
    """Write each (file, content) and call what reads it. Returns how many brought something that is not documented."""
    outcomes: Counter[str] = Counter()
    findings: Counter[str] = Counter()
    slowest, where, before = 0.0, "", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path, content, read in trials:
        path.write_bytes(content)
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.alarm(BY_THE_CLOCK)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                read()
            outcomes["taken"] += 1
        except DOCUMENTED as error:
            if 0 < len(str(error)) < 1500:
                outcomes["refused"] += 1
            elif not findings["message"]:
                print(f"  FOUND {path.name}: a message of {len(str(error))} characters: {str(error)[:300]}")
            findings["message"] += not 0 < len(str(error)) < 1500
        except BaseException as error:
            trace = traceback.extract_tb(error.__traceback__)
            ours = [f"{Path(f.filename).name}:{f.lineno}" for f in trace if "batik_scratch" in f.filename][-3:]
            key = f"{path.name}: {type(error).__name__}: {str(error)[:100]} at {' < '.join(reversed(ours))}"
            if (short := key.split(" at ")[-1] + type(error).__name__) not in findings:
                kept = Path(tempfile.gettempdir()) / f"fuzz_finding_{len(findings)}_{path.name}"
                kept.write_bytes(content)
                print(f"  FOUND {key}; the file is {kept}", flush=True)
            findings[short] += 1
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.alarm(0)
        if (took := time.process_time() - began) > slowest:
            slowest, where = took, path.name
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{title}: {sum(outcomes.values()) + sum(findings.values())} files, {outcomes['taken']} taken, "
        f"{outcomes['refused']} refused, {sum(findings.values())} otherwise; slowest {slowest:.2f} s of processor time "
        f"({where}); peak memory grew by {grown:.0f} MB",
        flush=True,
    )
    return sum(findings.values())


def network() -> nn.Sequential:
    """Small, with dropout and a layer whose statistics are not trained."""
    model = nn.Sequential(
        [nn.Conv2D(2, 3), nn.BatchNormalization(), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Dense(3), nn.Softmax()],
        (8, 8, 3),
        random_state=0,
    )
    model.metadata = {"class_names": ["a", "b", "c"], "image_size": 8}
    model.compile(optimizer=nn.Adam(1e-3), loss=nn.SparseCategoricalCrossentropy())
    return model


def model_trials(count: int, place: Path, rng: random.Random) -> Iterator[Trial]:
    file, other = place / "m.npz", place / "other.npz"
    network().save(file)
    whole = file.read_bytes()
    x = np.zeros((2, 8, 8, 3), np.float32)

    def use() -> None:
        model, names, _ = load_classifier(file)
        with np.errstate(all="ignore"):
            assert len(names) >= model.predict(x).shape[1] - 99

    for _ in range(count):
        yield file, sealed(whole, other, rng) if rng.random() < 0.6 else damaged_model(whole, rng), use


def checkpoint_trials(count: int, place: Path, rng: random.Random) -> Iterator[Trial]:
    draw = np.random.default_rng(0)
    x, y = draw.random((6, 8, 8, 3), dtype=np.float32), np.array([0, 1, 2, 0, 1, 2])

    def train(epochs: int) -> None:
        callbacks = [nn.ReduceLROnPlateau(patience=1), nn.EarlyStopping(patience=9), nn.WarmUp(1e-3, 2)]
        checkpoint = nn.Checkpoint(place)
        with np.errstate(all="ignore"):
            network().fit(
                x, y, 3, epochs, callbacks=callbacks, validation_data=(x, y), verbose=0, checkpoint=checkpoint
            )

    train(2)
    whole = (place / "latest.npz").read_bytes()
    for _ in range(count):
        content = sealed(whole, place / "other.npz", rng) if rng.random() < 0.6 else damaged_model(whole, rng)
        yield place / "latest.npz", content, lambda: train(3)


def settings_trials(count: int, place: Path, rng: random.Random) -> Iterator[Trial]:
    study, own = place / "config.toml", place / "experiment.toml"
    texts = {
        study: TwoStageConfig(data="photos").to_toml(),
        own: ExperimentConfig(TwoStageConfig(), ("images", "shuffled")).to_toml(),
    }

    def again() -> None:
        assert load_config(study).to_toml()

    for _ in range(count):
        path = rng.choice((study, study, own))
        yield path, changed_text(texts[path], rng), again if path == study else lambda: load_experiment_config(own)


class Killed(BaseException):
    """Stands for SIGKILL."""


class Runs:
    """A run on 12 photos in four states: finished, all done but its record, after stage one, in the middle of it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.photos = make_folder(place / "photos", {"kawung": 4, "lereng": 4, "parang": 4})
        self.run, self.cache = place / "run", place / "cache"
        config = TwoStageConfig(data=str(self.photos), image_size=SIZE, epochs=2, batch_size=4, stop_at_accuracy=0.0)
        run_two_stage(config, self.run, say=len, verbose=0)
        self.states: dict[str, Path] = {}
        self._keep("finished")
        (self.run / "run.json").unlink()
        self._keep("unrecorded")
        shutil.rmtree(self.run)
        for name, after in (("stage one", "stage1/metrics.json"), ("in the middle", "stage1/checkpoint/latest.npz")):
            self._interrupt(config, after)
            self._keep(name)
            shutil.rmtree(self.run)

    def _keep(self, name: str) -> None:
        kept = self.place / "kept" / name
        shutil.copytree(self.run, kept / "run")
        shutil.copytree(self.cache, kept / "cache")
        self.states[name] = kept

    def _interrupt(self, config: TwoStageConfig, after: str) -> None:
        """Run until this file has appeared."""
        real = os.replace

        def replace(source: Any, target: Any, **options: Any) -> None:
            real(source, target, **options)
            if str(target).endswith(after):
                raise Killed

        os.replace = replace
        try:
            with contextlib.suppress(Killed):
                run_two_stage(config, self.run, say=len, verbose=0)
        finally:
            os.replace = real

    def lay(self, state: str) -> None:
        """The folders as they were in this state."""
        for name in ("run", "cache"):
            shutil.rmtree(self.place / name, ignore_errors=True)
            shutil.copytree(self.states[state] / name, self.place / name)

    def report(self, pictures: bool) -> None:
        """What `report` reads, and the text that it makes of it; its pictures take seconds."""
        found = read_run(self.run)
        tables = all_tables(found)
        assert all(table.to_csv() and table.to_markdown() for table in tables.values())
        if pictures:
            assert all_pictures(found)
        assert render_page(found, NoPictures(), tables)

    def resume(self) -> None:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)
            resume_two_stage(self.run, say=len, verbose=0)


class NoPictures(dict):
    """In place of the pictures of a page: any name is there, and empty."""

    def __missing__(self, name: str) -> Embedded:
        return Embedded(name, name, name, name, "data:,", 1, 1)


def run_trials(count: int, place: Path, rng: random.Random) -> Iterator[Trial]:
    runs = Runs(place)
    for number in range(count):
        state = rng.choice(sorted(runs.states))
        runs.lay(state)
        files = sorted(p for name in ("run", "cache") for p in (place / name).rglob("*") if p.is_file())
        files = [p for p in files if "overlaid/" not in str(p) or state != "finished"]
        path = rng.choice([p for p in files if p.suffix != ".png"])
        content = damaged_file(path.read_bytes(), path.name, place / "other.npz", rng)
        pictures = number % 100 == 0
        yield path, content, (lambda pictures=pictures: runs.report(pictures)) if state == "finished" else runs.resume


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = {"models": model_trials, "checkpoints": checkpoint_trials, "settings": settings_trials, "runs": run_trials}
    for kind in kinds:
        parser.add_argument(f"--{kind}", type=int, default=25_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    cache.cpu_count = lambda: 1
    signal.signal(signal.SIGPROF, lambda *_: (_ for _ in ()).throw(TimeoutError(f"more than {SECONDS} s")))
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError(f"more than {BY_THE_CLOCK} s")))
    found = 0
    for kind, trials in kinds.items():
        with tempfile.TemporaryDirectory() as name:
            os.environ["BATIK_SCRATCH_CACHE"] = str(Path(name) / "cache")
            found += feed(kind, trials(getattr(args, kind), Path(name), random.Random(args.seed)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
