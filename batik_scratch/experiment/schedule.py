"""Who runs when: cells go out as soon as what they need is there, and come back in any order.

What comes back is written at once, by this process alone. A cell whose run failed, or whose worker was lost, runs
again, up to ATTEMPTS times; then its error is recorded, and with it every cell that needed it.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from ..errors import InputError
from .cells import Cell
from .config import ExperimentConfig
from .executors.executor import Executor, WorkerLost
from .folder import ExperimentFolder
from .graph import all_cells, needs
from .material import Material
from .patience import patience
from .training import assembled

ATTEMPTS = 3
SLICE = 10.0  # seconds of one wait: so much at most counts while this process itself is stopped, as by Ctrl-Z


class Schedule:
    """One run of the missing cells of an experiment.

    told       called with the number of cells that are settled, whenever that changes
    silence    seconds without an answer after which InputError says which cells were waited for; None: `patience`
    """

    def __init__(
        self,
        config: ExperimentConfig,
        material: Material,
        folder: ExperimentFolder,
        executor: Executor,
        told: Callable[[int], None] = lambda done: None,
        silence: float | None = None,
    ) -> None:
        self.config, self.material, self.folder, self.executor = config, material, folder, executor
        self.told, self.silence = told, patience(config, material) if silence is None else silence
        self.cells = all_cells(config)
        self.done = {cell for cell in self.cells if folder.cell(cell.name).exists()}
        self.failed: dict[Cell, str] = {}
        self.attempts: Counter[Cell] = Counter()
        self.running: dict[Any, Cell] = {}
        self.suspects: set[Cell] = set()  # ran when a worker was lost: they go out one at a time, until one is caught
        self.waiting = self._missing()

    def run(self) -> None:
        """Run what is missing. InputError if no worker answers any more; what came back before is kept."""
        self.told(len(self.done))
        while self.waiting or self.running:
            self._send()
            if not self.running:
                continue  # all that could go out had failed already
            finished = self._wait()
            if not finished:
                names = ", ".join(sorted(cell.name for cell in self.running.values())[:4])
                raise InputError(
                    f"no worker answered for {self.silence:g} seconds; {len(self.running)} cells were waited for "
                    f"({names}). What came back is kept; look at the workers, then go on with --resume"
                )
            self._take(finished)
            self.told(len(self.done) + len(self.failed))

    def _wait(self) -> Collection[Any]:
        """The cells that came back, as soon as one did; none after the silence that is borne."""
        left = self.silence
        while left > 0:
            if finished := self.executor.wait(list(self.running), min(left, SLICE)):
                return finished
            left -= SLICE
        return ()

    def _missing(self) -> list[Cell]:
        """The cells to run, in order: those not done, and stage-one cells whose maps are gone but still needed."""
        missing = [cell for cell in self.cells if cell not in self.done]
        again = {
            need
            for cell in missing
            for need in needs(self.config, cell)
            if need in self.done and not self.folder.left(need.name).exists()
        }
        self.done -= again
        for group in {cell.group for cell in self.cells} - {cell.group for cell in missing}:
            self._drop_maps(group)
        return [cell for cell in self.cells if cell not in self.done]

    def _send(self) -> None:
        """Give out cells until every slot has one, and one waits behind it."""
        suspects = frozenset(self.suspects)
        room = 1 if suspects else 2 * self.executor.slots
        kept = []
        for cell in self.waiting:
            wanted = needs(self.config, cell)
            if lost := [need for need in wanted if need in self.failed]:
                self._fail(cell, f"it needs {lost[0].name}, which failed")
            elif len(self.running) < room and self.done.issuperset(wanted) and (not suspects or cell in suspects):
                self.attempts[cell] += 1
                self.running[self.executor.submit(cell, self._maps(cell, wanted))] = cell
            else:
                kept.append(cell)
        self.waiting = kept

    def _maps(self, cell: Cell, wanted: Collection[Cell]) -> Mapping[str, np.ndarray]:
        if not wanted:
            return {}
        left = {need.arm: self.folder.left(need.name).read() for need in wanted}
        return assembled(self.config, self.material, cell, left)

    def _take(self, finished: Collection[Any]) -> None:
        broken = False
        for future in finished:
            cell = self.running.pop(future)
            try:
                outcome = self.executor.result(future)
            except Exception as error:
                if isinstance(error, WorkerLost):
                    broken = True
                    self.suspects.add(cell)
                self._try_again(cell, error)
                continue
            self.suspects.discard(cell)
            if outcome.maps:
                self.folder.left(cell.name).write(outcome.maps)
            self.folder.cell(cell.name).write(outcome.record)
            self.folder.failure(cell.name).remove()
            self.done.add(cell)
            self._drop_maps_if_done(cell)
        if broken:
            # a pool without one of its processes loses all that ran in it
            self.suspects.update(self.running.values())
            self.waiting[:0] = self.running.values()
            self.running.clear()
            self.executor.mend()

    def _try_again(self, cell: Cell, error: Exception) -> None:
        if self.attempts[cell] >= ATTEMPTS:
            self.suspects.discard(cell)
            self._fail(cell, f"{type(error).__name__}: {error}")
        else:
            self.waiting.insert(0, cell)

    def _fail(self, cell: Cell, error: str) -> None:
        self.failed[cell] = error
        self.folder.failure(cell.name).write({"cell": cell._asdict(), "error": error})

    def _drop_maps_if_done(self, cell: Cell) -> None:
        if all(one in self.done for one in self.cells if one.group == cell.group):
            self._drop_maps(cell.group)

    def _drop_maps(self, group: Any) -> None:
        for cell in self.cells:
            if cell.group == group and cell.is_stage_one:
                self.folder.left(cell.name).remove()
