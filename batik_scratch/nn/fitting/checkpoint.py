"""Checkpoints: all that training needs to go on, bit for bit, where it was interrupted.

`latest.npz` holds weights, the optimiser's memory and step count, learning rate, place in the epoch, every callback's
state (the history among them) and the state of every random generator. `best.npz` is a model file: the weights with the
lowest validation loss so far (training loss, if nothing is held out). Both are replaced atomically, so a kill at any
moment leaves a whole one.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import InputError
from .. import model_file
from .callbacks import Callback, Logs, of_the_kind
from .progress import Progress
from .trainee import Trainee

FORMAT = "batik_scratch checkpoint"


class Checkpoint:
    """Where and how often `fit` saves; `model.fit(..., checkpoint=Checkpoint(folder))` goes on from what is there.

    folder        made if it does not exist; holds latest.npz and best.npz
    every         epochs between two checkpoints
    should_stop   asked after each batch; once it says yes, the state is saved and KeyboardInterrupt raised

    To go on exactly, the batches must be the same: an array with the same order, or an iterable with an `epoch`.
    """

    def __init__(
        self, folder: str | os.PathLike, every: int = 1, should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        if not isinstance(every, int) or every < 1:
            raise InputError(f"checkpoint-every: needs a whole number of epochs >= 1, got {every!r}")
        self.folder, self.every, self.should_stop = Path(folder), every, should_stop
        self.best = float("inf")
        self._order: Any = None  # the order's generator as it was when the epoch began

    @property
    def latest(self) -> Path:
        """The newest checkpoint; it may not exist yet."""
        return self.folder / "latest.npz"

    def before_epoch(self, model: Trainee) -> None:
        """Remember what the epoch's order will be drawn from."""
        self._order = model.order_rng.bit_generator.state

    def after_batch(self, model: Trainee, callbacks: Sequence[Callback], progress: Progress) -> None:
        """If training was asked to stop, save in the middle of the epoch and stop it."""
        if self.should_stop():
            self.save(model, callbacks, progress, self._order)
            raise KeyboardInterrupt

    def after_epoch(self, model: Trainee, callbacks: Sequence[Callback], progress: Progress, logs: Logs) -> None:
        """Save if it is time to, or if training was asked to stop."""
        loss = logs.get("val_loss", logs["loss"])
        if loss < self.best:
            self.best = loss
            self.folder.mkdir(parents=True, exist_ok=True)
            model.save(self.folder / "best.npz")
        stopping = self.should_stop()
        if stopping or model.stop_training or progress.epoch % self.every == 0:
            self.save(model, callbacks, progress, model.order_rng.bit_generator.state)
        if stopping:
            raise KeyboardInterrupt

    def save(self, model: Trainee, callbacks: Sequence[Callback], progress: Progress, order: Any) -> None:
        """Write latest.npz."""
        self.folder.mkdir(parents=True, exist_ok=True)
        optimizer, mean = model.optimizer, progress.mean
        memory = {f"{slot}/{i}": array for slot, kept in optimizer.memory.items() for i, array in enumerate(kept)}
        description = {
            "format": FORMAT,
            "format_version": model_file.FORMAT_VERSION,
            "network": _network(model),
            "epoch": progress.epoch,
            "batch": progress.batch,
            "mean": [mean.images, mean.loss_sum, mean.hits],
            "iterations": optimizer.iterations,
            "learning_rate": optimizer.learning_rate,
            "best": self.best,
            "stop_training": model.stop_training,
            "callbacks": [[type(c).__name__, c.state()] for c in callbacks if c.state()],
            "dropout": [rng.bit_generator.state for rng in model.dropout_rngs],
            "order": order,
        }
        model_file.write_arrays(self.latest, model.named_weights() | memory, description)

    def restore(self, model: Trainee, callbacks: Sequence[Callback]) -> Progress | None:
        """Bring model, optimiser, callbacks and generators to the state in latest.npz; None if there is none.

        Raises InputError if the file is damaged or belongs to another network, or if a callback cannot be resumed.
        """
        if any(getattr(callback, "restore_best_weights", False) for callback in callbacks):
            raise InputError(
                "checkpoint: EarlyStopping(restore_best_weights=True) cannot be interrupted and resumed; "
                "leave that out: best.npz beside the checkpoint has the best weights"
            )
        if not self.latest.is_file():
            self.best = float("inf")  # whatever this object saw before
            return None
        weights, learnt = model.named_weights(), model.trained_weights()
        with model_file.open_archive(self.latest) as archive:
            found = model_file.read_description(archive, self.latest, FORMAT)
            if found.get("network") != _network(model):
                raise InputError(f"{self.latest}: belongs to another network or optimiser; choose another folder")
            slots = model.optimizer.slots if found.get("iterations") else ()
            expected = {name: (w.shape, w.dtype) for name, w in weights.items()}
            expected |= {f"{s}/{i}": (w.shape, w.dtype) for s in slots for i, w in enumerate(learnt.values())}
            arrays = model_file.read_arrays(archive, self.latest, expected, found)
        kept = [c for c in callbacks if c.state()]
        try:
            if [name for name, _ in found["callbacks"]] != [type(c).__name__ for c in kept]:
                raise InputError(f"{self.latest}: was written with other callbacks; choose another folder")
            progress = _progress(found)
            for callback, (_, state) in zip(kept, found["callbacks"], strict=True):
                callback.set_state(state)
            for rng, state in zip(model.dropout_rngs, found["dropout"], strict=True):
                rng.bit_generator.state = state
            model.order_rng.bit_generator.state = found["order"]
            model.optimizer.iterations = _count(found["iterations"])
            model.optimizer.learning_rate = of_the_kind(0.0, found["learning_rate"])
            self.best, model.stop_training = of_the_kind(0.0, found["best"]), found["stop_training"]
        except InputError:
            raise  # the file is whole, but belongs to another training
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError(f"{self.latest}: damaged ({error!r:.200}); remove it to train from the start") from None
        model.set_weights([arrays[name] for name in weights])
        model.optimizer.memory = {s: [arrays[f"{s}/{i}"].copy() for i in range(len(learnt))] for s in slots} or {
            s: [] for s in model.optimizer.slots
        }
        return progress


def _network(model: Trainee) -> Any:
    """What must be equal for a checkpoint to fit, as JSON gives it back."""
    network = model.architecture() | {"optimizer": type(model.optimizer).__name__}
    return json.loads(json.dumps(network))


def _progress(found: Mapping[str, Any]) -> Progress:
    """Where training stood; ValueError or TypeError if it cannot have stood there."""
    progress = Progress(_count(found["epoch"]), _count(found["batch"]))
    images, loss_sum, hits = found["mean"]
    if (progress.batch > 0) != (_count(images) > 0):
        raise ValueError(f"{progress.batch} batches of {images} images")
    progress.mean.images, progress.mean.loss_sum, progress.mean.hits = images, of_the_kind(0.0, loss_sum), _count(hits)
    return progress


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r:.40} in the place of a count")
    return value
