"""What this package draws with: colours and sizes in one place, and figures, pure functions of arrays.

Arrays and matplotlib, nothing else: the report, the lessons and the commands all draw with these. `style.to_png` makes
a figure a file. `bars` and `boxes` are imported by their own names.
"""

from . import style
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
    "style",
]
