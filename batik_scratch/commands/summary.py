"""`batik-scratch summary`: the table of layers."""

import argparse
from pathlib import Path
from typing import Any

from .machine import add_json_option, document
from .shared import DONE, add_command


def add(commands: Any) -> None:
    """The command and its options."""
    what = "the network's layers, shapes and costs"
    p = add_command(commands, "summary", call, what, "summary --image-size 150")
    p.add_argument("--network", choices=("paper", "cloth"), default="paper", help="which network (default: paper)")
    p.add_argument("--image-size", type=int, help="pixels (default: 150); 64 for the cloth network")
    p.add_argument("--classes", type=int, default=3, help="number of classes (default: 3)")
    p.add_argument("--model", type=Path, help="a model file instead of a fresh network")
    add_json_option(p)


def call(options: argparse.Namespace) -> int:
    """Print the table."""
    from .. import nn
    from ..study.config import make_config
    from ..study.training import build_model

    if options.model:
        model = nn.Sequential.load(options.model)
    else:
        flags = {name: value for name in ("network", "image_size") if (value := getattr(options, name)) is not None}
        model = build_model(make_config(flags), [str(number) for number in range(options.classes)])
    if options.json:
        print(document("summary", figures(model)))
    else:
        model.summary()
    return DONE


def figures(model: Any) -> dict[str, Any]:
    """input_shape, dtype, the sums of all layers, and the layers; numbers of one image."""
    from ..nn.summary import summary_rows

    rows = summary_rows(model)
    summed = ("parameters", "trained_parameters", "multiply_adds", "backward_multiply_adds", "cached_bytes")
    sums = {key: sum(row[key] for row in rows) for key in summed}
    return {"input_shape": list(model.input_shape or ()), "dtype": model.dtype.name, **sums, "layers": rows}
