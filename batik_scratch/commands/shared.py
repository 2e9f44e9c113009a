"""What several commands share: exit codes, the form of their help, options, and a word before the work begins."""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import InputError
from .colour import YELLOW, paint

DONE, FOUND_WRONG = 0, 1  # exit codes, beside the parser's BAD_INPUT


def add_command(
    commands: Any, name: str, call: Callable[[argparse.Namespace], int], what: str, example: str
) -> argparse.ArgumentParser:
    """A command that does `what`; its options are added to the parser that is returned."""
    parser = commands.add_parser(
        name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=f"example: batik-scratch {example}"
    )
    parser.set_defaults(call=call)
    return parser


def add_study_options(
    parser: argparse.ArgumentParser, quick: str = "small pictures and few epochs: a look at everything in a minute"
) -> None:
    """The settings of a study, of which `study_config` makes its configuration; `quick`: what --quick is."""
    parser.add_argument("--data", help="folder of photos, one subfolder per class; drawn batik where it is not given")
    parser.add_argument(
        "--network", choices=("paper", "cloth"), help="cloth: one for photos of real cloth (default: paper)"
    )
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--preset", choices=("default", "table1"), help="table1: 100 epochs, no early stop")
    parser.add_argument("--config", type=Path, metavar="F.toml", help="settings from a file; flags override them")
    parser.add_argument("--epochs", type=int, help="per stage")
    parser.add_argument("--seed", type=int, help="of everything random (default: 0)")
    parser.add_argument("--image-size", type=int, help="pixels (default: 150); 64 for the cloth network")
    parser.add_argument(
        "--skip-bad", action="store_true", default=None, help="leave unreadable files out instead of stopping"
    )
    add_folder_options(parser)


def study_config(options: argparse.Namespace) -> Any:
    """The study's TwoStageConfig; InputError if a setting breaks a rule."""
    from ..study import make_config

    if options.data is not None and not options.data.strip():
        raise InputError(f"--data: needs the name of a folder, got {options.data!r}; leave it out to draw batik")
    names = ("network", "data", "epochs", "seed", "image_size", "skip_bad", "split_folders", "follow_links")
    flags = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return make_config(flags, options.config, options.preset, options.quick)


def add_folder_options(parser: argparse.ArgumentParser) -> None:
    """How a folder of photos is laid out."""
    parser.add_argument(
        "--split-folders", action="store_true", default=None, help="train on train/CLASS, validate on val/CLASS"
    )
    parser.add_argument(
        "--follow-links", action="store_true", default=None, help="read what symbolic links lead to, as well"
    )


def check_alone(options: argparse.Namespace, settings: Iterable[str]) -> None:
    """InputError if --resume, which has its folder's own settings, comes with others."""
    left = (None, False)  # by identity: 0 is a seed, and was given
    given = [name for name in settings if all(getattr(options, name) is not one for one in left)]
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise InputError(f"--resume goes on with the run's own settings; leave out {names}")


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """The model file that a command needs."""
    parser.add_argument("--model", type=Path, required=True, help="model file, such as RUN/stage1/model.npz")


def photos(text: str) -> Path:
    """The type of an option that takes a folder of photos: an empty name would be the folder where one stands."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"needs the name of a folder; got {text!r}")
    return Path(text)


def counts(text: str) -> tuple[int, ...]:
    """The type of an option that takes whole numbers: "217,200,151"."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"needs whole numbers with commas between; got {text!r}") from None


def tell(text: str) -> None:
    """Say something to whoever waits; it is not part of the result."""
    print(paint(text, YELLOW, sys.stderr) if text.startswith("WARNING") else text, file=sys.stderr)


def tell_if_plain() -> None:
    """Before anything is computed: a line that says so if this is NumPy alone, and why."""
    from ..ops.jit import plain_reason

    if reason := plain_reason():
        tell(f"running plain, on NumPy alone, which is slower: {reason}")


def tell_how_it_starts() -> None:
    """As `tell_if_plain`, for a command that calls most kernels at once; also a line if they are yet to be compiled.

    Commands of the study say that themselves, when the data are read and will do.
    """
    from ..ops.jit import say_if_cold

    tell_if_plain()
    say_if_cold(tell)
