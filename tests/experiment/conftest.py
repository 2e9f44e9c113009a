"""A tiny experiment, run once in this process and looked at by many tests."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pytest

from batik_scratch.experiment import ARMS, ExperimentConfig, run_experiment
from batik_scratch.experiment.training import run_cell
from batik_scratch.study import TwoStageConfig

STUDY = TwoStageConfig(image_size=32, draw_counts=(12, 13, 12), epochs=2, seed=5, difficulty=0.0)
TINY = ExperimentConfig(STUDY, ("images", "saliency", "resplit"), repeats=2, folds=3, inits=2, inner_folds=2)


class InLine:
    """An executor that runs a cell when it is waited for, here: the last one that was submitted first."""

    def __init__(self, config: Any, material: Any, work: Any = run_cell, slots: int = 2) -> None:
        self.args, self.work, self.slots = (config, material), work, slots
        self.pending: dict[int, Any] = {}
        self.submitted: list[Any] = []
        self.mended = self.closed = 0

    def submit(self, cell: Any, maps: Mapping[str, np.ndarray]) -> int:
        self.submitted.append(cell)
        self.pending[len(self.submitted)] = (cell, maps)
        return len(self.submitted)

    def wait(self, futures: Collection[int], seconds: float) -> Collection[int]:
        return [max(futures)]

    def result(self, future: int) -> Any:
        return self.work(*self.args, *self.pending.pop(future))

    def mend(self) -> None:
        self.mended += 1

    def close(self, in_a_hurry: bool = False) -> None:
        self.closed += 1


def quiet(text: str) -> None:
    """Nobody waits."""


@pytest.fixture(scope="session")
def all_arms(tmp_path_factory):
    """A folder with every arm, of one initialisation, permuted labels included."""
    config = dataclasses.replace(TINY, arms=tuple(ARMS), repeats=1, inits=1, permuted=1)
    return config, run_experiment(config, tmp_path_factory.mktemp("experiment") / "all", InLine, say=quiet)
