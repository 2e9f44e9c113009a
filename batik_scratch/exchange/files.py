"""Files by their endings: which function writes or reads each."""

from pathlib import Path

from .. import nn
from ..errors import InputError
from .keras_read import from_keras
from .keras_write import to_keras
from .onnx_read import from_onnx
from .onnx_write import to_onnx


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


def import_model(source: Path, target: Path) -> None:
    """Write the .keras or .onnx file `source` as a model file `target` of this package; nothing is overwritten."""
    _free(target)
    readers = {".keras": from_keras, ".onnx": from_onnx}
    if source.suffix not in readers:
        raise InputError(f"{source}: what can be imported are .keras and .onnx files")
    readers[source.suffix](source).save(target)


def _free(target: Path) -> None:
    if target.exists():
        raise InputError(f"{target}: exists; nothing was touched. Choose another name, or remove it")
    if not target.parent.is_dir():
        raise InputError(f"{target}: there is no folder {target.parent}; make it first")
