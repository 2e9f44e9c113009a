"""Callbacks: what happens between the epochs. Names, defaults and order of events are Keras'.

Write your own by subclassing `Callback`; what `fit` should be able to restore after an interruption goes into
`state_names`.
"""

import csv
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ...bars import tqdm
from ...errors import InputError
from ...files import named
from .. import shown
from .trainee import Trainee

Logs = dict[str, float]


class Callback:
    """Hooks that `fit` calls; every one does nothing until a subclass says otherwise.

    `self.model` is the model in training. Set `self.model.stop_training = True` to stop after this epoch.
    Epochs and batches count from 0. `logs` holds loss and accuracy so far; at an epoch's end val_loss and
    val_accuracy too (if there are validation data) and learning_rate.
    """

    model: Trainee
    state_names: tuple[str, ...] = ()

    def on_train_begin(self, logs: Logs) -> None: ...
    def on_epoch_begin(self, epoch: int, logs: Logs) -> None: ...
    def on_batch_begin(self, batch: int, logs: Logs) -> None: ...
    def on_batch_end(self, batch: int, logs: Logs) -> None: ...
    def on_epoch_end(self, epoch: int, logs: Logs) -> None: ...
    def on_train_end(self, logs: Logs) -> None: ...

    def state(self) -> dict[str, Any]:
        """What must be restored to go on after an interruption, as JSON takes it."""
        return {name: getattr(self, name) for name in self.state_names}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned; TypeError for a value of another kind than the one that it replaces."""
        for name in self.state_names:
            setattr(self, name, of_the_kind(getattr(self, name), state[name]))


def of_the_kind(current: Any, value: Any) -> Any:
    """`value` if it may stand where `current` does: a number for a number, a list for a list, anything for None."""
    kind: Any = type(current)
    if current is None:
        kind = object
    elif isinstance(current, float | int):
        kind = float | int
    elif isinstance(current, tuple):
        kind = tuple | list  # as JSON gives it back
    if not isinstance(value, kind) or (isinstance(value, int) and abs(value) >= 2**63):
        raise TypeError(f"{value!r:.40} in the place of {current!r:.40}")
    return value


class History(Callback):
    """Every epoch's logs: `history["val_loss"][3]` is the fourth epoch's; `fit` returns it."""

    state_names = ("epoch", "history")

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        for values in self.history.values():
            of_the_kind([], values)

    def on_train_begin(self, logs: Logs) -> None:
        self.epoch, self.history = [], {}

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self.epoch.append(epoch)
        for key, value in logs.items():
            self.history.setdefault(key, []).append(value)

    def __repr__(self) -> str:
        last = ", ".join(f"{key} {values[-1]:.4g}" for key, values in self.history.items())
        return f"History of {len(self.epoch)} epochs" + (f", the last: {last}" if last else "")

    def _repr_html_(self) -> str:
        """First, best and last value of everything recorded; best is the lowest loss and the highest accuracy."""
        rows = []
        for key, values in self.history.items():
            best = "" if key == "learning_rate" else (max if key.endswith("accuracy") else min)(values)
            at = f"{best:.4g} in epoch {values.index(best) + 1}" if isinstance(best, float) else ""
            rows.append((key, f"{values[0]:.4g}", at, f"{values[-1]:.4g}"))
        return shown.html_table(f"{len(self.epoch)} epochs", ("", "first", "best", "last"), rows, right=(1, 2, 3))


class Monitor(Callback):
    """Common ground of the callbacks that watch one metric."""

    def __init__(self, monitor: str) -> None:
        self.monitor = monitor

    def value(self, logs: Logs) -> float:
        """The monitored metric; a name that does not exist is an error (Keras only warns)."""
        if self.monitor not in logs:
            raise InputError(
                f"{type(self).__name__}: there is no metric {self.monitor!r}; there are {', '.join(sorted(logs))}"
                + (
                    "; pass validation_data to fit"
                    if self.monitor.startswith("val_") and "val_loss" not in logs
                    else ""
                )
            )
        return logs[self.monitor]


class BestMonitor(Monitor):
    """Common ground of the callbacks that remember their metric's best value."""

    def __init__(self, monitor: str, min_delta: float, mode: str) -> None:
        super().__init__(monitor)
        if mode not in ("auto", "min", "max"):
            raise InputError(f'{type(self).__name__}: mode is "auto", "min" or "max", got {mode!r}')
        self.min_delta = abs(min_delta)
        self.upwards = mode == "max" or (mode == "auto" and monitor.endswith("accuracy"))
        self.best: float | None = None

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        if self.best is not None:
            of_the_kind(0.0, self.best)

    def improved(self, value: float) -> bool:
        """Strictly beyond the best by min_delta; NaN never is (in Keras a first NaN stays best for ever)."""
        if math.isnan(value):
            return False
        if self.best is None:
            return True
        return value > self.best + self.min_delta if self.upwards else value < self.best - self.min_delta


class ReduceLROnPlateau(BestMonitor):
    """Multiply the learning rate by `factor` when the metric has not improved for `patience` epochs."""

    state_names = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, min_delta, mode)
        if not 0 < factor < 1:
            raise InputError(f"ReduceLROnPlateau: factor shrinks the learning rate, so 0 < factor < 1; got {factor!r}")
        self.factor, self.patience, self.cooldown, self.min_lr = factor, patience, cooldown, min_lr
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs) -> None:
        self.best, self.wait, self.cooldown_counter = None, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        value = self.value(logs)
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(value):
            self.best, self.wait = value, 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            optimizer = self.model.optimizer
            if self.wait >= self.patience and optimizer.learning_rate > self.min_lr:
                optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
                self.cooldown_counter, self.wait = self.cooldown, 0


class StopAtAccuracy(Monitor):
    """Stop when the monitored accuracy reaches `threshold` (the paper's `my_callback`)."""

    def __init__(self, threshold: float = 0.90, monitor: str = "val_accuracy") -> None:
        super().__init__(monitor)
        if not 0 < threshold <= 1:
            raise InputError(f"StopAtAccuracy: threshold is a share, above 0 and at most 1; got {threshold!r}")
        self.threshold = threshold

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if self.value(logs) >= self.threshold:
            self.model.stop_training = True


class EarlyStopping(BestMonitor):
    """Stop when the metric has not improved for `patience` epochs; optionally go back to the best weights."""

    state_names = ("best", "wait")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        mode: str = "auto",
        restore_best_weights: bool = False,
    ) -> None:
        super().__init__(monitor, min_delta, mode)
        self.patience, self.restore_best_weights = patience, restore_best_weights
        self.wait = 0
        self.best_weights: list | None = None

    def on_train_begin(self, logs: Logs) -> None:
        self.best, self.wait, self.best_weights = None, 0, None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        value = self.value(logs)
        self.wait += 1
        if self.improved(value):
            self.best, self.wait = value, 0
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        elif self.wait >= self.patience and epoch > 0:
            self.model.stop_training = True

    def on_train_end(self, logs: Logs) -> None:
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


class CSVLogger(Callback):
    """Write each epoch's logs as a line of a CSV file, at once, so that a killed run keeps its history."""

    def __init__(self, path: str | os.PathLike, append: bool = False) -> None:
        self.path, self.append = Path(path), append
        self._file: IO[str] | None = None
        self._writer: csv.DictWriter | None = None

    def on_train_begin(self, logs: Logs) -> None:
        self._file = self.path.open("a" if self.append else "w", newline="")
        self._writer = None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        assert self._file is not None
        if self._writer is None:
            self._writer = csv.DictWriter(self._file, ["epoch", *sorted(logs)])
            if self._file.tell() == 0:
                self._writer.writeheader()
        with named(self.path):
            self._writer.writerow({"epoch": epoch} | logs)
            self._file.flush()

    def on_train_end(self, logs: Logs) -> None:
        if self._file is not None:
            self._file.close()


class ProgressBar(Callback):
    """On a terminal a bar for the whole training, with the time that is left; and one line per epoch that stays."""

    def __init__(self, epochs: int, batches: int, bar: bool = True) -> None:
        self.epochs, self.batches, self.bar = epochs, batches, bar
        self._bar: tqdm | None = None

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._first = epoch * self.batches  # the batch that this epoch begins with
        words = f"epoch {epoch + 1}/{self.epochs}"
        if self._bar is None:
            # disable=None: no bar unless standard error is a terminal; initial: time is counted from here
            total, hidden = self.epochs * self.batches, None if self.bar else True
            self._bar = tqdm(desc=words, total=total, initial=self._first, unit="batch", leave=False, disable=hidden)
        self._bar.set_description(words, refresh=False)

    def on_batch_end(self, batch: int, logs: Logs) -> None:
        assert self._bar is not None
        self._bar.set_postfix(loss=f"{logs['loss']:.4f}", accuracy=f"{logs['accuracy']:.3f}", refresh=False)
        self._bar.update(self._first + batch + 1 - self._bar.n)  # an epoch may go on in its middle

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        parts = [f"{key} {logs[key]:.4f}" for key in ("loss", "accuracy", "val_loss", "val_accuracy") if key in logs]
        with tqdm.external_write_mode():  # bars step aside for the line
            print(
                f"epoch {epoch + 1:3d}/{self.epochs}  {'  '.join(parts)}  learning_rate {logs['learning_rate']:.3g}",
                flush=True,
            )

    def on_train_end(self, logs: Logs) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
