"""What can be typed: every command with its options, and nothing of what they do."""

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from . import __version__

BAD_INPUT = 2


class Parser(argparse.ArgumentParser):
    """argparse, with errors of two lines instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: error: {message}\nsee: {self.prog} --help", file=sys.stderr)
        sys.exit(BAD_INPUT)


def build_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = Parser(
        prog="batik-scratch", description="A convolutional network from scratch, and a two-stage batik study."
    )
    parser.add_argument("--version", action="version", version=f"batik-scratch {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    p = _command(
        commands, "run", "run", "the two-stage study: tables, figures, report.html", "run --data my_photos --epochs 20"
    )
    _study_options(p)
    p.add_argument("--out", type=Path, help="run folder; runs/YYYYMMDD-HHMMSS where it is not given")
    p.add_argument("--resume", type=Path, metavar="DIR", help="go on with an interrupted run, with its own settings")
    p.add_argument(
        "--checkpoint-every", type=int, default=1, metavar="N", help="epochs between checkpoints (default: 1)"
    )

    p = _command(commands, "train", "train", "train the paper's network once", "train --data my_photos --out model.npz")
    _study_options(p)
    p.add_argument("--out", type=Path, default=Path("model.npz"), help="model file to write (default: model.npz)")

    p = _command(
        commands, "evaluate", "evaluate", "metrics of a model on a folder", "evaluate --model model.npz --data photos"
    )
    _model_option(p)
    p.add_argument("--data", type=Path, required=True, help="folder of photos, one subfolder per class")
    p.add_argument("--skip-bad", action="store_true", help="leave unreadable files out instead of stopping")

    p = _command(commands, "predict", "predict", "class percentages of images", "predict photo.jpg --model model.npz")
    p.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="a file: PNG, JPEG, ...")
    _model_option(p)

    _saliency_command(commands)
    p = _command(commands, "summary", "summary", "the network's layers, shapes and costs", "summary --image-size 150")
    p.add_argument("--image-size", type=int, default=150, help="pixels (default: 150)")
    p.add_argument("--classes", type=int, default=3, help="number of classes (default: 3)")
    p.add_argument("--model", type=Path, help="a model file instead of the paper's network")

    _gradcheck_command(commands)
    _bench_command(commands)
    _data_commands(commands)
    _exercise_commands(commands)
    return parser


def _gradcheck_command(commands: Any) -> None:
    p = _command(
        commands, "gradcheck", "gradcheck", "is every gradient right? layer by layer", "gradcheck --layer Conv2D"
    )
    what = p.add_mutually_exclusive_group()
    what.add_argument("--layer", metavar="NAME", help="one kind of layer alone; a wrong name lists them")
    what.add_argument("--model", type=Path, metavar="F.npz", help="a saved network, with its own weights")
    what.add_argument("--museum", action="store_true", help="the museum of bugs: each one caught and explained")


def _saliency_command(commands: Any) -> None:
    p = _command(
        commands, "saliency", "saliency", "which pixels mattered", "saliency photo.jpg --model model.npz --method all"
    )
    p.add_argument("images", type=Path, nargs="*", metavar="IMAGE", help="a file to explain: PNG, JPEG, ...")
    _model_option(p)
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


def _bench_command(commands: Any) -> None:
    p = _command(
        commands,
        "bench",
        "bench",
        "this machine's figures, beside PyTorch and Keras if installed",
        "bench --threads 1,2",
    )
    p.add_argument("--threads", type=_counts, metavar="N,...", help="numbers of threads (default: all allowed)")
    p.add_argument("--only", metavar="NAME,...", help="programs to measure, by name (default: all that are installed)")
    p.add_argument("--batch", type=int, default=32, help="images per batch (default: 32)")
    p.add_argument("--image-size", type=int, default=150, help="pixels (default: 150)")
    p.add_argument("--rounds", type=int, default=7, help="interleaved rounds of 5 calls (default: 7)")
    p.add_argument("--out", type=Path, default=Path("bench.png"), help="bar chart to write (default: bench.png)")
    p.add_argument(
        "--warmup",
        action="store_true",
        help="only compile the kernels, once, so that later commands start fast; nothing is measured",
    )


def _data_commands(commands: Any) -> None:
    data = commands.add_parser("data", help="draw, check or show a data set").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    p = _command(data, "draw", "data_draw", "draw batik with ground-truth masks", "data draw --out data/batik --seed 1")
    p.add_argument("--out", type=Path, default=Path("data/batik"), help="folder to make (default: data/batik)")
    p.add_argument("--counts", type=_counts, metavar="A,B,C", help="images per class (default: 217,200,151)")
    p.add_argument("--seed", type=int, default=0, help="of everything drawn (default: 0)")
    p.add_argument("--size", type=int, default=150, help="pixels (default: 150)")
    p.add_argument("--difficulty", type=float, help="0 to 1 (default: 0.1)")
    p = _command(data, "scan", "data_scan", "say what is wrong with a folder, file by file", "data scan my_photos")
    p.add_argument("folder", type=Path, help="one subfolder of photos per class")
    p.add_argument("--json", action="store_true", help="print JSON instead of a table")
    p = _command(
        data, "sheet", "data_sheet", "a contact sheet, classes in rows", "data sheet data/batik --out sheet.png"
    )
    p.add_argument("folder", type=Path, help="a drawn data set, or one subfolder of photos per class")
    p.add_argument("--out", type=Path, default=Path("sheet.png"), help="PNG to write (default: sheet.png)")
    p.add_argument("--per-class", type=int, default=8, help="images per class (default: 8)")


def _exercise_commands(commands: Any) -> None:
    exercise = commands.add_parser("exercise", help="write a layer yourself, and have it checked").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    _command(exercise, "list", "exercise_list", "the exercises, and the lessons before each", "exercise list")
    p = _command(
        exercise, "start", "exercise_start", "write the file to begin with", "exercise start dense my_exercises"
    )
    p.add_argument("name", help="one of: batik-scratch exercise list")
    p.add_argument(
        "folder", type=Path, nargs="?", default=Path("."), metavar="DIR", help="where to write it (default: here)"
    )
    check = "say whether an answer is right, and if not, what is wrong"
    hint = "the next hint for what is wrong first"
    for name, what in (("check", check), ("hint", hint)):
        p = _command(exercise, name, f"exercise_{name}", what, f"exercise {name} my_exercises/dense.py")
        p.add_argument("file", type=Path, metavar="FILE", help="what `exercise start` wrote, with your answer in it")
        p.add_argument(
            "--time-limit", type=float, default=20.0, metavar="SECONDS", help="stop an answer after this (default: 20)"
        )
    p = _command(exercise, "solution", "exercise_solution", "print the reference answer", "exercise solution dense")
    p.add_argument("name", help="one of: batik-scratch exercise list")


def _command(commands: Any, name: str, function: str, what: str, example: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=f"example: batik-scratch {example}"
    )
    parser.set_defaults(function=function)
    return parser


def _study_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="folder of photos, one subfolder per class; drawn batik where it is not given")
    parser.add_argument("--quick", action="store_true", help="64 pixels and 8 epochs: a look at everything in a minute")
    parser.add_argument("--preset", choices=("default", "table1"), help="table1: 100 epochs, no early stop")
    parser.add_argument("--config", type=Path, metavar="F.toml", help="settings from a file; flags override them")
    parser.add_argument("--epochs", type=int, help="per stage")
    parser.add_argument("--seed", type=int, help="of everything random (default: 0)")
    parser.add_argument("--image-size", type=int, help="pixels (default: 150)")
    parser.add_argument(
        "--skip-bad", action="store_true", default=None, help="leave unreadable files out instead of stopping"
    )


def _model_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="model file, such as RUN/stage1/model.npz")


def _counts(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"needs whole numbers with commas between; got {text!r}") from None
