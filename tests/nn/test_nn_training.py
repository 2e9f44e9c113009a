"""fit, its history and its callbacks, as the semantics page says."""

import csv
import io
import math
import sys

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError, TrainingDiverged
from batik_scratch.nn.fitting.batches import ArrayBatches


def data(n=50, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    x = rng.random((n, 6)) * 0.2 + np.eye(3)[y].repeat(2, axis=1)
    return x, y


def model(seed=0, dtype="float64", rate=0.0):
    made = nn.Sequential([nn.Dense(8), nn.ReLU(), nn.Dropout(rate), nn.Dense(3), nn.Softmax()], (6,), seed, dtype)
    made.compile(nn.Adam(0.02))
    return made


class Feed(nn.Callback):
    """Puts chosen values into the logs, before the callbacks under test see them."""

    def __init__(self, **values):
        self.values = values

    def on_epoch_end(self, epoch, logs):
        logs |= {key: series[epoch] for key, series in self.values.items()}


def rates(callback, losses, lr=1.0):
    """The learning rate after each epoch, for a given series of val_loss."""
    made = model()
    made.optimizer.learning_rate = lr
    seen = []

    class Watch(nn.Callback):
        def on_epoch_end(self, epoch, logs):
            seen.append(made.optimizer.learning_rate)

    made.fit(*data(4), epochs=len(losses), callbacks=[Feed(val_loss=losses), callback, Watch()], verbose=0)
    return seen


def test_training_learns_and_history_has_keras_keys():
    x, y = data()
    history = model().fit(x, y, batch_size=16, epochs=12, validation_data=data(20, 1), verbose=0)
    assert set(history.history) == {"accuracy", "loss", "val_accuracy", "val_loss", "learning_rate"}
    assert history.epoch == list(range(12)) and history.history["val_accuracy"][-1] == 1.0


def test_the_logged_loss_is_the_mean_over_images_not_batches():
    x, y = data(50)
    made = model()
    made.optimizer.learning_rate = 1e-300  # weights stand still
    history = made.fit(x, y, batch_size=32, epochs=1, verbose=0)
    assert history.history["loss"][0] == pytest.approx(made.evaluate(x, y)["loss"], rel=1e-12)


def test_an_iterable_of_batches_trains_as_the_arrays_do():
    x, y = data()
    one, two = model(), model()
    one.fit(x, y, batch_size=20, epochs=3, shuffle=False, verbose=0)
    two.fit([(x[i : i + 20], y[i : i + 20]) for i in (0, 20, 40)], epochs=3, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), two.get_weights(), strict=True))


def test_a_generator_is_refused():
    with pytest.raises(InputError, match="sized iterable"):
        model().fit((batch for batch in []), epochs=1, verbose=0)


def test_plateau_reduces_after_patience_epochs_without_improvement():
    callback = nn.ReduceLROnPlateau(factor=0.5, patience=2, min_delta=0.1)
    assert rates(callback, [1.0, 0.95, 0.92, 0.8, 0.8, 0.8]) == [1, 1, 0.5, 0.5, 0.5, 0.25]


def test_plateau_rests_during_the_cooldown():
    callback = nn.ReduceLROnPlateau(factor=0.5, patience=1, cooldown=2)
    assert rates(callback, [1.0] * 7) == [1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def test_plateau_waits_from_nothing_after_the_cooldown():
    callback = nn.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1)
    assert rates(callback, [1.0] * 7) == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]


@pytest.mark.parametrize(
    ("mode", "monitor", "upwards"),
    [("auto", "val_accuracy", True), ("auto", "val_loss", False), ("auto", "accuracy", True),
     ("min", "val_accuracy", False), ("max", "val_loss", True)],
)  # fmt: skip
def test_better_is_higher_for_an_accuracy_and_lower_for_a_loss_unless_the_mode_says_so(mode, monitor, upwards):
    for watch in (nn.EarlyStopping(monitor, mode=mode), nn.ReduceLROnPlateau(monitor, mode=mode)):
        watch.best = 0.5
        assert (watch.improved(0.6), watch.improved(0.4), watch.improved(0.5)) == (upwards, not upwards, False)


def test_plateau_stops_at_min_lr():
    assert rates(nn.ReduceLROnPlateau(factor=0.1, patience=1, min_lr=0.05), [1.0] * 4) == [1, 0.1, 0.05, 0.05]


def test_a_first_nan_is_no_improvement():
    assert rates(nn.ReduceLROnPlateau(factor=0.5, patience=2), [math.nan, 1.0, 0.5, 0.5, 0.5]) == [1, 1, 1, 1, 0.5]


def test_the_learning_rate_is_logged_as_it_was_before_the_reduction():
    made = model()
    history = made.fit(
        *data(8),
        epochs=3,
        callbacks=[Feed(val_loss=[1.0, 1.0, 1.0]), nn.ReduceLROnPlateau(factor=0.5, patience=1)],
        verbose=0,
    )
    assert history.history["learning_rate"] == pytest.approx([0.02, 0.02, 0.01])


def test_callback_state_is_reset_by_every_fit():
    callback = nn.ReduceLROnPlateau(factor=0.5, patience=2)
    assert rates(callback, [1.0, 1.0]) == [1, 1]
    assert rates(callback, [5.0, 5.0]) == [1, 1]


def test_stop_at_accuracy_stops_and_a_new_fit_goes_on():
    made = model()
    stop = nn.StopAtAccuracy(0.9)
    series = Feed(val_accuracy=[0.5, 0.9, 0.95])
    assert len(made.fit(*data(8), epochs=3, callbacks=[series, stop], verbose=0).epoch) == 2
    assert made.stop_training
    assert len(made.fit(*data(8), epochs=1, callbacks=[series, stop], verbose=0).epoch) == 1 and not made.stop_training


def test_early_stopping_goes_back_to_the_best_weights():
    made, kept = model(), []

    class Keep(nn.Callback):
        def on_epoch_end(self, epoch, logs):
            kept.append(made.get_weights())

    stop = nn.EarlyStopping(patience=2, restore_best_weights=True)
    made.fit(*data(8), epochs=9, callbacks=[Feed(val_loss=[3, 1, 2, 2, 2, 0, 0, 0, 0]), stop, Keep()], verbose=0)
    assert len(kept) == 4
    assert all(np.array_equal(a, b) for a, b in zip(made.get_weights(), kept[1], strict=True))


def test_a_metric_that_does_not_exist_lists_those_that_do():
    with pytest.raises(InputError, match="no metric 'val_acc'; there are accuracy, learning_rate, loss"):
        model().fit(*data(8), callbacks=[nn.StopAtAccuracy(monitor="val_acc")], verbose=0)


def test_csv_logger_writes_each_epoch(tmp_path):
    made = model()
    history = made.fit(*data(8), epochs=2, callbacks=[nn.CSVLogger(tmp_path / "log.csv")], verbose=0)
    made.fit(*data(8), epochs=1, callbacks=[nn.CSVLogger(tmp_path / "log.csv", append=True)], verbose=0)
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "0"]
    assert [float(row["loss"]) for row in rows[:2]] == history.history["loss"]


def test_callback_state_travels_as_a_dict():
    one, two = nn.ReduceLROnPlateau(), nn.ReduceLROnPlateau()
    one.best, one.wait = 0.3, 4
    two.set_state(one.state())
    assert (two.best, two.wait) == (0.3, 4)


def test_divergence_names_epoch_and_batch_and_leaves_the_weights():
    made, (x, y) = model(), data(40)
    x[25] = np.nan
    before = []

    class Keep(nn.Callback):
        def on_batch_begin(self, batch, logs):
            before[:] = made.get_weights()

    with pytest.raises(TrainingDiverged, match="epoch 1, batch 3"):
        made.fit(x, y, batch_size=10, shuffle=False, callbacks=[Keep()], verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(made.get_weights(), before, strict=True))


def test_verbose_prints_one_line_per_epoch(capsys):
    model().fit(*data(8), epochs=2, verbose=1)
    out, err = capsys.readouterr()
    assert [line.split()[1] for line in out.splitlines()] == ["1/2", "2/2"] and "loss" in out and err == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_a_bar_with_the_figures_and_it_goes_when_training_ends(monkeypatch, capsys):
    shown = {}
    for bar in (True, False):
        monkeypatch.setattr("sys.stderr", Terminal())
        made = model()
        made.fit(*data(8), batch_size=4, epochs=2, callbacks=[nn.ProgressBar(2, 2, bar)], verbose=0)
        shown[bar] = sys.stderr.getvalue()
    last = shown[True].rindex("epoch 2/2")
    assert "epoch 1/2:   0%" in shown[True] and "0/4 [" in shown[True] and "batch" in shown[True]
    assert shown[True].endswith("\r") and shown[True][last:].rstrip("\r ").count("\r") <= 1
    assert shown[False] == ""
    assert capsys.readouterr().out.count("loss") == 4


def test_verbose_1_has_a_bar_2_only_lines_and_0_nothing(monkeypatch, capsys):
    for verbose, bar, lines in ((1, True, 1), (2, False, 1), (0, False, 0)):
        monkeypatch.setattr("sys.stderr", Terminal())
        model().fit(*data(8), epochs=1, verbose=verbose)
        assert ("batch" in sys.stderr.getvalue(), capsys.readouterr().out.count("\n")) == (bar, lines)


def test_a_bar_names_loss_and_accuracy_so_far(monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    bar = nn.ProgressBar(1, 3)
    bar.on_epoch_begin(0, {})
    bar.on_batch_end(0, {"loss": 0.98765, "accuracy": 0.4321})
    assert bar._bar.n == 1 and bar._bar.postfix == "accuracy=0.432, loss=0.9877"
    bar.on_train_end({})
    assert sys.stderr.getvalue().endswith("\r")


def test_a_network_without_input_shape_takes_it_from_its_first_batch():
    x, y = data()
    batches = ArrayBatches(x, y, 16)
    made = nn.Sequential([nn.Dense(8), nn.ReLU(), nn.Dense(3), nn.Softmax()], random_state=0, dtype="float64")
    made.compile()
    made.fit(batches, epochs=1, verbose=0)
    assert made.input_shape == (6,) and made.predict(x).shape == (50, 3)


def test_the_same_seed_trains_to_the_same_bits_and_another_does_not():
    x, y = data()
    weights = []
    for seed in (1, 1, 2):
        made = model(seed, rate=0.3)
        made.fit(x, y, epochs=2, verbose=0)
        weights.append(np.concatenate([w.ravel() for w in made.get_weights()]))
    assert np.array_equal(weights[0], weights[1]) and not np.array_equal(weights[0], weights[2])
