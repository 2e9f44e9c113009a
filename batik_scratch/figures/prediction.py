"""One picture and the percentages that the network gives it: the paper's Fig. 10. H height, W width, U classes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style


def prediction(
    image: np.ndarray, class_names: Sequence[str], probabilities: Sequence[float], truth: int, columns: int = 2
) -> Figure:
    """One picture uint8 (H, W, 3) beside its percentages (U,); the printed ones add up to 100.00 exactly.

    Beyond ten classes, the nine likeliest are drawn and the rest as one bar. `columns=1` puts the bars below.
    """
    values = np.asarray(probabilities, float)  # (U,)
    order = np.argsort(-values, kind="stable")  # (U,)
    names = [style.label(class_names[i], 22) for i in order]
    percents = percentages(values)[order]  # (U,)
    if len(names) > 10:
        names, percents = [*names[:9], f"the other {len(names) - 9}"], np.append(percents[:9], percents[9:].sum())
    if columns == 1:
        bars = 0.9 + 0.34 * len(names)
        figure = style.new_figure(style.NARROW, 3.4 + bars)
        left, right = figure.subplots(2, 1, height_ratios=(3.2, bars))
    else:
        figure = style.new_figure(style.WIDE, max(3.3, 0.9 + 0.34 * len(names)))
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.7))
    left.set_anchor("N")
    _draw_bars(right, names, percents, hit=bool(order[0] == truth), below=columns == 1)
    left.imshow(image, origin="upper", interpolation="antialiased")
    style.dress_picture(left)
    left.set_title(f"true: {style.label(class_names[truth])}", fontsize=style.TITLE_SIZE, color=style.INK)
    return figure


def _draw_bars(axes: Axes, names: Sequence[str], percents: np.ndarray, hit: bool, below: bool) -> None:
    colours = [style.RIGHT if hit else style.WRONG] + ["#b5b5b5"] * (len(names) - 1)
    axes.barh(range(len(names)), percents, color=colours, height=0.62)
    for row, value in enumerate(percents):
        axes.text(value + 1.5, row, f"{value:.2f} %", va="center", fontsize=style.TEXT_SIZE, color=style.INK)
    style.dress(axes, grid=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 138 if below else 119)  # room for the numbers
    axes.set_xticks(range(0, 120, 20))
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0, labelsize=style.TEXT_SIZE)
    axes.spines["left"].set_visible(False)
    what = "probability (%)" if below else "probability given by the network (%)"  # long names leave little room below
    axes.set_xlabel(what, fontsize=style.TEXT_SIZE, color=style.INK)
    verdict = "right" if hit else "wrong"
    axes.set_title(
        f"predicted: {names[0]} ({verdict})",
        fontsize=style.TITLE_SIZE,
        color=style.INK,
        loc="right" if below else "left",
    )


def percentages(probabilities: np.ndarray) -> np.ndarray:
    """Percent (U,) with two decimals that add up to 100.00 (largest remainders round up)."""
    share = np.asarray(probabilities, float)  # (U,)
    exact = share / share.sum() * 10_000  # (U,)
    units = np.floor(exact)  # (U,)
    missing = round(10_000 - units.sum())
    units[np.argsort(-(exact - units), kind="stable")[:missing]] += 1
    return units / 100
