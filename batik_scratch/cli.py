"""The command line: which commands there are, and how each of them may end."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from . import __version__
from .commands import (
    bench,
    completion,
    data,
    evaluate,
    examples,
    exercise,
    experiment,
    export,
    gradcheck,
    import_,
    lab,
    predict,
    report,
    run,
    saliency,
    summary,
    train,
)
from .commands.colour import RED, paint
from .commands.parser import BAD_INPUT, Parser
from .commands.shared import DONE, FOUND_WRONG
from .errors import InputError, TrainingDiverged

COMMANDS = (
    *(run, experiment, report, train, evaluate, predict, saliency, lab),
    *(summary, gradcheck, bench, export, import_, examples, completion),
)
GROUPS = {
    "data": ("draw, check or show a data set", (data.draw, data.scan, data.sheet)),
    "exercise": (
        "write a layer yourself, and have it checked",
        (exercise.list, exercise.start, exercise.check, exercise.hint, exercise.solution),
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 found something wrong, 2 bad input, 130/143 stopped."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    parser.look_over(given)
    options = parser.parse_args(given)
    options.parser = parser
    options.command_line = "batik-scratch " + " ".join(given)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = options.call(options)
        sys.stdout.flush()  # here, where a reader that went away is caught
        return code
    except InputError as error:
        return _complain(str(error), BAD_INPUT)
    except TrainingDiverged as error:
        return _complain(str(error), FOUND_WRONG)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        _leave_the_pipe()
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


def build_parser() -> Parser:
    """All commands with their options; parsing leaves the function to call in `.call`."""
    parser = Parser(
        prog="batik-scratch", description="A convolutional network from scratch, and a two-stage batik study."
    )
    parser.add_argument("--version", action="version", version=f"batik-scratch {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    for name, (what, members) in GROUPS.items():
        group = commands.add_parser(name, help=what)
        inside = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
        for command in members:
            command.add(inside)
    return parser


def _complain(message: str, code: int) -> int:
    lines = message.splitlines()
    if len(lines) > 7:
        lines = [*lines[:6], f"... and {len(lines) - 6} more lines"]
    print(f"batik-scratch: {paint('error:', RED, sys.stderr)} " + "\n".join(lines), file=sys.stderr)
    return code


def _leave_the_pipe() -> None:
    """Nothing more is said, not even by the interpreter at its end, which would flush into the pipe once more."""
    sys.stderr.close()
    with suppress(OSError, ValueError):  # a stream without a file of the system
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt("SIGTERM")
