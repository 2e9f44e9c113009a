"""What a checkpoint holds, when it is written, what it restores, and what it refuses."""

import copy
import json

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn import model_file
from batik_scratch.nn.fitting.progress import Progress

X = np.random.default_rng(3).random((11, 6))
Y = np.array([2, 0, 1, 1, 1, 0, 2, 1, 1, 0, 1])
HELD_OUT = X[:7] + 0.3, Y[:7]


def network(seed=1, optimizer=nn.Adam, rate=0.3, dtype="float64"):
    layers = [nn.Dropout(rate), nn.Dense(5), nn.ReLU(), nn.Dropout(0.2), nn.Dense(3), nn.Softmax()]
    model = nn.Sequential(layers, (6,), seed, dtype)
    model.compile(optimizer(0.2))
    return model


def momentum(rate):
    return nn.SGD(rate, 0.9)


def decaying(rate):
    return nn.AdamW(rate, 0.1)


def callbacks():
    return [
        nn.ReduceLROnPlateau(patience=1, factor=0.5, cooldown=2, min_delta=0.05),
        nn.EarlyStopping(patience=5),
        nn.ReduceLROnPlateau("accuracy", patience=2, factor=0.7),
        nn.StopAtAccuracy(1.0),
    ]


def train(model, checkpoint=None, epochs=7, called=None, held_out=HELD_OUT, first=0):
    called = callbacks() if called is None else called
    return model.fit(
        X, Y, batch_size=4, epochs=epochs, validation_data=held_out, callbacks=called, verbose=0, checkpoint=checkpoint,
        initial_epoch=first,
    )  # fmt: skip


def after(questions):
    """Says yes to the question with this number, from 1."""
    asked = iter(range(1, 10_000))
    return lambda: next(asked) == questions


def contents(folder):
    with np.load(folder / "latest.npz") as file:
        arrays = {name: file[name] for name in file.files}
    return json.loads(arrays.pop("description").tobytes()), arrays


@pytest.mark.parametrize("optimizer", [nn.Adam, decaying, momentum])
def test_two_interruptions_anywhere_change_neither_a_weight_nor_a_log(tmp_path, optimizer):
    whole = network(optimizer=optimizer)
    history = train(whole)
    assert len(set(history.history["learning_rate"])) >= 3  # the callbacks had something to do
    for first, second in ((2, 1), (8, 9), (15, 2)):  # questions: three batches and an epoch's end
        folder = tmp_path / "runs" / str(first)
        for seed, number in ((1, first), (5, second)):
            with pytest.raises(KeyboardInterrupt):
                train(network(seed, optimizer), nn.Checkpoint(folder, 50, should_stop=after(number)))
        model = network(9, optimizer)
        resumed = train(model, nn.Checkpoint(folder, 50))
        assert resumed.history == history.history and resumed.epoch == history.epoch
        assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), whole.get_weights(), strict=True))
        assert model.optimizer.learning_rate == whole.optimizer.learning_rate
        for slot, kept in whole.optimizer.memory.items():
            assert all(np.array_equal(a, b) for a, b in zip(model.optimizer.memory[slot], kept, strict=True))
        assert model.stop_training == whole.stop_training
        later = [train(made, epochs=9, called=[], first=7) for made in (copy.deepcopy(whole), model)]
        assert later[0].history == later[1].history  # the streams of random numbers too


class Running(nn.Callback):
    """The last batch's logs."""

    def on_batch_end(self, batch, logs):
        self.logs = logs


@pytest.mark.parametrize(
    ("optimizer", "slots"), [(nn.Adam, ["m", "v"]), (decaying, ["m", "v"]), (momentum, ["velocity"])]
)
def test_in_the_middle_of_an_epoch_all_that_goes_on_is_written_down(tmp_path, optimizer, slots):
    model, running, called = network(optimizer=optimizer), Running(), callbacks()
    with pytest.raises(KeyboardInterrupt):
        train(model, nn.Checkpoint(tmp_path, should_stop=after(4 + 4 + 2)), called=[running, *called])
    told, arrays = contents(tmp_path)
    assert told["format"] == "batik_scratch checkpoint" and told["format_version"] == 1
    assert (told["epoch"], told["batch"], told["iterations"]) == (2, 2, 8)
    images, loss_sum, hits = told["mean"]
    assert images == 8 and running.logs == {"loss": loss_sum / 8, "accuracy": hits / 8}
    assert told["learning_rate"] == model.optimizer.learning_rate and told["stop_training"] is False
    names = [name for name, _ in told["callbacks"]]
    assert names == ["History", "ReduceLROnPlateau", "EarlyStopping", "ReduceLROnPlateau"]
    history = told["callbacks"][0][1]
    assert history["epoch"] == [0, 1] and told["best"] == min(history["history"]["val_loss"])
    assert [state for _, state in told["callbacks"][1:]] == [callback.state() for callback in called[:3]]
    assert told["dropout"] == [model.layers[i].rng.bit_generator.state for i in (0, 3)]
    assert told["network"]["optimizer"] == type(model.optimizer).__name__
    assert told["network"]["dtype"] == "float64" and told["network"]["input_shape"] == [6]
    weights = dict(
        zip(["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"], model.get_weights(), strict=True)
    )
    expected = weights | {f"{slot}/{i}": w for slot in slots for i, w in enumerate(model.optimizer.memory[slot])}
    assert arrays.keys() == expected.keys()
    assert all(np.array_equal(arrays[name], w) and arrays[name].dtype == w.dtype for name, w in expected.items())


class Saved(nn.Callback):
    """The whole epochs in latest.npz, as each epoch begins."""

    def __init__(self, folder):
        self.folder, self.found = folder, []

    def on_epoch_begin(self, epoch, logs):
        self.found.append(contents(self.folder)[0]["epoch"] if (self.folder / "latest.npz").exists() else None)


@pytest.mark.parametrize(
    ("every", "found"), [(1, [None, 1, 2, 3, 4, 5, 6]), (2, [None, None, 2, 2, 4, 4, 6]), (5, [*[None] * 5, 5, 5])]
)
def test_every_is_the_number_of_epochs_between_two_checkpoints(tmp_path, every, found):
    saved = Saved(tmp_path)
    train(network(), nn.Checkpoint(tmp_path, every), called=[saved])
    assert saved.found == found


def test_an_end_before_its_time_is_written_whatever_every_says(tmp_path):
    stop = nn.EarlyStopping(min_delta=100.0)
    train(network(), nn.Checkpoint(tmp_path / "a", every=50), called=[stop])
    told = contents(tmp_path / "a")[0]
    assert (told["epoch"], told["batch"], told["stop_training"], told["mean"]) == (2, 0, True, [0, 0.0, 0])
    with pytest.raises(KeyboardInterrupt):
        train(network(), nn.Checkpoint(tmp_path / "b", every=50, should_stop=after(4)), called=[])
    assert contents(tmp_path / "b")[0]["epoch"] == 1


def test_the_best_weights_are_those_of_the_lowest_loss_also_after_an_interruption(tmp_path):
    losses = iter([3.0, 1.0, 2.0, 2.0, 0.5, 4.0])
    kept = {}

    class Feed(nn.Callback):
        def on_epoch_end(self, epoch, logs):
            logs["val_loss"] = next(losses)
            kept[epoch] = self.model.get_weights()

    for epochs, best, lowest in ((2, 1, 1.0), (4, 1, 1.0), (5, 4, 0.5), (6, 4, 0.5)):
        checkpoint = nn.Checkpoint(tmp_path)
        train(network(), checkpoint, epochs, [Feed()])
        loaded = nn.Sequential.load(tmp_path / "best.npz")
        assert all(np.array_equal(a, b) for a, b in zip(loaded.get_weights(), kept[best], strict=True))
        assert checkpoint.best == contents(tmp_path)[0]["best"] == lowest


def test_a_checkpoint_whose_folder_was_emptied_begins_anew(tmp_path):
    class Feed(nn.Callback):
        def on_epoch_end(self, epoch, logs):
            logs["val_loss"] = loss + epoch

    checkpoint = nn.Checkpoint(tmp_path)
    for loss in (1.0, 5.0):
        assert train(network(), checkpoint, 2, [Feed()]).epoch == [0, 1] and checkpoint.best == loss
        assert {path.name for path in tmp_path.iterdir()} == {"best.npz", "latest.npz"}
        for path in tmp_path.iterdir():
            path.unlink()


def test_without_validation_the_best_is_that_of_the_training_loss(tmp_path):
    checkpoint = nn.Checkpoint(tmp_path)
    history = train(network(), checkpoint, called=[], held_out=None)
    assert checkpoint.best == min(history.history["loss"])


def test_a_checkpoint_stands_above_the_first_epoch_that_is_asked_for(tmp_path):
    assert train(network(), nn.Checkpoint(tmp_path), 4, [], first=2).epoch == [2, 3]
    assert train(network(), nn.Checkpoint(tmp_path), 6, [], first=0).epoch == [2, 3, 4, 5]


def test_every_callback_hears_the_end_of_an_interrupted_training(tmp_path):
    heard = []

    class Hears(nn.Callback):
        def on_train_end(self, logs):
            heard.append(1)

    with pytest.raises(KeyboardInterrupt):
        train(network(), nn.Checkpoint(tmp_path, should_stop=after(2)), called=[Hears()])
    assert heard == [1]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: (network(optimizer=momentum), callbacks()), "another network or optimiser"),
        (lambda: (network(optimizer=decaying), callbacks()), "another network or optimiser"),
        (lambda: (network(rate=0.31), callbacks()), "another network"),
        (lambda: (network(dtype="float32"), callbacks()), "another network"),
        (lambda: (network(), callbacks()[1:]), "other callbacks"),
        (lambda: (network(), callbacks()[1::-1]), "other callbacks"),
        (lambda: (network(), [*callbacks(), nn.EarlyStopping()]), "other callbacks"),
    ],
)
def test_what_does_not_belong_to_a_checkpoint_is_refused_and_untouched(tmp_path, other, message):
    train(network(), nn.Checkpoint(tmp_path), 2)
    model, called = other()
    before = model.get_weights()
    with pytest.raises(InputError, match=message):
        train(model, nn.Checkpoint(tmp_path), called=called)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("key", ["epoch", "batch", "mean", "iterations", "learning_rate", "best", "stop_training",
                                 "order", "dropout", "callbacks"])  # fmt: skip
def test_a_checkpoint_with_a_part_missing_is_called_damaged(tmp_path, key):
    train(network(), nn.Checkpoint(tmp_path), 1)
    told, arrays = contents(tmp_path)
    missing = {name: value for name, value in told.items() if name not in (key, "sha256")}
    if key == "iterations":  # how many arrays there should be hangs on it
        arrays = {name: w for name, w in arrays.items() if name.startswith("dense")}
    model_file.write_arrays(tmp_path / "latest.npz", arrays, missing)
    with pytest.raises(InputError, match=r"damaged .*remove it to train from the start"):
        train(network(), nn.Checkpoint(tmp_path))


def test_before_the_first_step_there_is_no_memory_to_restore(tmp_path):
    model, checkpoint = network(), nn.Checkpoint(tmp_path)
    checkpoint.save(model, [], Progress(), model.order_rng.bit_generator.state)
    other = network(4)
    other.train_step(X, Y)
    progress = checkpoint.restore(other, [])
    assert (progress.epoch, progress.batch, other.optimizer.iterations) == (0, 0, 0)
    assert other.optimizer.memory == {"m": [], "v": []} and np.array_equal(
        other.get_weights()[0], model.get_weights()[0]
    )


@pytest.mark.parametrize("every", [0, -1, 1.0, "2", None])
def test_every_is_a_whole_number_from_one(tmp_path, every):
    with pytest.raises(InputError, match="whole number of epochs >= 1, got"):
        nn.Checkpoint(tmp_path, every)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": "2"}, {"epoch": -1}, {"epoch": 2.0}, {"batch": True}, {"batch": 1}, {"mean": [4, 1.0]},
        {"mean": [4, [], 2]}, {"learning_rate": "fast"}, {"best": {}}, {"order": 3},
        {"dropout": [{}, {}]},
        *({"callbacks": [number, key, value]} for number, key, value in (
            (0, "epoch", 3), (0, "history", {"loss": 2.0}), (1, "best", "x"), (1, "best", 10**400), (1, "wait", []),
            (2, "best", [1.0]),
        )),
    ],
)  # fmt: skip
def test_a_description_of_other_kinds_is_damage_whatever_its_checksum(tmp_path, changes):
    train(network(), nn.Checkpoint(tmp_path), 2)
    found, arrays = contents(tmp_path)
    del found["sha256"]
    for key, value in changes.items():
        if key == "callbacks":
            number, name, wrong = value
            found[key][number][1][name] = wrong
        else:
            found[key] = value
    model_file.write_arrays(tmp_path / "latest.npz", arrays, found)
    with pytest.raises(InputError, match=r"latest\.npz: damaged .*; remove it to train from the start"):
        train(network(), nn.Checkpoint(tmp_path), 3)
