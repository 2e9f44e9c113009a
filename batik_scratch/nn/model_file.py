"""Model files: one `.npz` with every parameter and a JSON description; no pickle, so nothing in it can run.

A stranger's file is believed only step by step: the description is small and has a version; the architecture that
it names is built; every array's header must say the shape and type which that architecture has *before* its data
are read (a 2 KB file can ask for terabytes); the checksum must match. Members are stored, not compressed,
so a file cannot unpack to more than its own size.
"""

import difflib
import hashlib
import json
import os
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .. import __version__
from ..errors import InputError
from ..files import write_npz
from . import registry
from .layers import BatchNormalization, Layer
from .network import Network

N = TypeVar("N", bound=Network)
FORMAT = "batik_scratch model"
FORMAT_VERSION = 1
DESCRIPTION = "description"
MAX_DESCRIPTION = 1 << 20  # bytes
OTHERS = (".keras", ".h5", ".hdf5", ".onnx")  # endings of other programs' files


def save(network: Network, path: str | os.PathLike, metadata: Mapping[str, Any]) -> None:
    """Write `network` and `metadata` to `path`; see `Sequential.save`."""
    if Path(path).suffix in OTHERS:
        raise InputError(
            f"save: writes this package's own files, and {path} has the name of another program's; "
            "call it model.npz, or write that file with `batik-scratch export`"
        )
    if network.input_shape is None:
        raise InputError("save: the model is not built yet; give input_shape, or call it on a batch")
    for layer in network.layers:
        if doubt := registry.doubts(layer):
            warnings.warn(f"{path}: will not load back as it is: layer {layer.name!r}: {doubt}", stacklevel=4)
    description = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "written_by": __version__,
        **network.architecture(),
        "metadata": dict(metadata),
    }
    write_arrays(path, network.named_weights(), description)


def load(
    path: str | os.PathLike, build: Callable[..., N], layers: Iterable[type[Layer]] = ()
) -> tuple[N, dict[str, Any]]:
    """The network that `save` wrote, and its metadata; see `Sequential.load`.

    build     makes it of (layers, input_shape=, random_state=, dtype=): `Sequential`, or `Network` itself
    layers    classes of the user's own that the file may name
    """
    classes = registry.known(layers)
    if Path(path).suffix in OTHERS:
        raise InputError(
            f"{path}: is another program's file by its name; `batik-scratch import` reads .keras and .onnx"
        )
    with open_archive(path) as archive:
        description = read_description(archive, path)
        try:
            row = [_layer(entry, classes) for entry in description["layers"]]
            shape = [int(n) for n in description["input_shape"]]
            check_size(row, shape, os.path.getsize(path) // np.dtype(description["dtype"]).itemsize)
            network = build(row, input_shape=shape, random_state=0, dtype=description["dtype"])
            network.any_range = description.get("any_range") is True
            metadata = dict(description["metadata"])
        except InputError as error:
            raise InputError(f"{path}: describes a network that cannot be built: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError) as error:
            raise InputError(f"{path}: damaged description ({error!r:.200}); get the file again") from None
        expected = {name: (w.shape, w.dtype) for name, w in network.named_weights().items()}
        arrays = read_arrays(archive, path, expected, description)
    network.set_weights([arrays[name] for name in expected])
    return network, metadata


def write_arrays(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], description: dict[str, Any]) -> None:
    """Write arrays and their description, with a checksum over all of them, to an `.npz`."""
    text = json.dumps(description | {"sha256": _checksum(arrays, description)}, sort_keys=True).encode()
    write_npz(path, {DESCRIPTION: np.frombuffer(text, np.uint8), **arrays})


def read_description(
    archive: zipfile.ZipFile, path: str | os.PathLike, expected_format: str = FORMAT
) -> dict[str, Any]:
    """The JSON description of an open archive, its size, format and version checked."""
    try:
        info = archive.getinfo(f"{DESCRIPTION}.npy")
        if info.file_size > MAX_DESCRIPTION or info.compress_type != zipfile.ZIP_STORED:
            raise InputError(
                f"{path}: the description is over {MAX_DESCRIPTION} bytes or compressed; not a file of ours"
            )
        raw = archive.read(info)
        start = raw.index(b"\n") + 1  # the .npy header ends in a line feed
        description = json.loads(raw[start:])
    except (KeyError, ValueError, UnicodeDecodeError, *_DAMAGE) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a {expected_format} file (no readable description: {error!r:.200})") from None
    if not isinstance(description, dict) or description.get("format") != expected_format:
        raise InputError(f"{path}: not a {expected_format} file")
    version = description.get("format_version")
    if not isinstance(version, int) or not 1 <= version <= FORMAT_VERSION:
        raise InputError(
            f"{path}: has model format {version!r}, this program reads up to {FORMAT_VERSION}; update batik_scratch"
        )
    return description


def read_arrays(
    archive: zipfile.ZipFile,
    path: str | os.PathLike,
    expected: Mapping[str, tuple[tuple[int, ...], np.dtype]],
    description: Mapping[str, Any],
) -> dict[str, np.ndarray]:
    """The arrays named by `expected` {name: (shape, dtype)}, each header checked before its data are read."""
    present, wanted = set(archive.namelist()), {f"{name}.npy" for name in (DESCRIPTION, *expected)}
    if present != wanted or len(archive.infolist()) != len(wanted):
        differing = sorted(present ^ wanted)[:4]
        raise InputError(
            f"{path}: the arrays do not match the architecture ({', '.join(differing)[:200]!r}); get the file again"
        )
    arrays = {}
    for name, (shape, dtype) in expected.items():
        info = archive.getinfo(f"{name}.npy")
        size = int(np.prod(shape)) * dtype.itemsize
        if info.compress_type != zipfile.ZIP_STORED or not size < info.file_size < size + 4096:
            raise InputError(f"{path}: {name} is compressed or has the wrong size; get the file again")
        try:
            with archive.open(info) as member:
                version = np.lib.format.read_magic(member)
                read_header = (
                    np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                )
                header = read_header(member)
                if header != (shape, False, dtype):
                    raise InputError(
                        f"{path}: {name} has header {header}, the architecture needs {(shape, dtype.name)}"
                    )
                raw = member.read(size + 1)
        except (ValueError, SyntaxError, RecursionError, TypeError, tokenize.TokenError, *_DAMAGE) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path}: {name} is damaged ({error!r:.200}); get the file again") from None
        if len(raw) != size:
            raise InputError(f"{path}: {name} is cut short; get the file again")
        arrays[name] = np.frombuffer(raw, dtype).reshape(shape)
    if _checksum(arrays, description) != description.get("sha256"):
        raise InputError(f"{path}: the checksum does not match; the file was changed or damaged, get it again")
    return arrays


_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    MemoryError,
)


def open_archive(path: str | os.PathLike) -> zipfile.ZipFile:
    """The file as a zip archive; InputError if it is none."""
    found = Path(path)
    if found.is_dir():
        inside = next((p for p in (found / "stage1" / "model.npz", found / "model.npz") if p.is_file()), None)
        hint = f"; did you mean {inside}?" if inside else ", such as RUN/stage1/model.npz"
        raise InputError(f"{path}: is a folder, not a model; give the file in it{hint}")
    if found.exists() and not found.is_file():
        raise InputError(f"{path}: is a device, a pipe or a socket, not a file; give a model file")
    if not found.exists():
        near = difflib.get_close_matches(found.name, _names_beside(found), n=1)
        hint = f"; did you mean {found.with_name(near[0])}?" if near else ""
        raise InputError(f"{path}: there is no such model file{hint}")
    try:
        return zipfile.ZipFile(path)
    except (ValueError, UnicodeDecodeError, *_DAMAGE) as error:
        raise InputError(f"{path}: not a model file ({error!s:.200}); files written by model.save are") from None


def _names_beside(file: Path) -> list[str]:
    try:
        return [entry.name for entry in file.absolute().parent.iterdir()]
    except OSError:
        return []


def _layer(entry: Mapping[str, Any], classes: Mapping[str, type[Layer]]) -> Layer:
    kind = entry["type"]
    layer = registry.make(kind if isinstance(kind, str) else repr(kind), entry["config"], classes)
    layer.name, layer.named_by_user = str(entry["name"]), True
    return layer


def check_size(layers: list[Layer], shape: list[int], numbers: int) -> None:
    """Refuse an architecture with more weights than the file has room for, before anything of that size is made."""
    current, total = tuple(shape), 0
    for layer in layers:
        following = layer.infer_shape(current)
        if "kernel_initializer" in layer.config():  # the layers that have weights: inputs per window x outputs
            window = int(np.prod(layer.config().get("kernel_size", [1])))
            total += window * current[-1] * following[-1]
        elif isinstance(layer, BatchNormalization):
            total += 4 * current[-1]
        if total > numbers:
            raise InputError(f"it has more than {total:,} parameters, the file holds {numbers:,} numbers at most")
        current = following


def _checksum(arrays: Mapping[str, np.ndarray], description: Mapping[str, Any]) -> str:
    told = {key: value for key, value in description.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.shape} {array.dtype.str}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()
