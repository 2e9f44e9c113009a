"""Conv2D: the same small window of weights, slid over the image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ...ops import choose
from ...ops.shapes import pair, same_padding, window_count
from .. import initializers
from .base import Layer


class Conv2D(Layer):
    """Convolution (cross-correlation, as everywhere in deep learning): every filter looks at every window.

    Forward   Y[n,i,j,f] = b[f] + sum_{u,v,c} X[n, i*sh+u, j*sw+v, c] W[u,v,c,f]
    Backward  dW[u,v,c,f] = sum_{n,i,j} X[n, i*sh+u, j*sw+v, c] dY[n,i,j,f]    input times upstream gradient
              db[f]       = sum_{n,i,j} dY[n,i,j,f]
              dX          = every dY[n,i,j,f] W[u,v,c,f] added back to the pixel that it came from

    Shapes    X (N, H, W, C), W (kh, kw, C, F), b (F,), Y (N, OH, OW, F) with OH = floor((H - kh) / sh) + 1;
              "same" pads with zeros so that OH = ceil(H / sh), the odd zero at the end
    Cost      N OH OW K F multiply-adds forward (K = kh kw C), twice that backward; caches X

    `algorithm` is how the sum is done, never what it is. All agree, and tests prove it.

        "loops"      the definition: seven loops and one multiplication
        "im2col"     a matrix product over copied windows
        "plain"      the same in four lines of NumPy
        "winograd"   3x3 at stride 1 only: fewer multiplications
        "direct"     3x3 at stride 1 only: no window is copied, filters side by side; fast with few channels
        "auto"       one of these by the table in ops/choose.py; `runs` says which, and why

    In a model, a Conv2D, a ReLU and a MaxPooling2D in a row may run as one block, by the same algorithm: see passes.py.
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
        bias_initializer: str = "zeros",
    ) -> None:
        super().__init__(name)
        if not isinstance(filters, int) or filters < 1:
            raise InputError(f"Conv2D: filters needs a whole number >= 1, got {filters!r}")
        if padding not in ("valid", "same"):
            raise InputError(f'Conv2D: padding is "valid" or "same", got {padding!r}')
        if algorithm not in choose.NAMES:
            raise InputError(f"Conv2D: algorithm is one of {', '.join(choose.NAMES)}; got {algorithm!r}")
        self.filters = filters
        self.kernel_size = pair(kernel_size, "Conv2D: kernel_size")
        self.strides = pair(strides, "Conv2D: strides")
        self.padding = padding
        self.algorithm = algorithm
        self.kernel_initializer = initializers.check(kernel_initializer)
        self.bias_initializer = initializers.check_bias(bias_initializer)
        self._choice(channels=1)  # refuses at once what no image will change

    @property
    def runs(self) -> choose.Choice:
        """The algorithm that this layer runs, alone and in training, and why; InputError before it is built."""
        if self.input_shape is None:
            raise InputError(f"{self.name}: has no shape yet to choose an algorithm by; build it first")
        return self._choice(self.input_shape[2])

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(input_shape) != 3:
            raise InputError(f"Conv2D: needs images (H, W, C), got {input_shape}; put it before Flatten")
        padded = self._padded(input_shape)
        if any(n < k for n, k in zip(padded, self.kernel_size, strict=True)):
            kernel, size = "x".join(map(str, self.kernel_size)), "x".join(map(str, input_shape[:2]))
            raise InputError(
                f"Conv2D: kernel {kernel} does not fit input {size}; "
                'use padding="same", a smaller kernel or larger images'
            )
        oh, ow = (window_count(n, k, s) for n, k, s in zip(padded, self.kernel_size, self.strides, strict=True))
        return oh, ow, self.filters

    def create_params(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, np.ndarray]:
        shape = (*self.kernel_size, input_shape[2], self.filters)  # (kh, kw, C, F)
        kernel = initializers.draw(self.kernel_initializer, shape, rng)
        return {"kernel": kernel, "bias": initializers.draw_bias(self.bias_initializer, kernel)}

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        x = self._expect(x, self.input_shape, "forward")
        padded = self.pad(x)
        self._keep(padded, training, keep)
        forward = self.runs.algorithm.forward
        return forward(padded, self.params["kernel"], self.params["bias"], self.strides)  # (N, OH, OW, F)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        x = self._recall()  # (N, H, W, C), padded
        dy = self._expect(dy, self.output_shape, "backward")
        backward = self.runs.algorithm.backward
        dx, dkernel, dbias = backward(x, self.params["kernel"], dy, self.strides, need_dx, need_grads)
        if need_grads:
            self._set_grads(kernel=dkernel, bias=dbias)  # (kh, kw, C, F), (F,)
        return None if dx is None else self.crop(dx)

    def pad(self, x: np.ndarray) -> np.ndarray:
        """x (N, H, W, C) with the zeros around it that `padding` asks for; x itself if it asks for none."""
        return np.pad(x, ((0, 0), *self._pads(x.shape[1:]), (0, 0))) if self.padding == "same" else x

    def crop(self, dx: np.ndarray) -> np.ndarray:
        """The adjoint of `pad`: what the zeros collected is dropped."""
        if self.padding == "valid":
            return dx
        (top, bottom), (left, right) = self._pads(self.input_shape or ())
        return dx[:, top : dx.shape[1] - bottom, left : dx.shape[2] - right]  # (N, H, W, C)

    def config(self) -> dict[str, Any]:
        return (
            super().config()
            | {
                "filters": self.filters,
                "kernel_size": list(self.kernel_size),
                "strides": list(self.strides),
                "padding": self.padding,
                "algorithm": self.algorithm,
                "kernel_initializer": self.kernel_initializer,
            }
            | ({} if self.bias_initializer == "zeros" else {"bias_initializer": self.bias_initializer})
        )

    def multiply_adds(self) -> int:
        if self.output_shape is None:
            return 0
        oh, ow, _ = self.output_shape
        return oh * ow * self.params["kernel"].size

    def cached_bytes(self) -> int:
        if self.input_shape is None:
            return 0
        h, w = self._padded(self.input_shape)
        return h * w * self.input_shape[2] * self.dtype.itemsize

    def _choice(self, channels: int) -> choose.Choice:
        shape = choose.Convolution(channels, self.filters, self.kernel_size, self.strides)
        return choose.choose(self.algorithm, shape)

    def _padded(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Height and width of an image (H, W, C) once `padding` is around it."""
        (top, bottom), (left, right) = self._pads(shape)
        return shape[0] + top + bottom, shape[1] + left + right

    def _pads(self, shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
        if self.padding == "valid":
            return (0, 0), (0, 0)
        (kh, kw), (sh, sw) = self.kernel_size, self.strides
        return same_padding(shape[0], kh, sh), same_padding(shape[1], kw, sw)
