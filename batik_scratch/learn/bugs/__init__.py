"""The museum of bugs: mistakes as people make them, in published code and in the classroom, each as a small subclass.

Every docstring tells what was wrong, why it looks right, how the check sees it, and which numbers give it away.
`batik-scratch gradcheck --museum` runs through them all.
"""

from .catalogue import EXHIBITS, ROOMS
from .exhibit import Exhibit

__all__ = ["EXHIBITS", "ROOMS", "Exhibit"]
