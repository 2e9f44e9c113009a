"""Originals, saliency maps and overlays: the paper's Fig. 11. M pictures, H height, W width."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from . import style
from .grid import draw_picture, pack

SLIDE = 5  # columns from which a figure is as wide as a slide


def saliency_panel(
    images: np.ndarray,
    maps: np.ndarray | None,
    overlays: np.ndarray,
    titles: Sequence[str],
    further: np.ndarray | None = None,
    percentile: float = 99.0,
    columns: int = 4,
    right: Sequence[bool] | None = None,
    width: float = style.WIDE,
) -> Figure:
    """Originals uint8 (M, H, W, 3) above their raw maps float (M, H, W) and overlays uint8 (M, H, W, 3).

    Each map is drawn from 0 to its own `percentile`. Without `maps` originals and overlays alone; `further` adds one
    more row of maps (the second network's). A picture per column, `columns` to a line; titles may have three lines and
    turn vermillion if `right` is false. Five columns or more make a figure that is no higher than a slide (4 to 3).
    """
    rows = [("original", images, False), ("overlay", overlays, False)]
    if maps is not None:
        rows.insert(1, ("raw map", maps, True))
    if further is not None:
        rows.append(("map, stage two", further, True))
    columns = min(columns, len(images))
    blocks = math.ceil(len(images) / columns)
    with_bar = any(is_map for *_, is_map in rows)
    side, above = (width - 0.4) / max(columns, 3), 0.2 + 0.18 * max(title.count("\n") + 1 for title in titles)
    if columns >= SLIDE:
        side = min(side, (0.75 * width - above - 0.6 * with_bar) / len(rows))
    across = width if columns >= SLIDE else side * columns + 0.4
    figure = style.new_figure(across, blocks * (side * len(rows) + above) + 0.6 * with_bar)
    grid = figure.subplots(blocks * len(rows), columns, squeeze=False)
    pack(figure)
    for place in range(blocks * columns):
        block, column = divmod(place, columns)
        for row, (name, pictures, is_map) in enumerate(rows):
            axes = grid[block * len(rows) + row, column]
            if place >= len(images):
                axes.set_visible(False)
                continue
            draw_picture(axes, pictures[place], percentile if is_map else None)
            if column == 0:
                axes.set_ylabel(name, fontsize=style.TEXT_SIZE, color=style.MUTED)
            if row == 0:
                colour = style.WRONG if right is not None and not right[place] else style.INK
                axes.set_title(titles[place], fontsize=style.TEXT_SIZE, color=colour)
    if with_bar:
        _map_bar(figure, grid, percentile)
    return figure


def _map_bar(figure: Figure, grid: np.ndarray, percentile: float) -> None:
    scale = ScalarMappable(Normalize(0, 1), style.SALIENCY)
    bar = figure.colorbar(scale, ax=list(grid.flat), location="bottom", shrink=0.5, aspect=50, pad=0.01, ticks=(0, 1))
    ends = ["no influence", f"each map's {percentile:g}th percentile and above"]
    if grid.shape[1] == 1:  # a single column has no room for sentences
        ends = ["none", f"{percentile:g}th pct."]
    bar.ax.set_xticklabels(ends, fontsize=style.SMALL_SIZE)
    bar.outline.set_visible(False)
