"""`batik-scratch exercise hint`: the next hint."""

import argparse
from typing import Any

from ..shared import DONE, add_command, tell_if_plain
from .answer import add_answer_options


def add(commands: Any) -> None:
    """The command and its options."""
    what = "the next hint for what is wrong first"
    add_answer_options(add_command(commands, "hint", call, what, "exercise hint my_exercises/dense.py"))


def call(options: argparse.Namespace) -> int:
    """Print the hint."""
    from ...learn import exercises

    tell_if_plain()
    print(exercises.hint(options.file, options.time_limit))
    return DONE
