"""The bar chart of a comparison: what each program needs, per kind of work."""

from matplotlib.figure import Figure

from ..figures.bars import Bars, bar_panels
from ..figures.style import label
from .comparison import Comparison
from .host import processor
from .networks import NETWORKS
from .programs import OURS, WORK

TITLES = {"step": "Training step", "inference": "Inference", "saliency": "Gradient saliency"}
LETTERS = 46  # of a processor's name, in a line of a narrow figure's title


def bench_figure(comparison: Comparison, threads: int) -> Figure:
    """Milliseconds per batch, and peak memory of training in MB, of every program with that number of threads."""
    names = [name for name, count in comparison.seconds if count == threads]
    medians = [comparison.medians(name, threads) for name in names]
    panels = [Bars(TITLES[work], "ms per batch", [_milliseconds(s[work]) for s in medians]) for work in WORK]
    panels.append(Bars("Peak memory in training", "MB", [comparison.memory.get((name, threads)) for name in names]))
    side = comparison.size
    plural = "threads" if threads > 1 else "thread"
    title = NETWORKS[comparison.network].title
    title = (
        f"{title[0].upper()}{title[1:]}: batch {comparison.batch}, {side} x {side} x 3,\n"
        f"float32, {threads} {plural}; shorter is better\n{label(processor()[0], LETTERS)}"
    )
    labels = [name if comparison.agrees(name) else f"{name}\n(other numbers)" for name in names]
    return bar_panels(labels, panels, title, own=OURS)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3
