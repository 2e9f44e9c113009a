"""to_keras: a `.keras` file that `keras.saving.load_model` reads, or the weights alone as `.weights.h5`."""

import io
import json
import os
import zipfile
from collections import Counter
from typing import Any

from .. import nn
from ..errors import InputError
from ..files import atomic
from ..nn.layers.base import snake_case
from .extras import h5py
from .keras_layers import write_layer

KERAS_VERSION = "3.0.0"  # the format's; later ones read it


def to_keras(model: nn.Sequential, path: str | os.PathLike) -> None:
    """Write a built model to `path`: .keras (architecture and weights) or .weights.h5 (weights alone), atomically.

    Keras reads it with the same names, layouts and numbers. InputError for a layer that Keras has not (Absolute, Log,
    Standardization), and for other endings.
    """
    text = str(path)
    if not text.endswith((".keras", ".weights.h5")):
        raise InputError(f"{path}: Keras reads files that end in .keras or .weights.h5; choose one of them")
    if model.input_shape is None:
        raise InputError("to_keras: the model is not built yet; give input_shape, or call it on a batch")
    layers = [write_layer(layer) for layer in model.layers]
    weights = _weights(model, [kind for kind, _ in layers])
    with atomic(path) as file:
        if text.endswith(".h5"):
            file.write(weights)
            return
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": KERAS_VERSION, "date_saved": ""}))
            archive.writestr("config.json", json.dumps(_config(model, layers)))
            archive.writestr("model.weights.h5", weights)


def _config(model: nn.Sequential, layers: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    batch_shape = [None, *(model.input_shape or ())]
    first = {"batch_shape": batch_shape, "dtype": "float32", "name": "input_layer"}
    entries = [("InputLayer", first), *layers]
    config = {
        "name": "sequential",
        "layers": [_entry(kind, options) for kind, options in entries],
        "build_input_shape": batch_shape,
    }
    return _entry("Sequential", config, "keras") | {"build_config": {"input_shape": batch_shape}, "compile_config": {}}


def _entry(kind: str, config: dict[str, Any], module: str = "keras.layers") -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def _weights(model: nn.Sequential, kinds: list[str]) -> bytes:
    """The HDF5 file: layers/CLASS_NUMBER/vars/0, 1, ..., in our parameters' order, which is Keras'."""
    memory = io.BytesIO()
    counts: Counter[str] = Counter()
    with h5py().File(memory, "w") as file:
        file.create_group("vars")
        for layer, kind in zip(model.layers, kinds, strict=True):
            name = snake_case(kind)
            group = file.create_group(f"layers/{name}_{counts[name]}/vars" if counts[name] else f"layers/{name}/vars")
            counts[name] += 1
            for number, array in enumerate(layer.params.values()):
                group.create_dataset(str(number), data=array)
    return memory.getvalue()
