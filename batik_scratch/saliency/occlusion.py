"""Occlusion: cover a window, and see what the score loses."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..nn import Sequential
from ..ops.shapes import pair
from .method import Method
from .scores import value


class Occlusion(Method):
    """Occlusion (Zeiler & Fergus, 2013, arXiv:1311.2901).

    M[n,h,w,c] = mean over all windows that cover (h, w) of  S(X) - S(X with the window set to v)

    window    pixels, (height, width) or one number;  stride: between windows, by default half a window
    fill      v: a number, or a colour (C,)

    Windows start at 0, stride, 2 stride, ... until the edge is covered; the last may stick out. All channels of a pixel
    get the same value.

    Shapes    X and the map (N, H, W, C)
    Cost      one forward pass per window: about (H / stride) (W / stride) per image
    Not for   features larger than the window, or that appear twice: covering one leaves the other.
    """

    def __init__(
        self,
        model: Sequential,
        window: int | Sequence[int] = 16,
        stride: int | Sequence[int] | None = None,
        fill: float | Sequence[float] = 0.0,
    ) -> None:
        super().__init__(model)
        self.window = pair(window, "Occlusion: window")
        half = tuple(max(n // 2, 1) for n in self.window)
        self.stride = half if stride is None else pair(stride, "Occlusion: stride")
        if any(s > w for s, w in zip(self.stride, self.window, strict=True)):
            raise InputError(f"Occlusion: stride {self.stride} above window {self.window} would leave pixels untried")
        self.fill = np.asarray(fill, np.float64)
        channels = (model.input_shape or self.fill.shape)[-1:]
        if self.fill.shape not in ((), channels) or not np.isfinite(self.fill).all():
            raise InputError(f"Occlusion: fill is a number, or a colour of shape {channels}; got {fill!r}")

    def _attribute(self, images: np.ndarray, classes: np.ndarray | None, score: str) -> np.ndarray:
        classes = self._classes(images, classes)  # (N,)
        whole = value(score, self.model.logits(images), classes)  # (N,)
        n, height, width = images.shape[:3]
        lost, covered = np.zeros((n, height, width)), np.zeros((height, width))
        occluded = images.astype(self.model.dtype)  # one for all windows: copying costs as much as asking the network
        for top in _starts(height, self.window[0], self.stride[0]):
            for left in _starts(width, self.window[1], self.stride[1]):
                place = np.s_[:, top : top + self.window[0], left : left + self.window[1]]
                occluded[place] = self.fill
                loss = whole - value(score, self.model.logits(occluded), classes)  # (N,)
                occluded[place] = images[place]
                lost[place] += loss[:, None, None]
                covered[place[1:]] += 1
        maps = (lost / covered)[..., None]  # (N, H, W, 1)
        return np.broadcast_to(maps, images.shape).astype(self.model.dtype)  # (N, H, W, C)


def _starts(size: int, window: int, stride: int) -> range:
    """The first pixels of the windows along one axis."""
    return range(0, max(-(-(size - window) // stride), 0) * stride + 1, stride)
