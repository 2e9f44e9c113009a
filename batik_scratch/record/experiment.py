"""The folder of an experiment: which files it has, what is in them, how they are written and read."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from ..files import TEMPORARY, write_text
from .about import RecordFile
from .formats import ArraysFile, JsonFile, TextFile


class ExperimentConfigFile(TextFile):
    """Every choice of the experiment as TOML; it appears with the folder."""

    name = "experiment.toml"


class Material(TypedDict):
    """What the images are: where from, which classes and how many of each (there is no split that lasts).

    near_duplicate_groups    how many pictures have copies, which stay on one side of every split
    chance                   the share of the largest class
    key                      changes with any pixel, name or class: an experiment goes on only with its own images
    """

    source: str
    class_names: list[str]
    counts: Mapping[str, int]
    images: int
    near_duplicate_groups: int
    chance: float
    key: str


class MaterialFile(JsonFile[Material]):
    """What the images are."""

    name = "data.json"
    required = tuple(Material.__annotations__)
    kind = Material


class CellFile(JsonFile[Mapping[str, Any]]):
    """One cell: how good its network is, its curves, and its answer to every image that it did not train on."""

    required = ("cell", "accuracy", "predicted", "probabilities")

    def __init__(self, folder: Path, name: str) -> None:
        self.path, self.undecodable = folder / f"{name}.json", "surrogateescape"

    def write(self, content: Mapping[str, Any]) -> None:
        """Replace the cell, a line for each of its keys: as small as JSON gets that a person can still search."""
        lines = (f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items())
        write_text(self.path, "{\n" + ",\n".join(lines) + "\n}\n")


class FailedFile(JsonFile[Mapping[str, Any]]):
    """A cell that could not be run, and why; `--resume` tries it again."""

    required = ("error",)

    def __init__(self, folder: Path, name: str) -> None:
        self.path, self.undecodable = folder / f"{name}.json", "surrogateescape"


class LeftMaps(ArraysFile):
    """The maps that a stage-one cell left, until all cells of its fold are done."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path, self.undecodable = folder / f"{name}.npz", "surrogateescape"

    def write(self, maps: Mapping[str, np.ndarray]) -> None:
        """Write the maps."""
        self.write_arrays(maps)

    def read(self) -> dict[str, np.ndarray]:
        """The maps."""
        return self.arrays()


class ResultsFile(JsonFile[Mapping[str, Any]]):
    """What the experiment found, for the report and for scripts; equal cells give equal bytes."""

    name = "results.json"
    required = ("format", "arms", "differences")


class ExperimentFiles:
    """The files of an experiment's folder.

    experiment.toml data.json run.json    run.json alone holds times, dates, paths, versions
    cells/NAME.json failed/NAME.json      one network each
    results.json table.csv table.tex experiment.html
    maps/NAME.npz                         only while it is at work
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = ExperimentConfigFile(path)
        self.data = MaterialFile(path)
        self.run = RecordFile(path)
        self.results = ResultsFile(path)
        self.page, self.csv, self.tex = path / "experiment.html", path / "table.csv", path / "table.tex"
        self.cells, self.failed, self.maps = path / "cells", path / "failed", path / "maps"

    def cell(self, name: str) -> CellFile:
        """cells/NAME.json"""
        return CellFile(self.cells, name)

    def failure(self, name: str) -> FailedFile:
        """failed/NAME.json"""
        return FailedFile(self.failed, name)

    def left(self, name: str) -> LeftMaps:
        """maps/NAME.npz"""
        return LeftMaps(self.maps, name)

    def finished_cells(self) -> Iterator[Mapping[str, Any]]:
        """Every cell that is there, by name."""
        for path in sorted(self.cells.glob("*.json")):
            if not path.name.startswith(TEMPORARY):
                yield CellFile(self.cells, path.stem).read()

    def failures(self) -> dict[str, str]:
        """The cells that failed, with their errors, by name."""
        return {
            path.stem: str(FailedFile(self.failed, path.stem).read()["error"])
            for path in sorted(self.failed.glob("*.json"))
        }

    def write_text(self, path: Path, text: str) -> None:
        """One of the files for readers, whole or not at all."""
        write_text(path, text)
