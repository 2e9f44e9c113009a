"""Convolution of images with few channels, without copying any window: sums of shifted parity images.

With three channels a 3x3 window has 27 numbers, too few to pay for copying windows into a matrix. Instead the image is
split by the parity of rows and columns into four images of half the size, p[a][b][i, j] = x[2i + a, 2j + b]:

    x    o * o * o *        p[0][0]   o o o        p[0][1]   * * *
         + # + # + #                  o o o                  * * *
         o * o * o *        p[1][0]   + + +        p[1][1]   # # #
         + # + # + #                  + + +                  # # #

Outputs are computed in squares of 2x2. Square (i, j) looks at 4x4 pixels, and in its parity image each of these lies at
place (i, j) or at the next one to the right, below, or both:

    outputs     pixels              in the parity images
    y00 y01     x00 x01 x02 x03     o   *   o>  *>          >  one place to the right
    y10 y11     x10 x11 x12 x13     +   #   +>  #>          v  one place down
                x20 x21 x22 x23     ov  *v  ov> *v>
                x30 x31 x32 x33     +v  #v  +v> #v>

    y_ab[i, j] = bias + sum_{u,v} k[u, v] x[2i + a + u, 2j + b + v]             a, b = 0, 1   u, v = 0, 1, 2
    x[2i + r, 2j + s] = p[r % 2][s % 2][i + r // 2, j + s // 2]                 r, s = 0..3

So all squares are done at once: each of the four outputs is a sum of nine parity images, shifted and multiplied by one
weight, and one vector instruction serves sixteen squares. Backward, with g_ab the gradient of y_ab, the same places
meet:

    dk[u, v] = sum_{a,b,i,j} g_ab[i, j] x[2i + a + u, 2j + b + v]
    dx[2i + a + u, 2j + b + v] += g_ab[i, j] k[u, v]                            for all a, b, u, v, i, j

`*_plain` says this in NumPy, for any dtype; direct_kernels.py is the compiled version. A square is a window of 2x2
max-pooling too: `*_pooled` go on with ReLU and store only the largest of its four outputs. All are right for any number
of channels, and fast for few.
"""

import numpy as np

from ..errors import InputError
from . import conv_relu_pool, threads
from . import direct_kernels as kernels
from .chunks import CHUNKS
from .direct_kernels import LANES, PLANE
from .few_by_few import Gradients
from .jit import plain_reason, runs_plain
from .workspace import Workspace


def forward_plain(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, strides: tuple[int, int] = (1, 1)) -> np.ndarray:
    """x (N, H, W, C), kernel (3, 3, C, F), bias (F,) -> y (N, OH, OW, F), OH = H - 2; strides are (1, 1)."""
    _check(strides)
    n, h, w, _ = x.shape
    y = np.empty((n, h - 2, w - 2, kernel.shape[3]), x.dtype)  # (N, OH, OW, F)
    for a, b in np.ndindex(2, 2):
        y_ab = y[:, a::2, b::2]  # (N, I, J, F), one output of every square
        y_ab[:] = bias
        for u, v in np.ndindex(3, 3):
            y_ab += _pixels(x, a + u, b + v, y_ab.shape) @ kernel[u, v]  # (N, I, J, C) @ (C, F) -> (N, I, J, F)
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
    dx = np.zeros(x.shape, x.dtype) if need_dx else None  # (N, H, W, C)
    dkernel = np.zeros(kernel.shape, x.dtype) if need_grads else None  # (3, 3, C, F)
    for a, b in np.ndindex(2, 2):
        g_ab = dy[:, a::2, b::2]  # (N, I, J, F)
        for u, v in np.ndindex(3, 3):
            if dkernel is not None:
                met = _pixels(x, a + u, b + v, g_ab.shape)  # (N, I, J, C)
                dkernel[u, v] += np.tensordot(met, g_ab, ((0, 1, 2), (0, 1, 2)))  # (C, F)
            if dx is not None:
                target = _pixels(dx, a + u, b + v, g_ab.shape)  # (N, I, J, C), a view of dx
                target += g_ab @ kernel[u, v].T  # (N, I, J, F) @ (F, C) -> (N, I, J, C)
    return dx, dkernel, dy.sum(axis=(0, 1, 2)) if need_grads else None


def _pixels(x: np.ndarray, r: int, s: int, shape: tuple[int, ...]) -> np.ndarray:
    """Pixel (r, s) of every square, a view of x (N, H, W, C): (N, I, J, C), for squares of `shape` (N, I, J, F)."""
    parity_image = x[:, r % 2 :: 2, s % 2 :: 2]
    return parity_image[:, r // 2 : r // 2 + shape[1], s // 2 : s // 2 + shape[2]]


def forward(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, strides: tuple[int, int] = (1, 1)) -> np.ndarray:
    """`forward_plain` on all threads; InputError if x is too wide (see `fits`)."""
    if runs_plain(x):
        return forward_plain(x, kernel, bias, strides)
    _check(strides, x.shape[2])
    y = np.empty((len(x), x.shape[1] - 2, x.shape[2] - 2, kernel.shape[3]), x.dtype)  # (N, OH, OW, F)
    by_filter = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))  # (F, C, 3, 3)
    with threads.one_blas_thread():
        kernels.forward(np.ascontiguousarray(x), by_filter, bias, *_layout(x.shape[2]), y)
    return y


def backward(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    strides: tuple[int, int] = (1, 1),
    need_dx: bool = True,
    need_grads: bool = True,
) -> Gradients:
    """`backward_plain` on all threads; InputError if x is too wide (see `fits`)."""
    if runs_plain(x):
        return backward_plain(x, kernel, dy, strides, need_dx, need_grads)
    _check(strides, x.shape[2])
    dx = np.empty(x.shape, x.dtype) if need_dx else None  # (N, H, W, C)
    with threads.one_blas_thread():
        return _run_backward(x, kernel, dy, np.empty((len(x), 0, 0, 0), np.uint8), False, dx, need_grads, Workspace())


# Pixels across, padding counted: three lines of half as many, rounded up to whole vectors, fill the compiled plane.
WIDEST = 2 * ((PLANE - 2 * LANES) // 3 // LANES * LANES)


def fits(width: int) -> bool:
    """True if images of this width, padding counted, are not too wide for the compiled plane."""
    return width <= WIDEST


def line_length(width: int) -> int:
    """S: the half-width of a parity image, rounded up to whole vectors."""
    return -(-((width + 1) // 2) // LANES) * LANES


def rows_per_task(width: int) -> int:
    """Rows of squares whose lines, with a row before and one behind, fit into PLANE; below 1 the image is too wide."""
    return (PLANE - 2 * LANES) // line_length(width) - 2


def winner_shape(x_shape: tuple[int, ...], filters: int) -> tuple[int, int, int, int]:
    """The shape of the winners' array that `forward_pooled` fills: (N, blocks, F, rows*S), for its own use."""
    if plain_reason() is not None:
        return conv_relu_pool.output_shape(x_shape, filters)
    n, h, w, _ = x_shape
    rows = rows_per_task(w)
    return n, -(-((h - 2) // 2) // rows), filters, rows * line_length(w)


def forward_pooled_plain(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x (N, H, W, C), kernel (3, 3, C, F), bias (F,) -> y and winner (N, PH, PW, F): 0..3, or 4 if the ReLU shuts."""
    return conv_relu_pool.forward(forward_plain, x, kernel, bias)


def backward_pooled_plain(
    x: np.ndarray, kernel: np.ndarray, dy: np.ndarray, winner: np.ndarray, need_dx: bool = True, need_grads: bool = True
) -> Gradients:
    """dy, winner (N, PH, PW, F) -> dx (N, H, W, C), dkernel (3, 3, C, F), dbias (F,); what is not needed is None."""
    return conv_relu_pool.backward(backward_plain, x, kernel, dy, winner, need_dx, need_grads)


def forward_pooled(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, y: np.ndarray, winner: np.ndarray | None = None
) -> None:
    """Fill y (N, PH, PW, F) with `forward_pooled_plain`; and `winner`, of `winner_shape`, if given."""
    if plain_reason() is not None:
        return conv_relu_pool.fill(forward_pooled_plain, x, kernel, bias, y, winner)
    if winner is None:
        winner = np.empty((0, *winner_shape(x.shape, kernel.shape[3])[1:]), np.uint8)
    by_filter = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))  # (F, C, 3, 3)
    kernels.forward_pooled(np.ascontiguousarray(x), by_filter, bias, *_layout(x.shape[2]), y, winner)


def backward_pooled(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    winner: np.ndarray,
    dx: np.ndarray | None,
    need_grads: bool,
    room: Workspace,
) -> Gradients:
    """The adjoint of `forward_pooled`: dy (N, PH, PW, F) -> dx, filled if it is given, dkernel and dbias."""
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
    by_filter = kernel.transpose(3, 2, 0, 1)  # (F, C, 3, 3)
    turned = np.ascontiguousarray(by_filter[:, :, ::-1, ::-1])
    chunks = CHUNKS if need_grads else 0
    sums = room.take("sums", (chunks, *by_filter.shape), x.dtype)  # (CHUNKS, F, C, 3, 3)
    dbias = room.take("dbias", (chunks, kernel.shape[3]), x.dtype)  # (CHUNKS, F)
    target = np.empty((0, 0, 0, 0), x.dtype) if dx is None else dx
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    kernels.backward(x, turned, dy, *_layout(x.shape[2]), pooled, winner, target, sums, dbias)
    if not need_grads:
        return dx, None, None
    return dx, np.ascontiguousarray(sums.sum(axis=0).transpose(2, 3, 1, 0)), dbias.sum(axis=0)


def _layout(width: int) -> tuple[int, int]:
    """Rows of squares per task, and the length S of their lines."""
    return rows_per_task(width), line_length(width)


def _check(strides: tuple[int, int], width: int | None = None) -> None:
    if strides != (1, 1):
        raise InputError(f"the direct convolution needs strides (1, 1), got {strides}; conv_im2col takes any")
    if width is not None and not fits(width):
        raise InputError(f"the direct convolution is for narrower images, got {width} pixels; conv_im2col takes any")
