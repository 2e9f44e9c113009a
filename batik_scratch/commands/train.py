"""`batik-scratch train`: stage one alone."""

import argparse
from pathlib import Path
from typing import Any

from .machine import add_json_option, document
from .shared import DONE, add_command, add_study_options, study_config, tell, tell_if_plain


def add(commands: Any) -> None:
    """The command and its options."""
    what = "train a network once"
    p = add_command(commands, "train", call, what, "train --data my_photos --out model.npz")
    add_study_options(p)
    p.add_argument("--out", type=Path, default=Path("model.npz"), help="model file to write (default: model.npz)")
    add_json_option(p)


def call(options: argparse.Namespace) -> int:
    """Write the model file, and print how good it is."""
    from ..study.single import train_model

    tell_if_plain()
    found = train_model(study_config(options), options.out, tell, verbose=int(not options.json))
    print(document("train", found.to_json()) if options.json else found)
    return DONE
