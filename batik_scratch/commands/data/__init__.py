"""`batik-scratch data`: draw, check or show a data set."""

from . import draw, scan, sheet

__all__ = ["draw", "scan", "sheet"]
