"""Pooling: from many places to one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ...ops import average_pooling, pooling
from ...ops.shapes import pair, same_padding, window_count
from .base import Layer


class _Windows(Layer):
    """What poolings over windows share: sizes, shapes, and what they say to images that do not fit."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        name: str | None = None,
        padding: str = "valid",
    ) -> None:
        super().__init__(name)
        who = type(self).__name__
        if padding not in ("valid", "same"):
            raise InputError(f'{who}: padding is "valid" or "same", got {padding!r}')
        self.padding = padding
        self.pool_size = pair(pool_size, f"{who}: pool_size")
        self.strides = self.pool_size if strides is None else pair(strides, f"{who}: strides")

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        who = type(self).__name__
        if len(input_shape) != 3:
            raise InputError(f"{who}: needs images (H, W, C), got {input_shape}; put it before Flatten")
        h, w, channels = input_shape
        (ph, pw), (sh, sw) = self.pool_size, self.strides
        if self.padding == "same":
            return -(-h // sh), -(-w // sw), channels
        if h < ph or w < pw:
            raise InputError(
                f"{who}: window {ph}x{pw} does not fit input {h}x{w}; "
                'use a smaller pool_size, larger images or padding="same"'
            )
        return window_count(h, ph, sh), window_count(w, pw, sw), channels

    def config(self) -> dict[str, Any]:
        told = super().config() | {"pool_size": list(self.pool_size), "strides": list(self.strides)}
        return told | ({} if self.padding == "valid" else {"padding": self.padding})

    def pads(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Lines before and after, vertically and horizontally, that "same" puts around the image; zeros if "valid"."""
        if self.padding == "valid" or self.input_shape is None:
            return (0, 0), (0, 0)
        vertical, horizontal = map(same_padding, self.input_shape[:2], self.pool_size, self.strides)
        return vertical, horizontal

    def _pad(self, x: np.ndarray, value: float) -> np.ndarray:
        """x (N, H, W, C) with `value` around it; x itself if nothing is to be put there."""
        pads = self.pads()
        return np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=value) if any(map(any, pads)) else x

    def _crop(self, dx: np.ndarray) -> np.ndarray:
        """The adjoint of `_pad`: what fell outside of the image is dropped."""
        (top, bottom), (left, right) = self.pads()
        return dx[:, top : dx.shape[1] - bottom, left : dx.shape[2] - right]  # (N, H, W, C)


class MaxPooling2D(_Windows):
    """Keep the largest value of each window, channel by channel.

    Forward   Y[n,i,j,c] = max_{u,v} X[n, i*sh+u, j*sw+v, c]
    Backward  dX = dY added at the place of the maximum (the first one in reading order, if several are equal),
              0 elsewhere; a place that wins in several overlapping windows collects from each

    Shapes    X (N, H, W, C), Y (N, OH, OW, C) with OH = floor((H - ph) / sh) + 1; leftover rows are dropped. "same"
              drops none: OH = ceil(H / sh), and places outside of the image never win
    Cost      N OH OW C ph pw comparisons; caches one small index per output value, and not X
    """

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        self._expect(x, self.input_shape, "forward")
        x = self._pad(x, -np.inf)
        y, winner = pooling.forward(x, self.pool_size, self.strides)  # (N, OH, OW, C) both
        self._keep((winner, x.shape), training, keep)
        return y

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        winner, shape = self._recall()
        self._expect(dy, self.output_shape, "backward")
        if not need_dx:
            return None
        return self._crop(pooling.backward(dy, winner, shape, self.pool_size, self.strides))  # (N, H, W, C)

    def cached_bytes(self) -> int:
        return int(np.prod(self.output_shape or (0,)))  # an index of one byte


class AveragePooling2D(_Windows):
    """The mean of each window, channel by channel.

    Forward   Y[n,i,j,c] = sum_{u,v} X[n, i*sh+u, j*sw+v, c] / (ph pw)
    Backward  dX = dY / (ph pw) added at every place of the window; a place in several windows collects from each

    With padding="same" a window at the edge has the mean of its places inside of the image (as in Keras): they are
    fewer than ph pw, and each has a larger share.

    Shapes    X (N, H, W, C), Y (N, OH, OW, C) with OH = floor((H - ph) / sh) + 1; leftover rows are dropped. "same"
              drops none: OH = ceil(H / sh)
    Cost      N OH OW C ph pw additions; caches the shape only
    """

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        self._expect(x, self.input_shape, "forward")
        x = self._pad(x, 0)
        self._keep(x.shape, training, keep)
        y = average_pooling.forward(x, self.pool_size, self.strides)  # (N, OH, OW, C)
        return y if self.padding == "valid" else y / self._inside(y.real.dtype)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        shape = self._recall()
        self._expect(dy, self.output_shape, "backward")
        if not need_dx:
            return None
        if self.padding == "same":
            dy = dy / self._inside(dy.real.dtype)
        return self._crop(average_pooling.backward(dy, shape, self.pool_size, self.strides))  # (N, H, W, C)

    def _inside(self, dtype: np.dtype) -> np.ndarray:
        """The share of each window that lies in the image: (OH, OW, 1), 1 where all of it does."""
        ones = self._pad(np.ones((1, *(self.input_shape or ())[:2], 1)), 0)
        return average_pooling.forward_plain(ones, self.pool_size, self.strides)[0].astype(dtype)


class GlobalAveragePooling2D(Layer):
    """The mean of each channel over the whole image.

    Forward   Y[n,c] = mean_{i,j} X[n,i,j,c]
    Backward  dX[n,i,j,c] = dY[n,c] / (H W)    every place had the same share

    Shapes    X (N, H, W, C), Y (N, C)
    Cost      N H W C additions; caches the shape only
    """

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(input_shape) != 3:
            raise InputError(f"GlobalAveragePooling2D: needs images (H, W, C), got {input_shape}")
        return (input_shape[2],)

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        self._expect(x, self.input_shape, "forward")
        self._keep(x.shape, training, keep)
        return x.mean(axis=(1, 2))  # (N, C)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        n, h, w, c = self._recall()
        self._expect(dy, self.output_shape, "backward")
        return np.broadcast_to(dy[:, None, None, :] / (h * w), (n, h, w, c)).copy() if need_dx else None
