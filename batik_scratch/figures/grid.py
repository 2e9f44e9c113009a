"""Pictures inside axes, and grids of them. M pictures, H height, W width."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from . import style


def sample_grid(
    groups: Sequence[np.ndarray],
    names: Sequence[str],
    per_class: int = 4,
    columns: int | None = None,
    width: float = style.WIDE,
    right: Sequence[bool] | None = None,
) -> Figure:
    """The first `per_class` pictures of each class: groups of uint8 (M, H, W, 3), one per name; `columns` to a line.

    A name may have two lines, and turns vermillion if its `right` is false.
    """
    columns = columns or (1 if len(groups) <= 4 else 2)
    lines = math.ceil(len(groups) / columns)
    gap = 0.12 * per_class
    side = (width - 0.2) / (per_class * columns + gap * (columns - 1))
    height = max((name.count("\n") + 1 for name in names), default=1)  # lines of the names
    figure = style.new_figure(width, lines * (side + 0.13 + 0.2 * height))
    widths = ([1.0] * per_class + [gap]) * (columns - 1) + [1.0] * per_class
    grid = figure.subplots(lines, len(widths), squeeze=False, width_ratios=widths)
    pack(figure)
    for axes in grid.flat:
        axes.set_visible(False)
    for index, (group, name) in enumerate(zip(groups, names, strict=True)):
        line, column = divmod(index, columns)
        for place, picture in enumerate(group[:per_class]):
            axes = grid[line, column * (per_class + 1) + place]
            axes.set_visible(True)
            draw_picture(axes, picture, None)
            if place == 0:
                room = max(8, int(11 * side * per_class))  # characters that fit above the group
                colour = style.WRONG if right is not None and not right[index] else style.INK
                title = "\n".join(style.label(part, room) for part in name.split("\n", 1))
                axes.set_title(title, fontsize=style.TEXT_SIZE, loc="left", color=colour)
    return figure


def draw_picture(axes: Axes, picture: np.ndarray, percentile: float | None = None) -> None:
    """A photo uint8 (H, W, 3), or, with a percentile, a saliency map (H, W) from 0 to that percentile of its values."""
    if percentile is None:
        axes.imshow(picture, origin="upper", interpolation="antialiased")
    else:
        high = float(np.percentile(picture, percentile)) or 1.0
        axes.imshow(picture, cmap=style.SALIENCY, vmin=0, vmax=high, origin="upper", interpolation="antialiased")
    style.dress_picture(axes)


def pack(figure: Figure) -> None:
    """Let the pictures of a grid stand close together."""
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(w_pad=0.03, h_pad=0.03, wspace=0.0, hspace=0.0)
