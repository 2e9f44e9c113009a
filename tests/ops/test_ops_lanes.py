"""Lanes mean the same in Python and compiled, and the kernels in lanes are right for processors of other widths."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from plain_mode import needs_numba

from batik_scratch.ops import lanes
from batik_scratch.ops.jit import compiled
from batik_scratch.ops.lanes import LANES, add_product, aligned, choose, keep, larger, load, spread, store

HALF = np.float32(0.5)
NUMBERS = np.random.default_rng(0).standard_normal(3 * LANES + 1)


@compiled()
def all_of_them(numbers, at, results, places):
    v, one = load(numbers, at), spread(numbers, at)
    store(results, 1, v)
    store(results, 1 + LANES, one)
    store(results, 1 + 2 * LANES, add_product(v, one, v))
    store(results, 1 + 3 * LANES, v + one)
    store(results, 1 + 4 * LANES, choose(v, one, v, one + one))
    store(results, 1 + 5 * LANES, HALF * -v - one)
    store(places, 0, choose(v, one, spread(results, 0), one))
    store(results, 1 + 6 * LANES, larger(keep(v, places, 0, 4), one))


@needs_numba
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", [0, 1, LANES, 2 * LANES + 1])
def test_compiled_lanes_do_what_python_does(dtype, at):
    numbers = np.abs(NUMBERS.astype(dtype))
    numbers[at] = 3
    numbers[at + LANES // 2] = 7
    compiled_results, results = np.zeros((2, 1 + 7 * LANES), dtype)
    compiled_places, places = np.full((2, LANES + 1), 99, np.uint8)
    compiled_results[0] = results[0] = 4
    all_of_them(numbers, at, compiled_results, compiled_places)
    all_of_them.py_func(numbers, at, results, places)
    np.testing.assert_allclose(compiled_results, results, rtol=1e-6)  # a fused product rounds once
    assert np.array_equal(compiled_places, places) and places[-1] == 99
    assert set(places[:-1]) == {3, 4}


UNLIKE = [np.nan, -np.inf, np.inf, -1.0, -0.0, 0.0, 1.0, 2.0]


@compiled()
def compare(a, b, places, largest, chosen, kept):
    for at in range(0, a.size, LANES):
        u, v = load(a, at), load(b, at)
        store(largest, at, larger(u, v))
        store(chosen, at, choose(u, v, u, v))
        store(kept, at, keep(u, places, at, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_pair_is_compared_as_it_is_said_nan_and_zeros_of_both_signs_too(dtype):
    a, b = (side.reshape(-1).astype(dtype) for side in np.meshgrid(UNLIKE, UNLIKE))
    places = np.arange(a.size).astype(np.uint8) % 3
    truth = np.where(a > b, a, b), np.where(a >= b, a, b), np.where(places == 1, a, 0).astype(dtype)
    for kernel in (compare, compare.py_func):
        got = np.full((3, a.size), 7, dtype)
        kernel(a, b, places, *got)
        for numbers, expected in zip(got, truth, strict=True):
            np.testing.assert_array_equal(numbers, expected)
            assert np.array_equal(np.signbit(numbers), np.signbit(expected))


@compiled()
def swap(a, b):
    u, v = load(a, 0), load(b, 0)
    store(a, 0, v)
    store(b, 0, u)


def test_what_was_loaded_stays_when_its_line_changes():
    for kernel in (swap, swap.py_func):
        a, b = np.zeros(LANES), np.ones(LANES)
        kernel(a, b)
        assert a.all() and not b.any()


@needs_numba
@pytest.mark.parametrize(
    ("features", "width"),
    [("+avx,+avx2,+avx512f,+fma", 16), ("+avx,+avx2,-avx512f", 8), ("+avx", 8), ("-avx,+sse2", 4)],
)
def test_a_vector_is_as_long_as_the_processors_registers(features, width, monkeypatch):
    monkeypatch.setattr(lanes.numba.config, "CPU_FEATURES", features)
    assert lanes._native_lanes() == width


class MemoryAt:
    """Stands in for `np`: `empty` begins so many numbers behind a line of the cache."""

    def __init__(self, shift):
        self.shift = shift

    def empty(self, size, dtype):
        room = np.empty(size + 2 * lanes.LINE_OF_CACHE, dtype)
        first = next(k for k in range(lanes.LINE_OF_CACHE) if room[k:].ctypes.data % lanes.LINE_OF_CACHE == 0)
        return room[first + self.shift : first + self.shift + size]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 3, 4)])
@pytest.mark.parametrize("shift", [0, 1, 4, 7])
def test_aligned_numbers_begin_where_a_line_of_the_cache_does(dtype, shape, shift, monkeypatch):
    numbers = np.random.default_rng(0).standard_normal(shape).astype(dtype).swapaxes(0, -1)
    monkeypatch.setattr(lanes, "np", MemoryAt(shift))
    line = aligned(numbers)
    assert line.ctypes.data % lanes.LINE_OF_CACHE == 0 and line.flags.c_contiguous and line.dtype == dtype
    assert np.array_equal(line, numbers.reshape(-1))


def elsewhere(**environment):
    program = [sys.executable, "-W", "error", str(Path(__file__).with_name("lanes_elsewhere.py"))]
    done = subprocess.run(program, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


def test_without_numba_the_same_kernels_run_in_python():
    assert elsewhere(BATIK_SCRATCH_PLAIN="1") == 4


@pytest.mark.slow
@needs_numba
@pytest.mark.parametrize(
    ("name", "features", "width"), [("generic", "", 4), ("haswell", "+avx,+avx2,+fma", 8)], ids=["SSE2", "AVX2"]
)
def test_the_kernels_are_right_for_other_processors(name, features, width, tmp_path):
    env = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    assert elsewhere(**env) == width
