"""What a run folder says, read and checked: the only place of the report that opens the folder's files."""

import csv
import json
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .paper import METRICS, Epoch

STAGES = ("stage1", "stage2")
_HISTORY = ("epoch", "accuracy", "loss", "val_accuracy", "val_loss", "learning_rate")
_METRICS = (*METRICS, "confusion", "class_names", "per_class", "accuracy_interval")
_EXAMPLES = {"images": 4, "maps": 3, "overlays": 4, "maps_stage2": 3, "labels": 1, "predicted": 1, "probabilities": 2}


@dataclass(frozen=True)
class Prediction:
    """One validation image: its path, label, predicted class and probabilities (U,)."""

    path: str
    label: int
    predicted: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Stage:
    """One stage: epochs with their learning rates (E,), metrics as recorded, and every validation prediction."""

    epochs: Sequence[Epoch]
    learning_rates: Sequence[float]
    metrics: Mapping[str, Any]
    predictions: Sequence[Prediction]

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% interval of the accuracy, as recorded."""
        low, high = self.metrics["accuracy_interval"]
        return float(low), float(high)


@dataclass(frozen=True)
class Recorded:
    """A whole run folder. `examples`: arrays over the M pictures kept for the report, as the study describes them."""

    config: Mapping[str, Any]
    run: Mapping[str, Any]
    network: str
    data: Mapping[str, Any]
    split: Sequence[tuple[str, str, str]]
    stages: Mapping[str, Stage]
    examples: Mapping[str, np.ndarray]

    @property
    def class_names(self) -> list[str]:
        """The class names in label order."""
        return [str(name) for name in self.data["class_names"]]

    @property
    def drawn(self) -> bool:
        """Whether the images were drawn by code rather than photographed."""
        return self.data["source"] == "drawn"


def read_run(folder: Path) -> Recorded:
    """Read a finished run folder; InputError names the first file that is missing or not as `run` writes it."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"report {folder}: needs a run folder, and there is no such folder; give one that `run` made")
    data = _json(folder / "data.json", ("class_names", "counts", "source"))
    stages = {stage: _stage(folder / stage, len(data["class_names"])) for stage in STAGES}
    return Recorded(
        config=_toml(folder / "config.toml"),
        run=_json(folder / "run.json"),
        network=_text(folder / "network.txt").strip("\n"),
        data=data,
        split=[
            (row["path"], row["class"], row["split"]) for row in _csv(folder / "split.csv", ("path", "class", "split"))
        ],
        stages=stages,
        examples=_examples(folder / "examples.npz", len(data["class_names"])),
    )


def _stage(folder: Path, classes: int) -> Stage:
    history = folder / "history.csv"
    rows = [_numbers(history, row, _HISTORY) for row in _csv(history, _HISTORY)]
    if not rows:
        raise _wrong(history, "holds no epoch")
    metrics = _json(folder / "metrics.json", _METRICS)
    if np.shape(metrics["confusion"]) != (classes, classes):
        raise _wrong(folder / "metrics.json", f"needs a {classes}x{classes} confusion matrix, as data.json has classes")
    predictions = _predictions(folder / "predictions.csv", classes)
    if len(predictions) != np.sum(metrics["confusion"]):
        raise _wrong(folder / "predictions.csv", "does not hold as many images as the confusion matrix counts")
    return Stage(
        epochs=[Epoch(int(row[0]), *row[1:5]) for row in rows],
        learning_rates=[row[5] for row in rows],
        metrics=metrics,
        predictions=predictions,
    )


def _predictions(path: Path, classes: int) -> list[Prediction]:
    # by position: a class may be called anything, "label" and another class's name with "p_" included
    found = []
    for row in _rows(path)[1:]:
        try:
            label, predicted, *shares = int(row[1]), int(row[2]), *map(float, row[3:])
        except (ValueError, IndexError):
            raise _wrong(path, f"has a row that is not path, label, predicted, probabilities: {row!r:.120}") from None
        if len(shares) != classes or not (0 <= label < classes and 0 <= predicted < classes):
            raise _wrong(path, f"has a row that does not fit {classes} classes: {row!r:.120}")
        found.append(Prediction(row[0], label, predicted, tuple(shares)))
    return found


def _examples(path: Path, classes: int) -> dict[str, np.ndarray]:
    _need(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in (*_EXAMPLES, "paths", "split")}
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise _wrong(path, f"cannot be read: {error}") from None
    count = len(arrays["images"])
    if not count or any(len(array) != count for array in arrays.values()):
        raise _wrong(path, "needs at least one picture, and as many entries in every array")
    fits = all(arrays[name].ndim == axes for name, axes in _EXAMPLES.items())
    if not fits or arrays["probabilities"].shape[1] != classes:
        raise _wrong(path, f"has arrays of other shapes than a run with {classes} classes records")
    return arrays


def _json(path: Path, keys: Sequence[str] = ()) -> dict[str, Any]:
    try:
        value = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise _wrong(path, f"is not JSON: {error}") from None
    missing = [key for key in keys if not isinstance(value, dict) or key not in value]
    if missing or not isinstance(value, dict):
        raise _wrong(path, f"lacks {', '.join(missing) or 'an object'}")
    return value


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, f"is not TOML: {error}") from None


def _csv(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    header, *rows = _rows(path)
    missing = [name for name in columns if name not in header]
    if missing:
        raise _wrong(path, f"lacks the column {', '.join(missing)}")
    if any(len(row) != len(header) for row in rows):
        raise _wrong(path, "has a row of another length than its header")
    return [dict(zip(header, row, strict=True)) for row in rows]


def _rows(path: Path) -> list[list[str]]:
    _need(path)
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, csv.Error) as error:
        raise _wrong(path, f"cannot be read as CSV: {error}") from None
    if not rows:
        raise _wrong(path, "is empty")
    return rows


def _numbers(path: Path, row: Mapping[str, str], columns: Sequence[str]) -> list[float]:
    try:
        return [float(row[name]) for name in columns]
    except ValueError:
        raise _wrong(path, f"has a row that is not numbers: {dict(row)!r:.120}") from None


def _text(path: Path) -> str:
    _need(path)
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from None


def _need(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"report: a run folder holds {path.name}, but {path} is missing; give a finished run")


def _wrong(path: Path, what: str) -> InputError:
    return InputError(f"report: {path} {what}; give a folder as `run` wrote it, or run again")
