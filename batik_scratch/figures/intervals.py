"""Accuracies with their intervals, on one line from 0 to 1."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from . import style


def accuracy_intervals(
    names: Sequence[str],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float] | None],
    chance: float,
    width: float = style.WIDE,
) -> Figure:
    """Accuracies as dots with their 95% intervals (None: published without one); dotted: always the largest class."""
    figure = style.new_figure(width, 0.9 + 0.45 * len(names))
    axes = figure.subplots()
    style.dress(axes)
    for row, (value, interval) in enumerate(zip(values, intervals, strict=True)):
        colour = style.RIGHT if interval else style.PAPER
        if interval:
            axes.plot(interval, (row, row), color=colour, linewidth=3.2, solid_capstyle="butt", alpha=0.45)
        axes.plot([value], [row], "o" if interval else "D", color=colour, markersize=8 if interval else 6)
        axes.annotate(f"{value:.3f}" if interval else f"{value:.2f}", (value, row), xytext=(0, 7),
                      textcoords="offset points", ha="center", fontsize=style.SMALL_SIZE, color=style.INK)  # fmt: skip
    axes.axvline(chance, color=style.MUTED, linestyle=":", linewidth=1.3)
    late = chance > 0.5  # then there is more room to the left
    axes.text(chance + (-0.01 if late else 0.01), len(names) - 0.55, "always the largest class",
              ha="right" if late else "left", fontsize=style.SMALL_SIZE, color=style.MUTED)  # fmt: skip
    axes.set_yticks(range(len(names)), list(names))
    axes.tick_params(axis="y", length=0, labelsize=style.TEXT_SIZE)
    axes.set_ylim(len(names) - 0.4, -0.75)
    axes.set_xlim(0, 1.02)
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("accuracy on the validation images", fontsize=style.TEXT_SIZE, color=style.INK)
    return figure
