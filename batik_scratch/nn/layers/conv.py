"""Conv2D: the same small window of weights, slid over the image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ...ops import conv_im2col, conv_loops, conv_winograd
from ...ops.shapes import pair, same_padding, window_count
from .. import initializers
from .base import Layer

ALGORITHMS = {"loops": conv_loops, "im2col": conv_im2col, "winograd": conv_winograd, "auto": None}
WINOGRAD_CHANNELS = 8  # in and out, from which "auto" takes Winograd: below, the transforms cost more than they save


class Conv2D(Layer):
    """Convolution (cross-correlation, as everywhere in deep learning): every filter looks at every window.

    Forward   Y[n,i,j,f] = b[f] + sum_{u,v,c} X[n, i*sh+u, j*sw+v, c] W[u,v,c,f]
    Backward  dW[u,v,c,f] = sum_{n,i,j} X[n, i*sh+u, j*sw+v, c] dY[n,i,j,f]    input times upstream gradient
              db[f]       = sum_{n,i,j} dY[n,i,j,f]
              dX          = every dY[n,i,j,f] W[u,v,c,f] added back to the pixel that it came from

    Shapes    X (N, H, W, C), W (kh, kw, C, F), b (F,), Y (N, OH, OW, F) with OH = floor((H - kh) / sh) + 1;
              "same" pads with zeros so that OH = ceil(H / sh), the odd zero at the end
    Cost      N OH OW K F multiply-adds forward (K = kh kw C), twice that backward; caches X

    `algorithm` is how the sum is done, never what it is: "loops" (the definition), "im2col" (a matrix product),
    "winograd" (3x3 at stride 1 only: fewer multiplications), "auto" (a fixed choice by shape and dtype, never by timing:
    runs must repeat bit for bit). All agree, and tests prove it.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        algorithm: str = "im2col",
        kernel_initializer: str = "glorot_uniform",
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if not isinstance(filters, int) or filters < 1:
            raise InputError(f"Conv2D: filters needs a whole number >= 1, got {filters!r}")
        if padding not in ("valid", "same"):
            raise InputError(f'Conv2D: padding is "valid" or "same", got {padding!r}')
        if algorithm not in ALGORITHMS:
            raise InputError(f"Conv2D: algorithm is one of {', '.join(ALGORITHMS)}; got {algorithm!r}")
        self.filters = filters
        self.kernel_size = pair(kernel_size, "Conv2D: kernel_size")
        self.strides = pair(strides, "Conv2D: strides")
        self.padding = padding
        self.algorithm = algorithm
        self.kernel_initializer = initializers.check(kernel_initializer)
        if algorithm == "winograd" and not self.is_3x3_at_stride_1():
            raise InputError(
                f'Conv2D: algorithm="winograd" needs a 3x3 kernel at stride 1, got {self.kernel_size} at {self.strides}; '
                'use "auto", which takes it where it fits'
            )

    def is_3x3_at_stride_1(self) -> bool:
        """What Winograd's F(4x4, 3x3) asks for."""
        return self.kernel_size == (3, 3) and self.strides == (1, 1)

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(input_shape) != 3:
            raise InputError(f"Conv2D: needs images (H, W, C), got {input_shape}; put it before Flatten")
        padded = [n + sum(p) for n, p in zip(input_shape, self._pads(input_shape), strict=False)]
        if any(n < k for n, k in zip(padded, self.kernel_size, strict=True)):
            kernel, size = "x".join(map(str, self.kernel_size)), "x".join(map(str, input_shape[:2]))
            raise InputError(
                f'Conv2D: kernel {kernel} does not fit input {size}; use padding="same", a smaller kernel or larger images'
            )
        oh, ow = (window_count(n, k, s) for n, k, s in zip(padded, self.kernel_size, self.strides, strict=True))
        return oh, ow, self.filters

    def create_params(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, np.ndarray]:
        shape = (*self.kernel_size, input_shape[2], self.filters)  # (kh, kw, C, F)
        return {"kernel": initializers.draw(self.kernel_initializer, shape, rng), "bias": np.zeros(self.filters)}

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        x = self._expect(x, self.input_shape, "forward")
        padded = self.pad(x)
        self._keep(padded, training, keep)
        return self._ops().forward(padded, self.params["kernel"], self.params["bias"], self.strides)  # (N, OH, OW, F)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        x = self._recall()  # (N, H, W, C), padded
        dy = self._expect(dy, self.output_shape, "backward")
        dx, dkernel, dbias = self._ops().backward(x, self.params["kernel"], dy, self.strides, need_dx, need_grads)
        if need_grads:
            self._set_grads(kernel=dkernel, bias=dbias)  # (kh, kw, C, F), (F,)
        return None if dx is None else self.crop(dx)

    def pad(self, x: np.ndarray) -> np.ndarray:
        """x (N, H, W, C) with the zeros around it that `padding` asks for; x itself where it asks for none."""
        return np.pad(x, ((0, 0), *self._pads(x.shape[1:]), (0, 0))) if self.padding == "same" else x

    def crop(self, dx: np.ndarray) -> np.ndarray:
        """The adjoint of `pad`: what the zeros collected is dropped."""
        if self.padding == "valid":
            return dx
        (top, bottom), (left, right) = self._pads(self.input_shape or ())
        return dx[:, top : dx.shape[1] - bottom, left : dx.shape[2] - right]  # (N, H, W, C)

    def config(self) -> dict[str, Any]:
        return super().config() | {
            "filters": self.filters,
            "kernel_size": list(self.kernel_size),
            "strides": list(self.strides),
            "padding": self.padding,
            "algorithm": self.algorithm,
            "kernel_initializer": self.kernel_initializer,
        }

    def multiply_adds(self) -> int:
        if self.output_shape is None:
            return 0
        oh, ow, _ = self.output_shape
        return oh * ow * self.params["kernel"].size

    def cached_bytes(self) -> int:
        if self.input_shape is None:
            return 0
        h, w = (n + sum(pads) for n, pads in zip(self.input_shape, self._pads(self.input_shape), strict=False))
        return h * w * self.input_shape[2] * self.dtype.itemsize

    def _ops(self) -> Any:
        """The module that does the sum."""
        if self.algorithm != "auto":
            return ALGORITHMS[self.algorithm]
        many = min(self.params["kernel"].shape[2:]) >= WINOGRAD_CHANNELS
        return conv_winograd if many and self.is_3x3_at_stride_1() else conv_im2col

    def _pads(self, shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
        if self.padding == "valid":
            return (0, 0), (0, 0)
        (kh, kw), (sh, sw) = self.kernel_size, self.strides
        return same_padding(shape[0], kh, sh), same_padding(shape[1], kw, sw)
