"""What an experiment asks of the machines that run its cells."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import numpy as np

from ..cells import Cell
from ..config import ExperimentConfig
from ..material import Material
from ..training import Outcome

# run_cell, or what a test puts in its place; the same arguments, and it must be found on the workers
Work = Callable[[ExperimentConfig, Material, Cell, Mapping[str, np.ndarray]], Outcome]


class WorkerLost(RuntimeError):
    """A cell did not come back because its worker, or what the worker held, was lost."""


class Executor(Protocol):
    """Runs cells elsewhere. `slots`: how many at a time."""

    slots: int

    def submit(self, cell: Cell, maps: Mapping[str, np.ndarray]) -> Any:
        """Begin a cell; returns a future, of which nothing is asked but to be told from others."""

    def wait(self, futures: Collection[Any], seconds: float) -> Collection[Any]:
        """Those of the futures that are done, as soon as one is; none if nothing came in that time."""

    def result(self, future: Any) -> Outcome:
        """What a future brought; raises the error that ended the cell, or WorkerLost."""

    def mend(self) -> None:
        """After a worker was lost: be ready for `submit` again."""

    def close(self, in_a_hurry: bool = False) -> None:
        """Stop; in a hurry without waiting for what runs."""
