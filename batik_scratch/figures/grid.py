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
) -> Figure:
    """The first `per_class` pictures of each class: groups of uint8 (M, H, W, 3), one per name; `columns` to a line."""
    columns = columns or (1 if len(groups) <= 4 else 2)
    lines = math.ceil(len(groups) / columns)
    gap = 0.12 * per_class
    side = (width - 0.2) / (per_class * columns + gap * (columns - 1))
    figure = style.new_figure(width, lines * (side + 0.33))
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
                axes.set_title(style.label(name, room), fontsize=style.TEXT_SIZE, loc="left", color=style.INK)
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
