"""The report of a run folder: figures, tables and one page, drawn from what `study` recorded.

It reads files only and never trains: a run folder can be reported again, on another machine, without the photos.
`report.figures` and `report.style` are public: examples draw with the same functions.
"""

from . import figures, paper, style
from .write import write_report

__all__ = ["figures", "paper", "style", "write_report"]
