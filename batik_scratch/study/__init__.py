"""The paper's two-stage study: configuration, run folder, stages, evaluation."""

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
