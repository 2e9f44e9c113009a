"""to_onnx: a model as a graph of ONNX operators, opset 17, for runtimes that know neither Python nor this package."""

import os
from typing import Any

import numpy as np

from .. import nn
from ..errors import InputError
from ..files import atomic
from ..ops.shapes import same_padding
from .extras import onnx

OPSET = 17
IR_VERSION = 8  # what runtimes of opset 17 read
SIMPLE = {nn.ReLU: "Relu", nn.Sigmoid: "Sigmoid", nn.Tanh: "Tanh", nn.Absolute: "Abs"}


def to_onnx(model: nn.Sequential, path: str | os.PathLike, logits: bool = False) -> None:
    """Write a built model to `path`, atomically, after the ONNX checker has passed it.

    The graph takes "images" (N, H, W, C), our layout, as float32 or float64; a Transpose in it makes (N, C, H, W) of
    them, which ONNX convolves. It gives "probabilities" (N, U), or "logits" if asked for, or if there is no Softmax.
    Dropout is left at rest. InputError for a layer of your own, or a model that is not built or complex.
    """
    if model.input_shape is None:
        raise InputError("to_onnx: the model is not built yet; give input_shape, or call it on a batch")
    if model.dtype.kind != "f":
        raise InputError(f"to_onnx: writes float32 and float64, got a model of {model.dtype}")
    proto = _Graph(model, logits).finished()
    onnx().checker.check_model(proto, full_check=True)
    with atomic(path) as file:
        file.write(proto.SerializeToString())


class _Graph:
    """Nodes, one after another; `at` is the name of the last output, `planes` whether it is (N, C, H, W)."""

    def __init__(self, model: nn.Sequential, logits: bool) -> None:
        self.model, self.helper = model, onnx().helper
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.at, self.planes = "images", False
        layers = model.walk(softmax=not logits)
        if len(model.input_shape or ()) == 3:
            self.turn(to_planes=True)
        for layer in layers:
            self.layer(layer)
        if self.planes:
            self.turn(to_planes=False)
        self.output = "probabilities" if model.ends_in_softmax and not logits else "logits"
        self.shape = layers[-1].output_shape if layers else model.input_shape

    def finished(self) -> Any:
        """The model proto."""
        h, types = self.helper, onnx().TensorProto
        kind = types.FLOAT if self.model.dtype.itemsize == 4 else types.DOUBLE
        self.nodes.append(h.make_node("Identity", [self.at], [self.output]))
        given = h.make_tensor_value_info("images", kind, ["N", *(self.model.input_shape or ())])
        made = h.make_tensor_value_info(self.output, kind, ["N", *(self.shape or ())])
        graph = h.make_graph(self.nodes, "batik_scratch", [given], [made], self.constants)
        opset = [h.make_opsetid("", OPSET)]
        return h.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="batik_scratch")

    def add(self, operator: str, *more: str, **attributes: Any) -> str:
        """A node on the last output and `more` inputs; its output is the last one then."""
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(operator, [self.at, *more], [name], **attributes))
        self.at = name
        return name

    def constant(self, value: Any) -> str:
        """The name of a constant, in the model's dtype unless it has whole numbers."""
        array = np.asarray(value)
        array = array if array.dtype.kind == "i" else array.astype(self.model.dtype)
        name = f"constant_{len(self.constants)}"
        self.constants.append(onnx().numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def turn(self, to_planes: bool) -> None:
        """(N, H, W, C) to (N, C, H, W), or back."""
        self.add("Transpose", perm=[0, 3, 1, 2] if to_planes else [0, 2, 3, 1])
        self.planes = to_planes

    def layer(self, layer: nn.Layer) -> None:
        """The nodes of one layer."""
        if getattr(nn, type(layer).__name__, None) is not type(layer):
            raise InputError(f"to_onnx: {layer.name} is your own {type(layer).__name__}, which has no operator there")
        if type(layer) in SIMPLE:
            self.add(SIMPLE[type(layer)])
        elif isinstance(layer, nn.Dropout):
            self.add("Dropout", self.constant(layer.rate))  # at rest, unless a runtime is told to train
        elif isinstance(layer, nn.LeakyReLU):
            self.add("LeakyRelu", alpha=layer.negative_slope)
        elif isinstance(layer, nn.Softmax):
            self.add("Softmax", axis=-1)
        elif isinstance(layer, nn.Conv2D):
            kernel = layer.params["kernel"].transpose(3, 2, 0, 1)  # (F, C, kh, kw)
            window = _window(layer, layer.kernel_size)
            self.add("Conv", self.constant(kernel), self.constant(layer.params["bias"]), **window)
        elif isinstance(layer, nn.MaxPooling2D):
            self.add("MaxPool", **_window(layer, layer.pool_size))
        elif isinstance(layer, nn.AveragePooling2D):
            self.add("AveragePool", count_include_pad=0, **_window(layer, layer.pool_size))
        elif isinstance(layer, nn.GlobalAveragePooling2D):
            self.add("GlobalAveragePool")
            self.add("Flatten", axis=1)
            self.planes = False
        elif isinstance(layer, nn.Flatten):
            if self.planes:
                self.turn(to_planes=False)  # our rows are in the order H, W, C
            self.add("Flatten", axis=1)
        elif isinstance(layer, nn.Dense):
            self.add("Gemm", self.constant(layer.params["kernel"]), self.constant(layer.params["bias"]))
        elif isinstance(layer, nn.BatchNormalization):
            told = {"epsilon": layer.epsilon, "momentum": layer.momentum}
            self.add("BatchNormalization", *map(self.constant, layer.params.values()), **told)
        elif isinstance(layer, nn.Rescaling):
            self.add("Mul", self.constant(layer.scale))
            self.add("Add", self.constant(layer.offset))
        elif isinstance(layer, nn.Log):
            self.add("Add", self.constant(layer.epsilon))
            self.add("Log")
        else:
            self.standardization(layer)

    def standardization(self, layer: nn.Layer) -> None:
        """(x - mean) / sqrt(mean of squares + epsilon), over all of a picture."""
        assert isinstance(layer, nn.Standardization)
        x, axes = self.at, list(range(1, 1 + len(layer.input_shape or ())))
        mean = self.add("ReduceMean", axes=axes, keepdims=1)
        self.at = x
        centred = self.add("Sub", mean)
        self.add("Mul", centred)
        self.add("ReduceMean", axes=axes, keepdims=1)
        self.add("Add", self.constant(layer.epsilon))
        deviation = self.add("Sqrt")
        self.at = centred
        self.add("Div", deviation)


def _window(layer: Any, size: tuple[int, int]) -> dict[str, list[int]]:
    """ONNX' attributes of a sliding window: pads are all the beginnings, then all the ends."""
    pads = [(0, 0), (0, 0)]
    if layer.padding == "same":
        pads = [same_padding(n, k, s) for n, k, s in zip(layer.input_shape[:2], size, layer.strides, strict=True)]
    ends = [pads[0][0], pads[1][0], pads[0][1], pads[1][1]]
    return {"kernel_shape": list(size), "strides": list(layer.strides), "pads": ends}
