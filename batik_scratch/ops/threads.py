"""Who has how many threads: the one place that decides.

Two pools live in this process: numba's (`prange`) and BLAS'. Kernels here split the work over numba's threads and
call BLAS from inside each one, so BLAS itself must stand at one thread: two spinning pools cost 4-5 ms at every
change-over. `np.dot` inside a kernel calls *SciPy's* OpenBLAS, not NumPy's; both copies are limited.

How many numba uses is the smallest of what anybody allows: NUMBA_NUM_THREADS, OMP_NUM_THREADS, the processors
this process may run on (affinity, containers, joblib's limits for its workers), and `numba.set_num_threads`.

The BLAS limit is the process', but threadpoolctl (3.8 and later) lets only the Python thread that set it change it
again, while that thread has not given up control. Who comes first sets it, and keeps control while he is inside, so
that nobody else's limit comes in between; who leaves last restores it.

Without numba there are no kernels, and the count is 1. Without threadpoolctl each BLAS keeps the threads that it has;
OPENBLAS_NUM_THREADS=1 in the environment then makes sums repeat bit for bit on any number of processors. In a browser
there is one thread, and nothing to limit.
"""

import functools
import os
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import joblib

from ..browser import in_browser
from .jit import plain_reason

COMPILED = plain_reason() is None
if COMPILED:
    import numba
    import scipy.linalg.cython_blas  # noqa: F401  loads SciPy's OpenBLAS, so that the controller below sees it

try:
    from threadpoolctl import ThreadpoolController
except ImportError:
    ThreadpoolController = None

SMALL_PRODUCT = 10**6  # multiply-adds up to which OpenBLAS for AVX-512 skips its packing, and is twice as fast
NOTHING = nullcontext()

_lock = threading.Lock()
_inside = 0  # how many Python threads
_before: list[tuple[Any, int]] = []  # each BLAS, as threadpoolctl steers it, and the threads that it had
_blas: Any = None  # all of them
_one_at_a_time = threading.Lock()
_mine = threading.local()  # what a Python thread knows of itself: `inside`, and `limiting` if the limit is its own


def one_blas_thread() -> AbstractContextManager[None]:
    """Hold every BLAS of this process at one thread, and numba's kernels at what the user allows.

    Nested and concurrent use is counted; the last one restores. If numba has only its `workqueue` layer, which
    aborts when two Python threads enter it, the block also runs alone.
    """
    return NOTHING if in_browser() or getattr(_mine, "inside", False) else _Held()


class _Held:
    """The block of `one_blas_thread`. A class is entered in half the time of a generator, which a tiny image feels."""

    def __enter__(self) -> None:
        _enter()
        try:
            self.before = numba.get_num_threads() if COMPILED else 1  # of this Python thread alone
            if self.before > allowed():
                numba.set_num_threads(allowed())
            self.turn: AbstractContextManager = _one_at_a_time if _needs_turns() else NOTHING
            self.turn.__enter__()
        except BaseException:
            _leave()
            raise

    def __exit__(self, *error: Any) -> None:
        try:
            if COMPILED and numba.get_num_threads() != self.before:
                numba.set_num_threads(self.before)
            self.turn.__exit__(*error)
        finally:
            _leave()


def _enter() -> None:
    global _inside
    with _lock:
        if _inside == 0:
            _set_limit()
            _mine.limiting = True
        _inside += 1
    _mine.inside = True


def _leave() -> None:
    global _inside
    _mine.inside = False
    with _lock:
        _inside -= 1
        if _inside == 0:
            _restore()
        if _inside == 0 or getattr(_mine, "limiting", False):
            _mine.limiting = False
            _give_up_control()


def _set_limit() -> None:
    global _blas
    if ThreadpoolController is None:
        return
    if _blas is None:
        _blas = ThreadpoolController().select(user_api="blas").lib_controllers  # made after scipy.linalg, see above
    for library in _blas:  # threadpoolctl's own `limit` asks each for all that it knows: with a tiny image, that counts
        _before.append((library, library.num_threads))
        library.set_num_threads(1)


def _restore() -> None:
    while _before:
        library, threads = _before.pop()
        library.set_num_threads(threads)


def _give_up_control() -> None:
    """Let another Python thread set or restore the limits of BLAS."""
    for library in _blas or ():
        if hasattr(library, "clear_controlling_thread"):  # threadpoolctl 3.8
            library.clear_controlling_thread()


@functools.cache
def allowed() -> int:
    """The most threads that a kernel may use in this process."""
    asked = os.environ.get("OMP_NUM_THREADS", "")  # numba heeds its own variable alone
    limits = [_pool_size(), joblib.cpu_count()]
    return max(1, min([*limits, int(asked)] if asked.isdigit() else limits))


def count() -> int:
    """How many threads a kernel that is called now uses."""
    return min(numba.get_num_threads(), allowed()) if COMPILED else 1


def use(most: int) -> None:
    """From now on let this Python thread's kernels use at most `most` threads."""
    if COMPILED:
        numba.set_num_threads(max(1, min(most, _pool_size())))


def _pool_size() -> int:
    """The threads of numba's pool, which NUMBA_NUM_THREADS or the processors set at its start."""
    if not COMPILED:
        return 1
    size: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    return size


@functools.cache
def _needs_turns() -> bool:
    """True if numba has only a threading layer that aborts when two Python threads enter it."""
    if not COMPILED:
        return False
    numba.set_num_threads(numba.get_num_threads())  # starts the pool: before that nobody knows the layer
    return numba.threading_layer() == "workqueue"
