"""An examination in this very interpreter, for a browser, which has no other: no limit on time, memory or files.

Nor is an answer asked again in a second process, where the package's own layers are taken away. That is for marks, and
nobody marks in a browser: who types the package's own layer there fools nobody else.
"""

import contextlib
import io
from pathlib import Path

from .examination import Verdict, examine
from .exercise import Exercise

PRINTED = 4000  # letters kept of what the file prints


def examine_here(path: Path, exercise: Exercise) -> tuple[Verdict, str]:
    """The verdict on the file at `path`, and the beginning of what it printed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        verdict = examine(path, exercise)
    return verdict, said.getvalue()[:PRINTED]
