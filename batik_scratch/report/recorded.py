"""What a finished run recorded, read and checked in one go, for the report to draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..record import STAGES, BadRunFile, Examples, Prediction, RunFiles, StageFiles, StageName
from .paper import Epoch

__all__ = ["STAGES", "Prediction", "Recorded", "Stage", "StageName", "read_run"]


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
    """A whole run folder.

    examples    arrays over the M pictures kept for the report, as the study describes them
    changes     {key: [before, after]} each: settings that were changed while the run was interrupted
    overlaid    folder of every image under its map; None: there is none
    """

    config: Mapping[str, Any]
    run: Mapping[str, Any]
    network: str
    data: Mapping[str, Any]
    split: Sequence[tuple[str, str, str]]
    stages: Mapping[StageName, Stage]
    examples: Examples
    changes: Sequence[Any] = ()
    overlaid: Path | None = None

    @property
    def warnings(self) -> list[str]:
        """What one must know before believing that these are the images."""
        return [str(line) for line in _listed(self.data.get("warnings"))]

    @property
    def passed_over(self) -> list[str]:
        """What else the photos' folder holds: how many of which kind and extension, and in which class."""
        lines = []
        for entry in _listed(self.data.get("passed_over")):
            if isinstance(entry, Mapping):
                ending = f" ({entry['extension']})" if entry.get("extension") else ""
                where = f" in {entry['class_name']}" if entry.get("class_name") else ""
                lines.append(f"{entry.get('count')} {entry.get('kind')}{ending}{where}")
        return lines

    @property
    def folder_names(self) -> list[str]:
        """The class names in label order, as their folders have them: what CSV files and other records say."""
        return [str(name) for name in self.data["class_names"]]

    @property
    def class_names(self) -> list[str]:
        """The class names in label order, as the page and its figures write them."""
        return [spoken(name) for name in self.folder_names]

    @property
    def drawn(self) -> bool:
        """Whether the images were drawn by code rather than photographed."""
        return self.data["source"] == "drawn"


def spoken(name: str) -> str:
    """A class name for a reader: the blank that an underscore stands for."""
    return name.replace("_", " ")


def read_run(folder: Path) -> Recorded:
    """Read a finished run folder; InputError names the first file that is missing or not as `run` writes it."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"report {folder}: needs a run folder, and there is no such folder; give one that `run` made")
    try:
        return _read(RunFiles(folder, undecodable="replace"))
    except BadRunFile as error:
        raise InputError(f"report: {error}") from None
    except OSError as error:
        raise InputError(
            f"report: {error.filename} cannot be read: {error.strerror}; mend that, or run again"
        ) from None


def _read(files: RunFiles) -> Recorded:
    data = files.data.read()
    classes = len(data["class_names"])
    stages = {name: _stage(files.stages[name], classes) for name in STAGES}
    return Recorded(
        config=files.config.settings(),
        run=files.run.read(),
        network=files.network.read().strip("\n"),
        data=data,
        split=[(row.path, row.class_name, row.part) for row in files.split.read()],
        stages=stages,
        examples=files.examples.read(classes),
        changes=files.begun.read()["changes"] if files.begun.exists() else (),
        overlaid=files.overlaid.path,
    )


def _listed(value: Any) -> list[Any]:
    """A list as it is; nothing for what is none, as an earlier release recorded none."""
    return value if isinstance(value, list) else []


def _stage(files: StageFiles, classes: int) -> Stage:
    history = files.history.read()
    metrics = files.metrics.read_for(classes)
    predictions = files.predictions.read(classes)
    if len(predictions) != np.sum(metrics["confusion"]):
        raise files.predictions.wrong("does not hold as many images as the confusion matrix counts")
    return Stage(
        epochs=[Epoch(*row[:5]) for row in history],
        learning_rates=[row.learning_rate for row in history],
        metrics=metrics,
        predictions=predictions,
    )
