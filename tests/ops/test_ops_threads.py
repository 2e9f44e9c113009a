"""Both BLAS copies stand at one thread inside, and where they were outside."""

import threading

import numpy as np
from threadpoolctl import threadpool_info

from batik_scratch.ops import relu, threads


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_every_blas_stands_at_one_thread_and_comes_back():
    before = blas_threads()
    with threads.one_blas_thread():
        inside = blas_threads()
        with threads.one_blas_thread():
            pass
        assert blas_threads() == inside
    assert len(inside) >= 2 and set(inside) == {1}  # NumPy's copy and SciPy's
    assert blas_threads() == before


def test_the_last_of_several_threads_restores():
    before, entered, leave = blas_threads(), threading.Event(), threading.Event()

    def hold():
        with threads.one_blas_thread():
            entered.set()
            leave.wait(5)

    # a kernel must have run, or the unknown threading layer makes the two take turns
    relu.forward(np.ones(4))
    worker = threading.Thread(target=hold)
    worker.start()
    entered.wait(5)
    if not threads._needs_turns():
        with threads.one_blas_thread():
            pass
        assert set(blas_threads()) == {1}
    leave.set()
    worker.join()
    assert blas_threads() == before
