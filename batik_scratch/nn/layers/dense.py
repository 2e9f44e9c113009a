"""Dense: the fully connected layer."""

import sys
from typing import Any

import numpy as np

from ...errors import InputError
from ...ops import dense
from .. import initializers
from .base import Layer


class Dense(Layer):
    """Fully connected layer: every output sees every input.

    Forward   Y = X W + b
    Backward  dW = X' dY    each weight collects input times upstream gradient, over the batch
              db = sum_n dY
              dX = dY W'

    Shapes    X (N, D), W (D, U), b (U,), Y (N, U)
    Cost      N D U multiply-adds forward, twice that backward; caches X
    """

    def __init__(self, units: int, kernel_initializer: str = "glorot_uniform", name: str | None = None) -> None:
        super().__init__(name)
        if not isinstance(units, int) or units < 1:
            raise InputError(f"Dense: units needs a whole number >= 1, got {units!r}")
        self.units = units
        self.kernel_initializer = initializers.check(kernel_initializer)

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(input_shape) != 1:
            raise InputError(
                f"Dense: needs one row of features per image (D,), got {input_shape}; put Flatten before it"
            )
        return (self.units,)

    def create_params(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, np.ndarray]:
        shape = (input_shape[0], self.units)  # (D, U)
        return {"kernel": initializers.draw(self.kernel_initializer, shape, rng), "bias": np.zeros(self.units)}

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        x = self._expect(x, self.input_shape, "forward")
        self._keep(x, training, keep)
        return dense.forward(x, self.params["kernel"], self.params["bias"])  # (N, D) @ (D, U) -> (N, U)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        x = self._recall()  # (N, D)
        dy = self._expect(dy, self.output_shape, "backward")
        room = self._room_of_last_gradient() if need_grads else None
        dx, dkernel, dbias = dense.backward(x, self.params["kernel"], dy, need_dx, need_grads, room)
        if need_grads:
            self._set_grads(kernel=dkernel, bias=dbias)  # (D, U), (U,)
        return dx  # (N, D)

    def _room_of_last_gradient(self) -> np.ndarray | None:
        """The last dW's memory, unless somebody has kept that array: the system hands out large pieces slowly."""
        last = self.grads.pop("kernel", None) if isinstance(self.grads, dict) else None  # a subclass may leave anything
        kernel = self.params["kernel"]
        nobodys = np.empty(0)  # how many references such an array has differs between versions of Python
        if type(last) is not np.ndarray or sys.getrefcount(last) > sys.getrefcount(nobodys):
            return None
        fits = last.base is None and (last.shape, last.dtype) == (kernel.shape, kernel.dtype)
        return last if fits and last.flags.c_contiguous and last.flags.writeable else None

    def config(self) -> dict[str, Any]:
        return super().config() | {"units": self.units, "kernel_initializer": self.kernel_initializer}

    def multiply_adds(self) -> int:
        return self.params["kernel"].size if self.params else 0

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,))) * self.dtype.itemsize
