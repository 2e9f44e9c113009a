"""Training a network on a set of images, and asking it about them. Knows nothing of run folders."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import images as image_tools
from .. import nn
from .config import TwoStageConfig
from .data import BATCH, StudyData


def build_model(config: TwoStageConfig, class_names: Sequence[str], channels: int = 3) -> nn.Sequential:
    """The config's network for these classes. Both stages get the same seed: only their images differ."""
    shape = (config.image_size, config.image_size, channels)
    choices: dict[str, Any] = {"random_state": config.seed, "algorithm": "auto", "dropout": config.dropout}
    if config.network == "cloth":
        model = nn.cloth_cnn(shape, len(class_names), **choices)
    else:
        model = nn.paper_cnn(shape, len(class_names), **choices, first_bias=config.first_bias)
    model.compile(nn.Adam(config.learning_rate), nn.SparseCategoricalCrossentropy())
    model.metadata = {
        "class_names": list(class_names),
        "image_size": config.image_size,
        "preprocessing": "RGB, squeezed to image_size x image_size, divided by 255",
    } | ({} if config.views == 1 else {"views": config.views})
    return model


def train_network(
    config: TwoStageConfig,
    data: StudyData,
    pixels: np.ndarray,
    verbose: int,
    extra: Sequence[nn.Callback] = (),
    checkpoint: nn.Checkpoint | None = None,
) -> tuple[nn.Sequential, nn.History]:
    """The config's network, trained on pixels[data.train] and watched on pixels[data.validation]."""
    model = build_model(config, data.class_names)
    batches = training_batches(config, pixels, data.labels, data.train)
    callbacks = [*learning_rate_rule(config, len(batches)), *extra]
    if config.stop_at_accuracy:
        callbacks.append(nn.StopAtAccuracy(config.stop_at_accuracy))
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


def learning_rate_rule(config: TwoStageConfig, batches: int, watched: str = "val_loss") -> list[nn.Callback]:
    """What sets the learning rate, where an epoch has so many batches; `watched` is the loss that a plateau goes by."""
    if config.schedule == "cosine":
        warmup = min(config.warmup_epochs, config.epochs - 1)
        return [nn.LearningRateSchedule(config.learning_rate, config.epochs, warmup)]
    plateau = nn.ReduceLROnPlateau(watched, config.reduce_lr_factor, config.reduce_lr_patience)
    if not config.warmup_epochs:
        return [plateau]
    return [nn.WarmUp(config.learning_rate, config.warmup_epochs * batches), plateau]


def predict_rows(model: nn.Sequential, pixels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Probabilities (len(rows), U) of pixels[rows], uint8 (N, H, W, 3), a batch at a time."""
    labels = np.zeros(len(pixels), np.int64)  # not asked for
    batches = image_tools.AugmentedBatches(pixels, labels, BATCH, shuffle=False, rows=rows)
    return np.concatenate([probabilities(model, x) for x, _ in batches])  # (len(rows), U)


def probabilities(model: nn.Sequential, x: np.ndarray) -> np.ndarray:
    """What the model says of x (N, H, W, C): probabilities (N, U), over as many views as it was made to take."""
    return model.predict(x) if views_of(model) == 1 else image_tools.mean_over_views(model.predict, x)


def views_of(model: nn.Sequential) -> int:
    """Over how many ways to lay a picture the model's answer is the mean."""
    return int(model.metadata.get("views", 1))


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
        vertical_flip=config.vertical_flip,
        quarter_turns=config.quarter_turns,
        crop_area=None if config.crop_area == 1 else (config.crop_area, 1.0),
    )
    return image_tools.AugmentedBatches(pixels, labels, config.batch_size, augmenter, seed=config.seed, rows=rows)
