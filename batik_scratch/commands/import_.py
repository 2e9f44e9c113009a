"""`batik-scratch import`: a model file out of another program's."""

import argparse
from pathlib import Path
from typing import Any

from .shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its options."""
    what = "read a model of Keras or ONNX"
    p = add_command(commands, "import", call, what, "import model.keras model.npz")
    p.add_argument("file", type=Path, metavar="FILE", help="file to read: .keras or .onnx")
    p.add_argument("out", type=Path, metavar="OUT", help="model file to write, such as model.npz")


def call(options: argparse.Namespace) -> int:
    """Write the model file."""
    from ..exchange import import_model

    import_model(options.file, options.out)
    print(f"written: {options.out}")
    return DONE
