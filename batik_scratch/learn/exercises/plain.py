"""Words that somebody else wrote, made fit for a terminal: no colours, no moved cursor, no line without end."""

import re
import unicodedata

LONGEST = 200  # characters of a line
# escape sequences of a terminal: CSI (colours, cursor), OSC (titles, links), and those of two characters
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?")


def plain(line: str, longest: int = LONGEST) -> str:
    """The line without escape sequences and control characters, cut if it is long; a tab becomes a blank."""
    text = ESCAPES.sub("", line).replace("\t", " ")
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return text if len(text) <= longest else f"{text[:longest]} ... ({len(text) - longest:,} more)"


def plain_lines(text: str, most: int) -> list[str]:
    """The first `most` lines of the text, made plain, without empty ones at either end; "..." if there are more."""
    lines = [plain(line) for line in text.splitlines()]
    shown = [number for number, line in enumerate(lines) if line.strip()]
    lines = lines[shown[0] : shown[-1] + 1] if shown else []
    return [*lines[:most], *["..."][: len(lines) > most]]
