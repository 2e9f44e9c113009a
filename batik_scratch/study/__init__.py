"""The paper's two-stage study.

config         what is asked for                    data, training, maps, metrics    its pieces; they write nothing
locked_folder  how a folder appears, and its lock   run_folder  of a run
stage          one stage: training, recorded
stop           Ctrl-C between two batches           tasks       the study as a list of tasks
environment    the machine, for the record          two_stage   a run: new, or resumed
single         train, evaluate, predict alone       What is in a run folder: see `record`
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
