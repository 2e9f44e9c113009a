"""A forest plot: differences with their intervals, one below the other, beside the line of no difference."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style

COLOURS = {
    "claim": style.OKABE_ITO["blue"],
    "leak": style.OKABE_ITO["vermillion"],
    "control": "#666666",
    "bound": style.OKABE_ITO["bluish green"],
}


class Row(NamedTuple):
    """One difference: its name, what it is (a key of COLOURS), its mean and the ends of its interval."""

    name: str
    kind: str
    mean: float
    low: float
    high: float


def forest(
    rows: Sequence[Row],
    xlabel: str,
    region: float,
    kinds: Sequence[tuple[str, str]],
    width: float = style.WIDE,
    scale: float = 100,
) -> Figure:
    """Means as dots, 95% intervals as bars; grey behind them is the region within which nothing matters.

    kinds    (key of COLOURS, its words) for the legend, those that occur are shown
    scale    what the values are multiplied by: 100 makes points of shares
    """
    narrow = width < style.WIDE
    figure = style.new_figure(width, 1.35 + 0.36 * len(rows))
    axes = figure.subplots()
    style.dress(axes)
    axes.axvspan(-scale * region, scale * region, color="#eeeeee", linewidth=0)
    axes.axvline(0, color=style.MUTED, linewidth=1.1)
    for place, row in enumerate(rows):
        colour = COLOURS[row.kind]
        axes.plot((scale * row.low, scale * row.high), (place, place), color=colour, linewidth=3, alpha=0.5,
                  solid_capstyle="butt")  # fmt: skip
        axes.plot([scale * row.mean], [place], "D" if row.kind == "leak" else "o", color=colour, markersize=7)
        if not narrow:
            text = f"{scale * row.mean:+.1f}  [{scale * row.low:+.1f}, {scale * row.high:+.1f}]".replace("-", "−")
            axes.annotate(text, (1.01, place), xycoords=("axes fraction", "data"), va="center",
                          fontsize=style.SMALL_SIZE, color=style.INK)  # fmt: skip
    axes.set_yticks(range(len(rows)), [style.label(row.name, 24) for row in rows])
    axes.tick_params(axis="y", length=0, labelsize=style.SMALL_SIZE if narrow else style.TEXT_SIZE)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(xlabel, fontsize=style.SMALL_SIZE if narrow else style.TEXT_SIZE, color=style.INK)
    present = {row.kind for row in rows}
    handles = [
        Line2D([], [], color=COLOURS[key], marker="D" if key == "leak" else "o", linewidth=3, label=words)
        for key, words in kinds
        if key in present
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2 if narrow else 4, frameon=False,
                  fontsize=style.SMALL_SIZE)  # fmt: skip
    return figure
