"""`batik-scratch data sheet`: a contact sheet."""

import argparse
from pathlib import Path
from typing import Any

from ..shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its options."""
    what = "a contact sheet, classes in rows"
    p = add_command(commands, "sheet", call, what, "data sheet data/batik --out sheet.png")
    p.add_argument("folder", type=Path, help="a drawn data set, or one subfolder of photos per class")
    p.add_argument("--out", type=Path, default=Path("sheet.png"), help="PNG to write (default: sheet.png)")
    p.add_argument("--per-class", type=int, default=8, help="images per class (default: 8)")


def call(options: argparse.Namespace) -> int:
    """Draw the sheet, and print its path."""
    from ... import motifs

    motifs.contact_sheet(options.folder, options.out, per_class=options.per_class)
    print(options.out)
    return DONE
