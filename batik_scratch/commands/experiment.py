"""`batik-scratch experiment`: is the two-stage claim true of these images?"""

import argparse
import sys
from pathlib import Path
from typing import Any

from ..errors import InputError
from .run import new_folder
from .shared import DONE, FOUND_WRONG, add_command, add_study_options, check_alone, study_config, tell_if_plain

SETTINGS = (
    *("out", "network", "data", "quick", "preset", "config", "epochs", "seed", "image_size", "skip_bad"),
    *("split_folders", "follow_links"),
    *("arms", "repeats", "folds", "inits", "permuted"),
)


def add(commands: Any) -> None:
    """The command and its options."""
    what = "does training on saliency maps help? many paired trainings, with controls"
    p = add_command(commands, "experiment", call, what, "experiment --data my_photos --repeats 3")
    add_study_options(p, "64 pixels, few epochs, five arms: a first look in some five minutes on two cores")
    p.add_argument(
        "--arms",
        type=lambda text: tuple(text.split(",")),
        metavar="A,B,...",
        help="what stage two is shown (default: all)",
    )
    p.add_argument("--repeats", type=int, help="how often the images are split anew (default: 5)")
    p.add_argument("--folds", type=int, help="parts of a split; each validates once (default: 4)")
    p.add_argument("--inits", type=int, help="initial weights from which each is trained (default: 2)")
    p.add_argument("--permuted", type=int, metavar="N", help="repeats run again with permuted labels (default: 1)")
    p.add_argument("--jobs", type=int, metavar="N", help="processes on this machine (default: its cores)")
    p.add_argument("--dask", metavar="ADDRESS", help="run on a Dask cluster, such as tcp://host:8786")
    p.add_argument("--out", type=Path, help="folder; runs/YYYYMMDD-HHMMSS where it is not given")
    p.add_argument("--resume", type=Path, metavar="DIR", help="run what is missing there, with its own settings")


def call(options: argparse.Namespace) -> int:
    """Run all cells, or those that are missing; then the results and the report."""
    from ..experiment import resume_experiment, run_experiment
    from ..report.experiment import found_in, write_experiment_report

    start = _executor(options)
    out = options.resume or options.out or new_folder()
    try:
        if options.resume:
            check_alone(options, SETTINGS)
            tell_if_plain()
            folder = resume_experiment(out, start, options.command_line)
        else:
            config = experiment_config(options)
            tell_if_plain()
            folder = run_experiment(config, out, start, options.command_line)
    except (Exception, KeyboardInterrupt):
        if (out / "experiment.toml").is_file():
            print(f"\nto go on: batik-scratch experiment --resume {out}", file=sys.stderr)
        raise
    page = write_experiment_report(folder.path)
    print(found_in(folder.path))
    print(f"report: {page}")
    return FOUND_WRONG if folder.failures() else DONE


def experiment_config(options: argparse.Namespace) -> Any:
    """The ExperimentConfig; InputError if a setting breaks a rule."""
    from ..experiment import QUICK_ARMS, ExperimentConfig, check_arms, possible_arms
    from ..images.folders import is_drawn

    study = study_config(options)
    flags = {name: getattr(options, name) for name in ("repeats", "folds", "inits", "permuted")}
    given = {name: value for name, value in flags.items() if value is not None}
    quick = {"repeats": 2, "folds": 2, "inits": 1, "inner_folds": 2, "permuted": 0} if options.quick else {}
    drawn = not study.data or is_drawn(Path(study.data).expanduser())
    arms = options.arms or (QUICK_ARMS if options.quick else tuple(possible_arms(study.network, drawn)))
    check_arms(arms)
    return ExperimentConfig(study, tuple(arms), **quick | given)


def _executor(options: argparse.Namespace) -> Any:
    if options.jobs is not None and options.dask:
        raise InputError("--jobs and --dask: cells run on this machine or on a cluster; give one of the two")
    if options.jobs is not None and options.jobs < 1:
        raise InputError(f"--jobs: needs a whole number of processes >= 1, got {options.jobs}")

    def start(config: Any, material: Any) -> Any:
        if options.dask:
            from ..experiment.executors.cluster import Cluster

            return Cluster(config, material, options.dask)
        from joblib import cpu_count

        from ..experiment.executors.here import Here

        return Here(config, material, options.jobs or cpu_count())

    return start
