"""The command line: one function per command, no logic. Heavy modules load inside the commands, so --help is quick."""

import argparse
import datetime
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from .errors import InputError, TrainingDiverged
from .options import BAD_INPUT, build_parser

DONE, FOUND_WRONG = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 found something wrong, 2 bad input, 130/143 stopped."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = build_parser().parse_args(given)
    options.command_line = "batik-scratch " + " ".join(given)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return COMMANDS[options.function](options)
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
    """Maps and overlays of images, or the judgement of the methods."""
    from .explain import evaluate_saliency, explain_images

    if options.evaluate == bool(options.images):
        raise InputError("saliency: needs images to explain, or --evaluate (and no images) to judge the methods")
    method = options.method or ("all" if options.evaluate else "gradient")
    if options.evaluate:
        print(evaluate_saliency(options.model, options.out, method, options.count, options.control, _tell))
        return DONE
    for path in explain_images(options.model, options.images, options.target, options.out, method):
        print(path)
    return DONE


def summary(options: argparse.Namespace) -> int:
    """The table of layers."""
    from . import nn

    size = options.image_size
    model = nn.Sequential.load(options.model) if options.model else nn.paper_cnn((size, size, 3), options.classes)
    model.summary()
    return DONE


def gradcheck(options: argparse.Namespace) -> int:
    """The gradient report; exit code 1 where a gradient is wrong, or a bug of the museum gets through."""
    from .learn.gradient_report import museum_report, report

    _announce_compilation()
    text, ok = museum_report() if options.museum else report(options.layer, options.model)
    print(text)
    return DONE if ok else FOUND_WRONG


def bench(options: argparse.Namespace) -> int:
    """This machine's figures."""
    from .bench.session import measure
    from .bench.warmup import compile_kernels

    _announce_compilation()
    if options.warmup:
        print(compile_kernels())
        return DONE
    only = options.only.split(",") if options.only else None
    print(measure(only, options.threads, options.batch, options.image_size, options.rounds, options.out))
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


def exercise_list(options: argparse.Namespace) -> int:
    """What can be written."""
    from .learn import exercises

    print(exercises.table())
    return DONE


def exercise_start(options: argparse.Namespace) -> int:
    """Write a stub."""
    from .learn import exercises

    path = exercises.start(options.name, options.folder)
    print(f"{path}\nopen it, write what is missing, then: batik-scratch exercise check {path}")
    return DONE


def exercise_check(options: argparse.Namespace) -> int:
    """Is it right? Exit code 1 where it is not."""
    from .learn import exercises

    result = exercises.check(options.file, options.time_limit)
    print(result)
    return DONE if result.ok else FOUND_WRONG


def exercise_hint(options: argparse.Namespace) -> int:
    """The next hint."""
    from .learn import exercises

    print(exercises.hint(options.file, options.time_limit))
    return DONE


def exercise_solution(options: argparse.Namespace) -> int:
    """The reference answer."""
    from .learn import exercises

    print(exercises.solution(exercises.find(options.name)), end="")
    return DONE


EXERCISES = (exercise_list, exercise_start, exercise_check, exercise_hint, exercise_solution)
DATA = (data_draw, data_scan, data_sheet)
COMMANDS = {
    function.__name__: function
    for function in (run, train, evaluate, predict, saliency, summary, gradcheck, bench, *DATA, *EXERCISES)
}


def _config(options: argparse.Namespace) -> Any:
    from .study import make_config

    names = ("data", "epochs", "seed", "image_size", "skip_bad")
    flags = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return make_config(flags, options.config, options.preset, options.quick)


def _check_alone(options: argparse.Namespace) -> None:
    """InputError where --resume, which has the run's own settings, comes with others."""
    names = ("out", "data", "quick", "preset", "config", "epochs", "seed", "image_size", "skip_bad")
    left = (None, False)  # by identity: 0 is a seed, and was given
    given = [f"--{name.replace('_', '-')}" for name in names if all(getattr(options, name) is not one for one in left)]
    if given:
        raise InputError(f"--resume goes on with the run's own settings; leave out {', '.join(given)}")


def _new_run_folder() -> Path:
    """runs/YYYYMMDD-HHMMSS, with a number behind it where that is taken."""
    first = Path("runs") / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return next(p for n in range(1, 10_000) if not (p := first if n == 1 else Path(f"{first}-{n}")).exists())


def _announce_compilation() -> None:
    from .ops.jit import cache_is_cold

    if cache_is_cold():
        print("compiling kernels, once: this first run starts more slowly", file=sys.stderr)


def _complain(message: str, code: int) -> int:
    lines = message.splitlines()
    if len(lines) > 7:
        lines = [*lines[:6], f"... and {len(lines) - 6} more lines"]
    print("batik-scratch: error: " + "\n".join(lines), file=sys.stderr)
    return code


def _tell(text: str) -> None:
    """What is being done, for whoever waits; not part of the result."""
    print(text, file=sys.stderr)


def _terminate(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt("SIGTERM")
