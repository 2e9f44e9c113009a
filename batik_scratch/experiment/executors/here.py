"""This machine: processes by joblib (loky), which share its cores out among themselves."""

from collections.abc import Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from typing import Any

import numpy as np
from joblib import cpu_count
from joblib.externals.loky import ProcessPoolExecutor

from ..cells import Cell
from ..config import ExperimentConfig
from ..material import Material
from ..training import Outcome, run_cell
from .executor import Work, WorkerLost

THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_job: dict[str, Any] = {}  # in a worker: what it is asked again and again


class Here:
    """`jobs` processes, each with cores / jobs threads; the images go to each process once."""

    def __init__(self, config: ExperimentConfig, material: Material, jobs: int, work: Work = run_cell) -> None:
        self.slots = jobs
        self._args = (config, material, work)
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        threads = str(max(1, cpu_count() // self.slots))
        env = dict.fromkeys(THREADS, threads) | {"OMP_WAIT_POLICY": "passive"}
        return ProcessPoolExecutor(self.slots, initializer=_begin, initargs=self._args, env=env)

    def submit(self, cell: Cell, maps: Mapping[str, np.ndarray]) -> "Future[Outcome]":
        """See `Executor`. A process that died a moment ago is told by `result`, as one that dies at work."""
        try:
            return self._pool.submit(_run, cell, maps)
        except BrokenExecutor as error:
            lost: Future[Outcome] = Future()
            lost.set_exception(error)
            return lost

    def wait(self, futures: Collection["Future[Outcome]"], seconds: float) -> Collection["Future[Outcome]"]:
        """See `Executor`."""
        return wait(futures, seconds, FIRST_COMPLETED).done

    def result(self, future: "Future[Outcome]") -> Outcome:
        """See `Executor`."""
        try:
            return future.result()
        except (BrokenExecutor, CancelledError) as error:
            ended = " ".join(str(error).partition("\n\n")[2].split()[:8])  # "The exit codes of the workers are {...}"
            raise WorkerLost(f"its process was killed, crashed or had no memory left. {ended}".strip()) from None

    def mend(self) -> None:
        """A pool that lost a process takes nothing more: another one."""
        self._pool.shutdown(wait=True, kill_workers=True)
        self._pool = self._new_pool()

    def close(self, in_a_hurry: bool = False) -> None:
        """See `Executor`."""
        self._pool.shutdown(wait=True, kill_workers=in_a_hurry)


def _begin(config: ExperimentConfig, material: Material, work: Work) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked for the cells
    _job.update(config=config, material=material, work=work)


def _run(cell: Cell, maps: Mapping[str, np.ndarray]) -> Outcome:
    return _job["work"](_job["config"], _job["material"], cell, maps)
