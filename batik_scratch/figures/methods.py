"""Saliency methods side by side, and what is left of their maps when the network is destroyed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from . import style
from .grid import draw_picture, pack

MARKERS = "osD^v<>Phd*Xp"


def methods_grid(
    picture: np.ndarray, maps: np.ndarray, rows: Sequence[str], columns: Sequence[str], explained: int | None = None
) -> Figure:
    """Maps (U, M, H, W) beside the picture uint8 (H, W, 3): a row per class, a column per method, at most 7 to a line.

    Each map is drawn from 0 to its own 99th percentile; the row of the explained class has a blue name.
    """
    per_line = min(7, len(columns))
    blocks = -(-len(columns) // per_line)
    side = min(1.9, 11.0 / (per_line + 1))
    figure = style.new_figure(side * (per_line + 1) + 1.0, blocks * (len(rows) * side + 0.35) + 0.1)
    grid = figure.subplots(blocks * len(rows), per_line + 1, squeeze=False)
    pack(figure)
    for axes in grid.flat:
        axes.set_visible(False)
    for u, row in enumerate(rows):
        for block in range(blocks):
            line = grid[block * len(rows) + u]
            line[0].set_visible(True)
            draw_picture(line[0], picture)
            colour = style.RIGHT if u == explained else style.INK
            line[0].set_ylabel(
                style.label(row.replace("\n", ", "), 28).replace(", ", "\n"), fontsize=style.SMALL_SIZE, color=colour
            )
            for place, name in enumerate(columns[block * per_line : (block + 1) * per_line]):
                axes = line[1 + place]
                axes.set_visible(True)
                draw_picture(axes, maps[u, block * per_line + place], 99.0)
                if u == 0:
                    axes.set_title(name, fontsize=style.SMALL_SIZE, color=style.INK)
    return figure


def cascade(
    picture: np.ndarray,
    layers: Sequence[str],
    likeness: Mapping[str, Sequence[float]],
    maps: Mapping[str, np.ndarray],
) -> Figure:
    """Cascading randomisation: curves of likeness per method above, and one image's maps (S, H, W) at each stage below.

    layers      what was drawn anew at each stage, "none" first: (S,)
    likeness    {method: (S,)}, absolute rank correlation with the trained network's maps
    """
    names, stages = list(likeness), len(layers)
    # a long name takes two lines, or it would run into its neighbour's
    said = ["trained", *("+ " + (name.replace("_", "_\n", 1) if len(name) > 10 else name) for name in layers[1:])]
    side = 1.15
    height = 3.4 + side * len(names) * 1.02
    figure = style.new_figure(style.WIDE, height)
    parts: Any = figure.subfigures(2, 1, height_ratios=[3.4, height - 3.4])
    above, below = parts
    axes = above.subplots()
    style.dress(axes)
    colours = [c for name, c in style.OKABE_ITO.items() if name != "yellow"]
    for index, together in enumerate(_same_curves(likeness)):
        axes.plot(
            range(stages),
            likeness[together[0]],
            color=colours[index % len(colours)],
            marker=MARKERS[index % len(MARKERS)],
            linestyle="-" if index < len(colours) else "--",
            markersize=4.5,
            label=",\n".join(together),
        )
    axes.set_xticks(range(stages), said)
    axes.set_xlabel("weights drawn anew, from the output down", fontsize=style.TEXT_SIZE)
    axes.set_ylabel("likeness of the maps\n(absolute rank correlation)", fontsize=style.TEXT_SIZE)
    lowest = min(min(values) for values in likeness.values())
    axes.set_ylim(min(lowest, 0) - 0.05, 1.05)
    axes.legend(fontsize=style.SMALL_SIZE, frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    grid = below.subplots(len(names), stages + 1, squeeze=False)
    for row, name in enumerate(names):
        draw_picture(grid[row, 0], np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8))
        grid[row, 0].set_ylabel(name, fontsize=style.SMALL_SIZE, rotation=0, ha="right", va="center")
        for stage in range(stages):
            draw_picture(grid[row, stage + 1], maps[name][stage], 99.0)
            if row == 0:
                grid[row, stage + 1].set_title(said[stage], fontsize=style.SMALL_SIZE, color=style.INK)
    return figure


def _same_curves(likeness: Mapping[str, Sequence[float]], apart: float = 0.01) -> list[list[str]]:
    """The methods in groups whose curves nobody could tell apart: one line each, or the last would hide the others."""
    groups: list[list[str]] = []
    for name, values in likeness.items():
        for group in groups:
            if np.allclose(values, likeness[group[0]], rtol=0, atol=apart):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups
