"""Plain mode: `BATIK_SCRATCH_PLAIN=1 python -m pytest` tests on NumPy alone, numba and threadpoolctl blocked.

Tests of a behaviour run in both modes, at sizes that `sized` chooses. Those that are about compiling, kernels or
threads are marked `needs_numba`, or skipped by `whole_module_needs_numba`, and say so.
"""

import importlib
from types import ModuleType
from typing import TypeVar

import pytest

from batik_scratch.ops.jit import plain_reason

T = TypeVar("T")
PLAIN = plain_reason() is not None
REASON = "about compiled kernels, and here is no numba"

needs_numba = pytest.mark.skipif(PLAIN, reason=REASON)


def whole_module_needs_numba() -> ModuleType:
    """At the top of a module: numba; in plain mode the module is skipped."""
    if PLAIN:
        pytest.skip(REASON, allow_module_level=True)
    return importlib.import_module("numba")


def sized(compiled: T, plain: T) -> T:
    """The size, number of rounds or list of cases for the mode that runs."""
    return plain if PLAIN else compiled
