"""Where a training step's time goes, and how far each phase is from what the processor could do.

    NUMBA_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/benchmarks/roofline.py [--rounds 9]

One thread, the paper's network, 32 images of 150x150, float32. A phase that multiplies is bound by its multiply-adds
at the speed of the best matrix product that is found here; a phase that moves numbers by its bytes at the speed of a
copy that stays in the second cache. Both bounds are kind to the processor: they forget everything else that a phase
does. Prints the bound, the shortest of the measured times, and their ratio (Williams, Waterman and Patterson, 2009).
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from batik_scratch.ops import adam, conv_direct, conv_winograd, dense, threads, winograd_kernels, winograd_transforms
from batik_scratch.ops.jit import compiled
from batik_scratch.ops.lanes import LANES
from batik_scratch.ops.workspace import Workspace

IMAGES = 32
PRODUCTS = [(512, 512, 512), (448, 64, 128), (96, 64, 128), (1024, 256, 256)]  # rows, inner, columns
CACHED = 2**16  # numbers of a copy that stays in the second cache, source and target together half a megabyte


class Phase(NamedTuple):
    """A piece of the step: its name, multiply-adds, bytes, and what does it."""

    name: str
    multiply_adds: float
    bytes: float
    work: Callable[[], object]


def shortest(work: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of so many calls, after one that compiles."""
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def best_product(rounds: int) -> float:
    """Multiply-adds a second of the fastest matrix product."""
    rng = np.random.default_rng(0)
    speeds = []
    for rows, inner, columns in PRODUCTS:
        a, b = rng.standard_normal((rows, inner), "float32"), rng.standard_normal((inner, columns), "float32")
        out = np.empty((rows, columns), np.float32)
        speeds.append(rows * inner * columns / shortest(partial(np.dot, a, b, out), 20 * rounds))
    return max(speeds)


def cached_copy(rounds: int) -> float:
    """Bytes a second, read and written, of a copy in the second cache."""
    source, target = np.ones(CACHED, np.float32), np.empty(CACHED, np.float32)
    return 8 * CACHED / shortest(partial(np.copyto, target, source), 100 * rounds)


def first_block() -> Iterator[Phase]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((IMAGES, 150, 150, 3), "float32")
    kernel, bias = rng.standard_normal((3, 3, 3, 32), "float32"), np.zeros(32, np.float32)
    y = np.empty((IMAGES, 74, 74, 32), np.float32)
    winner = np.empty(conv_direct.winner_shape(x.shape, 32), np.uint8)
    conv_direct.forward_pooled(x, kernel, bias, y, winner)
    dy, dx, room = rng.standard_normal(y.shape, "float32"), np.empty_like(x), Workspace()
    adds = IMAGES * 148 * 148 * 27 * 32
    yield Phase("conv1 forward", adds, 0, lambda: conv_direct.forward_pooled(x, kernel, bias, y, winner))
    back = partial(conv_direct.backward_pooled, x, kernel, dy, winner)
    yield Phase("conv1 dW", adds, 0, lambda: back(None, True, room))
    yield Phase("conv1 dx", adds, 0, lambda: back(dx, False, room))


@compiled()
def _each_row(phase, image, tiles, group, m, v, lines, dlines, zeros, spill, out, won, bias, places, dx):
    """One phase of all rows of tiles of a step; which one is a number, so that the compiler sees the real calls."""
    line = bias.size - LANES
    for r in range(group):
        row = r % tiles
        if phase == 0:
            winograd_transforms.input_tiles(image, 4 * row, 0, tiles, lines, zeros, v, r * tiles)
        elif phase == 1:
            winograd_transforms.pooled_output_tiles(m, r * line, line, bias, places, out, won)
        elif phase == 2:
            winograd_transforms.pooled_gradient_tiles(out, won, line, m, r * line)
        else:
            winograd_transforms.add_input_tiles(v, r * tiles, 4 * row, dlines, spill, dx)


@compiled()
def _products(m, v, u, filters):
    tiles = v.shape[1]
    for e in range(36):
        np.dot(v[e], u[e], m[e][: tiles * filters].reshape(-1, filters))


def winograd_block(name: str, size: int, channels: int, filters: int) -> Iterator[Phase]:
    """The phases of one of the two blocks that Winograd does, each over all images."""
    rng = np.random.default_rng(0)
    image = rng.standard_normal((size, size * channels), "float32")
    tiles, _ = conv_winograd._tiles_of((1, size, size, channels), pooled=True)
    group = conv_winograd._tile_rows(tiles, channels, filters)
    line, room = tiles * filters, LANES
    v, dv = rng.standard_normal((2, 36, group * tiles, channels), "float32")
    m = rng.standard_normal((36, group * line + room), "float32")
    u = rng.standard_normal((36, channels, filters), "float32")
    u_t, du = np.ascontiguousarray(u.swapaxes(1, 2)), np.zeros_like(u)
    partial_sum, dbias = np.empty((channels, filters), np.float32), np.zeros(filters, np.float32)
    lines = np.zeros((6, 4 * tiles + 2, channels), np.float32)
    dlines = np.zeros((2, *lines.shape), np.float32)
    zeros, spill = np.zeros(size * channels, np.float32), np.zeros((2, size * channels), np.float32)
    out, won = np.zeros((4, line + room), np.float32), np.zeros((4, line + room), np.uint8)
    places, dx = np.arange(5, dtype=np.float32), np.zeros_like(image)
    bias = np.zeros(line + room, np.float32)
    steps = IMAGES * tiles / group  # how many of these make a batch
    images, pooled = IMAGES * image.nbytes, IMAGES * ((size - 2) // 2) ** 2 * filters * 5  # a number and a byte each
    transformed, products = IMAGES * tiles**2 * 36 * 4, IMAGES * tiles**2 * 36 * channels * filters

    def rows(phase: int) -> Callable[[], None]:
        def work() -> None:
            for _ in range(round(steps)):
                _each_row(phase, image, tiles, group, m, v, lines, dlines, zeros, spill, out, won, bias, places, dx)

        return work

    def repeat(work: Callable[[], object]) -> Callable[[], None]:
        def all_steps() -> None:
            for _ in range(round(steps)):
                work()

        return all_steps

    p = group * tiles
    yield Phase(f"{name} input transform", 0, images + transformed * channels, rows(0))
    yield Phase(f"{name} forward products", products, 0, repeat(lambda: _products(m, v, u, filters)))
    yield Phase(f"{name} output transform, ReLU, pool", 0, transformed * filters + pooled, rows(1))
    yield Phase(f"{name} pooled gradient's transform", 0, transformed * filters + pooled, rows(2))
    add = winograd_kernels._add_gradients
    yield Phase(f"{name} dW products", products, 0, repeat(lambda: add(v, m, p, False, partial_sum, du, dbias)))
    multiply = winograd_kernels._input_products
    yield Phase(f"{name} dV products", products, 0, repeat(lambda: multiply(m, u_t, p, filters, dv)))
    yield Phase(f"{name} adjoint of the input transform", 0, images + transformed * channels, rows(3))


def the_rest() -> Iterator[Phase]:
    rng = np.random.default_rng(0)
    features, units = 17 * 17 * 128, 64
    x, w = rng.standard_normal((IMAGES, features), "float32"), rng.standard_normal((features, units), "float32")
    b, dy = np.zeros(units, np.float32), rng.standard_normal((IMAGES, units), "float32")
    adds = IMAGES * features * units
    yield Phase("dense forward", adds, 0, lambda: dense.forward(x, w, b))
    yield Phase("dense backward", 2 * adds, 0, lambda: dense.backward(x, w, dy))
    flat = [np.abs(rng.standard_normal(features * units, "float32")) for _ in range(4)]
    yield Phase("Adam, dense weights", 0, 7 * flat[0].nbytes, lambda: adam.update(*flat, 1e-3, 0.9, 0.999, 1e-7))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="calls of each phase; the shortest counts")
    rounds = parser.parse_args().rounds
    with threads.one_blas_thread():
        product, copy = best_product(rounds), cached_copy(rounds)
        print(
            f"best matrix product {2e-9 * product:.0f} GF/s, copy in the second cache {1e-9 * copy:.0f} GB/s, 1 thread"
        )
        print(f"{'':44s}{'bound':>10s}{'measured':>12s}{'ratio':>8s}")
        blocks = (("conv2", 74, 32, 64), ("conv3", 36, 64, 128))
        phases = [*first_block(), *(phase for block in blocks for phase in winograd_block(*block)), *the_rest()]
        total = np.zeros(2)
        for phase in phases:
            bound = phase.multiply_adds / product + phase.bytes / copy
            took = shortest(phase.work, rounds)
            total += bound, took
            print(f"{phase.name:44s}{1e3 * bound:>7.1f} ms{1e3 * took:>9.1f} ms{took / bound:>8.1f}")
        print(f"{'all':44s}{1e3 * total[0]:>7.1f} ms{1e3 * total[1]:>9.1f} ms{total[1] / total[0]:>8.1f}")


if __name__ == "__main__":
    threads.use(1)
    main()
