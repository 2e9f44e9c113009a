"""The figure of growth: how many times as long the other programs take, over the size of images and over batches."""

from collections.abc import Callable, Sequence

from matplotlib.figure import Figure

from ..figures.ratios import Ratios, ratio_panels
from ..figures.style import label
from .chart import LETTERS, TITLES
from .comparison import threads_in_words
from .growth import Growth, Setting
from .host import processor
from .networks import NETWORKS
from .programs import OURS, PROGRAMS, WORK


def growth_figure(growth: Growth, threads: int) -> Figure:
    """A row of panels for each kind of work: over pixels at the batch, and over batches at the size, seen most."""
    settings = [Setting(one.batch, one.size) for one in growth.comparisons]
    batch, sides = _most(settings, lambda one: one.batch)
    size, batches = _most(settings, lambda one: one.size)
    plural = "s" if batch > 1 else ""
    panels = []
    for work in WORK:
        panels += [
            Ratios(TITLES[work], f"pixels, {batch} image{plural}", [one.size for one in sides],
                   growth.series(threads, work, sides)),
            Ratios(TITLES[work], f"images of {size} pixels", [one.batch for one in batches],
                   growth.series(threads, work, batches)),
        ]  # fmt: skip
    title = NETWORKS[growth.comparisons[0].network].title
    title = (
        f"{title[0].upper()}{title[1:]}, float32, {threads_in_words(threads)}\n"
        f"above the line {OURS} is faster\n{label(processor()[0], LETTERS)}"
    )
    names = [name for name in PROGRAMS if name != OURS]
    return ratio_panels(panels, f"times as long as {OURS}", title, own=OURS, names=names)


def _most(settings: Sequence[Setting], fixed: Callable[[Setting], int]) -> tuple[int, list[Setting]]:
    """The value of what is fixed that most settings share, the first of several, and those settings in order."""
    values = [fixed(one) for one in settings]
    value = max(dict.fromkeys(values), key=values.count)
    return value, sorted(one for one in settings if fixed(one) == value)
