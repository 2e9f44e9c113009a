"""The cache of compiled kernels: what is kept, and what is compiled again."""

import importlib
import os
import sys

import numba
import pytest

KERNEL = """
from batik_scratch.ops.jit import kernel
{imports}

@kernel()
def {name}(x):
    return {body}
"""


@pytest.fixture
def three_files(tmp_path, monkeypatch):
    """three_files(body) -> the answer for 1 of a kernel that calls one of another file, which calls `body` in a third."""
    monkeypatch.syspath_prepend(tmp_path)
    # numba reads the variable at its import and again at a compilation: both have to say the same
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kept"))
    names = ("upper_kernel", "middle_kernel", "lower_kernel")

    def write(name, imports, body, time):
        path = tmp_path / f"{name}.py"
        path.write_text(KERNEL.format(name=name, imports=imports, body=body))
        os.utime(path, (time, time))

    def answer(body, time):
        write("upper_kernel", "from middle_kernel import middle_kernel", "middle_kernel(x) + 0", 1)
        write("middle_kernel", "from lower_kernel import lower_kernel", "lower_kernel(x) + 0", 1)
        write("lower_kernel", "", body, time)
        for name in names:
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        kernel = importlib.import_module("upper_kernel").upper_kernel
        return kernel(1), sum(kernel.stats.cache_hits.values())

    yield answer
    for name in names:
        sys.modules.pop(name, None)


def test_a_kernel_is_compiled_again_where_one_changed_that_it_calls_through_another_file(three_files):
    assert three_files("x + 1", 1) == (2, 0)
    assert three_files("x + 1", 1) == (2, 1)  # kept
    assert three_files("x + 5", 2) == (6, 0)  # of the same size, at another time
