"""What a run folder says about its run: config.toml, split.csv, data.json, network.txt, run.json."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, NotRequired, TypedDict

from .formats import CsvFile, JsonFile, TextFile


class ConfigFile(TextFile):
    """Every choice of the run as TOML: `study.config` makes it, and reads it to run by."""

    name = "config.toml"

    def settings(self) -> dict[str, Any]:
        """The keys and values as they stand there, to be shown; those of other versions too."""
        try:
            return tomllib.loads(self.read())
        except tomllib.TOMLDecodeError as error:
            raise self.wrong(f"is not TOML: {error}") from None


class Begun(TypedDict):
    """The configuration that a run began with, and what was changed since, each as {key: [before, after]}."""

    settings: dict[str, Any]
    changes: list[dict[str, list[Any]]]


class BegunFile(JsonFile[Begun]):
    """What config.toml held when it was last run by: an edited one is noticed."""

    name = "begun.json"
    required = ("settings", "changes")
    kind = Begun


class SplitRow(NamedTuple):
    """One image: its path below the data folder, its class by name and by number, and "train" or "validation"."""

    path: str
    class_name: str
    label: int
    part: str


class SplitFile(CsvFile):
    """Every image with its class and its side of the split; both stages use the same split."""

    name = "split.csv"
    header = ("path", "class", "label", "split")

    def write(self, rows: Iterable[SplitRow]) -> None:
        """Write the rows, in the order of the images."""
        self.write_rows(self.header, rows)

    def read(self) -> list[SplitRow]:
        """The rows, in the order of the images."""
        rows = self.columns(self.header)
        try:
            return [SplitRow(path, class_name, int(label), part) for path, class_name, label, part in rows]
        except ValueError as error:
            raise self.wrong(f"has a label that is not a whole number: {error}") from None


class Description(TypedDict):
    """The data set: where from, which classes, how many images of each, what was left out and why.

    counts    {"train" or "validation": {class name: images}}
    skipped   [path, reason] of each file that could not be read
    key       changes with any pixel, name or class of the images: a run is resumed only with its own

    passed_over   [{kind, class_name, extension, count}] of what else the folder holds
    warnings      sentences: what one must know before believing that this is the data
    """

    source: str
    class_names: list[str]
    counts: Mapping[str, Mapping[str, int]]
    skipped: NotRequired[list[list[str]]]
    near_duplicate_groups: NotRequired[int]
    key: NotRequired[str]
    passed_over: NotRequired[list[dict[str, Any]]]
    warnings: NotRequired[list[str]]


class DataFile(JsonFile[Description]):
    """What the images are."""

    name = "data.json"
    required = ("class_names", "counts", "source")
    kind = Description


class NetworkFile(TextFile):
    """The network's table of layers."""

    name = "network.txt"


class Environment(TypedDict):
    """A machine and its software, as JSON takes them; `cores` are those that this process may use."""

    versions: dict[str, str]
    python: str
    platform: str
    cpu: str
    cores: int | None
    threads: int


class RunRecord(Environment):
    """When, how long, from what, by which command, on which machine; `seconds` are those of each task."""

    started: str
    finished: str
    seconds: Mapping[str, float]
    data: str
    command: str


class RecordFile(JsonFile[RunRecord]):
    """Written last: a folder that has it is a finished run. It alone holds times, dates, paths and versions.

    A reader gets whatever keys are there: nothing but the report shows them.
    """

    name = "run.json"
