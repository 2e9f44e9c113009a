"""The networks that are measured, each in this package's layers and in those of the frameworks.

A framework gets the layer of its own that does the same, wherever it has one: layer normalisation over a whole picture,
without a gain and a bias, is this package's Standardization. Frameworks are imported inside, by those that use them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SMALLEST = 3.0  # what nn.cloth_cnn adds to a size before its logarithm is taken


@dataclass(frozen=True)
class Network:
    """A network with three classes and how it is spoken of.

    title          what a table says
    size           pixels, where nobody says another number
    least          pixels that it needs
    ours           size -> this package's model
    torch, keras   size -> the framework's layers in a row, from the pixels to the logits
    """

    title: str
    size: int
    least: int
    ours: Callable[[int], Any]  # a nn.Sequential, whose import would load numba in a framework's process
    torch: Callable[[int], list[Any]]
    keras: Callable[[int], list[Any]]


def _our_paper(size: int) -> Any:
    from .. import nn

    return nn.paper_cnn((size, size, 3), algorithm="auto")


def _torch_paper(size: int) -> list[Any]:
    from torch import nn

    layers: list[Any] = []
    side = size
    for c, f in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(c, f, 3), nn.ReLU(), nn.MaxPool2d(2)]
        side = (side - 2) // 2
    return [*layers, nn.Flatten(), nn.Dropout(0.2), nn.Linear(side * side * 128, 64), nn.ReLU(), nn.Linear(64, 3)]


def _keras_paper(size: int) -> list[Any]:
    import keras

    layers: list[Any] = [keras.Input((size, size, 3))]
    for f in (32, 64, 128):
        layers += [keras.layers.Conv2D(f, 3, activation="relu"), keras.layers.MaxPooling2D(2)]
    layers += [keras.layers.Flatten(), keras.layers.Dropout(0.2), keras.layers.Dense(64, activation="relu")]
    return [*layers, keras.layers.Dense(3)]


def _our_cloth(size: int) -> Any:
    from .. import nn

    return nn.cloth_cnn((size, size, 3), algorithm="auto")


def _torch_cloth(size: int) -> list[Any]:
    import torch
    from torch import nn

    class MeanSize(nn.Module):
        """Absolute and GlobalAveragePooling2D: (N, F, OH, OW) -> (N, F)."""

        def forward(self, x: Any) -> Any:
            return x.abs().mean((2, 3))

    class LogSize(nn.Module):
        """Absolute and Log: (N, U) -> (N, U)."""

        def forward(self, x: Any) -> Any:
            return torch.log(x.abs() + SMALLEST)

    return [
        nn.Conv2d(3, 1, 1),
        nn.LayerNorm((1, size, size), 1e-3, elementwise_affine=False),
        nn.Conv2d(1, 64, 15, stride=2),
        MeanSize(),
        nn.Linear(64, 32),
        LogSize(),
        nn.BatchNorm1d(32, 1e-3),
        nn.Linear(32, 64),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(64, 3),
    ]


def _keras_cloth(size: int) -> list[Any]:
    import keras

    return [
        keras.Input((size, size, 3)),
        keras.layers.Conv2D(1, 1),
        keras.layers.LayerNormalization(axis=(1, 2, 3), epsilon=1e-3, center=False, scale=False),
        keras.layers.Conv2D(64, 15, strides=2),
        keras.layers.Activation(keras.ops.abs),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(32),
        keras.layers.Activation(lambda x: keras.ops.log(keras.ops.abs(x) + SMALLEST)),
        keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(3),
    ]


def fill_torch(layers: list[Any], arrays: list[np.ndarray]) -> None:
    """Put weights in Keras' order and layouts into PyTorch's layers, in place.

    Kernels turn from (kh, kw, C, F) to (F, C, kh, kw), and from (D, U) to (U, D). The first dense layer behind Flatten
    needs its rows in the order C, H, W, in which PyTorch flattens.
    """
    import torch
    from torch import nn

    left, channels, flattened = iter(arrays), 0, False
    for layer in layers:
        if isinstance(layer, nn.Flatten):
            flattened = True
        elif isinstance(layer, nn.Conv2d):
            kernel = next(left)  # (kh, kw, C, F)
            channels = kernel.shape[3]
            _copy(torch, (layer.weight, kernel.transpose(3, 2, 0, 1)), (layer.bias, next(left)))
        elif isinstance(layer, nn.Linear):
            kernel = next(left)  # (D, U)
            if flattened:
                side = math.isqrt(len(kernel) // channels)
                kernel = kernel.reshape(side, side, channels, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)  # (D, U)
                flattened = False
            _copy(torch, (layer.weight, kernel.T), (layer.bias, next(left)))
        elif isinstance(layer, nn.BatchNorm1d):
            parts = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
            _copy(torch, *((part, next(left)) for part in parts))
    assert next(left, None) is None


def _copy(torch: Any, *pairs: tuple[Any, np.ndarray]) -> None:
    with torch.no_grad():
        for tensor, array in pairs:
            tensor.copy_(torch.from_numpy(array.copy()))


NETWORKS = {
    "paper": Network("the paper's network", 150, 22, _our_paper, _torch_paper, _keras_paper),
    "cloth": Network("the network for real cloth", 64, 15, _our_cloth, _torch_cloth, _keras_cloth),
}
