"""The schema of the run folder: every file has its name, its type, its writer and its reader here, and nowhere else."""

from .about import Begun, Description, Environment, RunRecord, SplitRow
from .formats import BadRunFile
from .layout import RunFiles
from .pictures import Examples, overlaid_names, write_png
from .stage import ClassificationMetrics, HistoryRow, Maps, Prediction, StageFiles, StageMetrics
from .stages import STAGES, StageName

__all__ = [
    "STAGES",
    "BadRunFile",
    "Begun",
    "ClassificationMetrics",
    "Description",
    "Environment",
    "Examples",
    "HistoryRow",
    "Maps",
    "Prediction",
    "RunFiles",
    "RunRecord",
    "SplitRow",
    "StageFiles",
    "StageMetrics",
    "StageName",
    "overlaid_names",
    "write_png",
]
