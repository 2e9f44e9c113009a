"""The formats of a run folder's files: JSON, CSV, arrays and plain text, each written whole and read with care.

A subclass of one of these is one file of the folder: it has the file's name and says what is in it.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

import numpy as np

from ..errors import InputError
from ..files import DAMAGE, UnmappedArray, mapped, named, new_array, write_npz, write_text
from .shapes import misfit

Content = TypeVar("Content", bound=Mapping[str, Any])


class BadRunFile(InputError):
    """A file of a run folder is missing, or is not as `run` writes it; the message names the file and what is wrong."""


class RunFile:
    """One file: where it is, and whether it is there.

    undecodable   what reading makes of bytes that are not UTF-8 (a photo's name may have some): "surrogateescape" keeps
                  them, so that writing gives them back; "replace" puts a sign there that any page can show
    """

    name: ClassVar[str]

    def __init__(self, folder: Path, undecodable: str = "surrogateescape") -> None:
        self.path, self.undecodable = folder / self.name, undecodable

    def exists(self) -> bool:
        """Whether it was written; it is then whole, as every file appears by a rename."""
        return self.path.is_file()

    def remove(self) -> None:
        """Take it away, if it is there."""
        self.path.unlink(missing_ok=True)

    def need(self) -> None:
        """BadRunFile unless the file is there."""
        if not self.exists():
            raise BadRunFile(f"a run folder holds {self.path.name}, but {self.path} is missing; give a finished run")

    def wrong(self, what: str) -> BadRunFile:
        """The error to raise where the content is not as `run` writes it."""
        return BadRunFile(f"{self.path} {what}; give a folder as `run` wrote it, or run again")

    def _text(self) -> str:
        """What the file holds, as UTF-8, line ends as they are."""
        with named(self.path):
            return self.path.read_bytes().decode("utf-8", self.undecodable)


class TextFile(RunFile):
    """UTF-8 text."""

    def write(self, text: str) -> None:
        """Replace the text."""
        write_text(self.path, text)

    def read(self) -> str:
        """The text."""
        self.need()
        return self._text()


class JsonFile(RunFile, Generic[Content]):
    """A JSON object, laid out for readers.

    required   the keys without which it is refused
    kind       the TypedDict that it must be, where there is one
    """

    required: ClassVar[Sequence[str]] = ()
    kind: ClassVar[Any] = None

    def write(self, content: Content) -> None:
        """Replace the object."""
        write_text(self.path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def read(self) -> Content:
        """The object, keys unknown here included."""
        value = self.value()
        missing = [key for key in self.required if not isinstance(value, dict) or key not in value]
        if missing or not isinstance(value, dict):
            raise self.wrong(f"lacks {', '.join(missing) or 'an object'}")
        if self.kind is not None and (wrong := misfit(value, self.kind)):
            raise self.wrong(f"is not as it should be: {wrong}")
        return cast(Content, value)

    def value(self) -> Any:
        """Whatever the JSON says, required or not."""
        self.need()
        try:
            return json.loads(self._text())
        except (ValueError, RecursionError) as error:
            raise self.wrong(f"is not JSON: {error}") from None


class CsvFile(RunFile):
    """A table under one line of column names; floats in full, so that they read back to the same bits."""

    def write_rows(self, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Replace the table."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        write_text(self.path, text.getvalue())

    def rows(self) -> list[list[str]]:
        """The header and the rows, as text; empty lines are passed over."""
        self.need()
        try:
            rows = [row for row in csv.reader(io.StringIO(self._text(), newline="")) if row]
        except csv.Error as error:
            raise self.wrong(f"cannot be read as CSV: {error}") from None
        if not rows:
            raise self.wrong("is empty")
        return rows

    def columns(self, names: Sequence[str]) -> list[list[str]]:
        """The rows, reduced to these columns, which are found by name."""
        header, *rows = self.rows()
        missing = [name for name in names if name not in header]
        if missing:
            raise self.wrong(f"lacks the column {', '.join(missing)}")
        if any(len(row) != len(header) for row in rows):
            raise self.wrong("has a row of another length than its header")
        places = [header.index(name) for name in names]
        return [[row[place] for place in places] for row in rows]


class ArraysFile(RunFile):
    """Named arrays, uncompressed and without pickle; equal arrays make equal files."""

    def write_arrays(self, arrays: Mapping[str, Any]) -> None:
        """Replace the arrays."""
        write_npz(self.path, arrays)

    def arrays(self, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """The arrays of these names, or all."""
        self.need()
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in (archive.files if names is None else names)}
        except (*DAMAGE, KeyError, OSError) as error:
            raise self.wrong(f"cannot be read: {error!s:.200}") from None


class ScratchArray(RunFile):
    """An array on the disk while a run is at work, so that memory stays flat; none is left at the end."""

    def new(self, dtype: type, shape: tuple[int, ...]) -> np.memmap | UnmappedArray:
        """A new array of zeros, mapped into memory."""
        return new_array(self.path, dtype, shape)

    def open(self) -> np.ndarray:
        """The array, mapped into memory, to be read."""
        try:
            return mapped(self.path)
        except DAMAGE as error:
            raise self.wrong(f"cannot be read: {error!s:.200}") from None
