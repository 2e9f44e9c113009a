"""Bars side by side: a few programs, what each of them needs, one panel per kind of need. P programs."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from . import style


class Bars(NamedTuple):
    """One panel of `bar_panels`: how much (P,) each program needs, and of what; None: it does not do this."""

    title: str
    unit: str
    values: Sequence[float | None]


def bar_panels(names: Sequence[str], panels: Sequence[Bars], title: str, own: str) -> Figure:
    """Horizontal bars: a row per name (P,), a panel per kind of need, and two panels side by side, as a phone needs it.

    The program called `own` has another colour.
    """
    rows = (len(panels) + 1) // 2
    figure = style.new_figure(style.NARROW, 0.6 + rows * (0.8 + 0.27 * len(names)))
    grid = figure.subplots(rows, 2, sharey=True, squeeze=False)
    colours = [style.OKABE_ITO["vermillion" if name == own else "blue"] for name in names]
    for axes, panel in zip(grid.flat, panels, strict=True):
        amounts = [value or 0 for value in panel.values]
        axes.barh(range(len(names)), amounts, color=colours, height=0.68)
        for place, value in enumerate(panel.values):
            axes.text(amounts[place], place, f" {_amount(value)}", va="center", fontsize=style.SMALL_SIZE)
        axes.set_xlim(0, 1.4 * max(amounts))  # room for the numbers
        axes.set_yticks(range(len(names)), names)
        axes.set_title(panel.title, fontsize=style.SMALL_SIZE)
        axes.set_xlabel(panel.unit, fontsize=style.SMALL_SIZE)
        style.dress(axes)
        axes.grid(visible=False, axis="y")
    grid[0, 0].invert_yaxis()  # shared by all
    figure.suptitle(title, fontsize=style.TEXT_SIZE)
    return figure


def _amount(value: float | None) -> str:
    """Two figures at least; a hyphen for what a program does not do."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
