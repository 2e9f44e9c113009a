"""`batik-scratch summary`: the table of layers."""

import argparse
from pathlib import Path
from typing import Any

from .shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its options."""
    what = "the network's layers, shapes and costs"
    p = add_command(commands, "summary", call, what, "summary --image-size 150")
    p.add_argument("--image-size", type=int, default=150, help="pixels (default: 150)")
    p.add_argument("--classes", type=int, default=3, help="number of classes (default: 3)")
    p.add_argument("--model", type=Path, help="a model file instead of the paper's network")


def call(options: argparse.Namespace) -> int:
    """Print the table."""
    from .. import nn

    size = options.image_size
    model = nn.Sequential.load(options.model) if options.model else nn.paper_cnn((size, size, 3), options.classes)
    model.summary()
    return DONE
