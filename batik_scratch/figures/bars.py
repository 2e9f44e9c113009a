"""Bars side by side: a few programs, what each of them needs, one panel per kind of need. P programs."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from . import style


class Bars(NamedTuple):
    """One panel of `bar_panels`: how much (P,) each program needs, and of what."""

    title: str
    unit: str
    values: Sequence[float]


def bar_panels(names: Sequence[str], panels: Sequence[Bars], title: str, own: str) -> Figure:
    """Horizontal bars, a row per name (P,) and a panel per kind of need; the program called `own` in another colour."""
    figure = style.new_figure(style.WIDE, 1.2 + 0.42 * len(names))
    grid = figure.subplots(1, len(panels), sharey=True)
    colours = [style.OKABE_ITO["vermillion" if name == own else "blue"] for name in names]
    for axes, panel in zip(grid, panels, strict=True):
        axes.barh(range(len(names)), panel.values, color=colours, height=0.68)
        for place, value in enumerate(panel.values):
            axes.text(value, place, f" {value:.0f}", va="center", fontsize=style.TEXT_SIZE)
        axes.set_xlim(0, 1.35 * max(panel.values))  # room for the numbers
        axes.set_yticks(range(len(names)), names)
        axes.set_title(panel.title, fontsize=style.TEXT_SIZE)
        axes.set_xlabel(panel.unit, fontsize=style.TEXT_SIZE)
        style.dress(axes)
        axes.grid(visible=False, axis="y")
    grid[0].invert_yaxis()  # shared by all
    figure.suptitle(title, fontsize=style.TEXT_SIZE)
    return figure
