"""`batik-scratch gradcheck`: the gradient report, or a walk through the museum of bugs."""

import argparse
import os
from pathlib import Path
from typing import Any

from ..errors import InputError
from .machine import add_json_option, document
from .shared import DONE, FOUND_WRONG, add_command, tell_how_it_starts


def add(commands: Any) -> None:
    """The command and its options."""
    what = "is every gradient right? layer by layer"
    p = add_command(commands, "gradcheck", call, what, "gradcheck --layer Conv2D")
    one_of = p.add_mutually_exclusive_group()
    one_of.add_argument("--layer", metavar="NAME", help="one kind of layer alone; a wrong name lists them")
    one_of.add_argument("--model", type=Path, metavar="F.npz", help="a saved network, with its own weights")
    one_of.add_argument("--museum", action="store_true", help="the museum of bugs: each one caught and explained")
    more = "every layer in other circumstances too: batches of 1 to 9, other sizes, x to 10 and 1e-9, float32, ..."
    p.add_argument("--thorough", action="store_true", help=more)
    add_json_option(p)


def call(options: argparse.Namespace) -> int:
    """Print the table; the exit code is 1 if a gradient is wrong, or if a bug of the museum gets through."""
    # the passes are tiny: threads that spin while they wait would take the processor from those that work
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from .gradient_report import figures, museum_figures, museum_report, report

    if options.thorough and (options.museum or options.model is not None):
        raise InputError("--thorough: is for layers, and goes with --layer or alone; leave out --model and --museum")
    tell_how_it_starts()
    if options.json:
        told, ok = museum_figures() if options.museum else figures(options.layer, options.model, options.thorough)
        print(document("gradcheck", told))
        return DONE if ok else FOUND_WRONG
    text, ok = museum_report() if options.museum else report(options.layer, options.model, options.thorough)
    print(text)
    return DONE if ok else FOUND_WRONG
