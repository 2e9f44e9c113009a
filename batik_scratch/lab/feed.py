"""What the page is fed: a network, pictures and recorded epochs, as JSON takes them.

Arrays travel as base64 of their bytes, little-endian and in C order; the page turns them into float64.
"""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, images, nn
from ..errors import InputError
from ..images.names import place_of
from ..images.reading import printable
from ..motifs import MOTIFS, draw
from ..motifs.drawing import MIN_SIZE
from ..nn.registry import BUILT_IN
from . import recorded

DRAWN_PER_CLASS = 3  # the one that the network is least sure of, and of the rest the middle and the surest
CANDIDATES = 9  # drawn of each class, to choose those from
DRAWN_SEED = 2026  # of cloths that no recorded training saw
MAX_SIDE = 512


def page_data(model_file: Path | None = None, photos: Sequence[Path] = ()) -> dict[str, Any]:
    """All that the page knows. Without a model file: the network that comes with the package, and its epochs.

    {"version", "model": {"name", "input_shape", "class_names", "layers"}, "images": [...], "epochs": {...} or None}

    InputError if the model cannot be shown, or a photo cannot be read.
    """
    file = recorded.model_file() if model_file is None else model_file
    model = nn.Sequential.load(file)
    side = check_shown(model, file)
    names = class_names(model)
    own = [_photo(path, side, names) for path in photos]
    return {
        "version": __version__,
        "model": {
            "name": None if model_file is None else printable(model_file.name),
            "input_shape": list(model.input_shape or ()),
            "class_names": names,
            "layers": [_layer(layer) for layer in model.layers],
        },
        "images": own + [cloth for motif in MOTIFS for cloth in _drawn(motif, model, side, names)],
        "epochs": _epochs(recorded.read_epochs()) if model_file is None else None,
    }


def check_shown(model: nn.Sequential, file: Path) -> int:
    """The side of the pictures that a model takes; InputError if the page cannot show such a model."""
    shape = model.input_shape or ()
    if len(shape) != 3 or shape[0] != shape[1] or shape[2] != 3 or shape[0] > MAX_SIDE:
        raise InputError(
            f"{file}: the lab shows networks of square colour pictures up to {MAX_SIDE} pixels, "
            f"(S, S, 3); this one takes {shape}"
        )
    for layer in model.layers:
        if BUILT_IN.get(type(layer).__name__) is not type(layer):
            raise InputError(
                f"{file}: the lab computes in the browser, where there is only this package's layers; "
                f"{layer.name} is a {type(layer).__name__} of your own. Leave it out, or use one of "
                f"{', '.join(BUILT_IN)}"
            )
    if any(isinstance(layer, nn.Softmax) for layer in model.layers[:-1]):
        raise InputError(f"{file}: the lab needs Softmax to be the last layer, or not there at all")
    if len(model.output_shape or ()) != 1 or model.dtype.kind != "f":
        raise InputError(
            f"{file}: the lab needs one real number per class at the end; this network ends in "
            f"{model.output_shape} of {model.dtype}. Put Flatten and Dense before the end"
        )
    return shape[0]


def class_names(model: nn.Sequential) -> list[str]:
    """The classes' names: those in the model file, or "class 0", "class 1", ..."""
    outputs = (model.output_shape or (0,))[0]
    told = model.metadata.get("class_names")
    if isinstance(told, list) and len(told) == outputs:
        return [printable(str(name)) for name in told]
    return [f"class {number}" for number in range(outputs)]


def _layer(layer: nn.Layer) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": type(layer).__name__,
        "name": layer.name,
        "config": layer.config(),
        "input_shape": list(layer.input_shape or ()),
        "output_shape": list(layer.output_shape or ()),
        "params": {key: packed(value) for key, value in layer.params.items()},
        "not_trained": list(layer.not_trained),
    }
    return told


def _drawn(motif: str, model: nn.Sequential, side: int, names: Sequence[str]) -> list[dict[str, Any]]:
    """Cloths of one motif, from the hardest for this network on; the first few, if it does not know the motif."""
    label = place_of(motif, names)
    pixels = np.stack([_cloth(motif, number, side) for number in range(CANDIDATES)])  # (N, side, side, 3)
    chosen = list(range(DRAWN_PER_CLASS))
    if label is not None:
        order = model.predict(pixels.astype(np.float32) / 255)[:, label].argsort(kind="stable")  # (N,)
        chosen = [int(order[0]), int(order[CANDIDATES // 2]), int(order[-1])]
    return [{"name": f"{motif} {n + 1}", "label": label, "pixels": packed(pixels[n])} for n in chosen]


def _cloth(motif: str, number: int, side: int) -> np.ndarray:
    """A drawn cloth, uint8 (side, side, 3)."""
    rng = np.random.default_rng(np.random.SeedSequence([DRAWN_SEED, MOTIFS.index(motif), number]))
    pixels, _ = draw(motif, rng, max(side, MIN_SIZE))
    places = np.arange(side) * len(pixels) // side  # where fewer are wanted than can be drawn
    return pixels[places][:, places]


def _photo(path: Path, side: int, names: Sequence[str]) -> dict[str, Any]:
    """A picture from a file; the folder that it is in says its class, if it is one of the model's."""
    label = place_of(path.absolute().parent.name, names)
    return {"name": printable(path.name), "label": label, "pixels": packed(images.read_pixels(path, side))}


def _epochs(told: recorded.Epochs) -> dict[str, Any]:
    return {
        "epoch": told.epoch.tolist(),
        "weights": [packed(row) for row in told.weights],
        "confusion": told.confusion.tolist(),
        "curves": {name: [round(float(value), 5) for value in values] for name, values in told.curves.items()},
    }


def packed(array: np.ndarray) -> dict[str, Any]:
    """{"dtype", "shape", "data"}: an array as the page unpacks it."""
    wide = np.ascontiguousarray(array)
    plain = wide.astype(wide.dtype.newbyteorder("<"), copy=False)
    return {
        "dtype": wide.dtype.name,
        "shape": list(wide.shape),
        "data": base64.b64encode(plain.tobytes()).decode("ascii"),
    }
