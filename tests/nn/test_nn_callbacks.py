"""Callbacks one by one: the same series of metrics through ours and Keras' rules written out; a second training."""

import csv
import io
import itertools
import math
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from plain_network import PlainPlateau, PlainStop

from batik_scratch import nn
from batik_scratch.errors import InputError

SERIES = np.round(np.random.default_rng(5).random((40, 12)) + np.linspace(0.4, 0, 12), 1)  # many ties and near misses


class Model:
    """What a callback needs of a model: a learning rate, weights, and whether to stop."""

    def __init__(self, rate=1.0):
        self.optimizer = SimpleNamespace(learning_rate=rate)
        self.stop_training = False
        self.weights = []

    def get_weights(self):
        return list(self.weights)

    def set_weights(self, weights):
        self.weights = weights


def run(callback, series, monitor="val_loss", rate=1.0, end=True):
    """What the callback makes of a series: the rate after each epoch, the epochs run, the weights at the end."""
    model = callback.model = Model(rate)
    rates = []
    callback.on_train_begin({})
    for epoch, value in enumerate(series):
        model.weights = [epoch]
        callback.on_epoch_end(epoch, {"other": 0.0, monitor: value})
        rates.append(model.optimizer.learning_rate)
        if model.stop_training:
            break
    if end:
        callback.on_train_end({})
    return rates, len(rates), model.weights


@pytest.mark.parametrize("patience", [0, 1, 3])
@pytest.mark.parametrize("cooldown", [0, 1, 3])
@pytest.mark.parametrize(("min_delta", "min_lr"), [(0.0, 0.0), (0.1, 0.2), (0.25, 1.5)])
def test_plateau_reduces_as_the_rules_written_out(patience, cooldown, min_delta, min_lr):
    options = {"factor": 0.5, "patience": patience, "min_delta": min_delta, "cooldown": cooldown, "min_lr": min_lr}
    ours = nn.ReduceLROnPlateau(**options)
    for series in SERIES:
        plain, rate, expected = PlainPlateau(**options), 1.0, []
        for value in series:
            rate = plain.rate_after(value, rate)
            expected.append(rate)
        assert run(ours, series)[0] == pytest.approx(expected, rel=1e-12)
        upwards = nn.ReduceLROnPlateau("val_accuracy", **options)  # the same, upside down
        assert run(upwards, -series, "val_accuracy")[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("patience", [0, 1, 2, 4])
@pytest.mark.parametrize("min_delta", [0.0, 0.1, 0.25, -0.25])  # of which the sign does not matter, as in Keras
@pytest.mark.parametrize("restore", [False, True])
def test_early_stopping_stops_as_the_rules_written_out(patience, min_delta, restore):
    ours = nn.EarlyStopping(patience=patience, min_delta=min_delta, restore_best_weights=restore)
    for series in SERIES:
        plain = PlainStop(patience, abs(min_delta))
        epochs = 1 + next((e for e, value in enumerate(series) if plain.stops(e, value, [e])), len(series) - 1)
        rates, seen, weights = run(ours, series)
        assert seen == epochs and weights == (plain.best_weights if restore else [epochs - 1])
        upwards = nn.EarlyStopping("accuracy", min_delta, patience, restore_best_weights=restore)
        assert run(upwards, -series, "accuracy")[1:] == (epochs, weights) and rates == [1.0] * epochs


CALLBACKS = {
    "plateau": lambda: nn.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=3, min_delta=0.05),
    "stop": lambda: nn.EarlyStopping(patience=3),
    "stop and go back": lambda: nn.EarlyStopping(patience=3, restore_best_weights=True),
    "accuracy": lambda: nn.StopAtAccuracy(0.8, monitor="val_loss"),
}
TRAININGS = [  # each leaves something behind: a best that is out of reach, a count, a rest, weights
    [0.1, 0.2],
    [0.9, 0.9, 0.9, 0.9],
    [5.0, 4.0, 4.0, 4.0, 4.0],
    [math.nan, math.nan],
    [3.0, 2.9, 3.0, 3.0, 2.0, 1.0],
    [],
]


@pytest.mark.parametrize("make", CALLBACKS.values(), ids=CALLBACKS)
@pytest.mark.parametrize("ended", [True, False], ids=["ended", "interrupted"])
def test_a_callback_that_has_served_before_does_what_a_new_one_does(make, ended):
    for first, second in itertools.product(TRAININGS, repeat=2):
        used = make()
        run(used, first, end=ended)
        new = make()
        assert run(used, second) == run(new, second)
        assert used.state() == new.state()


def test_weights_without_a_best_stay_those_of_the_last_epoch():
    stop = nn.EarlyStopping(patience=9, restore_best_weights=True)
    assert run(stop, [math.nan, math.nan])[2] == [1]
    assert run(stop, [math.nan, 2.0, 3.0])[2] == [1]


def test_the_first_epoch_never_stops_a_training_early_and_the_second_may():
    for patience in (0, 1):
        assert run(nn.EarlyStopping(patience=patience), [math.nan, math.nan, 1.0])[1] == 2
    resumed = nn.EarlyStopping(patience=1)  # a training that begins at a later epoch has a past
    resumed.model = Model()
    resumed.on_train_begin({})
    resumed.on_epoch_end(4, {"val_loss": math.nan})
    assert resumed.model.stop_training


@pytest.mark.parametrize(("threshold", "epochs"), [(0.5, 2), (0.50001, 3), (0.75, 3), (1.0, 4)])
def test_stop_at_accuracy_stops_at_the_first_epoch_that_reaches_it(threshold, epochs):
    series = [0.25, 0.5, 0.75, 1.0, 0.2]
    assert run(nn.StopAtAccuracy(threshold), series, "val_accuracy")[1] == epochs
    assert run(nn.StopAtAccuracy(threshold, monitor="accuracy"), series, "accuracy")[1] == epochs


def test_nan_is_never_an_accuracy_that_is_reached():
    assert run(nn.StopAtAccuracy(0.1), [math.nan, 0.05, 0.1], "val_accuracy")[1] == 3


def test_the_smallest_and_the_largest_allowed_arguments_are_allowed():
    nn.StopAtAccuracy(1)
    nn.StopAtAccuracy(1e-9)
    nn.ReduceLROnPlateau(factor=1e-9)
    nn.ReduceLROnPlateau(factor=0.999)
    for factor in (0.0, 1.0, -0.5, 2.0):
        with pytest.raises(InputError, match=r"0 < factor < 1; got " + str(factor)):
            nn.ReduceLROnPlateau(factor=factor)


@pytest.mark.parametrize(
    ("logs", "hint"), [({"loss": 1.0}, True), ({"loss": 1.0, "val_loss": 1.0}, False)], ids=["none", "another"]
)
def test_only_who_has_no_validation_data_is_told_to_pass_some(logs, hint):
    stop = nn.StopAtAccuracy(monitor="val_acc")
    with pytest.raises(InputError, match="StopAtAccuracy: there is no metric 'val_acc'; there are loss") as error:
        stop.on_epoch_end(0, logs)
    assert ("pass validation_data" in str(error.value)) is hint
    with pytest.raises(InputError) as error:
        nn.ReduceLROnPlateau(monitor="acc").on_epoch_end(0, {"loss": 1.0})
    assert "ReduceLROnPlateau" in str(error.value) and "validation_data" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "names"),
    [(nn.History, {"epoch", "history"}), (nn.EarlyStopping, {"best", "wait"}),
     (nn.ReduceLROnPlateau, {"best", "wait", "cooldown_counter"}), (nn.StopAtAccuracy, set()), (nn.Callback, set())],
)  # fmt: skip
def test_a_callbacks_state_is_all_that_it_needs_to_go_on(make, names):
    assert set(make().state()) == names


@pytest.mark.parametrize("name", ["plateau", "stop"])
def test_a_state_carried_over_at_any_epoch_goes_on_as_if_nothing_had_been(name):
    for series in SERIES[:10]:
        whole = run(CALLBACKS[name](), series)
        for cut in range(1, len(whole[0])):
            first, second = CALLBACKS[name](), CALLBACKS[name]()
            first.model = Model()
            first.on_train_begin({})
            for epoch, value in enumerate(series[:cut]):
                first.on_epoch_end(epoch, {"val_loss": value})
            second.model = first.model
            second.on_train_begin({})
            second.set_state(first.state())
            rates = []
            for epoch, value in enumerate(series[cut:], cut):
                second.on_epoch_end(epoch, {"val_loss": value})
                rates.append(second.model.optimizer.learning_rate)
                if second.model.stop_training:
                    break
            assert rates == whole[0][cut:]


def test_a_history_keeps_each_training_apart_and_its_lists_its_own():
    history = nn.History()
    for values in ([1.0, 2.0], [3.0]):
        history.on_train_begin({})
        for epoch, value in enumerate(values, 4):
            logs = {"loss": value, "accuracy": value / 8}
            history.on_epoch_end(epoch, logs)
            logs["loss"] = -1.0  # the next epoch's; what was kept stays
        assert history.epoch == list(range(4, 4 + len(values)))
        assert history.history == {"loss": values, "accuracy": [value / 8 for value in values]}


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def files_open():
    """The files that this process holds open."""
    links = Path("/proc/self/fd")
    return {Path(os.readlink(link)) for link in links.iterdir() if link.is_symlink()} if links.is_dir() else set()


def test_a_csv_log_begins_anew_unless_it_is_to_go_on_and_has_one_header(tmp_path):
    path = tmp_path / "log.csv"
    header, logs = ["epoch", "accuracy", "loss"], {"loss": 0.5, "accuracy": 0.25}
    appending, anew = nn.CSVLogger(path, append=True), nn.CSVLogger(path)
    for logger, lines in ((appending, 1), (appending, 2), (anew, 1), (anew, 1), (appending, 2)):
        logger.on_train_begin({})
        logger.on_epoch_end(3, logs)
        assert path in files_open() or not Path("/proc/self/fd").is_dir()
        assert read(path) == [header] + [["3", "0.25", "0.5"]] * lines  # at once: a killed run keeps its history
        logger.on_train_end({})
        assert path not in files_open()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_csv_log_on_a_full_disk_is_an_error_that_names_it():
    logger = nn.CSVLogger("/dev/full")
    logger.on_train_begin({})
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        logger.on_epoch_end(0, {"loss": 0.5})
    with pytest.raises(OSError):
        logger.on_train_end({})  # closing tries once more


def test_a_training_that_fails_still_ends_for_every_callback(tmp_path):
    model = nn.Sequential([nn.Dense(2)], (3,), 0)
    model.compile(loss=nn.SparseCategoricalCrossentropy(from_logits=True))
    logger = nn.CSVLogger(tmp_path / "log.csv")
    with pytest.raises(InputError, match="no metric 'val_loss'"):
        model.fit(np.ones((4, 3)), np.zeros(4, int), callbacks=[logger, nn.EarlyStopping()], verbose=0)
    assert tmp_path / "log.csv" not in files_open() and len(read(tmp_path / "log.csv")) == 2


def test_a_line_per_epoch_has_every_figure_in_its_place(capsys):
    bar = nn.ProgressBar(12, 5)
    logs = {"loss": 0.123456, "accuracy": 0.75, "val_loss": 2.5, "val_accuracy": 0.0625, "learning_rate": 0.00012345}
    bar.on_epoch_end(8, logs)
    bar.on_epoch_end(9, {"accuracy": 0.5, "loss": 1.0, "learning_rate": 0.01})
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "epoch 9/12 loss 0.1235 accuracy 0.7500 val_loss 2.5000 val_accuracy 0.0625 learning_rate 0.000123",
        "epoch 10/12 loss 1.0000 accuracy 0.5000 learning_rate 0.01",
    ]


class Pipe(io.StringIO):
    """Knows what has gone out so far."""

    out = ""

    def flush(self):
        self.out = self.getvalue()


def test_an_epochs_line_goes_out_at_once_also_into_a_pipe(monkeypatch):
    monkeypatch.setattr("sys.stdout", Pipe())
    nn.ProgressBar(2, 1).on_epoch_end(0, {"loss": 1.0, "learning_rate": 0.5})
    assert sys.stdout.out.count("\n") == 1 and "learning_rate 0.5" in sys.stdout.out
