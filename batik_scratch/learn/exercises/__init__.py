"""Exercises: write a layer, the loss, the optimiser or saliency yourself, and have it checked in plain words."""

from . import hand_ins, progress
from .catalogue import EXERCISES, find, table
from .check import TIME_LIMIT, Result, check
from .hints import hint
from .text import solution, start, stub

__all__ = [
    "EXERCISES",
    "TIME_LIMIT",
    "Result",
    "check",
    "find",
    "hand_ins",
    "hint",
    "progress",
    "solution",
    "start",
    "stub",
    "table",
]
