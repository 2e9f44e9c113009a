"""What every lesson shares: is this the quick run, and where its figures go.

A lesson is a script in `# %%` cells: run it (`python examples/lessons/21_one_cloth.py`), read it, or open it as a
notebook with jupytext. A fenced block in its text (```text or ```python) is what the code below it prints: the tests
run each lesson and look for those lines. The blocks under a folded answer are code to run after the lesson, and what
that prints.
"""

import os
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from .. import motifs, nn
from ..figures.style import to_png

# an inch of a figure in a notebook: the picture has more pixels than that (figures.style.DPI), so that it stays sharp
CSS_PIXELS = 96


def quick() -> bool:
    """Is this the quick run? Then a lesson takes fewer steps, and the numbers in its text stay the same.

    A script is told by `--quick`, a notebook, which has no arguments, by BATIK_LESSON_QUICK=1 in the environment.
    """
    return "--quick" in sys.argv[1:] or os.environ.get("BATIK_LESSON_QUICK", "0") not in ("", "0")


def show(figure: Figure, name: str) -> None:
    """Write the figure as name.png into BATIK_LESSON_FIGURES, or else the current folder, and print its path.

    In a notebook the picture stands below the cell as well.
    """
    png = to_png(figure)
    path = Path(os.environ.get("BATIK_LESSON_FIGURES", ".")) / f"{name}.png"
    path.write_bytes(png)
    print(f"figure: {path}")
    if in_notebook():
        display = sys.modules["IPython.display"]
        width = round(figure.get_figwidth() * CSS_PIXELS)
        display.display(display.Image(png, format="png", width=width, alt=name.replace("_", " ")))


def check(claim: str, holds: bool, measured: str) -> None:
    """Print a claim, whether it holds, and in brackets the number that says by how much: `claim: True (2.1e-16)`.

    A lesson's text quotes the line without its brackets, since that number is this machine's own.
    """
    print(f"{claim}: {bool(holds)} ({measured})")


def in_notebook() -> bool:
    """Does IPython run this code, and not in a terminal? IPython is asked only where it has been imported already."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and not type(shell).__module__.startswith("IPython.terminal")


def drawn_cloths(per_class: int, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Easy cloths of the three motifs in turn: x float32 (N, H, W, 3) in [0, 1], labels (N,), masks (N, H, W)."""
    labels = np.arange(3 * per_class) % 3
    drawn = [
        motifs.draw(motifs.MOTIFS[label], np.random.default_rng([seed, i]), size, difficulty=0.0)
        for i, label in enumerate(labels.tolist())
    ]
    x = np.stack([image for image, _ in drawn]).astype(np.float32) / 255  # (N, H, W, 3)
    return x, labels, np.stack([mask for _, mask in drawn])


def small_network() -> nn.Sequential:
    """The paper's layers on small pictures, trained for some seconds on easy cloths of seed 0: 64 pixels, quick 32."""
    size, epochs = (32, 12) if quick() else (64, 20)
    x, y, _ = drawn_cloths(40, size)
    model = nn.paper_cnn((size, size, 3), random_state=0)
    model.compile(nn.Adam(2e-3), nn.SparseCategoricalCrossentropy())
    model.fit(x, y, epochs=epochs, verbose=0)
    return model
