"""The training loop: forward, loss, backward, step; once per batch, and what is logged of it."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ...errors import InputError, TrainingDiverged
from .batches import Batches
from .callbacks import Callback, History, ProgressBar
from .checkpoint import Checkpoint
from .progress import Progress, RunningMean
from .trainee import OnBatch, Trainee


def fit(
    model: Trainee,
    train_step: OnBatch,
    loss_and_logits: OnBatch,
    batches: Batches,
    epochs: int,
    initial_epoch: int,
    validation: Batches | None,
    callbacks: Iterable[Callback],
    verbose: int,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train `model` up to `epochs`, from `initial_epoch` or from where the checkpoint stands; see `Sequential.fit`.

    train_step, loss_and_logits    what is done with a batch to train on, and with one to validate on
    """
    history = History()
    everyone: list[Callback] = [history, *callbacks]
    if verbose:
        everyone.append(ProgressBar(epochs, len(batches), bar=verbose == 1))
    for callback in everyone:
        callback.model = model
    model.stop_training = False
    _tell(everyone, "on_train_begin", {})
    progress = (checkpoint.restore(model, everyone) if checkpoint else None) or Progress(initial_epoch)
    logs: dict[str, float] = {}
    try:
        while progress.epoch < epochs and not model.stop_training:
            logs = train_epoch(model, train_step, batches, progress, everyone, checkpoint)
            if validation is not None:
                logs |= {f"val_{key}": value for key, value in evaluate(loss_and_logits, validation).items()}
            logs["learning_rate"] = model.optimizer.learning_rate  # as it was in this epoch
            _tell(everyone, "on_epoch_end", progress.epoch, logs)
            progress = Progress(progress.epoch + 1)
            if checkpoint:
                checkpoint.after_epoch(model, everyone, progress, logs)
    finally:
        _tell(everyone, "on_train_end", logs)
    return history


def train_epoch(
    model: Trainee,
    train_step: OnBatch,
    batches: Batches,
    progress: Progress,
    callbacks: Sequence[Callback],
    checkpoint: Checkpoint | None = None,
) -> dict[str, float]:
    """One pass over `batches`, or what `progress` leaves of it; returns the running means of loss and accuracy."""
    if hasattr(batches, "epoch"):
        batches.epoch = progress.epoch  # its order and augmentation are this epoch's
    if checkpoint:
        checkpoint.before_epoch(model)
    done, mean = progress.batch, progress.mean
    _tell(callbacks, "on_epoch_begin", progress.epoch, {})
    for index, (x, y, *weights) in enumerate(batches):
        if index < done:
            continue  # trained on before the interruption
        _tell(callbacks, "on_batch_begin", index, mean.logs() if index else {})
        loss, logits = train_step(x, y, *weights)
        if not math.isfinite(abs(loss)):
            raise TrainingDiverged(
                f"training diverged: the loss is {loss} at epoch {progress.epoch + 1}, batch {index + 1} "
                f"(learning rate {model.optimizer.learning_rate:.3g}); "
                "try a smaller learning rate, and check the images for NaN"
            )
        mean.add(loss, logits, y)
        progress.batch = index + 1
        _tell(callbacks, "on_batch_end", index, mean.logs())
        if checkpoint:
            checkpoint.after_batch(model, callbacks, progress)
    if mean.images == 0:
        raise InputError(
            "fit: the iterable of batches gave none; it must start anew at each epoch (a list, not a generator)"
        )
    return mean.logs()


def evaluate(loss_and_logits: OnBatch, batches: Batches) -> dict[str, float]:
    """Mean loss and accuracy over `batches`, dropout off."""
    mean = RunningMean()
    for x, y, *weights in batches:
        loss, logits = loss_and_logits(x, y, *weights)
        mean.add(loss, logits, y)
    return mean.logs()


def _tell(callbacks: Iterable[Callback], hook: str, *arguments: Any) -> None:
    for callback in callbacks:
        getattr(callback, hook)(*arguments)
