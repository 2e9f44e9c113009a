"""Who has how many threads: the one place that decides.

Two pools live in this process: numba's (`prange`) and BLAS'. Kernels here split the work over numba's threads and
call BLAS from inside each one, so BLAS itself must stand at one thread: two spinning pools cost 4-5 ms at every
change-over. `np.dot` inside a kernel calls *SciPy's* OpenBLAS, not NumPy's; both copies are limited.

How many numba uses is the smallest of what anybody allows: NUMBA_NUM_THREADS, OMP_NUM_THREADS, the processors
this process may run on (affinity, containers, joblib's limits for its workers), and `numba.set_num_threads`.

The BLAS limit is the process', but threadpoolctl (3.8 and later) lets only the Python thread that set it change it
again. One thread of ours, the keeper, therefore sets and restores it for all.

Without numba there are no kernels, and the count is 1. Without threadpoolctl each BLAS keeps the threads that it has;
OPENBLAS_NUM_THREADS=1 in the environment then makes sums repeat bit for bit on any number of processors. In a browser
there is one thread, and nothing to limit.
"""

import functools
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
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

_lock = threading.Lock()
_inside = 0
_limit: Any = None
_controller: Any = None
_keeper = ThreadPoolExecutor(1, thread_name_prefix="blas-limit")
_one_at_a_time = threading.RLock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold every BLAS of this process at one thread, and numba's kernels at what the user allows.

    Nested and concurrent use is counted; the last one restores. If numba has only its `workqueue` layer, which
    aborts when two Python threads enter it, the block also runs alone.
    """
    global _inside
    if in_browser():
        yield
        return
    with _lock:
        if _inside == 0:
            _keeper.submit(_set_limit).result()
        _inside += 1
    try:
        with _kernels_as_allowed() if COMPILED else nullcontext():
            yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _keeper.submit(_restore).result()


@contextmanager
def _kernels_as_allowed() -> Iterator[None]:
    """Numba's share of `one_blas_thread`."""
    before = numba.get_num_threads()  # of this Python thread alone
    numba.set_num_threads(min(before, allowed()))
    alone = _needs_turns()
    if alone:
        _one_at_a_time.acquire()
    try:
        yield
    finally:
        numba.set_num_threads(before)
        if alone:
            _one_at_a_time.release()


def _set_limit() -> None:
    global _controller, _limit
    if ThreadpoolController is None:
        return
    if _controller is None:
        _controller = ThreadpoolController()  # made after scipy.linalg, see above
    _limit = _controller.limit(limits=1, user_api="blas")
    _limit.__enter__()


def _restore() -> None:
    global _limit
    if _limit is not None:
        _limit.__exit__(None, None, None)
        _limit = None


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


def _needs_turns() -> bool:
    """True if numba has only a threading layer that aborts when two Python threads enter it."""
    numba.set_num_threads(numba.get_num_threads())  # starts the pool: before that nobody knows the layer
    return numba.threading_layer() == "workqueue"
