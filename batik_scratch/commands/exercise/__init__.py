"""`batik-scratch exercise`: write a layer yourself, and have it checked."""

from . import check, hint, list, solution, start

__all__ = ["check", "hint", "list", "solution", "start"]
