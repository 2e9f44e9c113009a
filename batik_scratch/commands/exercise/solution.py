"""`batik-scratch exercise solution`: the reference answer."""

import argparse
from typing import Any

from ..shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its options."""
    p = add_command(commands, "solution", call, "print the reference answer", "exercise solution dense")
    p.add_argument("name", help="one of: batik-scratch exercise list")


def call(options: argparse.Namespace) -> int:
    """Print the answer, and nothing after it."""
    from ...learn import exercises

    print(exercises.solution(exercises.find(options.name)), end="")
    return DONE
