"""Operators over height and width: convolution and pooling."""

from typing import Any

import numpy as np

from .. import nn
from ..errors import InputError
from ..ops.shapes import same_padding, window_count
from .onnx_arguments import only, vector
from .onnx_graph import Step
from .onnx_row import Row


def convolution(row: Row, step: Step) -> None:
    """Cross-correlation with a constant kernel (F, C, kh, kw): a Conv2D, whose kernel is (kh, kw, C, F)."""
    row.needs_planes()
    kernel, *bias = step.constants()
    told = step.attributes
    only(step, group=(1,), dilations=([1, 1], [1]))
    if step.given[0] is not None or kernel.ndim != 4 or kernel.shape[1] != row.shape[2]:
        raise InputError(f"its kernel has the shape {kernel.shape}; needs (F, {row.shape[2]}, kh, kw)")
    size = pair(told.get("kernel_shape", kernel.shape[2:]))
    if size != kernel.shape[2:]:
        raise InputError(f"kernel_shape={list(size)}, and its kernel has {list(kernel.shape[2:])}")
    strides, padding = window(step, size, row.shape)
    offset = bias[0] if bias and bias[0].size else np.zeros(len(kernel))
    layer = nn.Conv2D(len(kernel), size, strides, padding)
    row.add(layer, kernel.transpose(2, 3, 1, 0), vector(offset, len(kernel)))


def max_pool(row: Row, step: Step) -> None:
    """The largest value of each window."""
    row.needs_planes()
    only(step, dilations=([1, 1],), storage_order=(0,))
    size = pair(step.attributes["kernel_shape"])
    strides, padding = window(step, size, row.shape)
    row.add(nn.MaxPooling2D(size, strides, padding=padding))


def average_pool(row: Row, step: Step) -> None:
    """The mean of each window, over the values that are there."""
    row.needs_planes()
    only(step, dilations=([1, 1],))
    size = pair(step.attributes["kernel_shape"])
    strides, padding = window(step, size, row.shape)
    if padding == "same" and step.attributes.get("count_include_pad", 0):
        raise InputError("count_include_pad=1 with padding is not read; only count_include_pad=0 is")
    row.add(nn.AveragePooling2D(size, strides, padding=padding))


def global_average_pool(row: Row, step: Step) -> None:
    """(N, C, H, W) -> (N, C, 1, 1): the mean over height and width."""
    row.needs_planes()
    row.add(nn.GlobalAveragePooling2D())
    row.planes, row.ones = False, True


def reduce_mean(row: Row, step: Step) -> None:
    """The same, said by its axes."""
    axes = step.attributes.get("axes") or [int(n) for array in step.constants() for n in array]
    over = sorted(axis % 4 for axis in axes)
    if len(row.shape) != 3 or over != ([2, 3] if row.planes else [1, 2]):
        raise InputError(f"a mean over the axes {axes} is not read; only over height and width, as pooling")
    row.add(nn.GlobalAveragePooling2D())
    if step.attributes.get("keepdims", 1) and not row.planes:
        raise InputError("keepdims=1 on (N, H, W, C) is not read; only keepdims=0 is")
    row.planes, row.ones = False, bool(step.attributes.get("keepdims", 1))


def window(step: Step, size: tuple[int, int], shape: tuple[int, ...]) -> tuple[tuple[int, int], str]:
    """Strides, and "valid" or "same": whichever begins where the node's windows begin, and has as many."""
    told = step.attributes
    strides, auto = pair(told.get("strides", [1, 1])), told.get("auto_pad", "NOTSET")
    pads = told.get("pads", [0, 0, 0, 0])
    if len(pads) != 4 or auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise InputError(f"pads={pads}, auto_pad={auto} are not those of windows over height and width")
    found = []
    for n, k, s, before, after in zip(shape[:2], size, strides, pads[:2], pads[2:], strict=True):
        same = same_padding(n, k, s)
        if auto != "NOTSET":
            before, after = same[:: -1 if auto == "SAME_LOWER" else 1] if auto.startswith("SAME") else (0, 0)
        count = window_count(n + before + after, k, s)
        if told.get("ceil_mode", 0) and (n + before + after - k) % s and count * s < n + before:
            count += 1
        valid = before == 0 and count == window_count(n, k, s)
        found.append((valid, before == same[0] and count == -(-n // s)))
    for padding, fits in zip(("valid", "same"), zip(*found, strict=True), strict=True):
        if all(fits):
            return strides, padding
    raise InputError(
        f"pads={pads} (auto_pad={auto}, strides={list(strides)}) on {shape[0]}x{shape[1]} is not read; only none, or "
        'those of "same", with the odd line at the end'
    )


def pair(values: Any) -> tuple[int, int]:
    """Two whole numbers, of height and width; InputError for any other count of axes."""
    sizes = tuple(int(n) for n in values)
    if len(sizes) != 2:
        raise InputError(f"has windows of {len(sizes)} axes; what can be read are those over height and width")
    return sizes[0], sizes[1]
