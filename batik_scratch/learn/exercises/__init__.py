"""Exercises: write a layer, the loss, the optimiser or saliency yourself, and have it checked in plain words."""

from .catalogue import EXERCISES, find, table
from .check import TIME_LIMIT, Result, check
from .hints import hint
from .text import solution, start, stub

__all__ = ["EXERCISES", "TIME_LIMIT", "Result", "check", "find", "hint", "solution", "start", "stub", "table"]
