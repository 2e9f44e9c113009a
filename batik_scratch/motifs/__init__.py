"""Batik drawn by code, each cloth with the truth about where its motif is."""

from .dataset import cached_dataset, write_dataset
from .drawing import ALL_MOTIFS, DEFAULT_DIFFICULTY, MOTIFS, PAPER_COUNTS, VERSION, draw
from .sheet import contact_sheet

__all__ = [
    "ALL_MOTIFS",
    "DEFAULT_DIFFICULTY",
    "MOTIFS",
    "PAPER_COUNTS",
    "VERSION",
    "cached_dataset",
    "contact_sheet",
    "draw",
    "write_dataset",
]
