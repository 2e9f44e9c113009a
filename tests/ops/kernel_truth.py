"""What the kernels must give, said a second way: shifted matrix products, ReLU and windows, in float64."""

from typing import Any, NamedTuple

import numpy as np

from batik_scratch.ops.workspace import Workspace

TOLERANCE = {"float32": 5e-5, "float64": 1e-12}  # of the largest value
UNCLEAR = 1e-3  # two values of a window that are nearer than this may change places by rounding


class Size(NamedTuple):
    """A batch of images and its filters."""

    n: int
    h: int
    w: int
    c: int
    f: int


class DirtyWorkspace(Workspace):
    """Hands out arrays in which an earlier batch has left nothing of use."""

    def take(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        array = super().take(name, shape, dtype)
        array.fill(np.nan if array.dtype.kind == "f" else 77)
        return array


def close(got, expected, dtype):
    """Equal up to rounding, of the right type and shape; NaN equals nothing."""
    assert got.dtype == dtype and got.shape == expected.shape
    error = np.abs(got - expected).max(initial=0)
    assert error <= TOLERANCE[dtype] * np.abs(expected).max(initial=1e-30), f"off by {error}"


def draw(*shapes, seed=1):
    """Random arrays in float64 whose numbers float32 holds exactly, so that one truth serves both."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape, "float32").astype("float64") for shape in shapes]


def images(size, window=(3, 3), seed=1):
    """x (N, H, W, C), kernel (kh, kw, C, F) and bias (F,)."""
    n, h, w, c, f = size
    return draw((n, h, w, c), (*window, c, f), (f,), seed=seed)


def _windows(x, kernel, oh, ow, strides):
    """For each place u, v of the kernel the pixels of x that it meets, a view of x: (u, v, (N, OH, OW, C))."""
    sh, sw = strides
    for u in range(kernel.shape[0]):
        for v in range(kernel.shape[1]):
            yield u, v, x[:, u : u + (oh - 1) * sh + 1 : sh, v : v + (ow - 1) * sw + 1 : sw]


def convolution(x, kernel, bias, strides=(1, 1)):
    """y (N, OH, OW, F)."""
    oh, ow = ((x.shape[axis + 1] - kernel.shape[axis]) // strides[axis] + 1 for axis in (0, 1))
    y = np.zeros((len(x), oh, ow, len(bias)))
    for u, v, pixels in _windows(x, kernel, oh, ow, strides):
        y += pixels @ kernel[u, v]
    return y + bias


def convolution_gradients(x, kernel, dy, strides=(1, 1)):
    """dx, dkernel, dbias."""
    dx, dkernel = np.zeros(x.shape), np.empty(kernel.shape)
    for u, v, pixels in _windows(x, kernel, *dy.shape[1:3], strides):
        dkernel[u, v] = np.tensordot(pixels, dy, ((0, 1, 2), (0, 1, 2)))  # (C, F)
    for u, v, target in _windows(dx, kernel, *dy.shape[1:3], strides):
        target += dy @ kernel[u, v].T
    return dx, dkernel, dy.sum(axis=(0, 1, 2))


def fused(x, kernel, bias):
    """Convolution, ReLU, 2x2 pooling: y (N, PH, PW, F), dy (0 if the winner is unclear), dx, dkernel, dbias."""
    before = convolution(x, kernel, bias)
    n, oh, ow, f = before.shape
    ph, pw = oh // 2, ow // 2
    windows = before[:, : 2 * ph, : 2 * pw].reshape(n, ph, 2, pw, 2, f).transpose(0, 1, 3, 5, 2, 4)
    windows = windows.reshape(n, ph, pw, f, 4)  # in reading order
    ranked = np.sort(np.concatenate([windows, np.zeros((n, ph, pw, f, 1))], axis=-1), axis=-1)
    dy = draw((n, ph, pw, f), seed=2)[0] * (ranked[..., 4] - ranked[..., 3] > UNCLEAR)
    won = (np.arange(4) == windows.argmax(axis=-1)[..., None]) & (windows > 0)
    places = (won * dy[..., None]).reshape(n, ph, pw, f, 2, 2).transpose(0, 1, 4, 2, 5, 3)
    dbefore = np.zeros(before.shape)
    dbefore[:, : 2 * ph, : 2 * pw] = places.reshape(n, 2 * ph, 2 * pw, f)
    return ranked[..., 4], dy, *convolution_gradients(x, kernel, dbefore)


def check_fused(ops, size, dtypes=("float32", "float64")):
    """Both passes of conv_direct or conv_winograd, with all that may be left out, in dirty memory."""
    exact = images(size)
    y, dy, dx, dkernel, dbias = fused(*exact)
    for dtype in dtypes:
        x, kernel, bias, g = (array.astype(dtype) for array in (*exact, dy))
        room = DirtyWorkspace()
        got, alone = room.take("y", y.shape, dtype), room.take("alone", y.shape, dtype)
        winner = room.take("winner", ops.winner_shape(x.shape, size.f), np.uint8)
        ops.forward_pooled(x, kernel, bias, got, winner)
        ops.forward_pooled(x, kernel, bias, alone)
        close(got, y, dtype)
        assert np.array_equal(got, alone)
        dirty_dx = room.take("dx", x.shape, dtype)
        gradients = ops.backward_pooled(x, kernel, g, winner, dirty_dx, True, room)
        assert gradients[0] is dirty_dx
        for gradient, expected in zip(gradients, (dx, dkernel, dbias), strict=True):
            close(gradient, expected, dtype)
        only_dx = ops.backward_pooled(x, kernel, g, winner, np.full_like(x, np.nan), False, room)
        assert np.array_equal(only_dx[0], gradients[0]) and only_dx[1:] == (None, None)
        only_grads = ops.backward_pooled(x, kernel, g, winner, None, True, room)
        assert only_grads[0] is None
        assert all(np.array_equal(a, b) for a, b in zip(only_grads[1:], gradients[1:], strict=True))


def check_convolution(ops, size, window=(3, 3), strides=(1, 1), dtypes=("float32", "float64")):
    """Both passes of a convolution, with all that may be left out."""
    exact = images(size, window)
    y = convolution(*exact, strides)
    dy = draw(y.shape, seed=2)[0]
    truth = convolution_gradients(exact[0], exact[1], dy, strides)
    for dtype in dtypes:
        x, kernel, bias, g = (array.astype(dtype) for array in (*exact, dy))
        close(ops.forward(x, kernel, bias, strides), y, dtype)
        gradients = ops.backward(x, kernel, g, strides)
        for gradient, expected in zip(gradients, truth, strict=True):
            close(gradient, expected, dtype)
        only_dx, only_grads = (
            ops.backward(x, kernel, g, strides, True, False),
            ops.backward(x, kernel, g, strides, False),
        )
        assert np.array_equal(only_dx[0], gradients[0]) and only_dx[1:] == (None, None)
        assert only_grads[0] is None
        assert all(np.array_equal(a, b) for a, b in zip(only_grads[1:], gradients[1:], strict=True))
