"""What a run folder holds of one stage: history.csv metrics.json predictions.csv model.npz saliency.npz checkpoint/."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NotRequired, TypedDict

import numpy as np

from .formats import ArraysFile, CsvFile, JsonFile, RunFile


class HistoryRow(NamedTuple):
    """One epoch, counted from 1: running means over the training batches, then the validation images, after it.

    The names are those of `fit`'s logs, and the columns of history.csv.
    """

    epoch: int
    accuracy: float
    loss: float
    val_accuracy: float
    val_loss: float
    learning_rate: float


class HistoryFile(CsvFile):
    """One row an epoch."""

    name = "history.csv"
    header = tuple(HistoryRow.__annotations__)

    def write(self, rows: Iterable[HistoryRow]) -> None:
        """Replace the rows."""
        self.write_rows(self.header, rows)

    def read(self) -> list[HistoryRow]:
        """At least one row."""
        found = []
        for row in self.columns(self.header):
            try:
                epoch, *values = map(float, row)
                found.append(HistoryRow(int(epoch), *values))
            except (ValueError, OverflowError):
                shown = dict(zip(self.header, row, strict=True))
                raise self.wrong(f"has a row that is not numbers: {shown!r:.120}") from None
        if not found:
            raise self.wrong("holds no epoch")
        return found


class ClassMetrics(TypedDict):
    """One class; `support` is the number of its images."""

    precision: float
    recall: float
    f1: float
    support: int


class ClassificationMetrics(TypedDict):
    """Metrics as JSON takes them.

    accuracy_interval       Wilson's 95% interval
    precision, recall, f1   means over the classes, weighted by support
    confusion               rows true, columns predicted
    per_class               by class name; a class that is never predicted has precision 0
    """

    accuracy: float
    accuracy_interval: list[float]
    precision: float
    recall: float
    f1: float
    confusion: list[list[int]]
    class_names: list[str]
    per_class: dict[str, ClassMetrics]


class StageMetrics(ClassificationMetrics):
    """The metrics of a stage's validation images, and how its training ended.

    stopped   "accuracy" if training ended because the accuracy was reached, "epochs" if all of them were run
    """

    loss: NotRequired[float]
    epochs_run: NotRequired[int]
    stopped: NotRequired[str]


class MetricsFile(JsonFile[StageMetrics]):
    """Written last of a stage's training: a stage that has it is trained."""

    name = "metrics.json"
    required = tuple(ClassificationMetrics.__annotations__)
    kind = StageMetrics

    def read_for(self, classes: int) -> StageMetrics:
        """The metrics, of as many classes."""
        metrics = self.read()
        if [len(row) for row in metrics["confusion"]] != [classes] * classes:
            raise self.wrong(f"needs a {classes}x{classes} confusion matrix, as data.json has classes")
        if len(metrics["accuracy_interval"]) != 2:
            raise self.wrong("needs two ends of the accuracy's interval")
        return metrics


@dataclass(frozen=True)
class Prediction:
    """One validation image: its path, label, predicted class and probabilities (U,)."""

    path: str
    label: int
    predicted: int
    probabilities: tuple[float, ...]


class PredictionsFile(CsvFile):
    """Every validation image with its probabilities."""

    name = "predictions.csv"

    def write(self, predictions: Iterable[Prediction], class_names: Sequence[str]) -> None:
        """Write the predictions; the last columns are p_CLASS, in label order."""
        header = ("path", "label", "predicted", *(f"p_{name}" for name in class_names))
        self.write_rows(header, ([p.path, p.label, p.predicted, *p.probabilities] for p in predictions))

    def read(self, classes: int) -> list[Prediction]:
        """The predictions among as many classes.

        Columns go by their place: a class may be called anything, "label" and another class's name with "p_" included.
        """
        found = []
        for row in self.rows()[1:]:
            try:
                label, predicted, *shares = int(row[1]), int(row[2]), *map(float, row[3:])
            except (ValueError, IndexError):
                raise self.wrong(f"has a row that is not path, label, predicted, probabilities: {row!r:.120}") from None
            if len(shares) != classes or not (0 <= label < classes and 0 <= predicted < classes):
                raise self.wrong(f"has a row that does not fit {classes} classes: {row!r:.120}")
            found.append(Prediction(row[0], label, predicted, tuple(shares)))
        return found


class ModelFile(RunFile):
    """The trained network, as `nn` saves and loads it, with the class names and the image size.

    Its weights are the last epoch's.
    """

    name = "model.npz"


@dataclass(frozen=True)
class Maps:
    """Raw saliency maps (M, H, W) float32 of the images in these rows (M,) of split.csv."""

    maps: np.ndarray
    rows: np.ndarray


class MapsFile(ArraysFile):
    """The raw maps of a stage's network: in stage one of every image, in stage two of the validation images."""

    name = "saliency.npz"

    def write(self, maps: Maps) -> None:
        """Write the maps."""
        self.write_arrays(vars(maps))

    def read(self) -> Maps:
        """The maps."""
        return Maps(**self.arrays(Maps.__annotations__))


class StageFiles:
    """The files of one stage, below the run folder."""

    def __init__(self, folder: Path, undecodable: str = "surrogateescape") -> None:
        self.folder = folder
        self.history = HistoryFile(folder, undecodable)
        self.metrics = MetricsFile(folder, undecodable)
        self.predictions = PredictionsFile(folder, undecodable)
        self.model = ModelFile(folder)
        self.saliency = MapsFile(folder)
        self.checkpoint = folder / "checkpoint"  # latest.npz and best.npz, as `nn.Checkpoint` calls them
