"""`batik-scratch predict`: percentages per class."""

import argparse
from pathlib import Path
from typing import Any

from .shared import DONE, add_command, add_model_option, tell_if_plain


def add(commands: Any) -> None:
    """The command and its options."""
    what = "class percentages of images"
    p = add_command(commands, "predict", call, what, "predict photo.jpg --model model.npz")
    p.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="a file: PNG, JPEG, ...")
    add_model_option(p)


def call(options: argparse.Namespace) -> int:
    """Print a line per image."""
    from ..study.single import predict_images

    tell_if_plain()
    print(predict_images(options.model, options.images))
    return DONE
