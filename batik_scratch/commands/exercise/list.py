"""`batik-scratch exercise list`: what can be written."""

import argparse
from typing import Any

from ..machine import add_json_option, document
from ..shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its option."""
    p = add_command(commands, "list", call, "the exercises, and the lessons before each", "exercise list")
    add_json_option(p)


def call(options: argparse.Namespace) -> int:
    """Print the table of exercises."""
    from ...learn import exercises

    told = [{"name": e.name, "task": e.task, "after_lessons": list(e.after)} for e in exercises.EXERCISES.values()]
    print(document("exercise list", {"exercises": told}) if options.json else exercises.table())
    return DONE
