"""One stage: train a network on a set of images, and record how well it does."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import nn
from ..record import HistoryRow, Prediction, StageFiles, StageMetrics
from .config import TwoStageConfig
from .data import StudyData
from .metrics import classification_metrics
from .run_folder import drop_checkpoint
from .stop import StopRequest
from .training import predict_rows, train_network


class RecordHistory(nn.Callback):
    """Rewrites the history after every epoch, so that a run that ends early has its curves."""

    state_names = ("rows",)

    def __init__(self, files: StageFiles) -> None:
        self.files = files
        self.rows: list[list[float]] = []  # plain lists, as a checkpoint gives them back

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        if any(len(row) != len(self.files.history.header) for row in self.rows):
            raise ValueError("an epoch with more or fewer numbers than the history has columns")

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.rows.append([epoch + 1, *(logs[name] for name in self.files.history.header[1:])])
        self.files.history.write(HistoryRow(int(epoch), *values) for epoch, *values in self.rows)


def train_stage(
    config: TwoStageConfig,
    data: StudyData,
    pixels: np.ndarray,
    files: StageFiles,
    verbose: int = 1,
    checkpoint_every: int = 1,
    extra: Sequence[nn.Callback] = (),
) -> None:
    """Train on pixels uint8 (N, H, W, 3), the images of `data` or what was made of them; write the stage's files.

    The history is written after each epoch; the model, the predictions and the metrics at the end, the metrics last:
    if they are there, the stage is trained. If there is a checkpoint, training goes on from it. The model's weights are
    those of the last epoch; the checkpoint's folder keeps those of the lowest validation loss.
    """
    with StopRequest() as stop:
        checkpoint = nn.Checkpoint(files.checkpoint, checkpoint_every, stop.asked)
        model, history = train_network(config, data, pixels, verbose, [RecordHistory(files), *extra], checkpoint)
    model.save(files.model.path)
    probabilities = predict_rows(model, pixels, data.validation)  # (N, U)
    labels, predicted = data.labels[data.validation], probabilities.argmax(axis=1)  # (N,) both
    paths = [data.paths[i] for i in data.validation]
    rows = zip(paths, labels.tolist(), predicted.tolist(), map(tuple, probabilities.tolist()), strict=True)
    files.predictions.write((Prediction(*row) for row in rows), data.class_names)
    outcome = StageMetrics(
        **classification_metrics(labels, predicted, data.class_names),
        loss=history.history["val_loss"][-1],
        epochs_run=len(history.epoch),
        stopped="accuracy" if model.stop_training else "epochs",
    )
    files.metrics.write(outcome)
    drop_checkpoint(files)
