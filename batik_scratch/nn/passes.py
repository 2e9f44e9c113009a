"""How a row of layers is walked: one by one, but for Conv2D, ReLU and MaxPooling2D in a row, which may be one block.

A fused block changes no mathematics. ReLU and max-pooling commute, so pooling can be done on each small tile of the
convolution while it is still in the cache; of four outputs one is stored, with one byte that says which it was
(4: none, the ReLU shut). The three layers stay what they are: `model.layers` lists them, each runs alone,
`model.forward` calls them one by one, and tests hold the fused block to them.

A `Pass` plans this once for a row of layers, not once per batch, and owns the memory that is filled again and again.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from ..ops import choose
from ..ops.workspace import Workspace
from .layers import Conv2D, Flatten, Layer, MaxPooling2D, ReLU


class ConvReluPool(Layer):
    """Conv2D (3x3, stride 1), ReLU and MaxPooling2D (2x2) in one pass over the images.

    Forward   Y = maxpool(relu(conv(X)))    by the algorithm that the Conv2D runs
    Backward  dY goes to each window's winner, and from there through the convolution; the Conv2D gets the `grads`

    Shapes    X (N, H, W, C), Y (N, OH // 2, OW // 2, F)
    Cost      caches X and one byte per output; Y and dX lie in `room` and are overwritten by the next call
    """

    def __init__(
        self, convolution: Conv2D, relu: ReLU, pooling: MaxPooling2D, ops: ModuleType, room: Workspace
    ) -> None:
        super().__init__(convolution.name)
        self.convolution, self.pooling, self.layers = convolution, pooling, (convolution, relu, pooling)
        self.ops, self.room, self.dtype = ops, room, convolution.dtype

    @property
    def trained(self) -> dict[str, np.ndarray]:
        return self.convolution.trained

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        padded = self.convolution.pad(x)  # (N, H, W, C)
        kernel, bias = self.convolution.params["kernel"], self.convolution.params["bias"]
        y = self.room.take("y", (len(x), *(self.pooling.output_shape or ())), x.dtype)  # (N, PH, PW, F)
        winner = None  # who won matters to the backward pass alone
        if training if keep is None else keep:
            winner = self.room.take("winner", self.ops.winner_shape(padded.shape, kernel.shape[3]), np.uint8)
        room = None if training else self.room  # while the network is trained no weights are met twice
        self.ops.forward_pooled(padded, kernel, bias, y, winner, room)
        self._keep((winner, padded), training, keep)
        for layer in self.layers:
            layer.forget()  # what an earlier pass left: nobody may mix it with this one
        return y

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        winner, x = self._recall()
        kernel = self.convolution.params["kernel"]
        dx = self.room.take("dx", x.shape, x.dtype) if need_dx else None  # (N, H, W, C)
        dx, dkernel, dbias = self.ops.backward_pooled(x, kernel, dy, winner, dx, need_grads, self.room)
        if need_grads:
            self.convolution.grads = {"kernel": dkernel, "bias": dbias}
        return None if dx is None else self.convolution.crop(dx)


class View(Layer):
    """Flatten without its copy: between steps nobody changes what it is handed."""

    def __init__(self, flatten: Flatten) -> None:
        super().__init__(flatten.name)
        self.flatten = flatten

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        self._keep(x.shape, training, keep)
        self.flatten.forget()
        return x.reshape(len(x), -1)  # (N, D)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        return dy.reshape(self._recall()) if need_dx else None  # (N, H, W, C)


class Pass:
    """A row of layers as the blocks that are walked, and their memory.

    layers    in their order; a Pass is for this row as it is now (`fits` says whether it still is)
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._row = _what_matters(layers)
        self._layers = list(layers)
        self._rooms: dict[int, Workspace] = {}  # by the place of a block's first layer
        self._plans: dict[tuple[int, int], list[Layer]] = {}

    def fits(self, layers: Sequence[Layer]) -> bool:
        """True if `layers` are those that this was planned for, with the same algorithms and types of numbers."""
        return _what_matters(layers) == self._row

    def blocks(self, first: int, last: int) -> list[Layer]:
        """What is walked for the layers number `first` to `last`, the last one excluded.

        Each Conv2D, ReLU, MaxPooling2D in a row that one go can do becomes one block, Flatten a view. Parts of the row
        that overlap use the same memory.
        """
        if (first, last) not in self._plans:
            self._plans[first, last] = self._plan(first, last)
        return self._plans[first, last]

    def bytes(self) -> int:
        """How much memory is kept from one walk to the next."""
        return sum(room.bytes() for room in self._rooms.values())

    def _plan(self, first: int, last: int) -> list[Layer]:
        blocks: list[Layer] = []
        i = first
        while i < last:
            three = self._layers[i : min(i + 3, last)]
            if (ops := _in_one_go(three)) is not None:
                room = self._rooms.setdefault(i, Workspace())
                blocks.append(ConvReluPool(*three, ops, room))  # type: ignore[call-arg, arg-type]
                i += 3
            else:
                layer = three[0]
                blocks.append(View(layer) if type(layer) is Flatten else layer)
                i += 1
        return blocks


def forward(blocks: Sequence[Layer], x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
    """x (N, ...) through all blocks."""
    for block in blocks:
        x = block.forward(x, training, keep)
    return x


def backward(blocks: Sequence[Layer], dy: np.ndarray, need_dx: bool, need_grads: bool = True) -> np.ndarray | None:
    """dy through all blocks, last to first; dx of the pixels only if `need_dx`.

    Without it the first block that learns is the last that is asked: below it nobody needs a gradient.
    """
    end = 0 if need_dx else next((i for i, block in enumerate(blocks) if block.trained), len(blocks))
    for block in reversed(blocks[end:]):
        gradient = block.backward(dy, need_dx or block is not blocks[end], need_grads)
        if gradient is not None:
            dy = gradient
    return dy if need_dx else None


def _in_one_go(layers: Sequence[Layer]) -> ModuleType | None:
    """The module that does these three layers at once; None unless they are exactly of these classes, and it can."""
    if [type(layer) for layer in layers] != [Conv2D, ReLU, MaxPooling2D]:
        return None
    convolution, _, pooling = layers
    assert isinstance(convolution, Conv2D) and isinstance(pooling, MaxPooling2D)
    if pooling.padding != "valid":
        return None
    return choose.fused(convolution.runs.algorithm, convolution.dtype, pooling.pool_size, pooling.strides)


def _what_matters(layers: Sequence[Layer]) -> list[tuple[Any, ...]]:
    """What a plan hangs on. Weights do not belong to it: blocks look them up at each call."""
    return [(id(layer), layer.dtype, layer.input_shape, getattr(layer, "algorithm", None)) for layer in layers]
