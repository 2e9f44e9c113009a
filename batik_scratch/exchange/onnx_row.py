"""The layers that were read so far, and how the graph's array differs from theirs."""

import numpy as np

from .. import nn
from ..errors import InputError


class Row:
    """The layers so far, and how the graph's array differs from ours.

    shape     ours, without the axis of images
    planes    theirs is (N, C, H, W), ours (N, H, W, C)
    ones      theirs is (N, C, 1, 1), ours (N, C)
    order     their row is ours[order], since they flattened (C, H, W); None if the rows are the same
    """

    def __init__(self, shape: list[int | None], planes: bool) -> None:
        sizes = tuple(int(n or 0) for n in shape[1:])
        self.batch = shape[0]
        self.planes, self.ones = planes, False
        self.order: np.ndarray | None = None
        self.shape = (*sizes[1:], sizes[0]) if planes else sizes
        self.layers: list[nn.Layer] = []
        self.weights: dict[int, list[np.ndarray]] = {}

    def add(self, layer: nn.Layer, *weights: np.ndarray) -> None:
        """A layer behind the others, with its parameters in their order; InputError if it does not fit."""
        self.shape = layer.infer_shape(self.shape)
        self.layers.append(layer)
        self.weights[id(layer)] = list(weights)

    def flatten(self) -> None:
        """A row for each image; nothing to do if it is one already."""
        if self.ones or len(self.shape) == 1:
            self.ones = False
            return
        if self.planes:
            places = np.arange(int(np.prod(self.shape))).reshape(self.shape)  # (H, W, C)
            order = places.transpose(2, 0, 1).ravel()
            self.order = None if np.array_equal(order, places.ravel()) else order
        self.planes = False
        self.add(nn.Flatten())

    def needs_planes(self) -> None:
        """InputError unless the graph's array is one of images."""
        if not self.planes:
            raise InputError(f"needs images as (N, C, H, W), and gets (N, {', '.join(map(str, self.shape))})")
