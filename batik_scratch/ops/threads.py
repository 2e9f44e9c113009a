"""Who has how many threads: the one place that decides.

Two pools live in this process: numba's (`prange`) and BLAS'. Kernels here split the work over numba's threads and
call BLAS from inside each one, so BLAS itself must stand at one thread: two spinning pools cost 4-5 ms at every
change-over. `np.dot` inside a kernel calls *SciPy's* OpenBLAS, not NumPy's; both copies are limited.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numba
import scipy.linalg.cython_blas  # noqa: F401  loads SciPy's OpenBLAS, so that the controller below sees it
from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside = 0
_limiter = None
_controller: ThreadpoolController | None = None
_one_at_a_time = threading.RLock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold every BLAS of this process at one thread; nested and concurrent use is counted, the last one restores.

    Where numba has only its `workqueue` layer, which aborts when two Python threads enter it, the
    block also runs alone.
    """
    global _inside, _limiter, _controller
    with _lock:
        if _inside == 0:
            if _controller is None:
                _controller = ThreadpoolController()  # made after scipy.linalg, see above
            _limiter = _controller.limit(limits=1, user_api="blas")
        _inside += 1
    alone = _needs_turns()
    if alone:
        _one_at_a_time.acquire()
    try:
        yield
    finally:
        if alone:
            _one_at_a_time.release()
        with _lock:
            _inside -= 1
            if _inside == 0 and _limiter is not None:
                _limiter.restore_original_limits()
                _limiter = None


def count() -> int:
    """How many threads a kernel uses: numba's current setting (NUMBA_NUM_THREADS, numba.set_num_threads)."""
    return numba.get_num_threads()


def _needs_turns() -> bool:
    """True unless the threading layer is known to be safe; before the first parallel kernel nothing is known."""
    try:
        return numba.threading_layer() == "workqueue"
    except ValueError:  # no parallel kernel has run yet
        return True
