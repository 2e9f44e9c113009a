"""Operators on rows of features, and those that work value by value."""

import numpy as np

from .. import nn
from ..errors import InputError
from .onnx_arguments import only, vector
from .onnx_graph import Step
from .onnx_row import Row

TO_PLANES, FROM_PLANES = [0, 3, 1, 2], [0, 2, 3, 1]


def gemm(row: Row, step: Step) -> None:
    """alpha A B + beta C with a constant B (transposed if transB) and C: a Dense layer."""
    told = step.attributes
    only(step, transA=(0,))
    if step.given[0] is not None:
        raise InputError("the constant comes first; what can be read is rows times a constant kernel")
    kernel, *bias = step.constants()
    kernel = told.get("alpha", 1.0) * (kernel.T if told.get("transB", 0) else kernel)
    dense(row, kernel, told.get("beta", 1.0) * bias[0] if bias and bias[0].size else np.zeros(1))


def matmul(row: Row, step: Step) -> None:
    """A B with a constant B: a Dense layer without bias."""
    if step.given[0] is not None:
        raise InputError("the constant comes first; what can be read is rows times a constant kernel")
    dense(row, step.constants()[0], np.zeros(1))


def dense(row: Row, kernel: np.ndarray, bias: np.ndarray) -> None:
    """Add a Dense layer of `kernel` (D, U) and `bias` (U,) or (1,), its rows put into our order of features."""
    if kernel.ndim != 2 or row.ones or row.shape != kernel.shape[:1]:
        raise InputError(
            f"a kernel of the shape {kernel.shape} does not fit the input (N, {', '.join(map(str, row.shape))})"
        )
    if row.order is not None:
        kernel, row.order = reordered(kernel, row.order), None
    row.add(nn.Dense(kernel.shape[1]), kernel, vector(bias, kernel.shape[1]))


def flatten(row: Row, step: Step) -> None:
    """(N, ...) -> (N, D)."""
    axis = step.attributes.get("axis", 1)
    rank = 4 if row.ones else 1 + len(row.shape)
    if axis not in (1, 1 - rank):
        raise InputError(f"axis={axis} is not read; only axis=1 is, a row for each image")
    row.flatten()


def reshape(row: Row, step: Step) -> None:
    """(N, ...) -> (N, D), said by the shape that is wanted."""
    wanted, size = step.constants()[0].ravel().tolist(), int(np.prod(row.shape))
    images = (0, row.batch) if -1 in wanted[1:] else (0, -1, row.batch)
    if len(wanted) != 2 or wanted[0] not in images or wanted[1] not in (-1, size):
        raise InputError(f"the shape {wanted} is not read; only [0, -1] or [-1, {size}] is, a row for each image")
    row.flatten()


def squeeze(row: Row, step: Step) -> None:
    """(N, C, 1, 1) -> (N, C), which the row is here already."""
    axes = step.attributes.get("axes") or [int(n) for array in step.constants() for n in array]
    if not row.ones or sorted(axis % 4 for axis in axes) != [2, 3]:
        raise InputError(f"axes={axes} is not read; only [2, 3] is, after GlobalAveragePool")
    row.ones = False


def batch_normalization(row: Row, step: Step) -> None:
    """scale (x - mean) / sqrt(variance + epsilon) + bias per channel, with the stored mean and variance."""
    told = step.attributes
    only(step, training_mode=(0,), spatial=(1,))
    if len(row.shape) != 1:
        row.needs_planes()
    layer = nn.BatchNormalization(told.get("momentum", 0.9), told.get("epsilon", 1e-5))
    arrays = [vector(array, row.shape[-1]) for array in step.constants()]
    if len(arrays) != 4:
        raise InputError(f"needs four constants, got {len(arrays)}: scale, bias, mean and variance")
    if row.order is not None:
        arrays = [reordered(array, row.order) for array in arrays]
    row.add(layer, *arrays)


def softmax(row: Row, step: Step) -> None:
    """exp(x) / sum exp(x) over the classes, or over the channels of every place."""
    rank = 4 if row.ones else 1 + len(row.shape)
    axis = step.attributes.get("axis", -1) % rank
    if axis != (1 if row.planes or row.ones else rank - 1) and rank != 2:
        raise InputError(f"axis={step.attributes.get('axis')} is not read; only the last axis is")
    row.add(nn.Softmax())


def leaky_relu(row: Row, step: Step) -> None:
    """x where x > 0, alpha x elsewhere."""
    row.add(nn.LeakyReLU(step.attributes.get("alpha", 0.01)))


def standardization(row: Row, step: Step) -> None:
    """Per picture (x - mean) / sqrt(variance + epsilon), as `to_onnx` writes it."""
    row.add(nn.Standardization(step.attributes["epsilon"]))


def dropout(row: Row, step: Step) -> None:
    """Nothing, for a model at rest; the ratio is kept for training on."""
    ratio, *_ = [*step.constants(), np.asarray(step.attributes.get("ratio", 0.5))]
    training = len(step.given) > 2 and step.given[2] is not None and step.given[2].any()
    if training:
        raise InputError("training_mode=True is not read; a model at rest drops nothing")
    row.add(nn.Dropout(float(ratio.item()) if ratio.size else 0.5))


def identity(row: Row, step: Step) -> None:
    """Nothing."""


def transpose(row: Row, step: Step) -> None:
    """Between (N, H, W, C) and (N, C, H, W): the row only remembers which of the two its arrays stand in."""
    perm = step.attributes.get("perm", list(range(len(row.shape), -1, -1)))
    if perm == list(range(1 + len(row.shape))):
        return
    if len(row.shape) != 3 or row.ones or perm != (FROM_PLANES if row.planes else TO_PLANES):
        raise InputError(f"perm={perm} is not read here; only between (N, H, W, C) and (N, C, H, W)")
    row.planes = not row.planes


def log(row: Row, step: Step) -> None:
    """log(x), or log(x + epsilon) if an addition came before it."""
    last = row.layers[-1] if row.layers else None
    if isinstance(last, nn.Rescaling) and last.scale == 1 and last.offset >= 0:  # what to_onnx writes
        row.layers.pop()
        row.add(nn.Log(last.offset))
    else:
        row.add(nn.Log(0))


def multiply(row: Row, step: Step) -> None:
    """x times one number."""
    affine(row, scalar(step), 0)


def divide(row: Row, step: Step) -> None:
    """x divided by one number."""
    if step.given[0] is not None or scalar(step) == 0:
        raise InputError("a division of a constant, or by zero, is not read")
    affine(row, 1 / scalar(step), 0)


def subtract(row: Row, step: Step) -> None:
    """x less one number, or one number less x."""
    if step.given[0] is None:
        plus(row, step, -1)
    else:
        affine(row, -1, scalar(step))


def plus(row: Row, step: Step, sign: int = 1) -> None:
    """x plus one number, or the bias of the layer right before; `sign` -1 subtracts."""
    array, last = sign * step.constants()[0], row.layers[-1] if row.layers else None
    if array.size == 1 and not isinstance(last, nn.Dense | nn.Conv2D):
        return affine(row, 1, float(array.item()))
    if not isinstance(last, nn.Dense | nn.Conv2D):
        raise InputError(f"a constant of the shape {array.shape} is read only right behind Conv, Gemm or MatMul")
    axis = 1 if row.planes else len(row.shape)  # of the channels, in theirs
    shape = (1,) * (1 + len(row.shape) - array.ndim) + array.shape
    if array.size > 1 and (len(shape) != 1 + len(row.shape) or shape[axis] != array.size):
        raise InputError(f"a constant of the shape {array.shape} is no bias: one number for each channel")
    bias = row.weights[id(last)][1]
    row.weights[id(last)][1] = bias + vector(array.ravel(), len(bias))


def affine(row: Row, scale: float, offset: float) -> None:
    """Add scale x + offset: a Rescaling layer, joined with one right before."""
    last = row.layers[-1] if row.layers else None
    if isinstance(last, nn.Rescaling):
        row.layers.pop()
        scale, offset = scale * last.scale, scale * last.offset + offset
    row.add(nn.Rescaling(scale, offset))


def scalar(step: Step) -> float:
    """The step's constant, a single number."""
    (array,) = step.constants()
    if array.size != 1:
        raise InputError(f"a constant of the shape {array.shape} is not read; only a single number is")
    return float(array.item())


def reordered(array: np.ndarray, order: np.ndarray) -> np.ndarray:
    """What belongs to their row, (D, ...), as it belongs to ours."""
    ours = np.empty_like(array)
    ours[order] = array
    return ours
