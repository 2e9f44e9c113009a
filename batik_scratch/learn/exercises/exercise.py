"""What an exercise is, and what its examination may find."""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with an answer, for the person who wrote it.

    part        what it is about, which chooses the hints: "file", "forward", "dx", "kernel", "promises", ...
    sentence    what is wrong, in plain words
    details     the evidence: places, numbers, shapes
    line        in the student's file, None if no line is at fault
    stopped     True if Python stopped for a reason that has nothing to do with arrays and their shapes
    """

    part: str
    sentence: str
    details: tuple[str, ...] = ()
    line: int | None = None
    stopped: bool = False


Question = tuple[str, Callable[[Any], Sequence[Finding]]]  # a title, and (answer) -> what is wrong with it


@dataclass
class Exercise:
    """A thing to write, and how to tell whether it is right.

    text         the docstring of the module in tasks/: name, task and lessons in its first line, below it the hints
    reference    the package's own: a layer or optimiser class, or a function
    questions    of the examination; the first that finds something ends it
    writes       the methods to write; empty for a function
    answer       the class or function that the file must define; that of the reference if nothing is said
    docstring    what the stub explains; the reference's own words if nothing is said
    forbidden    names that would do the work in the student's place

    The text tells
    name         what is typed, and the name of the file: "dense"
    task         one line for the list
    after        lessons that come before it
    hints        by part of a finding, from a nudge to nearly the line itself: a line each, the first behind its part,
                 which has ten columns; a line that is set in deeper goes on with the hint above it
    """

    text: str | None
    reference: Any
    questions: Iterable[Question]
    writes: tuple[str, ...] = ("forward", "backward")
    answer: str = ""
    docstring: str = ""
    forbidden: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.answer = self.answer or self.reference.__name__
        self.docstring = self.docstring or self.reference.__doc__ or ""
        first, _, *lines = inspect.cleandoc(self.text or "").splitlines()
        told = re.fullmatch(r"(\w+): (.+); after lessons? ([\d, ]+)\.", first)
        assert told is not None, first
        self.name, self.task, self.lessons = told.groups()
        self.after = tuple(int(number) for number in self.lessons.split(", "))
        self.hints: dict[str, list[str]] = {}
        own: list[str] = []
        for line in lines:
            if part := line[:10].rstrip():
                self.hints[part] = own = []
            if line[10] == " ":
                own[-1] += f" {line[10:].strip()}"
            else:
                own.append(line[10:])
