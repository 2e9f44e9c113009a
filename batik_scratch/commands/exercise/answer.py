"""The options of `exercise check` and `exercise hint`, which both read an answer."""

import argparse
from pathlib import Path


def add_answer_options(parser: argparse.ArgumentParser) -> None:
    """The answer's file, and how long it may take."""
    parser.add_argument("file", type=Path, metavar="FILE", help="what `exercise start` wrote, with your answer in it")
    parser.add_argument(
        "--time-limit", type=float, default=20.0, metavar="SECONDS", help="stop an answer after this (default: 20)"
    )
