"""Training the paper's network on a set of images, and asking it about them. Knows nothing of run folders."""

from collections.abc import Sequence

import numpy as np

from .. import images as image_tools
from .. import nn
from .config import TwoStageConfig
from .data import BATCH, StudyData


def build_model(config: TwoStageConfig, class_names: Sequence[str]) -> nn.Sequential:
    """The paper's network for these classes. Both stages get the same seed: only their images differ."""
    model = nn.paper_cnn(
        (config.image_size, config.image_size, 3),
        len(class_names),
        random_state=config.seed,
        algorithm="auto",
        dropout=config.dropout,
        first_bias=config.first_bias,
    )
    model.compile(nn.Adam(config.learning_rate), nn.SparseCategoricalCrossentropy())
    model.metadata = {
        "class_names": list(class_names),
        "image_size": config.image_size,
        "preprocessing": "RGB, squeezed to image_size x image_size, divided by 255",
    }
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
