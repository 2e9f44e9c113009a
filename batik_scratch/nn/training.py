"""The training loop: forward, loss, backward, step; once per batch, and what is logged of it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..errors import InputError, TrainingDiverged
from .callbacks import Callback, History, ProgressBar

if TYPE_CHECKING:
    from .checkpoint import Checkpoint
    from .model import Sequential

Batch = tuple[np.ndarray, np.ndarray]


class Batches(Protocol):
    """A sized iterable of (x, y) batches; iterated once per epoch. Where it has an `epoch`, that is set before."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Batch]: ...


class ArrayBatches:
    """Batches of arrays in memory, in a new order at each iteration where an `rng` is given; the last may be short."""

    def __init__(self, x: np.ndarray, y: np.ndarray, batch_size: int, rng: np.random.Generator | None = None) -> None:
        if not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise InputError(f"batch_size needs a whole number >= 1, got {batch_size!r}")
        if len(x) != len(y):
            raise InputError(f"needs one label per image: got {len(x)} images and {len(y)} labels")
        if len(x) == 0:
            raise InputError("needs at least one image, got none")
        self.x, self.y, self.batch_size, self.rng = x, np.asarray(y), int(batch_size), rng

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = None if self.rng is None else self.rng.permutation(len(self.x))
        for start in range(0, len(self.x), self.batch_size):
            rows = slice(start, start + self.batch_size)  # in order, a batch is a view and nothing is copied
            chosen = rows if order is None else order[rows]
            yield self.x[chosen], self.y[chosen]


def as_batches(x: Any, y: np.ndarray | None, batch_size: int, rng: np.random.Generator | None) -> Batches:
    """Batches of arrays x, y, or x itself where it already is a sized iterable of (x, y)."""
    if y is not None:
        return ArrayBatches(np.asarray(x), y, batch_size, rng)
    if isinstance(x, np.ndarray) or not hasattr(x, "__len__") or not hasattr(x, "__iter__"):
        raise InputError(
            f"needs images and labels, or a sized iterable of (x, y) batches; got {type(x).__name__} alone"
        )
    return x


class RunningMean:
    """Loss and accuracy over an epoch so far, every image counting once."""

    def __init__(self) -> None:
        self.images = 0
        self.loss_sum = 0.0
        self.hits = 0

    def add(self, loss: float, logits: np.ndarray, y: np.ndarray) -> None:
        """Count one batch: its mean loss, logits (N, U) and labels (N,)."""
        self.images += len(y)
        self.loss_sum += float(np.real(loss)) * len(y)
        self.hits += int((logits.real.argmax(axis=1) == y).sum())

    def logs(self, prefix: str = "") -> dict[str, float]:
        """{"accuracy": share, "loss": mean}, named with `prefix`."""
        return {f"{prefix}accuracy": self.hits / self.images, f"{prefix}loss": self.loss_sum / self.images}


@dataclass
class Progress:
    """Where training stands: whole epochs done, batches of the next epoch done, and that epoch's running means."""

    epoch: int = 0
    batch: int = 0
    mean: RunningMean = field(default_factory=RunningMean)


def fit(
    model: "Sequential",
    batches: Batches,
    epochs: int,
    initial_epoch: int,
    validation: Batches | None,
    callbacks: Iterable[Callback],
    verbose: int,
    checkpoint: "Checkpoint | None" = None,
) -> History:
    """Train `model` up to `epochs`, from `initial_epoch` or from where the checkpoint stands; see `Sequential.fit`."""
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
            logs = train_epoch(model, batches, progress, everyone, checkpoint)
            if validation is not None:
                logs |= {f"val_{key}": value for key, value in evaluate(model, validation).items()}
            logs["learning_rate"] = model.optimizer.learning_rate  # as it was in this epoch
            _tell(everyone, "on_epoch_end", progress.epoch, logs)
            progress = Progress(progress.epoch + 1)
            if checkpoint:
                checkpoint.after_epoch(model, everyone, progress, logs)
    finally:
        _tell(everyone, "on_train_end", logs)
    return history


def train_epoch(
    model: "Sequential",
    batches: Batches,
    progress: Progress,
    callbacks: Sequence[Callback],
    checkpoint: "Checkpoint | None" = None,
) -> dict[str, float]:
    """One pass over `batches`, or what `progress` leaves of it; returns the running means of loss and accuracy."""
    if hasattr(batches, "epoch"):
        batches.epoch = progress.epoch  # its order and augmentation are this epoch's
    if checkpoint:
        checkpoint.before_epoch(model)
    done, mean = progress.batch, progress.mean
    _tell(callbacks, "on_epoch_begin", progress.epoch, {})
    for index, (x, y) in enumerate(batches):
        if index < done:
            continue  # trained on before the interruption
        _tell(callbacks, "on_batch_begin", index, mean.logs() if index else {})
        loss, logits = model.train_step(x, y)
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


def evaluate(model: "Sequential", batches: Batches) -> dict[str, float]:
    """Mean loss and accuracy over `batches`, dropout off."""
    mean = RunningMean()
    for x, y in batches:
        loss, logits = model.loss_and_logits(x, y)
        mean.add(loss, logits, y)
    return mean.logs()


def _tell(callbacks: Iterable[Callback], hook: str, *arguments: Any) -> None:
    for callback in callbacks:
        getattr(callback, hook)(*arguments)
