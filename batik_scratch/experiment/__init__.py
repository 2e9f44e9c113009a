"""The two-stage claim, tested: many trainings that differ in one thing at a time.

config     what is asked for                   graph      the cells, and which needs which
cells      what a cell is called, its seeds    schedule   who runs when; what comes back is written
material   the images and their folds          executors  this machine, or a Dask cluster
arms       what stage two is shown, and why    folder     how it appears, and its lock
maps       maps with 8 bits, and overlays      results    from cells to results.json
training   one cell                            running    an experiment: new, or resumed
patience   how long to wait for one
"""

from .arms import ARMS, QUICK_ARMS, Arm, Kind, check_arms, possible_arms
from .cells import Cell
from .config import ExperimentConfig, load_experiment_config
from .results import write_results
from .running import resume_experiment, run_experiment

__all__ = [
    "ARMS",
    "QUICK_ARMS",
    "Arm",
    "Cell",
    "ExperimentConfig",
    "Kind",
    "check_arms",
    "load_experiment_config",
    "possible_arms",
    "resume_experiment",
    "run_experiment",
    "write_results",
]
