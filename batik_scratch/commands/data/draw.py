"""`batik-scratch data draw`: a data set of drawn batik."""

import argparse
from pathlib import Path
from typing import Any

from ..shared import DONE, add_command, counts


def add(commands: Any) -> None:
    """The command and its options."""
    what = "draw batik with ground-truth masks"
    p = add_command(commands, "draw", call, what, "data draw --out data/batik --seed 1")
    p.add_argument("--out", type=Path, default=Path("data/batik"), help="folder to make (default: data/batik)")
    p.add_argument("--counts", type=counts, metavar="A,B,C", help="images per class (default: 217,200,151)")
    p.add_argument("--seed", type=int, default=0, help="of everything drawn (default: 0)")
    p.add_argument("--size", type=int, default=150, help="pixels (default: 150)")
    p.add_argument("--difficulty", type=float, help="0 to 1 (default: 0.005)")


def call(options: argparse.Namespace) -> int:
    """Write the data set, and print its folder."""
    from ... import motifs

    per_class = options.counts or tuple(motifs.PAPER_COUNTS.values())
    difficulty = motifs.DEFAULT_DIFFICULTY if options.difficulty is None else options.difficulty
    motifs.write_dataset(options.out, per_class, options.seed, size=options.size, difficulty=difficulty)
    print(options.out)
    return DONE
