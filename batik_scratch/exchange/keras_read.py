"""from_keras: a model out of a `.keras` file, or weights out of `.weights.h5`; no Keras and no TensorFlow needed."""

import io
import json
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..errors import InputError
from ..nn.layers.base import snake_case
from ..nn.model_file import check_size
from .extras import h5py
from .keras_layers import read_layer

MOST = 1 << 30  # bytes of a member: a stranger's archive may unpack to more than any network has
DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, KeyError, ValueError)


def from_keras(path: str | os.PathLike, model: nn.Sequential | None = None) -> nn.Sequential:
    """The Sequential model of a `.keras` file (Keras 3); or `model` with the weights of a `.weights.h5` file.

    Layers keep their names; an activation inside of a layer becomes a layer behind it. InputError names the layer and
    the argument that cannot be read, or says what is damaged. Nothing in a file is run.
    """
    if str(path).endswith(".h5"):
        if model is None or model.input_shape is None:
            raise InputError(f"{path}: holds weights alone; give the built model that they are for: model=")
        _take(model, [[layer] for layer in model.layers], _h5(Path(path), path), path)
        return model
    if model is not None:
        raise InputError(f"{path}: holds a whole model; leave model= out, or give a .weights.h5 file")
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(_member(archive, "config.json"))
            weights = _member(archive, "model.weights.h5")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except DAMAGE as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a readable .keras file ({error}); save it anew with model.save") from None
    groups, shape = _layers(config, path)
    row = [layer for group in groups for layer in group]
    try:
        check_size(row, shape, len(weights) // 2)  # two bytes is the least that a number has
        built = nn.Sequential(row, shape, 0)
    except InputError as error:
        raise InputError(f"{path}: describes a network that cannot be built: {error}") from None
    built.any_range = True  # whoever trained it knows which
    _take(built, groups, _h5(io.BytesIO(weights), path), path)
    return built


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > MOST:
        raise InputError(f"{archive.filename}: {name} has {info.file_size:,} bytes, the limit is {MOST:,}")
    return archive.read(info)


def _layers(config: Any, path: str | os.PathLike) -> tuple[list[list[nn.Layer]], list[int]]:
    """Our layers, those of one Keras layer together, and the input shape."""
    try:
        if config["class_name"] != "Sequential":
            raise InputError(f"{path}: holds a {config['class_name']}; only Sequential models can be read")
        entries = config["config"]["layers"]
        shape = config["config"].get("build_input_shape")
        groups = []
        for number, entry in enumerate(entries):
            kind, options = entry["class_name"], entry["config"]
            if kind == "InputLayer":
                shape = options["batch_shape"]
                continue
            groups.append(read_layer(kind, options, f"{path}: config.json, layers[{number}], {options.get('name')!r}"))
        if any(n is None for n in shape[1:]):
            raise InputError(f"{path}: takes images of any size, {shape}; build it for one size, and save it again")
        return groups, [int(n) for n in shape[1:]]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path}: config.json is damaged ({error!r}); save the model anew") from None


def _h5(source: Any, path: str | os.PathLike) -> dict[str, dict[str, np.ndarray]]:
    """{group of a layer: {"0": array, ...}} of a weights file."""
    try:
        with h5py().File(source, "r") as file:
            found = {}
            for name, group in file["layers"].items():
                found[name] = {key: _array(value) for key, value in group.get("vars", {}).items()}
            return found
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (*DAMAGE, TypeError, AttributeError) as error:
        raise InputError(f"{path}: its weights cannot be read ({error}); save the model anew") from None


def _array(value: Any) -> np.ndarray:
    """A stored array, unless it unpacks to more than any network has."""
    if value.nbytes > MOST:
        raise ValueError(f"{value.name} has {value.nbytes:,} bytes, the limit is {MOST:,}")
    return np.asarray(value[()])


def _take(
    model: nn.Sequential,
    groups: list[list[nn.Layer]],
    stored: Mapping[str, Mapping[str, np.ndarray]],
    path: str | os.PathLike,
) -> None:
    """Put the stored weights into the model. Keras numbers its groups by class, whatever the layers are called."""
    counts: Counter[str] = Counter()
    weights: list[np.ndarray] = []
    for layer, *_ in groups:
        kind = snake_case("Activation" if type(layer) in (nn.Sigmoid, nn.Tanh) else type(layer).__name__)
        name = f"{kind}_{counts[kind]}" if counts[kind] else kind
        counts[kind] += 1
        arrays = stored.get(name, {})
        for number, (key, own) in enumerate(layer.params.items()):
            array = arrays.get(str(number))
            if array is None and key == "bias":
                array = np.zeros(own.shape)  # use_bias=False
            if array is None:
                raise InputError(f"{path}: has no weights for layer {layer.name!r} ({name}/vars/{number}, its {key})")
            if array.shape != own.shape or array.dtype.kind != "f":
                raise InputError(
                    f"{path}: {key} of layer {layer.name!r} has shape {array.shape} of {array.dtype}, "
                    f"and {own.shape} of numbers is needed"
                )
            weights.append(array)
    model.set_weights(weights)
