"""`batik-scratch import`: a model file out of another program's."""

import argparse
from pathlib import Path
from typing import Any

from .shared import DONE, add_command, tell


def add(commands: Any) -> None:
    """The command and its options."""
    what = "read a model of Keras or ONNX"
    p = add_command(commands, "import", call, what, "import model.keras model.npz --classes kawung parang")
    p.add_argument("file", type=Path, metavar="FILE", help="file to read: .keras or .onnx")
    p.add_argument("out", type=Path, metavar="OUT", help="model file to write, such as model.npz")
    p.add_argument(
        "--classes",
        nargs="+",
        metavar="NAME",
        help="the classes, in the model's order: predict, evaluate and saliency need them (the model must take square "
        "RGB images with values from 0 to 1)",
    )


def call(options: argparse.Namespace) -> int:
    """Write the model file."""
    from ..exchange import import_model

    import_model(options.file, options.out, options.classes)
    print(f"written: {options.out}")
    if options.classes is None:
        tell("predict and evaluate must know what the classes are called: --classes NAME ... stores that")
    return DONE
