"""The report of a run folder: tables, pictures and one page, made from what `study` recorded.

It reads files only: it trains nothing and loads no model, so a run folder can be reported again, on another machine,
without the photos. `report.figures` and `report.style` are what it draws with, `batik_scratch.figures`.
"""

from .. import figures
from ..figures import style
from . import paper
from .write import run_verdict, write_report

__all__ = ["figures", "paper", "run_verdict", "style", "write_report"]
