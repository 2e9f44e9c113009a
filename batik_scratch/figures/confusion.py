"""Confusion matrices side by side: the paper's Fig. 12. U classes."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from . import style


class Matrix(NamedTuple):
    """One panel of `confusion`: counts (U, U), rows true and columns predicted, and the U class names."""

    title: str
    counts: Sequence[Sequence[int]]
    class_names: Sequence[str]


def confusion(panels: Sequence[Matrix], columns: int | None = None) -> Figure:
    """Confusion matrices side by side; a cell's colour is its share of the row, its number the count."""
    columns = columns or len(panels)
    rows = math.ceil(len(panels) / columns)
    classes = max(len(panel.class_names) for panel in panels)
    cell = 0.72 if classes <= 6 else 0.42
    width = style.NARROW if columns == 1 and classes <= 8 else style.WIDE
    figure = style.new_figure(width, rows * (classes * cell + 1.5))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for index, (axes, panel) in enumerate(zip(grid.flat, panels, strict=False)):
        _draw_matrix(axes, panel, named_rows=index % columns == 0)
    shares = ScalarMappable(Normalize(0, 1), style.COUNTS)
    bar = figure.colorbar(
        shares, ax=list(grid.flat), location="bottom", shrink=0.5, aspect=40, pad=0.03, format=PercentFormatter(1)
    )
    bar.set_label("share of the images of the true class", fontsize=style.SMALL_SIZE)
    bar.ax.tick_params(labelsize=style.SMALL_SIZE)
    bar.outline.set_visible(False)
    return figure


def _draw_matrix(axes: Axes, panel: Matrix, named_rows: bool) -> None:
    counts = np.asarray(panel.counts)  # (U, U)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # (U, U)
    axes.imshow(shares, cmap=style.COUNTS, vmin=0, vmax=1, origin="upper", interpolation="nearest")
    size = style.TITLE_SIZE if len(counts) <= 6 else style.SMALL_SIZE if len(counts) <= 10 else 7.0
    for row, column in np.ndindex(counts.shape):
        faint = counts[row, column] == 0
        colour = "#b5b5b5" if faint and len(counts) > 6 else "white" if shares[row, column] > 0.45 else style.INK
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", fontsize=size, color=colour)
    names = [style.label(name, 16 if len(counts) <= 6 else 14) for name in panel.class_names]
    turned = sum(map(len, names)) > 22 or len(counts) > 4
    axes.set_xticks(range(len(names)), names, rotation=40 if turned else 0, ha="right" if turned else "center",
                    rotation_mode="anchor" if turned else "default")  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0, labelsize=style.SMALL_SIZE, labelcolor=style.INK, labelfontfamily=style.FONT)
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(True, which="minor", color="white", linewidth=1.5, linestyle="-")
    axes.tick_params(which="minor", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("predicted label", fontsize=style.TEXT_SIZE, color=style.INK)
    if named_rows:
        axes.set_ylabel("true label", fontsize=style.TEXT_SIZE, color=style.INK)
    axes.set_title(panel.title, fontsize=style.TITLE_SIZE, color=style.INK)
