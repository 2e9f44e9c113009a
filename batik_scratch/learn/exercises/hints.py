"""Graded hints: for what is wrong now, from a nudge to nearly the line itself, one more each time one asks."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

from ...files import write_text
from .check import TIME_LIMIT, Result, check, wrapped

# if Python stopped for another reason than arrays that do not fit, a formula is no help
STOPPED = {
    "backward stops with NameError": (
        "backward does not know the names of forward: what it needs, forward puts away by "
        "self._keep(value, training, keep), and backward takes out by value = self._recall(). Else: is the name spelt "
        "as where it was set?"
    ),
    "_keep() missing": (
        "self._keep(value, training, keep) takes three things: what is to be kept, and forward's own training and "
        "keep, handed on as they came."
    ),
    "NameError:": (
        "No such name is known there: is it spelt as where it was set, and is its import at the top of the file?"
    ),
    "AttributeError:": (
        "What stands before the dot has nothing of that name: is it spelt as in the lines that begin with Given?"
    ),
    "KeyError:": "There is nothing under that key: is it spelt as in the lines that begin with Given?",
    "ZeroDivisionError:": "What stands below the line of that fraction, and does the formula divide by it at all?",
}
READ_IT = "Python stopped in that line, before any number was compared: its own words say what it could not do."
PRINT_IT = (
    "Print what goes into that line, just above it, and check again: what the file prints is shown below the verdict."
)


def hint(path: Path, time_limit: float = TIME_LIMIT) -> str:
    """Check the file and give the next hint for the first thing that is wrong; a new trouble has its first hint.

    Which hints were given is remembered per file in the user's cache folder.
    """
    result = check(path, time_limit)
    if result.ok:
        return f"{path.name} is right; there is nothing to hint."
    finding = result.verdict.findings[0]
    where = f", line {finding.line}" if finding.line else ""
    lines = wrapped(f"{path.name}{where}: {finding.sentence}")
    hints = hints_for(result)
    if not hints:
        return "\n".join([*lines, *(line for detail in finding.details for line in wrapped(detail, "  "))])
    number = min(_count(path, f"{finding.part} stopped" if finding.stopped else finding.part), len(hints))
    lines += ["", *wrapped(f"hint {number} of {len(hints)}: {hints[number - 1]}")]
    if number == len(hints):
        lines.append(
            f"That was the last hint. The whole answer: batik-scratch exercise solution {result.exercise.name}"
        )
    else:
        lines.append("Ask again for the next hint.")
    return "\n".join(lines)


def hints_for(result: Result) -> Sequence[str]:
    """The hints for the first finding of a wrong answer, from a nudge to nearly the line; none for a part without."""
    finding, hints = result.verdict.findings[0], result.exercise.hints
    part = finding.part
    if finding.stopped:
        known = (sentence for error, sentence in STOPPED.items() if error in finding.sentence)
        return next(known, READ_IT), PRINT_IT
    if part not in hints and part in ("dx", "kernel", "bias"):
        part = "backward"
    return hints.get(part, ())


def _count(path: Path, part: str) -> int:
    """How often somebody has now asked about this part of this file; 1 if nothing can be remembered."""
    from ...images.places import user_cache  # here, because its package loads scikit-learn, which no check needs

    store, key = user_cache() / "hints.json", str(path.resolve())
    asked: dict = {}
    with contextlib.suppress(OSError, ValueError, TypeError):  # a TypeError if the file holds a number
        asked = dict(json.loads(store.read_text()))
    last = asked.get(key)
    count = last[1] + 1 if isinstance(last, list) and len(last) == 2 and last[0] == part else 1
    asked[key] = [part, count]
    with contextlib.suppress(OSError):
        store.parent.mkdir(parents=True, exist_ok=True)
        write_text(store, json.dumps(asked))
    return count
