"""`batik-scratch lab`: the page on which a network can be looked into."""

import argparse
from pathlib import Path
from typing import Any

from .shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its options."""
    what = "write a page that shows every number of a network, forwards and backwards"
    p = add_command(commands, "lab", call, what, "lab --model runs/mine/stage1/model.npz --images photo.jpg")
    p.add_argument(
        "--model", type=Path, metavar="F.npz", help="model file (default: a small network that comes with the package)"
    )
    p.add_argument(
        "--images", type=Path, nargs="+", default=[], metavar="PHOTO", help="pictures to begin with: PNG, JPEG, ..."
    )
    p.add_argument("--out", type=Path, default=Path("lab.html"), help="the page (default: lab.html)")


def call(options: argparse.Namespace) -> int:
    """Print where the page is."""
    from ..lab import write_lab

    print(f"lab: {write_lab(options.out, options.model, options.images)}")
    return DONE
