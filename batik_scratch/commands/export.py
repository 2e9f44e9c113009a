"""`batik-scratch export`: a model as a file of another program."""

import argparse
from pathlib import Path
from typing import Any

from .shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its options."""
    what = "write a model for Keras or ONNX"
    p = add_command(commands, "export", call, what, "export model.npz model.onnx")
    p.add_argument("model", type=Path, metavar="MODEL", help="model file, such as RUN/stage1/model.npz")
    p.add_argument("out", type=Path, metavar="OUT", help="file to write: .keras, .weights.h5 or .onnx")
    p.add_argument("--logits", action="store_true", help="of .onnx: stop before the softmax")


def call(options: argparse.Namespace) -> int:
    """Write the file."""
    from ..exchange import export_model

    export_model(options.model, options.out, options.logits)
    print(f"written: {options.out}")
    return DONE
