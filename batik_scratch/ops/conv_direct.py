"""Convolution of images with few channels, without copying any window: the filters side by side in a register.

With three channels a 3x3 window has 27 numbers, too few to pay for copying windows into a matrix. Instead outputs are
computed in squares of 2x2. A square looks at 4x4 pixels, and each weight meets four of them:

    outputs     pixels
    y00 y01     x00 x01 x02 x03     y_ab = bias + sum_{u,v,c} k[u, v, c] x[a + u, b + v, c]     a, b = 0, 1
    y10 y11     x10 x11 x12 x13     dk[u, v, c] = sum_{a,b} g_ab x[a + u, b + v, c]             u, v = 0, 1, 2
                x20 x21 x22 x23     dx[a + u, b + v, c] += sum_f g_ab k[u, v, c]
                x30 x31 x32 x33     with g_ab the gradient of y_ab, and all squares summed up

What is the same for all filters, a pixel, is loaded once. What differs, the weights and the outputs, stands in lanes, a
filter in each (lanes.py). So one instruction multiplies a pixel by the weights of 8 or 16 filters, and the sums of a
square stay in registers until all weights have met it. In dx the lanes are a row of the square's pixels.

A square is a window of 2x2 max-pooling too: `*_pooled` go on with ReLU and store only the largest of its four outputs.
Backward then only one of the four has a gradient, and dx takes a quarter of the work.

`*_plain` says it in NumPy, for any dtype; direct_kernels.py is the compiled version. All are right for any number of
channels, and fast for few.
"""

import numpy as np

from ..errors import InputError
from . import conv_relu_pool, pooling, threads
from . import direct_kernels as kernels
from .chunks import CHUNKS
from .few_by_few import Gradients
from .jit import plain_reason, runs_plain
from .lanes import LANES, aligned
from .workspace import Workspace, made_of


def forward_plain(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, strides: tuple[int, int] = (1, 1)) -> np.ndarray:
    """x (N, H, W, C), kernel (3, 3, C, F), bias (F,) -> y (N, OH, OW, F), OH = H - 2; strides are (1, 1)."""
    _check(strides)
    n, h, w, _ = x.shape
    y = np.empty((n, h - 2, w - 2, kernel.shape[3]), x.dtype)  # (N, OH, OW, F)
    y[:] = bias
    for u, v in np.ndindex(3, 3):
        y += x[:, u : u + h - 2, v : v + w - 2] @ kernel[u, v]  # (N, OH, OW, C) @ (C, F) -> (N, OH, OW, F)
    return y


def backward_plain(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    strides: tuple[int, int] = (1, 1),
    need_dx: bool = True,
    need_grads: bool = True,
) -> Gradients:
    """dy (N, OH, OW, F) -> dx (N, H, W, C), dkernel (3, 3, C, F), dbias (F,); what is not needed is None."""
    _check(strides)
    _, oh, ow, _ = dy.shape
    dx = np.zeros(x.shape, x.dtype) if need_dx else None  # (N, H, W, C)
    dkernel = np.empty(kernel.shape, x.dtype) if need_grads else None  # (3, 3, C, F)
    for u, v in np.ndindex(3, 3):
        met = np.s_[:, u : u + oh, v : v + ow]  # the pixels that weight (u, v) meets
        if dkernel is not None:
            dkernel[u, v] = np.tensordot(x[met], dy, ((0, 1, 2), (0, 1, 2)))  # (C, F)
        if dx is not None:
            dx[met] += dy @ kernel[u, v].T  # (N, OH, OW, F) @ (F, C) -> (N, OH, OW, C)
    return dx, dkernel, dy.sum(axis=(0, 1, 2)) if need_grads else None


def forward(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, strides: tuple[int, int] = (1, 1)) -> np.ndarray:
    """`forward_plain` on all threads."""
    if runs_plain(x):
        return forward_plain(x, kernel, bias, strides)
    _check(strides)
    y = np.empty((len(x), x.shape[1] - 2, x.shape[2] - 2, kernel.shape[3]), x.dtype)  # (N, OH, OW, F)
    with threads.one_blas_thread():
        kernels.forward(np.ascontiguousarray(x), _by_vector(kernel), _padded(bias), y)
    return y


def backward(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    strides: tuple[int, int] = (1, 1),
    need_dx: bool = True,
    need_grads: bool = True,
) -> Gradients:
    """`backward_plain` on all threads."""
    if runs_plain(x):
        return backward_plain(x, kernel, dy, strides, need_dx, need_grads)
    _check(strides)
    dx = np.empty(x.shape, x.dtype) if need_dx else None  # (N, H, W, C)
    with threads.one_blas_thread():
        return _run_backward(x, kernel, dy, np.empty((len(x), 0, 0), np.uint8), False, dx, need_grads, Workspace())


def winner_shape(x_shape: tuple[int, ...], filters: int) -> tuple[int, ...]:
    """The shape of the winners' array that `forward_pooled` fills: (N, PH, PW*FP), for its own use."""
    n, ph, pw, _ = shape = conv_relu_pool.output_shape(x_shape, filters)
    return shape if plain_reason() is not None else (n, ph, pw * _whole_vectors(filters))


def forward_pooled_plain(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x (N, H, W, C), kernel (3, 3, C, F), bias (F,) -> y and winner (N, PH, PW, F): 0..3, or 4 if the ReLU shuts."""
    return conv_relu_pool.forward(forward_plain, x, kernel, bias)


def backward_pooled_plain(
    x: np.ndarray, kernel: np.ndarray, dy: np.ndarray, winner: np.ndarray, need_dx: bool = True, need_grads: bool = True
) -> Gradients:
    """dy, winner (N, PH, PW, F) -> dx (N, H, W, C), dkernel (3, 3, C, F), dbias (F,); what is not needed is None."""
    return conv_relu_pool.backward(backward_plain, x, kernel, dy, winner, need_dx, need_grads)


def forward_pooled(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    y: np.ndarray,
    winner: np.ndarray | None = None,
    room: Workspace | None = None,
) -> None:
    """Fill y (N, PH, PW, F) with `forward_pooled_plain`; and `winner`, of `winner_shape`, if given.

    In `room`, if there is one, the weights as the kernel reads them wait for the next call with the same ones.
    """
    if plain_reason() is not None:
        return conv_relu_pool.fill(forward_pooled_plain, x, kernel, bias, y, winner)
    if winner is None:
        winner = np.empty((0, 0, 0), np.uint8)
    places = np.arange(pooling.DEAD + 1, dtype=x.dtype)
    by_vector = made_of(room, kernel, "by vector", _by_vector)
    kernels.forward_pooled(np.ascontiguousarray(x), by_vector, _padded(bias), places, y, winner)


def backward_pooled(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    winner: np.ndarray,
    dx: np.ndarray | None,
    need_grads: bool,
    room: Workspace,
) -> Gradients:
    """The adjoint of `forward_pooled`: dy (N, PH, PW, F) -> dx, filled if it is given, dkernel and dbias.

    Without `need_grads` nobody trains: the weights, as the kernel reads them, wait in `room` for the next call.
    """
    if plain_reason() is not None:
        return conv_relu_pool.fill_back(backward_pooled_plain, x, kernel, dy, winner, dx, need_grads)
    return _run_backward(x, kernel, dy, winner, True, dx, need_grads, room)


def _run_backward(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    winner: np.ndarray,
    pooled: bool,
    dx: np.ndarray | None,
    need_grads: bool,
    room: Workspace,
) -> Gradients:
    c, f = kernel.shape[2:]
    padded, chunks = _whole_vectors(f), CHUNKS if need_grads else 0
    sums = room.take("sums", (chunks, padded // LANES, c, 9 * LANES), x.dtype)
    dbias = room.take("dbias", (chunks, padded), x.dtype)
    in_squares, target = np.empty(0, x.dtype), np.empty((0, 0, 0, 0), x.dtype)
    if dx is not None:
        in_squares = made_of(None if need_grads else room, kernel, "in squares", _in_squares)
        target = dx
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    kernels.backward(x, in_squares, dy, padded, pooled, winner, target, sums, dbias)
    if not need_grads:
        return dx, None, None
    by_lane = sums.sum(axis=0).reshape(-1, c, 3, 3, LANES)  # (FP/LANES, C, 3, 3, LANES)
    dkernel = by_lane.transpose(2, 3, 1, 0, 4).reshape(3, 3, c, padded)[..., :f]  # (3, 3, C, F)
    return dx, np.ascontiguousarray(dkernel), dbias.sum(axis=0)[:f]


def _whole_vectors(filters: int) -> int:
    """FP: the number of filters, rounded up to whole vectors."""
    return -(-filters // LANES) * LANES


def _padded(values: np.ndarray) -> np.ndarray:
    """(..., F) to (..., FP), with zeros."""
    if values.shape[-1] % LANES == 0:
        return values
    padded = np.zeros((*values.shape[:-1], _whole_vectors(values.shape[-1])), values.dtype)
    padded[..., : values.shape[-1]] = values
    return padded


def _by_vector(kernel: np.ndarray) -> np.ndarray:
    """kernel (3, 3, C, F) as the forward kernels read it: (FP/LANES, C, 3, 3, LANES), flat."""
    c = kernel.shape[2]
    by_vector = _padded(kernel).reshape(3, 3, c, -1, LANES).transpose(3, 2, 0, 1, 4)
    return aligned(by_vector)


def _in_squares(kernel: np.ndarray) -> np.ndarray:
    """kernel (3, 3, C, F) as dx reads it: (parts, FP, 5, 4, LANES), flat.

    For each filter and each output that may have won: its weights where they lie in the square's rows of four pixels,
    zero elsewhere; for a dead window zeros. A row of 4*C numbers takes `parts` vectors.
    """
    _, _, c, f = kernel.shape
    squares = np.zeros((_whole_vectors(f), 5, 4, 4, c), kernel.dtype)  # (FP, 5, 4, 4, C)
    for winner, (a, b) in enumerate(np.ndindex(2, 2)):
        squares[:f, winner, a : a + 3, b : b + 3] = kernel.transpose(3, 0, 1, 2)  # (F, 3, 3, C)
    rows = _padded(squares.reshape(-1, 5, 4, 4 * c))  # (FP, 5, 4, parts*LANES)
    return aligned(rows.reshape(len(rows), 5, 4, -1, LANES).transpose(3, 0, 1, 2, 4))


def _check(strides: tuple[int, int]) -> None:
    if strides != (1, 1):
        raise InputError(f"the direct convolution needs strides (1, 1), got {strides}; conv_im2col takes any")
