"""One stage: train the paper's network on a set of images, and record how well it does."""

from collections.abc import Sequence

import numpy as np

from .. import images as image_tools
from .. import nn
from .config import TwoStageConfig
from .data import StudyData
from .maps import BATCH
from .metrics import classification_metrics
from .run_folder import RunFolder
from .stop import StopRequest

HISTORY = ("accuracy", "loss", "val_accuracy", "val_loss", "learning_rate")


class RecordHistory(nn.Callback):
    """Rewrites history.csv after every epoch, so that a run that ends early has its curves."""

    state_names = ("rows",)

    def __init__(self, folder: RunFolder, stage: str) -> None:
        self.folder, self.stage = folder, stage
        self.rows: list[list[float]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.rows.append([epoch + 1, *(logs[key] for key in HISTORY)])
        self.folder.write_csv(f"{self.stage}/history.csv", ("epoch", *HISTORY), self.rows)


def build_model(config: TwoStageConfig, class_names: Sequence[str]) -> nn.Sequential:
    """The paper's network for these classes. Both stages get the same seed: only their images differ."""
    model = nn.paper_cnn(
        (config.image_size, config.image_size, 3),
        len(class_names),
        random_state=config.seed,
        algorithm="auto",
        dropout=config.dropout,
    )
    model.compile(nn.Adam(config.learning_rate), nn.SparseCategoricalCrossentropy())
    model.metadata = {
        "class_names": list(class_names),
        "image_size": config.image_size,
        "preprocessing": "RGB, squeezed to image_size x image_size, divided by 255",
    }
    return model


def train_stage(
    config: TwoStageConfig,
    folder: RunFolder,
    stage: str,
    data: StudyData,
    pixels: np.ndarray,
    verbose: int,
    checkpoint_every: int,
) -> nn.Sequential:
    """Train on pixels uint8 (N, H, W, 3), the images of `data` or what was made of them; write the stage's files.

    history.csv (after each epoch), model.npz, predictions.csv and metrics.json, which is written last: where it is there
    the stage is done, and its model is read back. Where a checkpoint is there, training goes on from it. The weights
    are the last epoch's; checkpoint/best.npz has those of the lowest validation loss.
    """
    if (folder / f"{stage}/metrics.json").is_file():
        return nn.Sequential.load(folder / f"{stage}/model.npz")
    with StopRequest() as stop:
        checkpoint = nn.Checkpoint(folder / f"{stage}/checkpoint", checkpoint_every, stop.asked)
        model, history = train_network(config, data, pixels, verbose, [RecordHistory(folder, stage)], checkpoint)
    model.save(folder / f"{stage}/model.npz")
    probabilities = predict_rows(model, pixels, data.validation)  # (N, U)
    labels, predicted = data.labels[data.validation], probabilities.argmax(axis=1)  # (N,) both
    paths = [data.paths[i] for i in data.validation]
    rows = zip(paths, labels.tolist(), predicted.tolist(), *probabilities.T.tolist(), strict=True)
    header = ("path", "label", "predicted", *(f"p_{name}" for name in data.class_names))
    folder.write_csv(f"{stage}/predictions.csv", header, rows)
    outcome = {
        "loss": history.history["val_loss"][-1],
        "epochs_run": len(history.epoch),
        "stopped": "accuracy" if model.stop_training else "epochs",
    }
    folder.write_json(f"{stage}/metrics.json", classification_metrics(labels, predicted, data.class_names) | outcome)
    checkpoint.latest.unlink(missing_ok=True)
    return model


def train_network(
    config: TwoStageConfig,
    data: StudyData,
    pixels: np.ndarray,
    verbose: int,
    extra: Sequence[nn.Callback] = (),
    checkpoint: nn.Checkpoint | None = None,
) -> tuple[nn.Sequential, nn.History]:
    """The paper's network, trained on pixels[data.train] and watched on pixels[data.validation]."""
    model = build_model(config, data.class_names)
    callbacks = [nn.ReduceLROnPlateau("val_loss", config.reduce_lr_factor, config.reduce_lr_patience), *extra]
    if config.stop_at_accuracy:
        callbacks.append(nn.StopAtAccuracy(config.stop_at_accuracy))
    batches = training_batches(config, pixels, data.labels, data.train)
    held_out = image_tools.AugmentedBatches(pixels, data.labels, config.batch_size, shuffle=False, rows=data.validation)
    history = model.fit(
        batches,
        epochs=config.epochs,
        validation_data=held_out,
        callbacks=callbacks,
        verbose=verbose,
        checkpoint=checkpoint,
    )
    return model, history


def predict_rows(model: nn.Sequential, pixels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Probabilities (len(rows), U) of pixels[rows], uint8 (N, H, W, 3), a batch at a time."""
    labels = np.zeros(len(pixels), np.int64)  # not asked for
    batches = image_tools.AugmentedBatches(pixels, labels, BATCH, shuffle=False, rows=rows)
    return np.concatenate([model.predict(x) for x, _ in batches])  # (len(rows), U)


def training_batches(
    config: TwoStageConfig, pixels: np.ndarray, labels: np.ndarray, rows: np.ndarray
) -> image_tools.AugmentedBatches:
    """Shuffled and augmented batches of pixels[rows]; epoch e's are the same in both stages, image for image."""
    augmenter = image_tools.ImageAugmenter(
        rotation_range=config.rotation_range,
        width_shift_range=config.shift_range,
        height_shift_range=config.shift_range,
        zoom_range=config.zoom_range,
        horizontal_flip=config.horizontal_flip,
    )
    return image_tools.AugmentedBatches(pixels, labels, config.batch_size, augmenter, seed=config.seed, rows=rows)
