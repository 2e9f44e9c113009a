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


@needs_numba
def test_nan_is_never_the_larger_one():
    numbers = np.full(LANES, np.nan)
    for a, b in ((numbers, np.ones(LANES)), (np.ones(LANES), numbers)):
        assert np.array_equal(choose(a, b, np.zeros(LANES), np.ones(LANES)), np.ones(LANES))
        got = np.zeros(LANES)
        choose_between(a, b, got)
        assert np.array_equal(got, np.ones(LANES))


@compiled()
def choose_between(a, b, result):
    store(result, 0, choose(load(a, 0), load(b, 0), load(result, 0), spread(np.ones(1), 0)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 3, 4)])
def test_aligned_numbers_begin_where_a_line_of_the_cache_does(dtype, shape):
    numbers = np.random.default_rng(0).standard_normal(shape).astype(dtype).swapaxes(0, -1)
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
