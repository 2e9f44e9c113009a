"""Learning rates that follow a plan: up in a straight line at the start, or that and then down a cosine to the end."""

import math
from collections.abc import Mapping
from typing import Any

from ...errors import InputError
from .callbacks import Callback, Logs


class LearningRateSchedule(Callback):
    """Cosine decay after a linear warm-up; set as each epoch begins, and logged with that epoch.

    learning_rate     the highest, reached right after the warm-up
    epochs            over which it falls, the warm-up included: as many as `fit` is given
    warmup_epochs     how many of them lead up to it, fewer than `epochs`; 0 begins with the highest

    With epoch e from 0, W = warmup_epochs, E = epochs:

        e < W        learning_rate (e + 1) / (W + 1)
        e >= W       learning_rate (1 + cos(pi (e - W) / (E - W))) / 2

    The cosine is that of SGDR without restarts (Loshchilov & Hutter, 2017), the warm-up that of Goyal et al. (2017),
    both once per epoch. The rate is never 0. Whoever trains beyond `epochs` goes on with the last epoch's rate.

    It is a function of the epoch alone: neither the optimiser's own rate nor what went before counts. So a training
    that is resumed, in the middle of an epoch too, has the rate that it would have had. A checkpoint of a training
    with another plan is refused.

    Together with `ReduceLROnPlateau` the schedule wins: what that changes at an epoch's end is overwritten before the
    next one begins. Use one of the two.
    """

    state_names = ("learning_rate", "epochs", "warmup_epochs")

    def __init__(self, learning_rate: float, epochs: int, warmup_epochs: int = 0) -> None:
        if not (learning_rate > 0 and math.isfinite(learning_rate)):
            raise InputError(
                f"LearningRateSchedule: learning_rate needs a finite number above 0, got {learning_rate!r}"
            )
        for name, value, least in (("epochs", epochs, 1), ("warmup_epochs", warmup_epochs, 0)):
            if not isinstance(value, int) or value < least:
                raise InputError(f"LearningRateSchedule: {name} needs a whole number >= {least}, got {value!r}")
        if warmup_epochs >= epochs:
            raise InputError(
                f"LearningRateSchedule: warmup_epochs are part of the epochs, so there are fewer; got {warmup_epochs} "
                f"of {epochs}: lower warmup_epochs or raise epochs"
            )
        self.learning_rate, self.epochs, self.warmup_epochs = float(learning_rate), epochs, warmup_epochs

    def rate(self, epoch: int) -> float:
        """The learning rate in this epoch, counted from 0."""
        if epoch < self.warmup_epochs:
            return self.learning_rate * (epoch + 1) / (self.warmup_epochs + 1)
        done = min(epoch, self.epochs - 1) - self.warmup_epochs
        return self.learning_rate * (1 + math.cos(math.pi * done / (self.epochs - self.warmup_epochs))) / 2

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self.model.optimizer.learning_rate = self.rate(epoch)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Accept the state of the same plan; InputError for another, which would change epochs that are over."""
        before = {name: state.get(name) for name in self.state_names}
        if before != self.state():
            raise InputError(
                f"LearningRateSchedule: the training that goes on had {before}, this one has {self.state()}; "
                "give the same, or choose another folder"
            )


class WarmUp(Callback):
    """The learning rate climbs in a straight line, batch by batch, and is then left alone.

    learning_rate     where it arrives
    batches           how many lead up to it: batch k of them, from 1, gets learning_rate * k / batches

    Adam's first step moves every weight by the whole rate, whatever its gradient. Where many inputs are never
    negative, as behind ReLU, all those moves add up, and a unit is pushed to where it answers to nothing (lesson 23).
    Small first steps leave it time (Goyal et al., 2017, warm up by batch too).

    Afterwards another callback, such as `ReduceLROnPlateau`, may change the rate. A training that is resumed goes on
    where it was in the climb.
    """

    state_names = ("done",)

    def __init__(self, learning_rate: float, batches: int) -> None:
        if not (learning_rate > 0 and math.isfinite(learning_rate)):
            raise InputError(f"WarmUp: learning_rate needs a finite number above 0, got {learning_rate!r}")
        if not isinstance(batches, int) or batches < 1:
            raise InputError(f"WarmUp: batches needs a whole number >= 1, got {batches!r}")
        self.learning_rate, self.batches, self.done = float(learning_rate), batches, 0

    def on_batch_begin(self, batch: int, logs: Logs) -> None:
        if self.done < self.batches:
            self.done += 1
            self.model.optimizer.learning_rate = self.learning_rate * self.done / self.batches
