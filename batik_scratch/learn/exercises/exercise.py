"""What an exercise is, and what its examination may find."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answer import Answer


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with an answer, for the person who wrote it.

    part        what it is about: "file", "forward", "backward", "dx", "kernel", "bias", "promises", ...; chooses the hints
    sentence    what is wrong, in plain words
    details     the evidence: places, numbers, shapes
    line        in the student's file, None where no line is at fault
    stopped     True where Python stopped for a reason that has nothing to do with arrays and their shapes
    """

    part: str
    sentence: str
    details: tuple[str, ...] = ()
    line: int | None = None
    stopped: bool = False


Step = tuple[str, Callable[[], Sequence[Finding]]]


@dataclass(frozen=True)
class Exercise:
    """A thing to write, and how to tell whether it is right.

    name         what is typed, and the name of the file: "dense"
    answer       the class or function that the file must define: "Dense"
    task         one line for the list
    after        lessons that come before it
    reference    the package's own: a layer or optimiser class, or a function
    docstring    what the stub explains: the package's own words
    writes       the methods to write; empty for a function
    examine      the steps of the examination, the first that finds something ends it
    hints        by part of a finding, from a nudge to nearly the line itself
    forbidden    names that would do the work in the student's place
    """

    name: str
    answer: str
    task: str
    after: tuple[int, ...]
    reference: Any
    docstring: str
    writes: tuple[str, ...]
    examine: Callable[["Answer"], Iterator[Step]]
    hints: Mapping[str, tuple[str, ...]]
    forbidden: tuple[str, ...] = ()
