"""Learning curves of many trainings: the mean as a line, the middle of them as a band."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import style

COLOURS = tuple(style.OKABE_ITO[name] for name in ("black", "blue", "vermillion", "bluish green", "reddish purple"))
DASHES = ("-", "-", "--", "-.", ":")


class Band(NamedTuple):
    """Values epoch by epoch (E,), and what most of the trainings lie between."""

    name: str
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def bands(curves: Sequence[Band], ylabel: str, chance: float | None = None, width: float = style.WIDE) -> Figure:
    """Up to five bands on one pair of axes, on a scale from 0 to 1; dotted: chance."""
    figure = style.new_figure(width, 3.9)
    axes = figure.subplots()
    style.dress(axes)
    for curve, colour, dashes in zip(curves, COLOURS, DASHES, strict=False):
        epochs = range(1, len(curve.mean) + 1)
        axes.fill_between(epochs, curve.low, curve.high, color=colour, alpha=0.13, linewidth=0)
        axes.plot(epochs, curve.mean, dashes, color=colour, linewidth=1.9, label=style.label(curve.name))
    if chance is not None:
        axes.axhline(chance, color=style.MUTED, linestyle=":", linewidth=1.3, label="always the largest class")
    axes.set_ylim(0, 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch", fontsize=style.TEXT_SIZE, color=style.INK)
    axes.set_ylabel(ylabel, fontsize=style.TEXT_SIZE, color=style.INK)
    figure.legend(loc="outside lower center", ncols=3 if width >= style.WIDE else 2, frameon=False,
                  fontsize=style.SMALL_SIZE)  # fmt: skip
    return figure
