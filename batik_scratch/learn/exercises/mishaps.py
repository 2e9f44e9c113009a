"""An exception out of student code, in words: what it means here, the line, what stands there and which shapes met."""

import ast
import linecache
import re
import traceback
from types import FrameType
from typing import Any

import numpy as np

from ...errors import InputError
from .answer import Answer
from .exercise import Finding
from .plain import plain

WORDS = 1000  # characters of what an error says
MEANINGS: dict[type[BaseException], str] = {
    SystemExit: "{who} ends the program (sys.exit or exit); an answer returns instead.",
    MemoryError: "{who} asks for too much memory; the inputs are small here. {words}",
    RecursionError: "{who} calls itself without end.",
    ModuleNotFoundError: "{words}: it is not installed here; the exercise needs only numpy and batik_scratch.",
    EOFError: "{who} waits for somebody to type (input()); an answer works alone.",
    InputError: "{who} stops: {error}",
}


def explain(answer: Answer, error: BaseException, part: str) -> Finding:
    """The error as a finding with the line of the student's file; `part` is what was being tried."""
    inside = [(f, n) for f, n in traceback.walk_tb(error.__traceback__) if f.f_code.co_filename == str(answer.path)]
    if isinstance(error, SyntaxError) and not inside:
        text = plain((error.text or "").strip())
        return Finding("file", f"Python cannot read the file: {error.msg}.", (text,) if text else (), error.lineno)
    if not inside:
        words = f"The check stumbled over this answer: {in_one_line(error)}"
        return Finding(part, words, stopped=not _about_arrays(error))
    frame, line = inside[-1]
    names = [f.f_code.co_name for f, _ in inside]
    name = next((n for n in reversed(names) if not n.startswith("<")), "<module>")  # not "<listcomp>"
    if name == "<module>":
        part = "file"
    elif name in ("forward", "backward"):
        part = name
    if isinstance(error, NotImplementedError):
        return Finding(part, f"{name} is still to be written{_task(answer, name)}", (), line)
    return Finding(part, _sentence(error, name), _evidence(answer, frame, line), line, not _about_arrays(error))


def in_one_line(error: BaseException) -> str:
    """The error as Python would name it, with Python's own suggestion."""
    try:
        text = "".join(traceback.TracebackException.from_exception(error).format_exception_only())
    except Exception:  # an exception whose own words fail
        text = type(error).__name__
    text = plain(re.sub(r"\s+", " ", text).strip(), WORDS)
    return re.sub(r"^[\w.<>]+\.(?=\w+(:|$))", "", text)  # the name alone: no reader needs numpy._core._exceptions


def _about_arrays(error: BaseException) -> bool:
    """Whether arrays met that do not fit, so that the formula and its shapes are the help that is needed."""
    if isinstance(error, IndexError | InputError):
        return True
    about = r"shape|broadcast|dimension|\bsizes?\b|\bax[ie]s\b|\baxes\b|\barrays?\b|\bind(ex|ices)\b"
    return isinstance(error, ValueError | TypeError) and re.search(about, in_one_line(error)) is not None


def _sentence(error: BaseException, name: str) -> str:
    """What it means that it happened in the function `name`."""
    words = in_one_line(error)
    who = "the file" if name == "<module>" else name
    if meaning := next((meaning for kind, meaning in MEANINGS.items() if isinstance(error, kind)), None):
        return meaning.format(who=who, words=words, error=error)
    if sizes := re.search(r"matmul.*\((size \d+ is different from \d+)\)", words):
        return f"{who} multiplies matrices whose inner sizes differ ({sizes[1]})."
    if name == "<module>":
        return f"The file stops while it is being read: {words}"
    return f"{who} stops with {words}"


def _task(answer: Answer, name: str) -> str:
    """What a function's own docstring asks for, if it is a single line."""
    node = answer.node(name)
    words = (node and ast.get_docstring(node)) or ""
    return f": {words}" if words and "\n" not in words else "."


def _evidence(answer: Answer, frame: FrameType, line: int) -> tuple[str, ...]:
    linecache.checkcache(str(answer.path))
    there = f"there: {plain(linecache.getline(str(answer.path), line).strip())}"
    names: dict[str, Any] = frame.f_locals
    # issubclass, because isinstance asks the value for its class, and a value can raise there
    arrays = [f"{name} {value.shape}" for name, value in names.items() if issubclass(type(value), np.ndarray)]
    shapes = f"shapes: {', '.join(arrays[:8])}" if arrays else ""
    return tuple(words for words in (there, shapes, answer.trying) if words)
