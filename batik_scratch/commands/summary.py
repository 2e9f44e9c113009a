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

    shape = (options.image_size, options.image_size, 3)
    if options.model:
        model = nn.Sequential.load(options.model)
    else:
        model = nn.paper_cnn(shape, options.classes, algorithm="auto")  # as `run` and `train` make it
    model.summary()
    return DONE
