"""What every lesson shares: is this the quick run, and where its figures go.

A lesson is a script in `# %%` cells: run it (`python examples/lessons/21_one_cloth.py`), read it, or open it as a notebook
with jupytext. A quoted line (`# > text`) is what the code below prints; the tests run each lesson and look for those lines.
"""

import os
import sys
from pathlib import Path

from matplotlib.figure import Figure

from ..report.style import to_png


def quick() -> bool:
    """True where the script was started with --quick: fewer steps, the same numbers in the text."""
    return "--quick" in sys.argv[1:]


def show(figure: Figure, name: str) -> Path:
    """Write the figure as name.png into BATIK_LESSON_FIGURES, or the current folder; says where, and returns the path."""
    path = Path(os.environ.get("BATIK_LESSON_FIGURES", ".")) / f"{name}.png"
    path.write_bytes(to_png(figure))
    print(f"figure: {path}")
    return path
