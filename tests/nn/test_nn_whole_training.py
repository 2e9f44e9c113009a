"""A whole training recomputed in plain NumPy: every number that it logs, and the weights that it ends with."""

import csv

import numpy as np
import plain_network as plain
import pytest

from batik_scratch import nn

RATE = 0.3  # of the dropout


class Spy(nn.Layer):
    """Hands on what it is given and remembers it, so that the order and the masks can be read off a training."""

    def __init__(self, name=None):
        super().__init__(name)
        self.seen = {True: [], False: []}

    def forward(self, x, training=False, keep=None):
        self.seen[training].append(x.copy())
        return x.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy.copy()


def network(seed=7):
    layers = [
        Spy("pixels"),
        nn.Conv2D(4, (3, 2), strides=(1, 2), padding="same"),
        nn.ReLU(),
        nn.MaxPooling2D((2, 1)),
        nn.Flatten(),
        Spy("before"),
        nn.Dropout(RATE),
        Spy("after"),
        nn.Dense(5),
        nn.ReLU(),
        nn.Dense(3),
        nn.Softmax(),
    ]
    return nn.Sequential(layers, (6, 5, 2), seed, dtype="float64")


def pictures(n, seed):
    """Images that can be told apart by their first pixel, and labels of unequal counts that can be learnt."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([2, 0, 1], [n // 2, n // 3, n - n // 2 - n // 3]))
    x = rng.random((n, 6, 5, 2)) + 0.35 * y[:, None, None, None] * np.linspace(-1, 1, 5)[:, None]
    x[:, 0, 0, 0] = np.arange(n) / n
    return x, y


X, Y = pictures(11, 1)
HELD_OUT = pictures(6, 2)


class Diary(nn.Callback):
    """Everything that `fit` tells."""

    def __init__(self):
        self.told = []

    def on_train_begin(self, logs):
        self.told.append(("train begins", None, dict(logs)))

    def on_epoch_begin(self, epoch, logs):
        self.told.append(("epoch begins", epoch, dict(logs)))

    def on_batch_begin(self, batch, logs):
        self.told.append(("batch begins", batch, dict(logs)))

    def on_batch_end(self, batch, logs):
        self.told.append(("batch ends", batch, dict(logs)))

    def on_epoch_end(self, epoch, logs):
        self.told.append(("epoch ends", epoch, dict(logs)))

    def on_train_end(self, logs):
        self.told.append(("train ends", None, dict(logs)))


def batches_seen(model, first):
    """{epoch: [(rows, mask), ...]} of what passed the spies in training since the last call."""
    pixels, before, after = (model.get_layer(name).seen[True] for name in ("pixels", "before", "after"))
    found = []
    for x, features, dropped in zip(pixels, before, after, strict=True):
        rows = np.round(x[:, 0, 0, 0] * len(X)).astype(int)
        assert np.array_equal(x, X[rows])
        mask = np.divide(dropped, features, out=np.zeros_like(features), where=features != 0)
        assert set(np.round(mask[features != 0], 12)) <= {0.0, round(1 / (1 - RATE), 12)}
        found.append((rows, mask))
    for seen in (pixels, before, after):
        seen.clear()
    return {first + i // 3: found[i : i + 3] for i in range(0, len(found), 3)}


RULES = {
    "momentum": (lambda: nn.SGD(0.4, 0.7), lambda: plain.PlainSGD(0.4, 0.7, False)),
    "nesterov": (lambda: nn.SGD(0.4, 0.7, nesterov=True), lambda: plain.PlainSGD(0.4, 0.7, True)),
    "adam": (lambda: nn.Adam(0.08, 0.8, 0.95, 1e-4), lambda: plain.PlainAdam(0.08, 0.8, 0.95, 1e-4)),
    "adamw": (lambda: nn.AdamW(0.08, 0.5, 0.8, 0.95, 1e-4), lambda: plain.PlainAdamW(0.08, 0.5, 0.8, 0.95, 1e-4)),
}


@pytest.mark.parametrize("name", RULES)
def test_two_trainings_in_a_row_log_and_learn_what_plain_numpy_does(name, tmp_path):
    """The second goes on with the weights and the optimiser's memory of the first; callbacks begin anew."""
    model, (optimizer, rule) = network(), (make() for make in RULES[name])
    model.compile(optimizer)
    weights = model.get_weights()
    plateau = {"factor": 0.6, "patience": 1, "min_delta": 0.01, "cooldown": 1, "min_lr": 0.03}
    stop = nn.EarlyStopping(patience=3, min_delta=0.002, restore_best_weights=True)
    diary, reduce = Diary(), nn.ReduceLROnPlateau(**plateau)
    for first, last in ((0, 9), (2, 8)):
        log = nn.CSVLogger(tmp_path / f"{first}.csv")
        history = model.fit(
            X, Y, batch_size=4, epochs=last, initial_epoch=first, validation_data=HELD_OUT, verbose=0,
            callbacks=[reduce, stop, log, diary],
        )  # fmt: skip
        epochs = batches_seen(model, first)
        by_hand_stop = plain.PlainStop(patience=3, min_delta=0.002)
        logged, by_batch, _ = plain.train(
            weights, rule, epochs, X, Y, HELD_OUT, plain.PlainPlateau(**plateau), by_hand_stop
        )
        assert history.epoch == list(epochs) == list(range(first, first + len(logged)))
        for key in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
            assert history.history[key] == pytest.approx([logs[key] for logs in logged], rel=1e-9), key
        assert len(history.history) == 5
        with (tmp_path / f"{first}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [int(row.pop("epoch")) for row in rows] == history.epoch
        assert [{key: float(value) for key, value in row.items()} for row in rows] == [
            {key: series[i] for key, series in history.history.items()} for i in range(len(rows))
        ]
        assert [logs for what, _, logs in diary.told if what == "batch ends"] == [
            pytest.approx(logs, rel=1e-9) for logs in by_batch
        ]
        assert told_in_order(diary.told, history)
        diary.told.clear()
        weights = by_hand_stop.best_weights
        for ours, theirs in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-12)
        assert optimizer.learning_rate == pytest.approx(rule.rate, rel=1e-12)


def told_in_order(told, history):
    """Begin and end of the training, of each epoch, of each of its three batches; each hears what is known by then."""
    expected = [("train begins", None, {})]
    ends = iter([logs for what, _, logs in told if what == "batch ends"])
    for i, epoch in enumerate(history.epoch):
        expected.append(("epoch begins", epoch, {}))
        known = {}
        for batch in range(3):
            expected.append(("batch begins", batch, known))
            known = next(ends)
            expected.append(("batch ends", batch, known))
        logs = {key: series[i] for key, series in history.history.items()}
        expected.append(("epoch ends", epoch, logs))
    return told == [*expected, ("train ends", None, logs)]


def test_each_epoch_has_an_order_of_its_own_and_each_batch_a_mask_of_its_own():
    model = network()
    model.compile()
    model.fit(X, Y, batch_size=4, epochs=3, validation_data=HELD_OUT, verbose=0)
    epochs = batches_seen(model, 0)
    orders = [np.concatenate([rows for rows, _ in batches]) for batches in epochs.values()]
    assert all([len(rows) for rows, _ in batches] == [4, 4, 3] for batches in epochs.values())
    assert all(sorted(order) == list(range(11)) for order in orders)
    assert len({tuple(order) for order in [*orders, np.arange(11)]}) == 4
    masks = [mask[:3] > 0 for batches in epochs.values() for _, mask in batches]
    assert len({mask.tobytes() for mask in masks}) == 9
    seen = model.get_layer("pixels").seen[False]  # the validation's, in the order that was given
    assert [len(x) for x in seen] == [4, 2] * 3 and np.array_equal(np.concatenate(seen[4:]), HELD_OUT[0])
    for before, after in zip(model.get_layer("before").seen[False], model.get_layer("after").seen[False], strict=True):
        assert np.array_equal(before, after)


def test_without_shuffling_every_epoch_takes_the_images_as_they_come():
    model = network()
    model.compile()
    model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for batches in batches_seen(model, 0).values():
        assert np.array_equal(np.concatenate([rows for rows, _ in batches]), np.arange(11))


def test_an_evaluation_counts_every_image_once_whatever_the_batches():
    model = network()
    model.compile()
    weights = model.get_weights()
    logits = plain.logits_of(weights, X)[0]
    expected = {"loss": plain.losses_of(logits, Y).mean(), "accuracy": (logits.argmax(axis=1) == Y).mean()}
    for batch_size in (1, 4, 11, 32):
        assert model.evaluate(X, Y, batch_size) == pytest.approx(expected, rel=1e-12)
    by_batches = [(X[:9], Y[:9]), (X[9:], Y[9:])]
    assert model.evaluate(by_batches) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(model.logits(X, batch_size=4), logits, rtol=1e-12)
    assert [len(x) for x in model.get_layer("pixels").seen[False][-3:]] == [4, 4, 3]
