"""Results do not depend on threads, on what memory held before, on its order, or on which batch came before."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from guarded_memory import GuardedNumPy
from kernel_truth import DirtyWorkspace, Size, check_convolution, check_fused, draw, images
from plain_mode import needs_numba

from batik_scratch.ops import (
    adam,
    conv_direct,
    conv_im2col,
    conv_winograd,
    dense,
    direct_kernels,
    dropout,
    lanes,
    pooling,
    relu,
    workspace,
)
from batik_scratch.ops.workspace import Workspace

FUSED = pytest.mark.parametrize("ops", [conv_direct, conv_winograd], ids=["direct", "winograd"])
CONVOLUTIONS = pytest.mark.parametrize(
    "ops", [conv_im2col, conv_winograd, conv_direct], ids=["im2col", "winograd", "direct"]
)


@needs_numba
def test_one_two_and_three_threads_give_the_same_bits():
    program = [sys.executable, "-W", "error", str(Path(__file__).with_name("same_bits.py"))]
    done = subprocess.run(
        program, env=os.environ | {"NUMBA_NUM_THREADS": "3"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def step(ops, n, room, seed=1):
    """A training step of a fused block in `room`; copies of all that it gives."""
    x, kernel, bias = (array.astype("float32") for array in images(Size(n, 13, 18, 3, 5), seed=seed))
    y = room.take("y", (n, 5, 8, 5), "float32")
    winner = room.take("winner", ops.winner_shape(x.shape, 5), np.uint8)
    ops.forward_pooled(x, kernel, bias, y, winner)
    dy = draw(y.shape, seed=seed + 1)[0].astype("float32")
    gradients = ops.backward_pooled(x, kernel, dy, winner, room.take("dx", x.shape, "float32"), True, room)
    return [np.copy(array) for array in (y, *gradients)]


@FUSED
def test_a_short_batch_after_a_long_one_and_a_long_one_after_it_are_as_in_fresh_memory(ops):
    room = Workspace()
    for seed, n in enumerate((4, 11, 2, 12, 1)):
        for got, fresh in zip(step(ops, n, room, seed), step(ops, n, Workspace(), seed), strict=True):
            assert np.array_equal(got, fresh)


@FUSED
def test_gradients_of_the_parameters_are_not_kept_in_the_workspace(ops):
    room = DirtyWorkspace()
    x, kernel, bias = (array.astype("float32") for array in images(Size(3, 8, 9, 2, 3)))
    y, winner = np.empty((3, 3, 3, 3), "float32"), np.empty(ops.winner_shape(x.shape, 3), np.uint8)
    ops.forward_pooled(x, kernel, bias, y, winner)
    _, dkernel, dbias = ops.backward_pooled(x, kernel, y, winner, None, True, room)
    kept = np.copy(dkernel), np.copy(dbias)
    ops.backward_pooled(x, kernel, -7 * y, winner, None, True, room)
    assert np.array_equal(dkernel, kept[0]) and np.array_equal(dbias, kept[1])


@FUSED
def test_nan_in_one_image_stays_in_its_image(ops):
    x, kernel, bias = (array.astype("float32") for array in images(Size(3, 13, 18, 3, 5)))
    x[1] = np.nan
    y, winner = np.empty((3, 5, 8, 5), "float32"), np.empty(ops.winner_shape(x.shape, 5), np.uint8)
    ops.forward_pooled(x, kernel, bias, y, winner)
    assert np.isnan(y[1]).all() and np.isfinite(y[[0, 2]]).all()
    dy = np.ones_like(y)
    dy[1] = np.nan
    winner[1] = 0
    dx, dkernel, dbias = ops.backward_pooled(x, kernel, dy, winner, np.empty_like(x), True, Workspace())
    assert np.isnan(dx[1]).any() and np.isfinite(dx[[0, 2]]).all() and np.isnan(dkernel).all() and np.isnan(dbias).all()


BESIDE = [
    Size(3, 2 * direct_kernels.ROWS + 7, 9, lanes.LANES // 4 + 1, lanes.LANES + 1),
    Size(2, 2 * direct_kernels.ROWS + 4, 8, 3, lanes.LANES),
    Size(1, 5, 7, lanes.LANES + 1, 2 * lanes.LANES + 1),
    Size(1, 7, 5, 1, 1),
]


@needs_numba
@FUSED
@pytest.mark.parametrize("size", BESIDE)
def test_nothing_beside_an_array_is_written_or_counts(ops, size, monkeypatch):
    memory = GuardedNumPy()
    for module in (ops, workspace):
        monkeypatch.setattr(module, "np", memory)
    check_fused(ops, size)
    check_convolution(ops, size)
    memory.assert_intact()


def odd_orders(array):
    """The same numbers, reversed in memory, in Fortran's order, and in every second place."""
    yield np.flip(np.flip(array).copy())
    yield np.asfortranarray(array)
    yield np.repeat(array, 2, axis=0)[::2]


@CONVOLUTIONS
def test_a_convolution_reads_arrays_of_any_order(ops):
    x, kernel, bias = (array.astype("float32") for array in images(Size(2, 7, 10, 3, 4)))
    y = ops.forward(x, kernel, bias)
    expected = ops.backward(x, kernel, y)
    for x_, kernel_, dy_ in zip(odd_orders(x), odd_orders(kernel), odd_orders(y), strict=True):
        assert not (x_.flags.c_contiguous or kernel_.flags.c_contiguous or dy_.flags.c_contiguous)
        np.testing.assert_allclose(ops.forward(x_, kernel_, bias), y, atol=1e-5)
        for got, wanted in zip(ops.backward(x_, kernel_, dy_), expected, strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-3)


def fused_pass(ops):
    """x, kernel, bias, y and winner of a forward pass, and the gradients of x, kernel and bias if y comes back."""
    x, kernel, bias = (array.astype("float32") for array in images(Size(2, 7, 10, 3, 4)))
    y, winner = np.empty((2, 2, 4, 4), "float32"), np.empty(ops.winner_shape(x.shape, 4), np.uint8)
    ops.forward_pooled(x, kernel, bias, y, winner)
    return (x, kernel, bias, y, winner), ops.backward_pooled(x, kernel, y, winner, np.empty_like(x), True, Workspace())


@FUSED
def test_a_fused_pass_reads_arrays_of_any_order(ops):
    (x, kernel, bias, y, winner), expected = fused_pass(ops)
    for x_, kernel_, dy_ in zip(odd_orders(x), odd_orders(kernel), odd_orders(y), strict=True):
        again = np.empty_like(y)
        ops.forward_pooled(x_, kernel_, bias, again)
        np.testing.assert_allclose(again, y, atol=1e-5)
        gradients = ops.backward_pooled(x_, kernel_, dy_, winner, np.empty_like(x), True, Workspace())
        for got, wanted in zip(gradients, expected, strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-3)


@pytest.mark.slow  # numba compiles the kernels anew for arrays that are read-only
@FUSED
def test_a_fused_pass_takes_arrays_that_are_read_only_and_leaves_them_so(ops):
    given, expected = fused_pass(ops)
    x, kernel, bias, pooled, winner = given
    for array in given:
        array.setflags(write=False)
    again = np.empty_like(pooled)
    ops.forward_pooled(x, kernel, bias, again, np.empty_like(winner))
    got = ops.backward_pooled(x, kernel, pooled, winner, np.empty_like(x), True, Workspace())
    assert np.array_equal(again, pooled)
    assert all(np.array_equal(one, other) for one, other in zip(got, expected, strict=True))
    assert not any(array.flags.writeable for array in given)


def test_the_flat_operations_read_arrays_of_any_order():
    x, g = (array.astype("float32") for array in draw((5, 4, 3), (5, 4, 3)))
    bits = np.random.default_rng(0).integers(0, 2**16, x.shape, np.uint16)
    for x_, g_, bits_ in zip(odd_orders(x), odd_orders(g), odd_orders(bits), strict=True):
        gate = relu.forward(x_)[1]
        assert np.array_equal(relu.forward(x_)[0], np.maximum(x, 0)) and np.array_equal(gate, x > 0)
        assert np.array_equal(relu.backward(g_, np.asfortranarray(gate)), np.where(x > 0, g, 0))
        for got, plain in zip(dropout.forward(x_, bits_, 0.4), dropout.forward_plain(x, bits, 0.4), strict=True):
            assert np.array_equal(got, plain)


@pytest.mark.parametrize("which", ["w", "g", "m", "v"])
@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_adam_changes_tensors_of_any_order(which, decay):
    tensors = dict(zip("wgmv", (array.astype("float32") for array in draw(*[(5, 4)] * 4)), strict=True))
    tensors["v"] = np.abs(tensors["v"])
    plain = {name: np.copy(array) for name, array in tensors.items()}
    tensors[which] = np.asfortranarray(tensors[which])
    adam.update(*tensors.values(), 1e-2, 0.9, 0.999, 1e-7, decay)
    adam.update_plain(*plain.values(), 1e-2, 0.9, 0.999, 1e-7, decay)
    for name, array in tensors.items():
        np.testing.assert_allclose(array, plain[name], rtol=1e-5, err_msg=name)


def test_pooling_reads_arrays_of_any_order():
    x = np.rint(draw((2, 7, 9, 3))[0])
    y, winner = pooling.forward_plain(x, (2, 3), (2, 1))
    dx = pooling.backward_plain(y, winner, x.shape, (2, 3), (2, 1))
    for x_, dy_ in zip(odd_orders(x), odd_orders(y), strict=True):
        got, won = pooling.forward(x_, (2, 3), (2, 1))
        assert np.array_equal(got, y) and np.array_equal(won, winner)
        np.testing.assert_allclose(pooling.backward(dy_, won, x.shape, (2, 3), (2, 1)), dx)


def test_a_dense_product_reads_arrays_of_any_order():
    features = 2 * dense.LARGE // 9
    x, w, b, dy = (array.astype("float32") for array in draw((4, features), (features, 9), (9,), (4, 9)))
    y, gradients = dense.forward(x, w, b), dense.backward(x, w, dy)
    for x_, dy_ in zip(odd_orders(x), odd_orders(dy), strict=True):
        assert np.array_equal(dense.forward(x_, w, b), y)
        for got, wanted in zip(dense.backward(x_, w, dy_), gradients, strict=True):
            assert np.array_equal(got, wanted)


def test_pooling_at_the_papers_first_size():
    x = draw((2, 148, 147, 5))[0]
    y, winner = pooling.forward(x, (2, 2), (2, 2))
    windows = x[:, :, :146].reshape(2, 74, 2, 73, 2, 5).transpose(0, 1, 3, 5, 2, 4).reshape(2, 74, 73, 5, 4)
    assert np.array_equal(y, windows.max(axis=-1)) and np.array_equal(winner, windows.argmax(axis=-1))
    largest = np.zeros(x.shape, bool)
    largest[:, :, :146] = x[:, :, :146] == y.repeat(2, axis=1).repeat(2, axis=2)
    assert np.array_equal(pooling.backward(y, winner, x.shape, (2, 2), (2, 2)), np.where(largest, x, 0))


@pytest.mark.parametrize("window", [(1, 256), (256, 1), (1, 257), (257, 1), (16, 16), (16, 17), (17, 17)])
def test_windows_of_more_than_256_places_tell_their_winner_too(window):
    places = window[0] * window[1]
    for place in {0, 254, 255, 256, places - 1} & set(range(places)):
        x = np.zeros((1, *window, 1))
        x.flat[place] = 1
        y, winner = pooling.forward(x, window, (1, 1))
        assert y.item() == 1 and winner.item() == place


def test_a_workspace_keeps_an_array_of_just_the_size():
    room = Workspace()
    first = room.take("y", (4, 6), "float32")
    assert np.shares_memory(first, room.take("y", (6, 4), "float32"))
