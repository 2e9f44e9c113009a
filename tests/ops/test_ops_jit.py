"""The cache of compiled kernels: what is kept, and what is compiled again."""

import importlib
import os
import sys

import pytest
from plain_mode import whole_module_needs_numba

from batik_scratch.ops import jit
from batik_scratch.ops.jit import cache_is_cold, compiled

numba = whole_module_needs_numba()

KERNEL = """
from batik_scratch.ops.jit import compiled
{imports}

@compiled()
def {name}(x):
    return {body}
"""


@pytest.fixture
def three_files(tmp_path, monkeypatch):
    """three_files(body, time): a kernel's answer to 1; it calls one of another file, and that one `body` in a third."""
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


def test_a_kernel_is_compiled_again_if_a_number_of_another_file_changed_that_it_or_its_helper_uses(
    tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kept"))
    names = ("upper_kernel", "lower_kernel", "constants")
    answers = []
    for number in (3, 3, 4):
        (tmp_path / "constants.py").write_text(f"NUMBER = {number}")
        for name, imports, body in (
            ("upper_kernel", "from lower_kernel import lower_kernel", "lower_kernel(x) + 0"),
            ("lower_kernel", "from constants import NUMBER", "x + NUMBER"),
        ):
            (tmp_path / f"{name}.py").write_text(KERNEL.format(name=name, imports=imports, body=body))
            os.utime(tmp_path / f"{name}.py", (1, 1))
        for name in names:
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        kernel = importlib.import_module("upper_kernel").upper_kernel
        answers.append((kernel(1), sum(kernel.stats.cache_hits.values())))
    for name in names:
        sys.modules.pop(name, None)
    assert answers == [(4, 0), (4, 1), (5, 0)]


def plus_one(x):
    return x + 1


def without_a_file():
    """A function whose file numba does not find, so that its cache has no place."""
    made = {}
    exec("def plus_one(x): return x + 1", made)
    return made["plus_one"]


def test_where_no_cache_has_a_place_kernels_are_compiled_all_the_same_and_it_is_said_once(monkeypatch):
    monkeypatch.setattr(jit, "_cache_works", True)
    with pytest.warns(
        RuntimeWarning, match="no locator available.*compiled anew at each start. Set NUMBA_CACHE_DIR to"
    ):
        assert compiled()(without_a_file())(1) == 2
    assert compiled()(without_a_file())(1) == 2  # and no other warning, which would be an error here
    assert compiled()(plus_one).stats.cache_path is None  # nor is another tried


def test_a_kernel_that_cannot_be_stored_answers_all_the_same(monkeypatch, tmp_path):
    def full(self, signature, data):
        raise OSError("No space left on device")

    monkeypatch.setattr(jit, "_cache_works", True)
    monkeypatch.setattr(numba.core.caching.Cache, "save_overload", full)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    stored = compiled()(plus_one)
    with pytest.warns(RuntimeWarning, match="cannot be kept .No space left on device."):
        assert stored(1) == 2
    assert stored(1.5) == 2.5


def test_a_function_that_numba_left_as_it_is_has_its_plain_self_too():
    """NUMBA_DISABLE_JIT=1 makes njit hand back what it is given."""

    def plain(x):
        return x

    assert jit._forgiving(plain) is plain is plain.py_func


def test_a_cache_is_cold_until_an_index_lies_in_its_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    assert cache_is_cold()
    (tmp_path / "kept" / "ops").mkdir(parents=True)
    assert cache_is_cold()
    (tmp_path / "kept" / "ops" / "relu.nbi").touch()
    assert not cache_is_cold()
