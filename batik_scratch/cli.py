"""The command line: one function per command, no logic. Heavy modules load inside the commands, so --help is quick."""

import argparse
import datetime
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from . import __version__
from .errors import InputError, TrainingDiverged

DONE, FOUND_WRONG, BAD_INPUT = 0, 1, 2


class _Parser(argparse.ArgumentParser):
    """argparse, with errors of two lines instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: error: {message}\nsee: {self.prog} --help", file=sys.stderr)
        sys.exit(BAD_INPUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 found something wrong, 2 bad input, 130/143 stopped."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = build_parser().parse_args(given)
    options.command_line = "batik-scratch " + " ".join(given)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return options.function(options)
    except InputError as error:
        return _complain(str(error), BAD_INPUT)
    except TrainingDiverged as error:
        return _complain(str(error), FOUND_WRONG)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        sys.stderr.close()
        return DONE
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _complain(
            f"{name}{error.strerror or error}; check the disk's space and the folder's permissions", BAD_INPUT
        )
    except KeyboardInterrupt as stop:
        by_signal = bool(stop.args)
        print("\nstopped; what was written so far is kept", file=sys.stderr)
        return 143 if by_signal else 130


def build_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = _Parser(
        prog="batik-scratch", description="A convolutional network from scratch, and a two-stage batik study."
    )
    parser.add_argument("--version", action="version", version=f"batik-scratch {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    p = _command(
        commands, "run", run, "the two-stage study: tables, figures, report.html", "run --data my_photos --epochs 20"
    )
    _study_options(p)
    p.add_argument("--out", type=Path, help="run folder; runs/YYYYMMDD-HHMMSS where it is not given")
    p.add_argument("--resume", type=Path, metavar="DIR", help="go on with an interrupted run, with its own settings")
    p.add_argument(
        "--checkpoint-every", type=int, default=1, metavar="N", help="epochs between checkpoints (default: 1)"
    )

    p = _command(commands, "train", train, "train the paper's network once", "train --data my_photos --out model.npz")
    _study_options(p)
    p.add_argument("--out", type=Path, default=Path("model.npz"), help="model file to write (default: model.npz)")

    p = _command(
        commands, "evaluate", evaluate, "metrics of a model on a folder", "evaluate --model model.npz --data photos"
    )
    _model_option(p)
    p.add_argument("--data", type=Path, required=True, help="folder of photos, one subfolder per class")
    p.add_argument("--skip-bad", action="store_true", help="leave unreadable files out instead of stopping")

    p = _command(commands, "predict", predict, "class percentages of images", "predict photo.jpg --model model.npz")
    p.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    _model_option(p)

    p = _command(
        commands, "saliency", saliency, "which pixels mattered", "saliency photo.jpg --model model.npz --out maps"
    )
    p.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    _model_option(p)
    p.add_argument("--target", default="predicted", help='class name to explain (default: "predicted")')
    p.add_argument("--out", type=Path, default=Path("saliency"), help="folder for the pictures (default: saliency)")

    p = _command(commands, "summary", summary, "the network's layers, shapes and costs", "summary --image-size 150")
    p.add_argument("--image-size", type=int, default=150, help="pixels (default: 150)")
    p.add_argument("--classes", type=int, default=3, help="number of classes (default: 3)")
    p.add_argument("--model", type=Path, help="a model file instead of the paper's network")

    _data_commands(commands)
    return parser


def run(options: argparse.Namespace) -> int:
    """The main job."""
    from .report import write_report
    from .study import resume_two_stage, run_two_stage

    if options.checkpoint_every < 1:
        raise InputError(f"--checkpoint-every: needs a whole number of epochs >= 1, got {options.checkpoint_every}")
    out, every = options.resume or options.out or _new_run_folder(), options.checkpoint_every
    try:
        if options.resume:
            _check_alone(options)
            _announce_compilation()
            folder = resume_two_stage(out, options.command_line, checkpoint_every=every)
        else:
            config = _config(options)
            _announce_compilation()
            folder = run_two_stage(config, out, options.command_line, checkpoint_every=every)
        page = write_report(folder.path)
    except InputError:
        raise
    except (Exception, KeyboardInterrupt):
        if (out / "config.toml").is_file():
            print(f"\nto go on: batik-scratch run --resume {out}", file=sys.stderr)
        raise
    print(f"report: {page}")
    return DONE


def train(options: argparse.Namespace) -> int:
    """Stage one alone."""
    from .study.single import train_model

    _announce_compilation()
    print(train_model(_config(options), options.out))
    return DONE


def evaluate(options: argparse.Namespace) -> int:
    """Metrics of a saved model."""
    from .study.single import evaluate_model

    print(evaluate_model(options.model, options.data, options.skip_bad))
    return DONE


def predict(options: argparse.Namespace) -> int:
    """Percentages per class."""
    from .study.single import predict_images

    print(predict_images(options.model, options.images))
    return DONE


def saliency(options: argparse.Namespace) -> int:
    """Maps and overlays of images."""
    from .study.single import explain_images

    for path in explain_images(options.model, options.images, options.target, options.out):
        print(path)
    return DONE


def summary(options: argparse.Namespace) -> int:
    """The table of layers."""
    from . import nn

    size = options.image_size
    model = nn.Sequential.load(options.model) if options.model else nn.paper_cnn((size, size, 3), options.classes)
    model.summary()
    return DONE


def data_draw(options: argparse.Namespace) -> int:
    """Draw a data set."""
    from . import motifs

    counts = options.counts or tuple(motifs.PAPER_COUNTS.values())
    difficulty = motifs.DEFAULT_DIFFICULTY if options.difficulty is None else options.difficulty
    motifs.write_dataset(options.out, counts, options.seed, size=options.size, difficulty=difficulty)
    print(options.out)
    return DONE


def data_scan(options: argparse.Namespace) -> int:
    """Check a folder; exit code 1 where anything is wrong."""
    import json

    from . import images

    found = images.scan(options.folder)
    print(json.dumps(found.to_json(), indent=2) if options.json else found.table())
    return DONE if found.ok else FOUND_WRONG


def data_sheet(options: argparse.Namespace) -> int:
    """Draw a contact sheet."""
    from . import motifs

    motifs.contact_sheet(options.folder, options.out, per_class=options.per_class)
    print(options.out)
    return DONE


def _data_commands(commands: Any) -> None:
    data = commands.add_parser("data", help="draw, check or show a data set").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    p = _command(data, "draw", data_draw, "draw batik with ground-truth masks", "data draw --out data/batik --seed 1")
    p.add_argument("--out", type=Path, default=Path("data/batik"), help="folder to make (default: data/batik)")
    p.add_argument("--counts", type=_counts, metavar="A,B,C", help="images per class (default: 217,200,151)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--size", type=int, default=150, help="pixels (default: 150)")
    p.add_argument("--difficulty", type=float, help="0 to 1")
    p = _command(data, "scan", data_scan, "say what is wrong with a folder, file by file", "data scan my_photos")
    p.add_argument("folder", type=Path)
    p.add_argument("--json", action="store_true", help="print JSON instead of a table")
    p = _command(data, "sheet", data_sheet, "a contact sheet, classes in rows", "data sheet data/batik --out sheet.png")
    p.add_argument("folder", type=Path)
    p.add_argument("--out", type=Path, default=Path("sheet.png"), help="PNG to write (default: sheet.png)")
    p.add_argument("--per-class", type=int, default=8, help="images per class (default: 8)")


def _command(commands: Any, name: str, function: Any, what: str, example: str) -> argparse.ArgumentParser:
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


def _config(options: argparse.Namespace) -> Any:
    from .study import make_config

    names = ("data", "epochs", "seed", "image_size", "skip_bad")
    flags = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return make_config(flags, options.config, options.preset, options.quick)


def _check_alone(options: argparse.Namespace) -> None:
    """InputError where --resume, which has the run's own settings, comes with others."""
    names = ("out", "data", "quick", "preset", "config", "epochs", "seed", "image_size", "skip_bad")
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name)]
    if given:
        raise InputError(f"--resume goes on with the run's own settings; leave out {', '.join(given)}")


def _new_run_folder() -> Path:
    """runs/YYYYMMDD-HHMMSS, with a number behind it where that is taken."""
    first = Path("runs") / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return next(p for n in range(1, 10_000) if not (p := first if n == 1 else Path(f"{first}-{n}")).exists())


def _model_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="model file, such as RUN/stage1/model.npz")


def _counts(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"needs whole numbers with commas, such as 217,200,151; got {text!r}"
        ) from None


def _announce_compilation() -> None:
    from .ops.jit import cache_is_cold

    if cache_is_cold():
        print("compiling kernels, once: this first run starts more slowly", file=sys.stderr, flush=True)


def _complain(message: str, code: int) -> int:
    lines = message.splitlines()
    if len(lines) > 7:
        lines = [*lines[:6], f"... and {len(lines) - 6} more lines"]
    print("batik-scratch: error: " + "\n".join(lines), file=sys.stderr)
    return code


def _terminate(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt("SIGTERM")
