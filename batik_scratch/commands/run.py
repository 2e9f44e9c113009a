"""`batik-scratch run`: the main job."""

import argparse
import datetime
import sys
from pathlib import Path
from typing import Any

from ..errors import InputError
from .shared import DONE, add_command, add_study_options, check_alone, study_config, tell_if_plain

SETTINGS = (
    *("out", "network", "data", "quick", "preset", "config", "epochs", "seed", "image_size", "skip_bad"),
    *("split_folders", "follow_links"),
)


def add(commands: Any) -> None:
    """The command and its options."""
    what = "the two-stage study: tables, figures, report.html"
    p = add_command(commands, "run", call, what, "run --data my_photos --epochs 20")
    add_study_options(p)
    p.add_argument("--out", type=Path, help="run folder; runs/YYYYMMDD-HHMMSS where it is not given")
    p.add_argument("--resume", type=Path, metavar="DIR", help="go on with an interrupted run, with its own settings")
    p.add_argument(
        "--accept-changes", action="store_true", help="with --resume: go on with a config.toml that was edited since"
    )
    p.add_argument(
        "--checkpoint-every", type=int, default=1, metavar="N", help="epochs between checkpoints (default: 1)"
    )


def call(options: argparse.Namespace) -> int:
    """Train, explain and train again, or go on with that; then the report. Says how to go on if it is interrupted."""
    from ..report import run_verdict, write_report
    from ..study import resume_two_stage, run_two_stage

    if options.checkpoint_every < 1:
        raise InputError(f"--checkpoint-every: needs a whole number of epochs >= 1, got {options.checkpoint_every}")
    out, every = options.resume or options.out or new_folder(), options.checkpoint_every
    try:
        if options.resume:
            check_alone(options, SETTINGS)
            tell_if_plain()
            accept = options.accept_changes
            folder = resume_two_stage(out, options.command_line, checkpoint_every=every, accept_changes=accept)
        else:
            if options.accept_changes:
                raise InputError("--accept-changes: goes with --resume; a new run takes its config as it is")
            config = study_config(options)
            tell_if_plain()
            folder = run_two_stage(config, out, options.command_line, checkpoint_every=every)
        page = write_report(folder.path)
        said = run_verdict(folder.path)
    except InputError:
        raise
    except (Exception, KeyboardInterrupt):
        if (out / "config.toml").is_file():
            print(f"\nto go on: batik-scratch run --resume {out}", file=sys.stderr)
        raise
    print(said)
    print(f"report: {page}")
    return DONE


def new_folder() -> Path:
    """runs/YYYYMMDD-HHMMSS, with a number behind it if that is taken."""
    first = Path("runs") / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return next(p for n in range(1, 10_000) if not (p := first if n == 1 else Path(f"{first}-{n}")).exists())
