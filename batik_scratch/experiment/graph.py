"""The experiment as a list of cells with their needs, in an order in which each finds what it needs."""

from collections.abc import Iterable, Iterator

from .arms import ARMS
from .cells import WHOLE, Cell, inner
from .config import ExperimentConfig


def all_cells(config: ExperimentConfig) -> list[Cell]:
    """Every cell, fold by fold: of each fold the stage-one networks that some arm needs, then the arms.

    Repeats with permuted labels come last: they are a check, and no part of the answer.
    """
    order = [(repeat, False) for repeat in range(config.repeats)] + [(r, True) for r in range(config.permuted)]
    cells = []
    for repeat, permuted in order:
        for fold in range(config.folds):
            arms = [Cell(repeat, fold, arm, i, permuted) for arm in config.arms for i in range(config.inits)]
            cells += [*_ordered(need for cell in arms for need in needs(config, cell)), *arms]
    return cells


def needs(config: ExperimentConfig, cell: Cell) -> list[Cell]:
    """The stage-one cells whose maps a cell needs."""
    if cell.is_stage_one or not ARMS[cell.arm].maps:
        return []
    arms = [WHOLE]
    if set(ARMS[cell.arm].maps) & {"predicted", "true"}:
        arms += [inner(part) for part in range(config.inner_folds)]
    return [Cell(cell.repeat, cell.fold, arm, 0, cell.permuted) for arm in arms]


def _ordered(cells: Iterable[Cell]) -> Iterator[Cell]:
    return iter(dict.fromkeys(cells))
