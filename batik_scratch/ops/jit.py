"""`compiled`: numba's njit with a cache that survives read-only installations; without numba, the function as it is.

Numba is an accelerator, not a condition. If it cannot be imported, or if BATIK_SCRATCH_PLAIN=1, everything runs on
NumPy: the same to rounding, more slowly, and a debugger steps through all of it. Only this file, lanes.py and
threads.py ask for numba.

Signatures are lazy on purpose: explicit ones compile at import and refuse read-only arrays, which joblib and
memory maps hand out. Numba's cache would not notice a change in another file, be it of a helper or of a constant; here
a kernel's stamp covers the files of every kernel that it calls, and the numbers that they take from their modules.
"""

import os
import pathlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

_cache_works = True
_why_plain: str | None = None
prange: Any = range

if os.environ.get("BATIK_SCRATCH_PLAIN", "0") not in ("", "0"):
    _why_plain = "BATIK_SCRATCH_PLAIN is set"
else:
    try:
        import numba

        prange = numba.prange
    except Exception as error:  # whatever it is: numba missing, broken, or too old for this Python or this NumPy
        _why_plain = " ".join(f"numba cannot be imported: {error}".split())


def plain_reason() -> str | None:
    """None if kernels are compiled; else why everything runs on NumPy, in one line."""
    return _why_plain


def runs_plain(x: np.ndarray) -> bool:
    """True if an op on x runs its NumPy version: complex numbers always do, and without numba everything does."""
    return _why_plain is not None or x.dtype.kind == "c"


def compiled(**options: Any) -> Callable[[Callable], Any]:
    """Decorate a function with `numba.njit(cache=True, **options)`; without a writable cache, without the cache.

    `.py_func` of the result is the plain Python function; without numba that is the result. NUMBA_CACHE_DIR chooses
    the cache's folder.
    """

    def decorate(function: Callable) -> Any:
        if _why_plain is not None:
            return _with_plain_self(function)
        if _cache_works:
            try:
                return _forgiving(numba.njit(cache=True, **options)(function))
            except RuntimeError as error:  # numba: "no locator available": nothing is writable
                _give_up(error)
        return numba.njit(**options)(function)

    return decorate


def _with_plain_self(function: Any) -> Any:
    function.py_func = function
    return function


def stamped(function: Callable) -> Any:
    """Decorate what kernels call though `compiled` did not make it: its file belongs to their stamps."""
    return _with_plain_self(function)


def _forgiving(dispatcher: Any) -> Any:
    """Let a compiled kernel that cannot be stored (a full disk, a folder that is gone) run all the same."""
    if not hasattr(dispatcher, "_cache"):  # NUMBA_DISABLE_JIT: what we were given is the plain function
        return _with_plain_self(dispatcher)
    dispatcher._cache._cache_file._source_stamp = _stamp(dispatcher.py_func)
    save = dispatcher._cache.save_overload

    def try_to_save(signature: Any, data: Any) -> None:
        try:
            save(signature, data)
        except OSError as error:
            _give_up(error)

    dispatcher._cache.save_overload = try_to_save
    return dispatcher


def _stamp(function: Any) -> tuple[tuple, ...]:
    """What a compiled kernel hangs on: the files of all that it calls, and the numbers that are compiled into it."""
    together = _called(function, {})
    files = {called.__code__.co_filename for called in together}
    # a file inside a zip has neither time nor size, and does not change
    stats = [(name, os.stat(name)) for name in sorted(files) if os.path.exists(name)]
    numbers = {
        (called.__name__, name, repr(called.__globals__[name]))
        for called in together
        for name in called.__code__.co_names
        if isinstance(called.__globals__.get(name), int | float | np.generic)
    }
    return *((os.path.basename(name), stat.st_mtime, stat.st_size) for name, stat in stats), *sorted(numbers)


def _called(function: Any, found: dict[Any, None]) -> dict[Any, None]:
    """A kernel, and those that it calls, as plain Python functions."""
    found[function] = None
    for name in function.__code__.co_names:
        helper = getattr(function.__globals__.get(name), "py_func", None)
        if helper is not None and helper not in found:
            _called(helper, found)
    return found


def _give_up(error: Exception) -> None:
    global _cache_works
    if _cache_works:
        _cache_works = False
        warnings.warn(
            f"compiled kernels cannot be kept ({error}); they are compiled anew at each start. "
            "Set NUMBA_CACHE_DIR to a writable folder.",
            RuntimeWarning,
            stacklevel=2,
        )


def cache_is_cold() -> bool:
    """True if this installation's kernels have not been compiled yet (no index file in numba's cache)."""
    if _why_plain is not None:
        return False  # there is nothing to compile
    package = pathlib.Path(__file__).resolve().parent.parent
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folders = [pathlib.Path(chosen)] if chosen else [package]
    return not any(next(folder.rglob("*.nbi"), None) for folder in folders if folder.is_dir())


def say_if_cold(say: Callable[[str], object]) -> None:
    """One line for whoever waits, if the kernels are yet to be compiled."""
    if cache_is_cold():
        say("compiling kernels, once: this first run starts more slowly")
