"""`batik-scratch saliency`: maps and overlays of images, or the judgement of the methods."""

import argparse
from pathlib import Path
from typing import Any

from ..errors import InputError
from .shared import DONE, add_command, add_model_option, tell, tell_if_plain


def add(commands: Any) -> None:
    """The command and its options."""
    what = "which pixels mattered"
    p = add_command(commands, "saliency", call, what, "saliency photo.jpg --model model.npz --method all")
    p.add_argument("images", type=Path, nargs="*", metavar="IMAGE", help="a file to explain: PNG, JPEG, ...")
    add_model_option(p)
    p.add_argument(
        "--method",
        help="gradient (default), grad-cam, ..., or all (default of --evaluate); a wrong name lists them",
    )
    p.add_argument("--target", default="predicted", help='class name to explain (default: "predicted")')
    p.add_argument("--out", type=Path, default=Path("saliency"), help="folder for the pictures (default: saliency)")
    p.add_argument("--evaluate", action="store_true", help="judge the methods on drawn cloths, whose motifs are known")
    p.add_argument(
        "--images", type=int, default=150, dest="count", metavar="N", help="drawn cloths to judge on (default: 150)"
    )
    p.add_argument(
        "--control", type=Path, action="append", default=[], metavar="F.npz", help="another model to compare maps with"
    )


def call(options: argparse.Namespace) -> int:
    """Print the paths of the pictures, or the table of the judgement."""
    from ..explain import evaluate_saliency, explain_images

    if options.evaluate == bool(options.images):
        raise InputError("saliency: needs images to explain, or --evaluate (and no images) to judge the methods")
    tell_if_plain()
    method = options.method or ("all" if options.evaluate else "gradient")
    if options.evaluate:
        print(evaluate_saliency(options.model, options.out, method, options.count, options.control, tell))
        return DONE
    for path in explain_images(options.model, options.images, options.target, options.out, method):
        print(path)
    return DONE
