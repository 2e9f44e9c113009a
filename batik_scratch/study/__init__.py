"""The paper's two-stage study.

config        what is asked for                     data, training, maps, metrics    its pieces; they write nothing
schema/       every file of a run folder            stage       one stage: training, recorded
run_folder    how it appears, and its lock          tasks       the study as a list of tasks
stop          Ctrl-C between two batches            two_stage   a run: new, or resumed
environment   the machine, for the record           single      train, evaluate, predict on their own
"""

from .config import TwoStageConfig, load_config, make_config
from .metrics import classification_metrics
from .run_folder import RunFolder
from .two_stage import resume_two_stage, run_two_stage

__all__ = [
    "RunFolder",
    "TwoStageConfig",
    "classification_metrics",
    "load_config",
    "make_config",
    "resume_two_stage",
    "run_two_stage",
]
