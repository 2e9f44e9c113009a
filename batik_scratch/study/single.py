"""The parts of the pipeline on their own: train one model, evaluate it, ask it about images."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from .. import images as image_tools
from .. import nn
from ..errors import InputError
from ..images.names import nearest, place_of
from ..images.passed_over import shortened, summary
from ..images.reading import printable
from ..ops.jit import say_if_cold
from .config import TwoStageConfig
from .data import load_study_data
from .outcome import Outcome
from .training import predict_rows, train_network


def train_model(config: TwoStageConfig, out: Path, say: Callable[[str], None] = print, verbose: int = 1) -> Outcome:
    """Train a network as a study's first stage does and write it to `out`; returns what it says of the held-out images.

    `say` takes what one must know of the data, before the training; verbose 1 prints a line for each epoch, 0 none.
    """
    if out.exists():
        raise InputError(f"--out {out}: exists; nothing was touched. Choose another name, or remove it")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise InputError(f"--out {out}: cannot be written, {out.parent} is not a writable folder")
    data = load_study_data(config)
    for line in data.said():
        say(line)
    say_if_cold(say)
    model, history = train_network(config, data, data.images, verbose)
    model.save(out)
    predicted = predict_rows(model, data.images, data.validation).argmax(axis=1)  # (N,)
    return Outcome(data.labels[data.validation], predicted, data.class_names, out, len(history.epoch))


def evaluate_model(
    model_file: Path,
    folder: Path,
    skip_bad: bool = False,
    follow_links: bool = False,
    say: Callable[[str], None] = print,
) -> Outcome:
    """What a saved model says of every image of `folder`: one image is enough, and so is one class.

    The folder's classes must be the model's, in any case, spacing and Unicode form.
    """
    model, names, size = load_classifier(model_file)
    found = image_tools.load_folder(folder, size, skip_bad=skip_bad, follow_links=follow_links, minimum=1)
    for line in (*(f"WARNING: {text}" for text in found.warnings), *summary(found.passed_over)):
        say(line if line.startswith("WARNING") else f"passed over: {line}")
    places = {name: place_of(name, names) for name in found.class_names}
    unknown = [name for name, place in places.items() if place is None]
    if unknown:
        hints = {name: nearest(name, names) for name in unknown}
        told = [printable(name) + (f" (did you mean {near}?)" if (near := hints[name]) else "") for name in unknown]
        raise InputError(
            f"{folder}: the model does not know the classes {shortened(told)}; it knows {shortened(names)}"
        )
    labels = np.array([places[found.class_names[label]] for label in found.labels])  # (N,) as the model counts
    predicted = predict_rows(model, found.images, np.arange(len(labels))).argmax(axis=1)  # (N,)
    return Outcome(labels, predicted, names, model_file)


def load_classifier(model_file: Path) -> tuple[nn.Sequential, list[str], int]:
    """A saved model with its class names and image size."""
    model = nn.Sequential.load(model_file)
    names, size = model.metadata.get("class_names"), model.metadata.get("image_size")
    if not isinstance(names, list) or not isinstance(size, int) or (size, size, 3) != model.input_shape:
        raise InputError(
            f"{model_file}: carries no class names or image size; use a model that `run` or `train` wrote, or that "
            "`import FILE OUT --classes NAME ...` read"
        )
    return model, [str(name) for name in names], size


def read_pixels(paths: Sequence[Path], size: int) -> np.ndarray:
    """Images as uint8 (N, size, size, 3), decoded as in a study."""
    return np.stack([image_tools.read_pixels(path, size) for path in paths])  # (N, size, size, 3)
