"""What every lesson shares: is this the quick run, and where its figures go.

A lesson is a script in `# %%` cells: run it (`python examples/lessons/21_one_cloth.py`), read it, or open it as a
notebook with jupytext. A quoted line (`# > text`) is what the code below it prints: the tests run each lesson and look
for those lines.
"""

import os
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from .. import motifs, nn
from ..figures.style import to_png


def quick() -> bool:
    """Was the script started with --quick? Then it takes fewer steps, and the numbers in its text stay the same."""
    return "--quick" in sys.argv[1:]


def show(figure: Figure, name: str) -> Path:
    """Write the figure as name.png into BATIK_LESSON_FIGURES, or else the current folder; print and return its path."""
    path = Path(os.environ.get("BATIK_LESSON_FIGURES", ".")) / f"{name}.png"
    path.write_bytes(to_png(figure))
    print(f"figure: {path}")
    return path


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
