"""The figures, each a pure function from arrays to a matplotlib Figure; `report.style.to_png` makes it a file."""

from .confusion import Matrix, confusion
from .curves import Curve, curves
from .grid import sample_grid
from .intervals import accuracy_intervals
from .methods import cascade, methods_grid
from .prediction import percentages, prediction
from .saliency import saliency_panel

__all__ = [
    "Curve",
    "Matrix",
    "accuracy_intervals",
    "cascade",
    "confusion",
    "curves",
    "methods_grid",
    "percentages",
    "prediction",
    "saliency_panel",
    "sample_grid",
]
