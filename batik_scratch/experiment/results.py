"""From the cells that are there to results.json: what each arm reached, and how surely the arms differ.

The unit of all statistics is a fold of a repeat: the mean over its initialisations. A fold counts once all of its
initialisations are there, in both arms where two are compared. So results can be drawn while cells are still missing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..record.experiment import ExperimentFiles
from ..statistics import Estimate, believe, corrected, holm, pairs_of, parts_of_variance, smallest_difference
from .arms import ARMS, Kind
from .cells import REFERENCE, WHOLE, Cell
from .config import ExperimentConfig, load_experiment_config
from .graph import all_cells
from .training import CURVES

FORMAT = 1
METRICS = ("accuracy", "macro_f1", "log_loss", "ece")
REGION = 0.01  # differences below a point are equal for all that matters
SALIENCY = "saliency"
DIGITS = 8


def write_results(files: ExperimentFiles) -> dict[str, Any]:
    """Write results.json from the folder's cells, and return it; equal cells give equal bytes."""
    config = load_experiment_config(files.config.path)
    found = results(config, dict(files.data.read()), list(files.finished_cells()), files.failures())
    files.results.write(found)
    return found


def results(
    config: ExperimentConfig, data: Mapping[str, Any], records: Sequence[Mapping[str, Any]], failed: Mapping[str, str]
) -> dict[str, Any]:
    """What is found in the records of cells, as JSON takes it; None stands where there is nothing to say yet."""
    table = Table(config, records)
    plan = all_cells(config)
    found: dict[str, Any] = {
        "format": FORMAT,
        "settings": config.settings(),
        "data": dict(data),
        "cells": {"planned": len(plan), "done": sum(cell in table.records for cell in plan), "failed": dict(failed)},
        "region": REGION,
        "arms": {arm: _arm(table, arm) for arm in _named(config, table)},
        "differences": _family(table, REFERENCE, _others(config, REFERENCE)),
        "to_saliency": _family(table, SALIENCY, _others(config, SALIENCY)) if SALIENCY in config.arms else [],
        "to_stage_one": _family(table, WHOLE, [arm for arm in config.arms if ARMS[arm].kind == Kind.CLAIM]),
        "permuted": {arm: _permuted(table, arm) for arm in _named(config, table)} if config.permuted else {},
    }
    return _plain(found)


class Table:
    """The records by cell, and of each arm the values fold by fold."""

    def __init__(self, config: ExperimentConfig, records: Sequence[Mapping[str, Any]]) -> None:
        self.config = config
        self.records = {Cell(**record["cell"]): record for record in records}
        self.share = 1 / config.folds  # of the images, in a fold

    def inits(self, arm: str) -> int:
        """How many networks a fold of this arm has; stage one has the one of which the maps are made."""
        return 1 if arm == WHOLE else self.config.inits

    def folds(self, arm: str, permuted: bool = False) -> dict[tuple[int, int], list[Mapping[str, Any]]]:
        """The records of each complete (repeat, fold), in order of the initialisations."""
        found = {}
        for repeat in range(self.config.repeats):
            for fold in range(self.config.folds):
                cells = [Cell(repeat, fold, arm, init, permuted) for init in range(self.inits(arm))]
                if all(cell in self.records for cell in cells):
                    found[repeat, fold] = [self.records[cell] for cell in cells]
        return found


def _named(config: ExperimentConfig, table: Table) -> list[str]:
    """The arms of the results: stage one, where there is any, and then the experiment's own."""
    return [WHOLE] * any(cell.arm == WHOLE for cell in all_cells(config)) + list(config.arms)


def _others(config: ExperimentConfig, against: str) -> list[str]:
    """The arms to compare with one; what maps tell without the images is another question than the claim's."""
    left_out = {against, REFERENCE} | {arm for arm in config.arms if ARMS[arm].kind == Kind.ALONE}
    return [arm for arm in config.arms if arm not in left_out]


def _arm(table: Table, arm: str) -> dict[str, Any]:
    words = ARMS.get(arm)
    folds = table.folds(arm)
    cells = [record for records in folds.values() for record in records]
    found: dict[str, Any] = {
        "title": words.title if words else "stage one",
        "kind": words.kind if words else "stage one",
        "shows": words.shows if words else "The images, once: the network of which the maps are made.",
        "stages": words.stages if words else 1,
        "folds": len(folds),
        "cells": len(cells),
    }
    if not folds:
        return found
    for metric in METRICS:
        each = [[record[metric] for record in records] for records in folds.values()]
        found[metric] = _estimate([float(np.mean(values)) for values in each], table.share)
    accuracies = np.array([[record["accuracy"] for record in records] for records in folds.values()])  # (J, I)
    of_split, of_weights = parts_of_variance(accuracies)
    found["deviation"] = {"split": math.sqrt(of_split), "weights": math.sqrt(of_weights)}
    found["recall"] = _recall([record["confusion"] for record in cells])
    found["curves"] = {name: _band([record["curves"][name] for record in cells]) for name in CURVES}
    follows = [record["follows"] for record in cells if "follows" in record]
    if follows:
        found["follows"] = {key: float(np.mean([one[key] for one in follows])) for key in follows[0]}
    return found


def _family(table: Table, against: str, arms: Sequence[str]) -> list[dict[str, Any]]:
    """The differences of several arms to one, with p adjusted for as many (Holm)."""
    found = [_difference(table, arm, against) for arm in arms]
    adjusted = holm([math.nan if one["p"] is None else one["p"] for one in found])
    return [one | {"p_holm": p} for one, p in zip(found, adjusted, strict=True)]


def _difference(table: Table, arm: str, against: str) -> dict[str, Any]:
    ours, theirs = table.folds(arm), table.folds(against)
    both = [key for key in ours if key in theirs]
    found: dict[str, Any] = {"arm": arm, "against": against, "folds": len(both), "p": None}
    if not both:
        return found

    def mean(records: Sequence[Mapping[str, Any]], metric: str) -> float:
        return float(np.mean([record[metric] for record in records]))

    gains = [mean(ours[key], "accuracy") - mean(theirs[key], "accuracy") for key in both]
    estimate = corrected(gains, table.share)
    found |= _estimate(gains, table.share)
    found["belief"] = believe(estimate, REGION)._asdict()
    found["detectable"] = smallest_difference(estimate)
    for metric in METRICS[1:]:
        found[metric] = _estimate([mean(ours[k], metric) - mean(theirs[k], metric) for k in both], table.share)
    found["recall"] = [
        a - b
        for a, b in zip(
            *(_recall([r["confusion"] for k in both for r in side[k]]) for side in (ours, theirs)), strict=True
        )
    ]
    if pairs := _pairs(ours, theirs):
        found["mcnemar"] = pairs
    return found


def _pairs(ours: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> dict[str, Any] | None:
    """McNemar on the pooled answers of the first repeat and initialisation, as a single run has them.

    None where the arm judged other images than the one that it is compared with (split anew).
    """
    hits: list[dict[str, bool]] = []
    for side in (ours, theirs):
        records = [side[key][0] for key in sorted(side) if key[0] == 0]
        hits.append(
            {
                str(row): p == y
                for r in records
                for row, p, y in zip(r["rows"], r["predicted"], r["labels"], strict=True)
            }
        )
    if hits[0].keys() != hits[1].keys() or not hits[0]:
        return None
    return pairs_of(hits[1], hits[0])._asdict() | {"images": len(hits[0])}


def _permuted(table: Table, arm: str) -> dict[str, Any]:
    folds = table.folds(arm, permuted=True)
    values = [float(np.mean([record["accuracy"] for record in records])) for records in folds.values()]
    return {"folds": len(folds)} | (_estimate(values, table.share) if folds else {})


def _estimate(values: Sequence[float], share: float) -> dict[str, Any]:
    estimate: Estimate = corrected(values, share)
    return {"mean": estimate.mean, "low": estimate.low, "high": estimate.high, "p": estimate.p, "each": list(values)}


def _recall(confusions: Sequence[Sequence[Sequence[int]]]) -> list[float]:
    """The share of each class's images that was read correctly."""
    total = np.sum(confusions, axis=0)  # (U, U)
    return (np.diagonal(total) / np.maximum(total.sum(axis=1), 1)).tolist()


def _band(curves: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    """Epoch by epoch: the mean over the cells, and what the middle 80 of 100 of them lie between."""
    values = np.array(curves)  # (cells, E)
    low, high = np.percentile(values, (10, 90), axis=0)
    return {"mean": values.mean(axis=0).tolist(), "low": low.tolist(), "high": high.tolist()}


def _plain(value: Any) -> Any:
    """As JSON takes it: floats shortened, those that are not finite as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return str(value) if isinstance(value, Kind) else value
