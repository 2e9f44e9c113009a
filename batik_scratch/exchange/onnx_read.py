"""from_onnx: a model out of an ONNX graph of the operators that the layers here can do."""

import os
from collections.abc import Callable

from .. import nn
from ..errors import InputError
from . import onnx_values as values
from . import onnx_windows as windows
from .onnx_graph import Step, read_graph
from .onnx_row import Row

OF_PLANES = ("Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "BatchNormalization")
SIMPLE: dict[str, Callable[[], nn.Layer]] = {
    "Relu": nn.ReLU, "Sigmoid": nn.Sigmoid, "Tanh": nn.Tanh, "Abs": nn.Absolute,
}  # fmt: skip
OPERATORS: dict[str, Callable[[Row, Step], None]] = {
    "Conv": windows.convolution,
    "MaxPool": windows.max_pool,
    "AveragePool": windows.average_pool,
    "GlobalAveragePool": windows.global_average_pool,
    "ReduceMean": windows.reduce_mean,
    "Gemm": values.gemm,
    "MatMul": values.matmul,
    "Flatten": values.flatten,
    "Reshape": values.reshape,
    "Squeeze": values.squeeze,
    "BatchNormalization": values.batch_normalization,
    "Softmax": values.softmax,
    "LeakyRelu": values.leaky_relu,
    "Standardization": values.standardization,
    "Dropout": values.dropout,
    "Identity": values.identity,
    "Transpose": values.transpose,
    "Log": values.log,
    "Mul": values.multiply,
    "Div": values.divide,
    "Sub": values.subtract,
    "Add": values.plus,
}


def from_onnx(path: str | os.PathLike) -> nn.Sequential:
    """The Sequential model of an ONNX file, if that is a row of operators that layers here can do.

    The model takes (N, H, W, C), whatever the graph takes: for one of (N, C, H, W) transpose the images first, and its
    maps come out as (N, H, W, C) too. An output of (N, C, 1, 1) is (N, C) here. Constants that follow a Conv, Gemm or
    MatMul go into its bias, other scalars into a Rescaling. InputError names the node and what cannot be read, or says
    what is damaged. Nothing in a file is run, and no file beside it is opened. Pixels may have any range: whoever wrote
    the file knows which.
    """
    graph = read_graph(path)
    row = Row(graph.shape, _begins_with_planes(graph.steps, len(graph.shape)))
    shape = row.shape
    for step in graph.steps:
        try:
            _read(step, row)
        except InputError as error:
            text = str(error)
            raise InputError(text if text.startswith(step.where) else f"{step.where}: {text}") from None
        except (IndexError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{step.where}: is damaged ({error!r}); write the file anew") from None
    if row.order is not None:
        raise InputError(
            f"{path}: ends in rows of (C, H, W), which are (H, W, C) here; put a Gemm or MatMul behind them"
        )
    model = nn.Sequential(row.layers or [nn.Rescaling(1)], shape, 0, graph.dtype)
    model.any_range = True
    model.set_weights([array for layer in row.layers for array in row.weights.get(id(layer), [])])
    return model


def _begins_with_planes(steps: list[Step], rank: int) -> bool:
    """Whether the graph's images come as (N, C, H, W): the first operator that cares takes them as they are."""
    cares = next((step.operator for step in steps if step.operator in (*OF_PLANES, "Transpose", "Flatten")), "")
    return rank == 4 and cares in OF_PLANES


def _read(step: Step, row: Row) -> None:
    """Put the layers of one step behind the row."""
    if step.operator in SIMPLE:
        row.add(SIMPLE[step.operator]())
    elif step.operator in OPERATORS:
        OPERATORS[step.operator](row, step)
    else:
        known = ", ".join(sorted([*SIMPLE, *OPERATORS]))
        raise InputError(f"there is no {step.operator} here; what can be read is {known}")
