"""What backward claims to be a tensor's gradient, what an explanation asks of it, and what comes of that."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from .checkup import Checkup, close

Words = str  # "name of the diagnosis: its sentence", with line breaks wherever they fall in the source


@dataclass(frozen=True)
class Claim:
    """`given` is what backward gave for the tensor `name` ("dx", "kernel") in this checkup."""

    checkup: Checkup
    name: str
    given: np.ndarray

    @cached_property
    def true(self) -> np.ndarray:
        """The gradient as the numbers have it; NaN at a kink."""
        return self.checkup.numeric(self.name)

    x = property(lambda self: self.checkup.x)
    y = property(lambda self: self.checkup.y)
    dy = property(lambda self: self.checkup.dy)

    @property
    def elementwise(self) -> bool:
        """True for a dx of the shape that y has too."""
        return self.name == "dx" and self.given.shape == self.x.shape == self.y.shape

    def is_(self, gradient: np.ndarray) -> bool:
        """True if `gradient` is what was given."""
        return close(self.given, gradient)

    def is_of(self, dy: np.ndarray) -> bool:
        """True if what was given is the true gradient for another upstream gradient."""
        return close(self.given, self.checkup.numeric(self.name, dy))


@dataclass(frozen=True)
class Diagnosis:
    """One finding about one tensor.

    name        a short slug, the same for every case of the same mistake: "constant factor", "kernel not flipped"
    tensor      "dx", a parameter's name ("kernel", "bias"), or what was touched ("dy", "x") or called ("backward")
    sentence    plain words: what it is, the evidence in numbers, where to look
    figure      the claimed and the true derivative, a matplotlib Figure, if it was asked for and there is one
    mistake     False for a remark: what was recognised, or could not be examined, with nothing found wrong
    """

    name: str
    tensor: str
    sentence: str
    figure: Any = field(default=None, compare=False, repr=False)
    mistake: bool = True

    @classmethod
    def told(cls, tensor: str, words: str, mistake: bool = True) -> "Diagnosis":
        """From "name: sentence", line breaks and indents being those of the source."""
        name, sentence = " ".join(words.split()).split(": ", 1)
        return cls(name, tensor, sentence, mistake=mistake)

    def __str__(self) -> str:
        return f"{self.tensor}: {self.name}. {self.sentence}"

    __repr__ = __str__  # a list of them can be read

    def _repr_html_(self) -> str:
        return f"<p><b>{escape(f'{self.tensor}: {self.name}.')}</b> {escape(self.sentence)}</p>"


Explanation = Callable[[Claim], Iterator[Words]]  # yields its words if it fits: the first ones count


def place_of_largest(array: np.ndarray) -> tuple[Any, ...]:
    """Index of the largest value."""
    return tuple(int(i) for i in np.unravel_index(int(array.argmax()), array.shape))


def place_of(flat: int, shape: tuple[int, ...]) -> list[int]:
    """Index in an array of `shape` of its value number `flat`."""
    return [int(i) for i in np.unravel_index(flat, shape)]
