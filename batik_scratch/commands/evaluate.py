"""`batik-scratch evaluate`: metrics of a saved model."""

import argparse
from typing import Any

from .machine import add_json_option, document
from .shared import DONE, add_command, add_model_option, photos, tell, tell_if_plain


def add(commands: Any) -> None:
    """The command and its options."""
    what = "metrics of a model on a folder"
    p = add_command(commands, "evaluate", call, what, "evaluate --model model.npz --data photos")
    add_model_option(p)
    p.add_argument("--data", type=photos, required=True, help="folder of photos, one subfolder per class")
    p.add_argument("--skip-bad", action="store_true", help="leave unreadable files out instead of stopping")
    p.add_argument("--follow-links", action="store_true", help="read what symbolic links lead to, as well")
    add_json_option(p)


def call(options: argparse.Namespace) -> int:
    """Print the metrics."""
    from ..study.single import evaluate_model

    tell_if_plain()
    found = evaluate_model(options.model, options.data, options.skip_bad, options.follow_links, tell)
    print(document("evaluate", found.to_json()) if options.json else found)
    return DONE
