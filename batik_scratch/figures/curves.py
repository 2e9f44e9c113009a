"""Loss and accuracy over the epochs: the paper's Fig. 8 and 9. E epochs."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import style


class Curve(NamedTuple):
    """One panel of `curves`: the epochs (E,), counting from 1, and of each its values and, if known, learning rate."""

    title: str
    epochs: Sequence[int]
    training: Sequence[float]
    validation: Sequence[float]
    learning_rate: Sequence[float] | None = None


def curves(panels: Sequence[Curve], ylabel: str, columns: int | None = None, top: float | None = None) -> Figure:
    """Training and validation values over the epochs, a panel per stage, on one y scale from 0 (to `top`, if given).

    A dotted line stands at each epoch whose learning rate is lower than that of the epoch before; none at all if it
    falls three times in a row, since that is a plan and no event.
    """
    columns = columns or len(panels)
    rows = math.ceil(len(panels) / columns)
    figure = style.new_figure(style.WIDE if columns > 1 else style.NARROW, 3.5 * rows)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        _draw_curve(axes, panel)
        axes.set_xlabel("epoch", fontsize=style.TEXT_SIZE, color=style.INK)
    for axes in grid[:, 0]:
        axes.set_ylabel(ylabel, fontsize=style.TEXT_SIZE, color=style.INK)
    values = [value for panel in panels for value in (*panel.training, *panel.validation) if math.isfinite(value)]
    grid[0, 0].set_ylim(0, top or 1.06 * max(values, default=1.0) or 1.0)
    handles = {text: line for axes in grid.flat for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=3 if columns > 1 else 2,
        frameon=False, fontsize=style.SMALL_SIZE,
    )  # fmt: skip
    return figure


def _draw_curve(axes: Axes, panel: Curve) -> None:
    style.dress(axes)
    epochs = np.asarray(panel.epochs)  # (E,)
    marker = "o" if len(epochs) < 16 else None
    lines = (
        (panel.training, style.TRAINING, "training", "-"),
        (panel.validation, style.VALIDATION, "validation", "--"),
    )
    for values, colour, name, dashes in lines:
        axes.plot(epochs, values, dashes, color=colour, label=name, linewidth=1.9, marker=marker, markersize=4)
    if panel.learning_rate is not None:
        rates = np.asarray(panel.learning_rate)  # (E,)
        falls = np.diff(rates) < 0  # (E - 1,)
        if (falls[2:] & falls[1:-1] & falls[:-2]).any():
            falls[:] = False
        for i, epoch in enumerate(epochs[1:][falls]):
            text = "learning rate reduced" if i == 0 else "_"
            axes.axvline(epoch, color=style.MUTED, linewidth=1.1, linestyle=":", label=text, zorder=0.9)
    room = max(0.5, 0.02 * (epochs[-1] - epochs[0]))
    axes.set_xlim(epochs[0] - room, epochs[-1] + room)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axes.set_title(panel.title, fontsize=style.TITLE_SIZE, loc="left", color=style.INK)
