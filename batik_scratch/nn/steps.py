"""How a model walks through its layers: one by one, or Conv2D, ReLU and MaxPooling2D as one step where that is faster.

A fused step changes no mathematics. ReLU and max-pooling commute, so pooling can be done on each small tile of the
convolution while it is still in the cache; of four outputs one is stored, with one byte that says which it was (4: none,
the ReLU shut). The three layers stay what they are: `model.layers` lists them, each runs alone, `model.forward` calls them
one by one, and tests hold the fused step to them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ops import conv_direct, conv_winograd
from .layers import Conv2D, Flatten, Layer, MaxPooling2D, ReLU


class ConvReluPool(Layer):
    """Conv2D (3x3, stride 1), ReLU and MaxPooling2D (2x2) in one pass over the images.

    Forward   Y = maxpool(relu(conv(X)))    by ops/conv_winograd.py, or ops/conv_direct.py where channels are few
    Backward  dY goes to each window's winner, and from there through the convolution; the Conv2D gets the `grads`

    Shapes    X (N, H, W, C), Y (N, OH // 2, OW // 2, F)
    Cost      caches X and one byte per output; Y and dX are kept arrays of the Conv2D, overwritten by the next call
    """

    def __init__(self, convolution: Conv2D, relu: ReLU, pooling: MaxPooling2D) -> None:
        super().__init__(convolution.name)
        self.convolution, self.relu, self.pooling = convolution, relu, pooling
        self.room, self.dtype = convolution.room, convolution.dtype

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        padded = self.convolution.pad(x)  # (N, H, W, C)
        kernel, bias = self.convolution.params["kernel"], self.convolution.params["bias"]
        y = self.room.take("y", (len(x), *(self.pooling.output_shape or ())), x.dtype)  # (N, PH, PW, F)
        ops = self._ops(padded)
        winner = None  # who won matters to the backward pass alone
        if training if keep is None else keep:
            winner = self.room.take("winner", ops.winner_shape(padded.shape, kernel.shape[3]), np.uint8)
        ops.forward_pooled(padded, kernel, bias, y, winner)
        self._keep((winner, padded), training, keep)
        for layer in (self.convolution, self.relu, self.pooling):
            layer._kept = None  # of an earlier pass: nobody may mix it with this one
        return y

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        winner, x = self._recall()
        kernel = self.convolution.params["kernel"]
        dx = self.room.take("dx", x.shape, x.dtype) if need_dx else None  # (N, H, W, C)
        dx, dkernel, dbias = self._ops(x).backward_pooled(x, kernel, dy, winner, dx, need_grads, self.room)
        if need_grads:
            self.convolution._set_grads(kernel=dkernel, bias=dbias)
        return None if dx is None else self.convolution.crop(dx)

    @staticmethod
    def _ops(x: np.ndarray) -> Any:
        """The module that does it, for padded images x (N, H, W, C); both have the same three functions.

        Few channels take conv_direct, whatever the number of filters, and also where the layer alone says "winograd".
        """
        few = x.shape[3] < conv_direct.FEW_CHANNELS and conv_direct.rows_per_task(x.shape[2]) > 0
        return conv_direct if few else conv_winograd


class View(Layer):
    """Flatten without its copy: between steps nobody changes what it is handed."""

    def __init__(self, flatten: Flatten) -> None:
        super().__init__(flatten.name)
        self.flatten = flatten

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        self._keep(x.shape, training, keep)
        self.flatten._kept = None
        return x.reshape(len(x), -1)  # (N, D)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        return dy.reshape(self._recall()) if need_dx else None  # (N, H, W, C)


def plan(layers: Sequence[Layer]) -> list[Layer]:
    """The layers as steps to walk: each Conv2D, ReLU, MaxPooling2D in a row that one pass can do becomes one, Flatten a view."""
    steps: list[Layer] = []
    i = 0
    while i < len(layers):
        if _can_be_one(layers[i : i + 3]):
            steps.append(ConvReluPool(*layers[i : i + 3]))  # type: ignore[arg-type]
            i += 3
        else:
            layer = layers[i]
            steps.append(View(layer) if type(layer) is Flatten else layer)
            i += 1
    return steps


def forward(steps: Sequence[Layer], x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
    """x (N, ...) through all steps."""
    for step in steps:
        x = step.forward(x, training, keep)
    return x


def backward(steps: Sequence[Layer], dy: np.ndarray, need_dx: bool, need_grads: bool = True) -> np.ndarray | None:
    """dy through all steps, last to first; dx of the pixels only where `need_dx`."""
    for step in reversed(steps):
        wanted = need_dx or step is not steps[0]
        gradient = step.backward(dy, wanted, need_grads)
        if gradient is not None:
            dy = gradient
    return dy if need_dx else None


def _can_be_one(layers: Sequence[Layer]) -> bool:
    """Exactly these classes: a subclass may do something else."""
    if [type(layer) for layer in layers] != [Conv2D, ReLU, MaxPooling2D]:
        return False
    convolution, _, pooling = layers
    assert isinstance(convolution, Conv2D) and isinstance(pooling, MaxPooling2D)
    return (
        convolution.algorithm in ("winograd", "auto")
        and convolution.is_3x3_at_stride_1()
        and convolution.dtype.kind == "f"
        and pooling.pool_size == pooling.strides == (2, 2)
    )
