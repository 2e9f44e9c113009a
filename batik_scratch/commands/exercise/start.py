"""`batik-scratch exercise start`: the file to begin with."""

import argparse
from pathlib import Path
from typing import Any

from ..shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its options."""
    what = "write the file to begin with"
    p = add_command(commands, "start", call, what, "exercise start relu my_exercises")
    p.add_argument("name", help="one of: batik-scratch exercise list")
    p.add_argument(
        "folder", type=Path, nargs="?", default=Path("."), metavar="DIR", help="where to write it (default: here)"
    )
    p.add_argument("--hard", action="store_true", help="without the formulas: derive them yourself")


def call(options: argparse.Namespace) -> int:
    """Write the file, and say what comes next."""
    from ...learn import exercises

    path = exercises.start(options.name, options.folder, options.hard)
    print(f"{path}\nopen it, write what is missing, then: batik-scratch exercise check {path}")
    return DONE
