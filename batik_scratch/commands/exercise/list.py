"""`batik-scratch exercise list`: what can be written."""

import argparse
from typing import Any

from ..shared import DONE, add_command


def add(commands: Any) -> None:
    """The command."""
    add_command(commands, "list", call, "the exercises, and the lessons before each", "exercise list")


def call(options: argparse.Namespace) -> int:
    """Print the table of exercises."""
    from ...learn import exercises

    print(exercises.table())
    return DONE
