"""Ratios to one program, as what it works on grows: lines over a few sizes, two panels to a row. S sizes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from . import style

# told apart by marker and dashes too, for eyes and printers without colours
LOOKS = (
    ("blue", "o", "-"),
    ("bluish green", "s", "--"),
    ("black", "^", "-."),
    ("reddish purple", "D", ":"),
    ("orange", "v", (0, (5, 1, 1, 1, 1, 1))),
    ("sky blue", "P", (0, (1, 1))),
)


class Ratios(NamedTuple):
    """One panel of `ratio_panels`: sizes (S,), rising, and of each program its ratio (S,), None where it has none."""

    title: str
    xlabel: str
    sizes: Sequence[int]
    programs: Mapping[str, Sequence[float | None]]


def ratio_panels(panels: Sequence[Ratios], ylabel: str, title: str, own: str, names: Sequence[str]) -> Figure:
    """Lines over sizes on logarithmic axes, two panels to a row; the program `own` is the level line at 1.

    The lowest ratio at each size stands below its mark in numbers. names: all programs that may appear, for a look of
    their own. Narrow enough for a phone.
    """
    rows = (len(panels) + 1) // 2
    figure = style.new_figure(style.NARROW, 1.5 + 2.0 * rows)
    grid = figure.subplots(rows, 2, sharey=True, squeeze=False)
    values = [v for panel in panels for line in panel.programs.values() for v in line if v is not None] or [1.0]
    low, high = min(0.8, *values), max(2.0, *values)
    for axes, panel in zip(grid.flat, panels, strict=False):
        _draw(axes, panel, own, names)
        axes.set_ylim(low / max(1.4, (high / low) ** 0.16), high * 1.15)  # room for the numbers below
    for axes in grid[:, 0]:
        axes.set_ylabel(ylabel, fontsize=style.SMALL_SIZE, color=style.INK)
    handles = {text: line for axes in grid.flat for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=2, frameon=False,
        fontsize=style.SMALL_SIZE, handlelength=3.2,
    )  # fmt: skip
    figure.suptitle(title, fontsize=style.TEXT_SIZE)
    return figure


def _draw(axes: Axes, panel: Ratios, own: str, names: Sequence[str]) -> None:
    style.dress(axes)
    axes.set_xscale("log")
    axes.set_yscale("log", base=2)
    axes.axhline(1, color=style.OKABE_ITO["vermillion"], linewidth=2.2, label=own)
    for name, ratios in panel.programs.items():
        colour, marker, dashes = LOOKS[list(names).index(name) % len(LOOKS)]
        known = [(size, ratio) for size, ratio in zip(panel.sizes, ratios, strict=True) if ratio is not None]
        axes.plot(
            *zip(*known, strict=True), linestyle=dashes, marker=marker, color=style.OKABE_ITO[colour],
            label=name, linewidth=1.5, markersize=4,
        )  # fmt: skip
    for place, size in enumerate(panel.sizes):
        there = [line[place] for line in panel.programs.values()]
        if lowest := min((ratio for ratio in there if ratio is not None), default=None):
            axes.annotate(
                f"{lowest:.2f}" if lowest < 1 else f"{lowest:.1f}", (size, lowest), (0, -5), textcoords="offset points",
                ha="center", va="top", fontsize=style.SMALL_SIZE - 1, color=style.INK,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
            )  # fmt: skip
    axes.xaxis.set_major_locator(FixedLocator(list(panel.sizes)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.yaxis.set_major_locator(LogLocator(base=2))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    room = (panel.sizes[-1] / panel.sizes[0]) ** 0.12 if len(panel.sizes) > 1 else 1.5
    axes.set_xlim(panel.sizes[0] / room, panel.sizes[-1] * room)
    axes.set_title(panel.title, fontsize=style.SMALL_SIZE, loc="left", color=style.INK)
    axes.set_xlabel(panel.xlabel, fontsize=style.SMALL_SIZE, color=style.INK)
