"""`batik-scratch examples`: the lessons and exercises of the installed version, in a folder."""

import argparse
from pathlib import Path
from typing import Any

from .shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its options."""
    what = "put the lessons, exercises and examples into a folder"
    p = add_command(commands, "examples", call, what, "examples batik_lessons")
    p.add_argument("out", type=Path, metavar="OUT", help="folder to make")


def call(options: argparse.Namespace) -> int:
    """Copy the examples, and print where they are."""
    from ..learn.examples import copy_examples

    for line in copy_examples(options.out):
        print(line)
    return DONE
