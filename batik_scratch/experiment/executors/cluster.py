"""A Dask cluster that is there already, by its scheduler's address."""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...errors import InputError
from ...ops import threads
from ..cells import Cell, Group
from ..config import ExperimentConfig
from ..material import Material
from ..training import Outcome, run_cell
from .executor import Work, WorkerLost

CONNECTING = 10.0  # seconds to reach the scheduler, and then to see its first worker
SENDINGS = 4  # so often arrays are sent again
KEPT = 8  # folds whose maps are with the cluster


class Cluster:
    """Cells as tasks of a Dask cluster; needs the extra [distributed], here and, with this package, on the workers.

    Workers share no disk with this process: the images go to the cluster once, the maps of a fold once, and from worker
    to worker from there. Outcomes come back, and only this process writes.
    """

    def __init__(self, config: ExperimentConfig, material: Material, address: str, work: Work = run_cell) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise InputError(
                "--dask: needs dask.distributed, which is not installed; pip install 'batik-scratch[distributed]'"
            ) from None
        self._config, self._work, self._address = config, work, address
        self._material = material
        _check_address(address)
        try:
            self._client = Client(address, timeout=CONNECTING, set_as_default=False, heartbeat_interval=5000)
        except (OSError, TimeoutError) as error:
            raise InputError(
                f"--dask {address}: no Dask scheduler answers there ({type(error).__name__}); start one with "
                "`dask scheduler`, and give the address that it prints, such as tcp://host:8786"
            ) from None
        try:
            self._client.wait_for_workers(1, timeout=CONNECTING)
        except TimeoutError:
            self._client.close(timeout=5)
            raise InputError(
                f"--dask {address}: the scheduler has no worker; start some with `dask worker {address}`"
            ) from None
        self.slots = sum(self._client.nthreads().values())
        self._shared: dict[Group, dict[str, Any]] = {}
        self._images = self._share(material)

    def _share(self, value: Any) -> Any:
        with self._reached():
            for patience in range(SENDINGS):
                try:
                    return self._client.scatter(value, hash=False)
                except (OSError, TimeoutError):  # to a worker that is lost, which the scheduler may not know yet
                    time.sleep(1 + patience)
            return self._client.scatter(value, hash=False)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """InputError if the scheduler is gone: without it there is nobody to ask again."""
        try:
            yield
        except (OSError, TimeoutError) as error:
            raise InputError(
                f"--dask {self._address}: the scheduler no longer answers ({type(error).__name__}); what came back is "
                "kept. Start it again, then go on with --resume"
            ) from None

    def submit(self, cell: Cell, maps: Mapping[str, np.ndarray]) -> Any:
        """See `Executor`. Maps that were sent for another arm of the fold are not sent again."""
        sent = self._shared.setdefault(cell.group, {})
        for name, array in maps.items():
            if name not in sent:
                sent[name] = self._share(array)
        while len(self._shared) > KEPT:
            self._shared.pop(next(iter(self._shared)))
        handles = {name: sent[name] for name in maps}
        with self._reached():
            self.slots = max(1, sum(self._client.nthreads().values()))  # workers come and go
            return self._client.submit(
                _run, self._work, self._config, self._images, cell, list(handles), list(handles.values()), pure=False
            )

    def wait(self, futures: Collection[Any], seconds: float) -> Collection[Any]:
        """See `Executor`."""
        from distributed import CancelledError, wait

        try:
            with self._client.as_current():  # `wait` asks for it
                return wait(list(futures), timeout=seconds, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return ()
        except CancelledError:  # a worker was lost with what they were to be made of: the scheduler forgot them
            return [future for future in futures if future.cancelled() or future.done()]

    def result(self, future: Any) -> Outcome:
        """See `Executor`."""
        from distributed import CancelledError, KilledWorker

        try:
            return future.result()
        except (CancelledError, KilledWorker) as error:
            raise WorkerLost(f"{type(error).__name__}: {error}") from None

    def mend(self) -> None:
        """What the lost worker held is lost: the images and the maps go out again."""
        self._shared.clear()
        self._images = self._share(self._material)

    def close(self, in_a_hurry: bool = False) -> None:
        """See `Executor`. The cluster stays; what it still does for this client, it drops."""
        self._client.close(timeout=5)


def _check_address(address: str) -> None:
    """InputError if nobody could listen there; Dask's client finds out by ending with a traceback."""
    from distributed.comm import get_address_host_port

    try:
        _, port = get_address_host_port(address)
        if not 0 < port < 65_536:
            raise ValueError(f"there is no port {port}")
    except ValueError as error:
        raise InputError(
            f"--dask {address}: is no address of a Dask scheduler ({error}); give the one that `dask scheduler` "
            "prints, such as tcp://host:8786"
        ) from None


def _run(
    work: Work, config: ExperimentConfig, material: Material, cell: Cell, names: list[str], maps: list[np.ndarray]
) -> Outcome:
    threads.use(_my_share())
    return work(config, material, cell, dict(zip(names, maps, strict=True)))


def _my_share() -> int:
    """This machine's cores, shared out among the cells that its worker runs at a time."""
    from distributed import get_worker

    return max(1, threads.allowed() // get_worker().state.nthreads)
