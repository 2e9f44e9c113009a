"""The bar chart of a comparison: what each program needs, per kind of work."""

from matplotlib.figure import Figure

from ..figures.bars import Bars, bar_panels
from .comparison import Comparison
from .networks import NETWORKS
from .programs import OURS, WORK

TITLES = {"step": "Training step", "inference": "Inference", "saliency": "Gradient saliency"}


def bench_figure(comparison: Comparison, threads: int) -> Figure:
    """Milliseconds per batch, and peak memory of training in MB, of every program with that number of threads."""
    names = [name for name, count in comparison.seconds if count == threads]
    panels = [
        Bars(TITLES[work], "ms per batch", [comparison.median(name, threads, work) * 1e3 for name in names])
        for work in WORK
    ]
    panels.append(Bars("Peak memory in training", "MB", [comparison.memory[name, threads] for name in names]))
    side = comparison.size
    plural = "threads" if threads > 1 else "thread"
    title = NETWORKS[comparison.network].title
    title = (
        f"{title[0].upper()}{title[1:]}: batch {comparison.batch}, {side} x {side} x 3, float32, {threads} {plural}; "
        "shorter is better"
    )
    return bar_panels(names, panels, title, own=OURS)
