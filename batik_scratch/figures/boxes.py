"""An array drawn as what it is: boxes with numbers in them.

Arrays of a few dozen numbers are shown whole in the lessons, so that a reader can follow each number by its colour.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from . import style

# one colour per window, in this order; light enough for black numbers
TINTS = ["sky blue", "orange", "bluish green", "reddish purple", "yellow", "vermillion", "blue", "black"]


def tint(colour: str, strength: float = 0.45) -> tuple[float, float, float]:
    """A colour of `style.OKABE_ITO` (by name) mixed with white: strength 0 is white, 1 the colour itself."""
    r, g, b = (1 - strength * (1 - part) for part in to_rgb(style.OKABE_ITO[colour]))
    return r, g, b


def draw_numbers(
    axes: Axes,
    values: np.ndarray,
    fill: Sequence[Sequence[str | tuple[float, ...]]] | np.ndarray | None = None,
    title: str = "",
    form: str = "{:g}",
    size: float = style.TEXT_SIZE,
) -> None:
    """Draw values (rows, columns) as square boxes, row 0 on top.

    fill    a colour per box, nested like `values` (names, hex or RGB tuples); white if none are given
    form    how a number is written; "" leaves the boxes empty
    size    of the numbers, in points
    """
    rows, columns = values.shape
    for i in range(rows):
        for j in range(columns):
            colour = "white" if fill is None else fill[i][j]
            # zorder: boxes below whatever else the lesson draws on these axes
            axes.add_patch(Rectangle((j, i), 1, 1, facecolor=colour, edgecolor=style.MUTED, linewidth=0.7, zorder=1))
            text = form.format(values[i, j]) if form else ""
            axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontsize=size, color=style.INK, zorder=3)
    axes.set_xlim(-0.05, columns + 0.05)
    axes.set_ylim(rows + 0.05, -0.05)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(title, fontsize=style.TEXT_SIZE, color=style.INK)


def outline(axes: Axes, row: float, column: float, height: float, width: float, colour: str = "vermillion") -> None:
    """A thick frame around a block of boxes: this window, that row."""
    edge = style.OKABE_ITO[colour]
    axes.add_patch(Rectangle((column, row), width, height, fill=False, edgecolor=edge, linewidth=3, zorder=4))
