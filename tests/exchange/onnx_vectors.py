"""The test vectors that the `onnx` package brings: a model, its inputs and its outputs, and how ours are held to them.

Its vectors of single operators give kernels as further inputs; here they become constants, as they are in a network.
"""

import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from batik_scratch import exchange
from batik_scratch.exchange.onnx_read import OPERATORS, SIMPLE

OURS = {*OPERATORS, *SIMPLE} - {"Standardization"}


def node_cases():
    """[(name, model, x, y)] of all vectors of single operators that are among ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of other operators overflow on purpose
        from onnx.backend.test.case.node import collect_testcases

        found = collect_testcases(None)
    cases = []
    for case in found:
        if case.model is not None and {node.op_type for node in case.model.graph.node} <= OURS:
            (inputs, outputs), *_ = case.data_sets
            cases.append((case.name, case.model, inputs, outputs[0]))
    return cases


def stored_cases():
    """The same of the models that other programs wrote and the package keeps as files."""
    folder = Path(onnx.__file__).parent / "backend" / "test" / "data"
    cases = []
    for path in sorted(folder.glob("pytorch-*/*/model.onnx")):
        model = onnx.load(path)
        if {node.op_type for node in model.graph.node} <= OURS | {"Constant"}:
            sets = path.parent / "test_data_set_0"
            paths = sorted(sets.glob("input_*.pb"))
            *inputs, y = (numpy_helper.to_array(onnx.load_tensor(p)) for p in [*paths, sets / "output_0.pb"])
            cases.append((path.parent.name, model, inputs, y))
    return cases


def with_constants(model, inputs):
    """The model with all of its inputs but the first as constants."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    known = {tensor.name for tensor in copy.graph.initializer}
    names = [entry.name for entry in copy.graph.input if entry.name not in known]
    for name, array in zip(names[1:], inputs[1:], strict=True):
        copy.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
    return copy


WINDOWS = ("Conv2D", "MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D", "BatchNormalization")


def answer(path, x, y):
    """What the model of the file says to x, laid out as y is."""
    model = exchange.from_onnx(path)
    planes = x.ndim == 4 and any(type(layer).__name__ in WINDOWS for layer in model.layers)
    ours = model.predict(x.transpose(0, 2, 3, 1) if planes else x)
    return (ours.transpose(0, 3, 1, 2) if planes and ours.ndim == 4 else ours).reshape(y.shape)
