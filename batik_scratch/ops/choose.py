"""Which convolution runs: one table, asked by a layer called alone, by training and by the summary alike.

Whoever names an algorithm gets that one, or an error that says why it cannot do the shape. Whoever says "auto" gets the
first row of `AUTO` that fits. The choice hangs on the shape alone and never on a measurement: runs repeat bit for bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import InputError
from . import conv_direct, conv_im2col, conv_loops, conv_winograd


@dataclass(frozen=True)
class Convolution:
    """What the choice hangs on: channels in, filters, kernel and strides (vertical, horizontal)."""

    channels: int
    filters: int
    kernel_size: tuple[int, int]
    strides: tuple[int, int]


@dataclass(frozen=True)
class Algorithm:
    """One way of doing the sum.

    forward(x, kernel, bias, strides) -> y, backward(x, kernel, dy, strides, need_dx, need_grads) -> dx, dkernel, dbias
    pooled    the module whose `*_pooled` functions do ReLU and 2x2 max-pooling in the same pass, if there is one
    """

    name: str
    forward: Callable[..., np.ndarray]
    backward: Callable[..., Any]
    pooled: ModuleType | None = None


@dataclass(frozen=True)
class Choice:
    """An algorithm and the reason, in words, why it is the one."""

    algorithm: Algorithm
    reason: str


ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("loops", conv_loops.forward, conv_loops.backward),
        Algorithm("im2col", conv_im2col.forward, conv_im2col.backward),
        Algorithm("winograd", conv_winograd.forward, conv_winograd.backward, conv_winograd),
        Algorithm("direct", conv_direct.forward, conv_direct.backward, conv_direct),
        Algorithm("plain", conv_im2col.forward_plain, conv_im2col.backward_plain),
    )
}
NAMES = (*ALGORITHMS, "auto")  # what Conv2D's `algorithm` may say
FEW = 8  # channels or filters

# algorithm, what the shape must be like, why; from the first row down
AUTO: tuple[tuple[str, Callable[[Convolution], bool], str], ...] = (
    (
        "direct",
        lambda shape: shape.channels < FEW,
        f"fewer than {FEW} channels: a window has too few numbers to pay for copying or transforming it",
    ),
    (
        "winograd",
        lambda shape: min(shape.channels, shape.filters) >= FEW,
        f"3x3 at stride 1 with at least {FEW} channels and filters: a quarter of the multiplications",
    ),
    ("im2col", lambda shape: True, "one matrix product does every kernel and stride"),
)


def choose(name: str, shape: Convolution) -> Choice:
    """The algorithm called `name` for `shape`, or what "auto" takes; InputError if it cannot do that shape."""
    if name != "auto":
        if (reason := cannot(name, shape)) is not None:
            raise InputError(f'Conv2D: algorithm="{name}" {reason}; use "auto", which takes it where it fits')
        return Choice(ALGORITHMS[name], "it was asked for by name")
    for row, fits, reason in AUTO:
        if cannot(row, shape) is None and fits(shape):
            return Choice(ALGORITHMS[row], reason)
    raise AssertionError("the table's last row takes every shape")


def cannot(name: str, shape: Convolution) -> str | None:
    """Why the algorithm cannot do this shape, as the end of a sentence; None if it can."""
    if name in ("winograd", "direct") and not (shape.kernel_size == (3, 3) and shape.strides == (1, 1)):
        return f"needs a 3x3 kernel at stride 1, got {shape.kernel_size} at {shape.strides}"
    return None


def fused(algorithm: Algorithm, dtype: np.dtype, pool: tuple[int, int], strides: tuple[int, int]) -> ModuleType | None:
    """The module that does convolution, ReLU and this max-pooling in one pass; None if the three run one by one.

    Complex numbers run one by one: they are for checking gradients, and meet every layer on its own.
    """
    return algorithm.pooled if pool == strides == (2, 2) and dtype.kind == "f" else None
