"""An ONNX file as a row of steps: opened, checked, its constants at hand, and refused unless one step follows another.

A stranger's file is believed step by step: nothing outside of it is opened, ONNX' own checker comes first, and what a
tensor says of its shape must agree with the bytes that it has.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .extras import onnx

MOST = 1 << 30  # bytes of a file: no network of ours has more
DTYPES = {1: "float32", 11: "float64"}  # TensorProto.FLOAT, TensorProto.DOUBLE
FOLDED = ("Identity", "Transpose")  # of a constant, these are a constant again
# what to_onnx writes for Standardization: every operator, and whose outputs it takes (-1: the picture itself)
STANDARDIZATION = (
    *(("ReduceMean", (-1,)), ("Sub", (-1, 0)), ("Mul", (1, 1)), ("ReduceMean", (2,))),
    *(("Add", (3, None)), ("Sqrt", (4,)), ("Div", (1, 5))),
)


@dataclass
class Step:
    """One node of the row.

    operator      such as "Conv", or "Standardization" for the seven nodes that are one here
    attributes    as Python has them: numbers, texts, lists
    given         its inputs in order: arrays, and None for the one that comes from the step before
    where         the file and the node, for errors
    """

    operator: str
    attributes: dict[str, Any]
    given: list[np.ndarray | None]
    where: str

    def constants(self) -> list[np.ndarray]:
        """The arrays among the inputs."""
        return [array for array in self.given if array is not None]


@dataclass
class Graph:
    """shape: of the one input, with the axis of images first, which may be None (any number); steps: what is done."""

    shape: list[int | None]
    dtype: str
    steps: list[Step]


def read_graph(path: str | os.PathLike) -> Graph:
    """The row of steps in an ONNX file; InputError if it is damaged, no row, or has sizes that are not fixed."""
    model = _open(path)
    graph = model.graph
    constants = _constants(graph, path)
    given = [entry for entry in graph.input if entry.name not in constants]
    if len(given) != 1 or len(graph.output) != 1:
        raise InputError(
            f"{path}: has {len(given)} inputs and {len(graph.output)} outputs; what can be read is a row of layers, "
            "with one of each"
        )
    tensor = given[0].type.tensor_type
    if tensor.elem_type not in DTYPES:
        kind = onnx().TensorProto.DataType.Name(tensor.elem_type)
        raise InputError(f"{path}: computes with {kind}; what can be read is FLOAT and DOUBLE")
    shape = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    if len(shape) < 2 or any(not n or n < 1 for n in shape[1:]):
        raise InputError(
            f"{path}: its input {given[0].name!r} has the shape {shape}; needs an axis of images and then fixed sizes"
        )
    nodes = [node for node in graph.node if node.op_type != "Constant"]
    return Graph(shape, DTYPES[tensor.elem_type], _row(nodes, given[0].name, graph.output[0].name, constants, path))


def _open(path: str | os.PathLike) -> Any:
    try:
        if os.path.getsize(path) > MOST:
            raise InputError(f"{path}: has {os.path.getsize(path):,} bytes, the limit is {MOST:,}")
        raw = Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    library = onnx()
    try:
        model = library.load_model_from_string(raw)
        library.checker.check_model(model)
    except Exception as error:  # protobuf and the checker raise what they like
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a valid ONNX file ({reason}); write it anew") from None
    others = sorted({node.domain for node in model.graph.node if node.domain not in ("", "ai.onnx")})
    if others:
        raise InputError(f"{path}: has operators of {', '.join(others)}; what can be read are ONNX' own")
    return model


def _constants(graph: Any, path: str | os.PathLike) -> dict[str, np.ndarray]:
    """{name: array} of the initializers and of the Constant nodes."""
    found = {tensor.name: _array(tensor, path) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            attribute = node.attribute[0]
            value = onnx().helper.get_attribute_value(attribute)
            found[node.output[0]] = _array(value, path) if attribute.name == "value" else np.asarray(value)
    return found


def _array(tensor: Any, path: str | os.PathLike) -> np.ndarray:
    if tensor.data_location == onnx().TensorProto.EXTERNAL:
        raise InputError(f"{path}: keeps {tensor.name!r} in another file; save it with all data in one file")
    try:
        return np.asarray(onnx().numpy_helper.to_array(tensor))
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{path}: the tensor {tensor.name!r} is damaged ({error}); write the file anew") from None


def _row(
    nodes: list[Any], first: str, last: str, constants: dict[str, np.ndarray], path: str | os.PathLike
) -> list[Step]:
    """The nodes as steps from `first` to `last`, each of which takes what the one before gave."""
    steps, at, number = [], first, 0
    while number < len(nodes):
        node = nodes[number]
        where = f"{path}: node {number} ({node.op_type}{f', {node.name!r}' if node.name else ''})"
        if epsilon := _standardization(nodes[number : number + len(STANDARDIZATION)], at, constants):
            steps.append(Step("Standardization", {"epsilon": epsilon}, [None], where))
            number += len(STANDARDIZATION)
            at = nodes[number - 1].output[0]
            continue
        if node.op_type in FOLDED and node.input[0] in constants:
            constants[node.output[0]] = _folded(node, constants[node.input[0]])
            number += 1
            continue
        unknown = [name for name in node.input if name and name != at and name not in constants]
        if unknown or list(node.input).count(at) != 1:
            raise InputError(
                f"{where}: does not take what the node before gave, and that alone; what can be read is a row of layers"
            )
        if len([name for name in node.output if name]) != 1:
            raise InputError(f"{where}: has {len(node.output)} outputs; what can be read is one")
        attributes = {entry.name: _plain(onnx().helper.get_attribute_value(entry)) for entry in node.attribute}
        given = [None if name == at else constants[name] if name else np.zeros(0) for name in node.input]
        steps.append(Step(node.op_type, attributes, given, where))
        at, number = node.output[0], number + 1
    if at != last:
        raise InputError(f"{path}: its output {last!r} is not what the last node gives; what can be read is a row")
    return steps


def _folded(node: Any, array: np.ndarray) -> np.ndarray:
    """What a node of FOLDED makes of a constant."""
    perm = next((list(entry.ints) for entry in node.attribute if entry.name == "perm"), None)
    return array if node.op_type == "Identity" else array.transpose(perm)


def _standardization(nodes: list[Any], at: str, constants: Mapping[str, np.ndarray]) -> float | None:
    """The epsilon of the nodes that to_onnx writes for Standardization; None if these are not they."""
    if [node.op_type for node in nodes] != [operator for operator, _ in STANDARDIZATION]:
        return None
    names = [*(node.output[0] for node in nodes), at]  # names[-1] is the picture's
    for node, (_, taken) in zip(nodes, STANDARDIZATION, strict=True):
        if any(k is not None and name != names[k] for name, k in zip(node.input, taken, strict=False)):
            return None
    epsilon = constants.get(nodes[4].input[1], np.zeros(0))
    return float(epsilon.item()) if epsilon.size == 1 and _over_all(nodes) else None


def _over_all(nodes: Iterable[Any]) -> bool:
    """Whether the means are over every axis but the first, and keep them."""
    helper = onnx().helper
    told = [{a.name: helper.get_attribute_value(a) for a in n.attribute} for n in nodes if n.op_type == "ReduceMean"]
    return all(one.get("keepdims", 1) == 1 and one.get("axes") in ([1], [1, 2], [1, 2, 3]) for one in told)


def _plain(value: Any) -> Any:
    """A text as str, a list as list."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return list(value) if hasattr(value, "__len__") and not isinstance(value, str) else value
