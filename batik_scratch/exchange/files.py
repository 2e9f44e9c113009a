"""Files by their endings: which function writes or reads each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import nn
from ..errors import InputError
from .keras_read import from_keras
from .keras_write import to_keras
from .onnx_read import from_onnx
from .onnx_write import to_onnx

PREPROCESSING = "RGB, squeezed to image_size x image_size, divided by 255"  # what predict does to a photo


def export_model(source: Path, target: Path, logits: bool = False) -> None:
    """Write the model file `source` as `target`: .keras, .weights.h5 or .onnx. Nothing that exists is overwritten."""
    _free(target)
    model = nn.Sequential.load(source)
    if target.suffix == ".onnx":
        to_onnx(model, target, logits)
    elif logits:
        raise InputError("--logits: goes with .onnx alone; in a Keras file the Softmax is a layer of its own")
    else:
        to_keras(model, target)


def import_model(source: Path, target: Path, classes: Sequence[str] | None = None) -> None:
    """Write the .keras or .onnx file `source` as a model file `target` of this package; nothing is overwritten.

    classes    what the classes are called, in the model's order; stored with the model, so that the commands that
               answer for photos can use it. It must then take square RGB images with values from 0 to 1.
    """
    _free(target)
    readers = {".keras": from_keras, ".onnx": from_onnx}
    if source.suffix not in readers:
        raise InputError(f"{source}: what can be imported are .keras and .onnx files")
    model = readers[source.suffix](source)
    if classes is not None:
        model.metadata = _for_photos(model, list(classes))
    model.save(target)


def _for_photos(model: nn.Sequential, classes: list[str]) -> dict[str, Any]:
    """What the commands want to know of a model that answers for photos."""
    assert model.input_shape and model.output_shape  # whatever was read from a file is built
    shape, units = model.input_shape, model.output_shape[-1]
    if len(classes) != units:
        raise InputError(f"--classes: the model has {units} outputs, and {len(classes)} names were given: {classes}")
    if len(set(classes)) != units or "" in classes:
        raise InputError(f"--classes: every class needs a name of its own, not {classes}")
    if shape != (shape[0], shape[0], 3):
        raise InputError(f"--classes: photos go to a model as squares of three colours; this one takes {shape}")
    return {"class_names": classes, "image_size": shape[0], "preprocessing": PREPROCESSING}


def _free(target: Path) -> None:
    if target.exists():
        raise InputError(f"{target}: exists; nothing was touched. Choose another name, or remove it")
    if not target.parent.is_dir():
        raise InputError(f"{target}: there is no folder {target.parent}; make it first")
