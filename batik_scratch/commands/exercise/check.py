"""`batik-scratch exercise check`: is an answer right?"""

import argparse
from dataclasses import asdict
from typing import Any

from ..machine import document
from ..shared import DONE, FOUND_WRONG, add_command, tell_if_plain
from .answer import add_answer_options


def add(commands: Any) -> None:
    """The command and its options."""
    what = "say whether an answer is right, and if not, what is wrong"
    p = add_command(commands, "check", call, what, "exercise check my_exercises/dense.py")
    add_answer_options(p)
    p.add_argument("--json", action="store_true", help="a row for each hand-in, as JSON; FILE may be a folder of them")
    p.add_argument("--csv", action="store_true", help="the same for a spreadsheet")


def call(options: argparse.Namespace) -> int:
    """Print the verdict, or a row for each file of a folder; the exit code is 1 if an answer is wrong."""
    from ...learn import exercises

    tell_if_plain()
    if options.file.is_dir():
        return _folder(options)
    result = exercises.check(options.file, options.time_limit)
    if options.json or options.csv:
        _print([exercises.hand_ins.of_result(options.file.name, result)], options)
    else:
        print(result)
    return DONE if result.ok else FOUND_WRONG


def _folder(options: argparse.Namespace) -> int:
    from ...bars import tqdm
    from ...learn import exercises

    checked = exercises.hand_ins.check_folder(options.file, options.time_limit)
    rows = list(tqdm(checked, desc="checking", unit="file", leave=False, disable=None))
    _print(rows, options)
    return DONE if all(row.ok for row in rows) else FOUND_WRONG


def _print(rows: list, options: argparse.Namespace) -> None:
    from ...learn.exercises import hand_ins

    if options.json:
        print(document("exercise check", {"hand_ins": [asdict(row) for row in rows]}))
    if options.csv:
        print(hand_ins.as_csv(rows), end="")
    if not (options.json or options.csv):
        print(hand_ins.table(rows))
