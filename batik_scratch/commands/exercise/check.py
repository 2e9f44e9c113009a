"""`batik-scratch exercise check`: is an answer right?"""

import argparse
from typing import Any

from ..shared import DONE, FOUND_WRONG, add_command, tell_if_plain
from .answer import add_answer_options


def add(commands: Any) -> None:
    """The command and its options."""
    what = "say whether an answer is right, and if not, what is wrong"
    add_answer_options(add_command(commands, "check", call, what, "exercise check my_exercises/dense.py"))


def call(options: argparse.Namespace) -> int:
    """Print the verdict; the exit code is 1 if the answer is wrong."""
    from ...learn import exercises

    tell_if_plain()
    result = exercises.check(options.file, options.time_limit)
    print(result)
    return DONE if result.ok else FOUND_WRONG
