"""The bar chart of `bench`: what each program needs, per kind of work."""

from matplotlib.figure import Figure

from ...bench import OURS, WORK, Comparison
from .. import style

TITLES = {"step": "Training step", "inference": "Inference", "saliency": "Gradient saliency"}


def bench_figure(comparison: Comparison, threads: int) -> Figure:
    """Horizontal bars in milliseconds per batch, and peak memory of training in MB; this package in another colour."""
    names = [name for name, count in comparison.seconds if count == threads]
    panels = [
        (TITLES[work], "ms per batch", [comparison.median(name, threads, work) * 1e3 for name in names])
        for work in WORK
    ]
    panels.append(("Peak memory in training", "MB", [comparison.memory[name, threads] for name in names]))
    figure = style.new_figure(style.WIDE, 1.2 + 0.42 * len(names))
    grid = figure.subplots(1, len(panels), sharey=True)
    for axes, (title, unit, values) in zip(grid, panels, strict=True):
        colours = [style.OKABE_ITO["vermillion" if name == OURS else "blue"] for name in names]
        axes.barh(range(len(names)), values, color=colours, height=0.68)
        for place, value in enumerate(values):
            axes.text(value, place, f" {value:.0f}", va="center", fontsize=style.TEXT_SIZE)
        axes.set_xlim(0, 1.35 * max(values))
        axes.set_yticks(range(len(names)), names)
        axes.set_title(title, fontsize=style.TEXT_SIZE)
        axes.set_xlabel(unit, fontsize=style.TEXT_SIZE)
        style.dress(axes)
        axes.grid(visible=False, axis="y")
    grid[0].invert_yaxis()  # shared by all
    plural = "threads" if threads > 1 else "thread"
    figure.suptitle(
        f"The paper's network: batch {comparison.batch}, {comparison.size} x {comparison.size} x 3, float32, {threads} {plural}; "
        "shorter is better",
        fontsize=style.TEXT_SIZE,
    )
    return figure
