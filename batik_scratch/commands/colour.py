"""Colours, where a terminal wants them: never in a file or a pipe, and not where NO_COLOR is set (no-color.org)."""

import os
from typing import IO

RED, GREEN, YELLOW = 31, 32, 33  # ECMA-48's numbers


def wanted(stream: IO[str]) -> bool:
    """Whether `stream` is a terminal that shows colours, and nobody said that they are not wanted."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "" if os.name == "nt" else "dumb") == "dumb":
        return False
    return stream.isatty()


def paint(text: str, colour: int, stream: IO[str]) -> str:
    """`text` in a colour, as `stream` is to show it; `text` itself where colours are not wanted."""
    return f"\033[{colour}m{text}\033[0m" if wanted(stream) else text
