"""Interrupted and resumed training ends bit for bit where uninterrupted training does."""

import numpy as np
import pytest

from batik_scratch import images, nn
from batik_scratch.errors import InputError
from batik_scratch.nn import model_file
from batik_scratch.nn.fitting.progress import Progress


def network(seed=0, units=3):
    layers = [nn.Conv2D(4, 3), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten(), nn.Dropout(0.3), nn.Dense(units)]
    model = nn.Sequential([*layers, nn.Softmax()], input_shape=(12, 12, 3), random_state=seed)
    model.compile(nn.Adam(0.01), nn.SparseCategoricalCrossentropy())
    return model


PIXELS = np.random.default_rng(0).integers(0, 256, (22, 12, 12, 3), np.uint8)
LABELS = np.arange(22) % 3


def arrays():
    return PIXELS.astype(np.float32) / 255, LABELS


def augmented():
    return images.AugmentedBatches(PIXELS, LABELS, 5, images.ImageAugmenter(rotation_range=20), seed=3), None


def train(data, epochs=5, checkpoint=None, model=None):
    model = model or network()
    x, y = data()
    callbacks = [nn.ReduceLROnPlateau(patience=0, factor=0.5)]
    history = model.fit(
        x,
        y,
        batch_size=5,
        epochs=epochs,
        validation_data=arrays(),
        callbacks=callbacks,
        verbose=0,
        checkpoint=checkpoint,
    )
    return model, history


def same(one, two):
    return (
        all(np.array_equal(a, b) for a, b in zip(one[0].get_weights(), two[0].get_weights(), strict=True))
        and one[1].history == two[1].history
        and one[1].epoch == two[1].epoch
        and one[0].optimizer.iterations == two[0].optimizer.iterations
        and one[0].optimizer.learning_rate == two[0].optimizer.learning_rate
    )


@pytest.mark.parametrize("data", [arrays, augmented])
@pytest.mark.parametrize("stop_after", [1, 3, 5, 9, 10, 24])
def test_stopped_after_any_batch_and_resumed_it_ends_bit_equal(tmp_path, data, stop_after):
    whole = train(data)
    asked = iter(range(10_000))
    stopping = nn.Checkpoint(tmp_path, should_stop=lambda: next(asked) >= stop_after - 1)
    with pytest.raises(KeyboardInterrupt):
        train(data, checkpoint=stopping)
    resumed = train(data, checkpoint=nn.Checkpoint(tmp_path), model=network(seed=9))
    assert same(whole, resumed)


def test_a_finished_training_is_not_repeated(tmp_path):
    whole = train(arrays, checkpoint=nn.Checkpoint(tmp_path))
    again = train(arrays, checkpoint=nn.Checkpoint(tmp_path), model=network(seed=9))
    assert same(whole, again)


def test_a_stop_by_a_callback_is_kept(tmp_path):
    x, y = arrays()

    class Stop(nn.Callback):
        def on_epoch_end(self, epoch, logs):
            self.model.stop_training = epoch == 1

    for model in (network(), network(seed=4)):
        history = model.fit(x, y, epochs=9, callbacks=[Stop()], verbose=0, checkpoint=nn.Checkpoint(tmp_path, every=4))
        assert history.epoch == [0, 1] and model.stop_training


def test_every_counts_epochs_and_best_is_a_model(tmp_path):
    checkpoint = nn.Checkpoint(tmp_path, every=3)
    _, history = train(arrays, 4, checkpoint)
    with model_file.open_archive(checkpoint.latest) as archive:
        assert model_file.read_description(archive, "", "batik_scratch checkpoint")["epoch"] == 3
    best = nn.Sequential.load(tmp_path / "best.npz")
    best.compile()
    assert best.evaluate(*arrays())["loss"] == pytest.approx(min(history.history["val_loss"]), rel=1e-6)


def test_a_checkpoint_of_another_network_or_damaged_is_refused_and_changes_nothing(tmp_path):
    train(arrays, 1, nn.Checkpoint(tmp_path))
    other = network(units=4)
    before = other.get_weights()
    with pytest.raises(InputError, match="another network"):
        other.fit(*arrays(), verbose=0, checkpoint=nn.Checkpoint(tmp_path))
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights(), strict=True))
    file = tmp_path / "latest.npz"
    data = bytearray(file.read_bytes())
    with np.load(file) as stored:
        data[data.index(stored["conv2d/kernel"].tobytes()) + 7] ^= 1
    file.write_bytes(data)
    with pytest.raises(InputError, match=r"checksum|damaged"):
        train(arrays, 1, nn.Checkpoint(tmp_path))


def test_what_cannot_be_resumed_is_said_before_training(tmp_path):
    with pytest.raises(InputError, match="restore_best_weights"):
        network().fit(
            *arrays(),
            validation_data=arrays(),
            callbacks=[nn.EarlyStopping(restore_best_weights=True)],
            verbose=0,
            checkpoint=nn.Checkpoint(tmp_path),
        )
    with pytest.raises(InputError, match="whole number of epochs"):
        nn.Checkpoint(tmp_path, every=0)


def test_a_diverged_training_keeps_its_last_good_checkpoint(tmp_path):
    from batik_scratch.errors import TrainingDiverged

    checkpoint = nn.Checkpoint(tmp_path)
    train(arrays, 1, checkpoint)
    good = checkpoint.latest.read_bytes()
    x, y = arrays()
    x[3] = np.nan
    with pytest.raises(TrainingDiverged, match="epoch 2, batch"):
        network().fit(
            x, y, batch_size=5, epochs=3, callbacks=[nn.ReduceLROnPlateau("loss")], verbose=0, checkpoint=checkpoint
        )
    assert checkpoint.latest.read_bytes() == good


def test_a_checkpoint_makes_its_folder_at_the_first_save(tmp_path):
    checkpoint = nn.Checkpoint(tmp_path / "not" / "there")
    train(arrays, 1, checkpoint)
    assert (tmp_path / "not" / "there" / "best.npz").is_file()


def test_the_folder_is_made_with_its_parents_and_the_best_may_be_beaten_again(tmp_path):
    checkpoint = nn.Checkpoint(tmp_path / "a" / "b", every=100)
    model = network()
    for epoch, loss in enumerate((3.0, 2.0, 2.5, 1.0)):
        checkpoint.after_epoch(model, [], Progress(epoch + 1), {"loss": 9.0, "val_loss": loss})
        assert checkpoint.best == min((3.0, 2.0, 2.5, 1.0)[: epoch + 1])
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["best.npz"]
