"""Both BLAS copies stand at one thread inside, and where they were outside."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from plain_mode import whole_module_needs_numba
from threadpoolctl import threadpool_info, threadpool_limits

from batik_scratch import nn
from batik_scratch.ops import relu, threads

numba = whole_module_needs_numba()


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


def test_whoever_leaves_last_restores_and_keeps_nothing_from_others():
    before, entered, leave = blas_threads(), threading.Event(), threading.Event()
    seen = []

    def hold():
        with threads.one_blas_thread():
            entered.set()
            leave.wait(5)
            seen.append(set(blas_threads()))

    worker = threading.Thread(target=hold)
    with threads.one_blas_thread():
        if threads._needs_turns():
            pytest.skip("here one waits for the other")
        worker.start()
        entered.wait(5)
    assert set(blas_threads()) == {1}  # who set the limit has left, and it holds for the other
    leave.set()
    worker.join()
    assert seen == [{1}] and blas_threads() == before
    with threadpool_limits(3, user_api="blas"):  # this Python thread may set a limit again
        assert set(blas_threads()) == {3}
    assert blas_threads() == before


COUNT = "from batik_scratch.ops import threads; print(threads.count())"


@pytest.mark.parametrize(
    "limits",
    [{"OMP_NUM_THREADS": "1"}, {"NUMBA_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "9", "LOKY_MAX_CPU_COUNT": "1"}],
)
def test_the_smallest_limit_counts(limits):
    names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
    environment = {key: value for key, value in os.environ.items() if key not in names} | limits
    done = subprocess.run([sys.executable, "-c", COUNT], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_inside_kernels_use_what_is_allowed_and_outside_what_was_set(monkeypatch):
    before = numba.get_num_threads()
    monkeypatch.setattr(threads, "allowed", lambda: 1)
    with threads.one_blas_thread():
        assert numba.get_num_threads() == 1 == threads.count()
    assert numba.get_num_threads() == before
    threads.use(10**6)
    assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS
    threads.use(before)


@pytest.mark.parametrize("turns", [False, True])
def test_a_network_is_free_again_after_an_error_inside_however_deep(turns, monkeypatch):
    monkeypatch.setattr(threads, "_needs_turns", lambda: turns)
    model, before = nn.Sequential([nn.Dense(2)], (3,), random_state=0), blas_threads()
    with pytest.raises(ZeroDivisionError), model.alone(), model.alone(), threads.one_blas_thread():
        raise ZeroDivisionError
    assert blas_threads() == before
    assert not threads._one_at_a_time.locked()
    with model.alone():
        assert threads._one_at_a_time.locked() == turns
    answers = []
    other = threading.Thread(target=lambda: answers.append(model.predict(np.ones((1, 3)))), daemon=True)
    other.start()
    other.join(20)
    assert len(answers) == 1


def test_whoever_cannot_enter_leaves_nothing_held(monkeypatch):
    model, before = nn.Sequential([nn.Dense(2)], (3,), random_state=0), blas_threads()

    def interrupted():
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(threads, "_needs_turns", interrupted)
        with pytest.raises(KeyboardInterrupt), model.alone():
            pass
    assert blas_threads() == before
    free = []
    other = threading.Thread(target=lambda: free.append(model._lock.acquire(timeout=20)), daemon=True)
    other.start()
    other.join(20)
    assert free == [True]
