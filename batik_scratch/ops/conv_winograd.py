"""Convolution by Winograd's minimal filtering, F(4x4, 3x3): 36 multiplications where the definition needs 144.

A tile of 4x4 outputs needs 6x6 inputs d and the 3x3 kernel k. Both are taken to a domain of 36 numbers. There the
convolution is a product number by number, and that product is taken back:

    Y = A' [ (B' d B) * (G k G') ] A                                        the sandwich, one tile and one channel

Over channels that product becomes a sum, so each of the 36 places e is one matrix product over all tiles:

    V_e = (B' d B)_e  (P, C)      U_e = (G k G')_e  (C, F)      M_e = V_e U_e  (P, F)      Y = A' M A

Every step is linear in d and in k, so the backward pass is the sandwich read from right to left, each matrix
transposed:

    dM = A dY A'      dU_e = V_e' dM_e      dV_e = dM_e U_e'      dk = G' dU G      dx = B dV B'

In dx overlapping tiles add up. B' and A' cost additions and products with 2, 4, 5 and 8, and G is applied
once for all tiles: four times fewer multiplications for a little rounding, some 4e-6 of the largest value in float32.
Source: Lavin & Gray (2016), "Fast Algorithms for Convolutional Neural Networks", with the points 0, 1, -1, 2, -2 and
infinity. P tiles, C channels in, F filters; 3x3 kernels at stride 1.

`*_plain` is the mathematics in einsums; winograd_kernels.py walks over some rows of tiles at a time, so that V and M
stay in the cache, and shares them out: the parts of one image as well as those of many. winograd_weights.py takes k to
U and back. `*_pooled` go on with ReLU and 2x2 max-pooling while a tile is there: it holds four whole pooling
windows, and the large map between convolution and pooling is never stored.
"""

import numpy as np

from ..errors import InputError
from . import conv_relu_pool, few_by_few, pooling, threads
from . import winograd_kernels as kernels
from . import winograd_weights as weights
from .chunks import CHUNKS
from .few_by_few import Gradients
from .jit import plain_reason, runs_plain
from .workspace import Workspace, made_of

B_T = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    float,
)
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
A_T = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], float)
TILE_VALUES = 2**20  # of V and M together in one step of the fast version: tall matrices, and still in the cache
ENOUGH_TILES = 32  # of a part: with fewer, more parts cost more than they gain


def forward_plain(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, strides: tuple[int, int] = (1, 1)) -> np.ndarray:
    """x (N, H, W, C), kernel (3, 3, C, F), bias (F,) -> y (N, OH, OW, F), OH = H - 2; strides are (1, 1)."""
    _check(strides)
    n, h, w, _ = x.shape
    v = _sandwich(B_T, _tiles(x))  # (6, 6, N, TH, TW, C)
    u = _sandwich(G, kernel)  # (6, 6, C, F)
    m = v.reshape(6, 6, -1, x.shape[3]) @ u  # (6, 6, P, F), a product for each of the 36 places
    y = _sandwich(A_T, m).reshape(4, 4, *v.shape[2:5], -1)  # (4, 4, N, TH, TW, F)
    y = y.transpose(2, 3, 0, 4, 1, 5).reshape(n, 4 * v.shape[3], 4 * v.shape[4], -1)  # rows: TH, 4; columns: TW, 4
    return (y[:, : h - 2, : w - 2] + bias).astype(x.dtype)  # (N, OH, OW, F)


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
    n, oh, ow, f = dy.shape
    down, across, c = -(-oh // 4), -(-ow // 4), x.shape[3]
    padded = np.pad(dy, ((0, 0), (0, 4 * down - oh), (0, 4 * across - ow), (0, 0)))
    dtiles = padded.reshape(n, down, 4, across, 4, f).transpose(2, 4, 0, 1, 3, 5)  # (4, 4, N, TH, TW, F)
    dm = _sandwich(A_T.T, dtiles).reshape(6, 6, -1, f)  # (6, 6, P, F)
    dx = dkernel = dbias = None
    if need_grads:
        v = _sandwich(B_T, _tiles(x)).reshape(6, 6, -1, c)  # (6, 6, P, C)
        du = v.swapaxes(2, 3) @ dm  # (6, 6, C, F)
        dkernel = _sandwich(G.T, du).astype(x.dtype)  # (3, 3, C, F)
        dbias = dy.sum(axis=(0, 1, 2))  # (F,)
    if need_dx:
        u = _sandwich(G, kernel)  # (6, 6, C, F)
        dv = dm @ u.swapaxes(2, 3)  # (6, 6, P, C)
        dtiles = _sandwich(B_T.T, dv).reshape(6, 6, n, down, across, c)
        total = np.zeros((n, 4 * down + 2, 4 * across + 2, c), dtiles.dtype)
        for i, j in np.ndindex(6, 6):
            total[:, i : i + 4 * down : 4, j : j + 4 * across : 4] += dtiles[i, j]  # (N, TH, TW, C)
        dx = total[:, : x.shape[1], : x.shape[2]].astype(x.dtype)  # (N, H, W, C)
    return dx, dkernel, dbias


def _sandwich(matrix: np.ndarray, d: np.ndarray) -> np.ndarray:
    """matrix d matrix' over d's first two axes: (a, i) and (i, j, ...) to (a, a, ...)."""
    matrix = matrix.astype(d.real.dtype)  # float32 stays float32
    return np.einsum("ai,ij...,bj->ab...", matrix, d, matrix, optimize=True)


def forward(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    strides: tuple[int, int] = (1, 1),
) -> np.ndarray:
    """`forward_plain` on all threads."""
    _check(strides)
    n, h, w, _ = x.shape
    y = np.empty((n, h - 2, w - 2, kernel.shape[3]), x.dtype)  # (N, OH, OW, F)
    if runs_plain(x):
        return few_by_few.forward(forward_plain, x, kernel, bias, strides, y, _tile_values(x, kernel))
    with threads.one_blas_thread():
        _run_forward(x, kernel, bias, False, y, np.empty((n, 0, 0, 0), np.uint8), None)
    return y


def backward(
    x: np.ndarray,
    kernel: np.ndarray,
    dy: np.ndarray,
    strides: tuple[int, int] = (1, 1),
    need_dx: bool = True,
    need_grads: bool = True,
) -> Gradients:
    """`backward_plain` on all threads, dx and dkernel in one sweep over the tiles."""
    _check(strides)
    dx = np.empty(x.shape, x.dtype) if need_dx else None  # (N, H, W, C)
    if runs_plain(x):

        def plain(some: slice) -> Gradients:
            return backward_plain(x[some], kernel, dy[some], strides, need_dx, need_grads)

        return few_by_few.backward(plain, x, kernel, dx, need_grads, _tile_values(x, kernel))
    with threads.one_blas_thread():
        return _run_backward(x, kernel, dy, np.empty((len(x), 0, 0, 0), np.uint8), False, dx, need_grads, Workspace())


def winner_shape(x_shape: tuple[int, ...], filters: int) -> tuple[int, int, int, int]:
    """The shape of the winners' array that `forward_pooled` fills: (N, TH, 4, TW*F), four windows a tile."""
    if plain_reason() is not None:
        return conv_relu_pool.output_shape(x_shape, filters)
    down, across = _tiles_of(x_shape, pooled=True)
    return x_shape[0], down, 4, across * filters


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

    In `room`, if there is one, U waits for the next call with the same kernel.
    """
    if plain_reason() is not None:
        return conv_relu_pool.fill(forward_pooled_plain, x, kernel, bias, y, winner)
    if winner is None:
        winner = np.empty((0, 0, 0, 0), np.uint8)
    _run_forward(x, kernel, bias, True, y, winner, room)


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

    Without `need_grads` nobody trains: U waits in `room` for the next call.
    """
    if plain_reason() is not None:
        return conv_relu_pool.fill_back(backward_pooled_plain, x, kernel, dy, winner, dx, need_grads)
    return _run_backward(x, kernel, dy, winner, True, dx, need_grads, room)


def _check(strides: tuple[int, int]) -> None:
    if strides != (1, 1):
        raise InputError(f"Winograd's convolution needs strides (1, 1), got {strides}; conv_im2col takes any")


def _tile_values(x: np.ndarray, kernel: np.ndarray) -> int:
    """How many numbers one image's tiles hold in V and M together."""
    return 36 * ((x.shape[1] + 1) // 4) * ((x.shape[2] + 1) // 4) * sum(kernel.shape[2:])


def _tiles(x: np.ndarray) -> np.ndarray:
    """A 6x6 tile at every fourth place of x (N, H, W, C), with zeros beyond its edge: (6, 6, N, TH, TW, C)."""
    _, h, w, _ = x.shape
    down, across = -(-(h - 2) // 4), -(-(w - 2) // 4)
    padded = np.pad(x, ((0, 0), (0, 4 * down + 2 - h), (0, 4 * across + 2 - w), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (6, 6), axis=(1, 2))[:, ::4, ::4]  # (N, TH, TW, C, 6, 6)
    return windows.transpose(4, 5, 0, 1, 2, 3)


def _run_forward(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    pooled: bool,
    y: np.ndarray,
    winner: np.ndarray,
    room: Workspace | None,
) -> None:
    places = np.arange(pooling.DEAD + 1, dtype=x.dtype)
    down, across = _tiles_of(x.shape, pooled)
    u, steps = made_of(room, kernel, "U", weights.transformed), _steps(len(x) * down, across, *kernel.shape[2:])
    kernels.forward(np.ascontiguousarray(x), u, bias, places, down, across, steps, pooled, y, winner)


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
    down, across = _tiles_of(x.shape, pooled)
    all_rows = len(x) * down
    parts = _parts(all_rows, across)
    du = room.take("du", (parts if need_grads else 0, 36, c, f), x.dtype)
    dbias = room.take("dbias", (len(du), f), x.dtype)
    target = np.empty((0, 0, 0, 0), x.dtype) if dx is None else dx
    turned = made_of(None if need_grads else room, kernel, "U turned", weights.turned)  # (36, F, C)
    rows = min(_tile_rows(across, c, f), -(-all_rows // parts))
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    kernels.backward(x, turned, dy, winner, down, across, parts, rows, pooled, target, du, dbias)
    if not need_grads:
        return dx, None, None
    dkernel = np.empty(kernel.shape, x.dtype)  # (3, 3, C, F)
    weights.transform_back(du.reshape(parts, 36, c * f), weights.sixth(x), dkernel.reshape(9, c * f))
    return dx, dkernel, dbias.sum(axis=0)


def _tiles_of(x_shape: tuple[int, ...], pooled: bool) -> tuple[int, int]:
    """How many tiles stand below and beside each other: TH, TW. 2x2 pooling leaves an odd last row or column out."""
    oh, ow = x_shape[1] - 2, x_shape[2] - 2
    if pooled:
        oh, ow = oh - oh % 2, ow - ow % 2
    return -(-oh // 4), -(-ow // 4)


def _tile_rows(across: int, channels: int, filters: int) -> int:
    """Rows of tiles per step, at most: V and M of a step hold TILE_VALUES numbers, and no product is large."""
    fits_the_cache = TILE_VALUES // (36 * across * (channels + filters))
    rows = max(1, min(fits_the_cache, threads.SMALL_PRODUCT // (across * channels * filters)))
    return rows - rows % 4 if rows > 4 else rows  # BLAS works on four rows of a matrix at a time


def _parts(all_rows: int, across: int) -> int:
    """Into how many parts the rows of tiles are shared out: CHUNKS, or fewer if a part would be too small to pay.

    Two pay in any case. The images alone decide, never the number of threads, on which no bit may depend.
    """
    parts = CHUNKS
    while parts > 2 and all_rows * across < parts * ENOUGH_TILES:
        parts //= 2
    return min(parts, all_rows)


def _steps(all_rows: int, across: int, channels: int, filters: int) -> int:
    """The steps of a forward pass, none with more tiles than `_tile_rows`: as many for each of `_parts`."""
    parts = _parts(all_rows, across)
    steps = -(-all_rows // _tile_rows(across, channels, filters))
    return min(all_rows * across, -(-steps // parts) * parts)
