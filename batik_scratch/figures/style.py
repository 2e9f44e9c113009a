"""Colours, fonts and sizes of every figure in one place, and how a figure becomes a PNG.

Matplotlib's object interface only: no pyplot, no global state, so that figures can be drawn from any thread.
"""

import io
import unicodedata
from functools import lru_cache
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

# Okabe & Ito (2008), "Color Universal Design": eight colours that colour-blind readers tell apart
OKABE_ITO = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "bluish green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "reddish purple": "#CC79A7",
}
TRAINING, VALIDATION = OKABE_ITO["blue"], OKABE_ITO["vermillion"]
RIGHT, WRONG, PAPER = OKABE_ITO["blue"], OKABE_ITO["vermillion"], "#666666"
INK, MUTED, GRID = "#1a1a1a", "#555555", "#dddddd"

FONT = "DejaVu Sans"  # comes with matplotlib, so a figure is the same on every machine
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 11.5, 10.5, 9.0  # points
WIDE, NARROW = 9.0, 4.6  # inches: a slide, a phone
DPI = 170

# both go from "nothing" to "most" with lightness that only falls, or only rises
COUNTS = LinearSegmentedColormap.from_list("counts", ["#ffffff", "#56B4E9", "#0072B2", "#00304d"])
SALIENCY = LinearSegmentedColormap.from_list("saliency", ["#050b14", "#003a6b", "#0072B2", "#56B4E9", "#ffffff"])


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure of that size in inches, whose parts are laid out so that nothing overlaps or is clipped."""
    margin = ConstrainedLayoutEngine(rect=(0.08 / width, 0.08 / height, 1 - 0.16 / width, 1 - 0.16 / height))
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout=margin)
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, grid: bool = True) -> None:
    """Plain axes: no box, light grid, ink-coloured ticks."""
    axes.set_facecolor("white")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)
    axes.tick_params(labelsize=SMALL_SIZE, labelcolor=INK, color=MUTED, labelfontfamily=FONT)
    axes.set_axisbelow(True)
    axes.grid(False)
    if grid:
        axes.grid(True, color=GRID, linewidth=0.8, linestyle="-")


def dress_picture(axes: Axes) -> None:
    """Axes that hold a picture: no ticks, a hairline around it."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(GRID)
        spine.set_linewidth(0.8)


def label(text: str, width: int = 24) -> str:
    """A stranger's text made fit for a figure: one line, at most `width` characters, drawable, never read as TeX."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    kept = " ".join(kept.replace("_", " ").split())
    kept = "".join(c if ord(c) in _drawable() else "\N{WHITE SQUARE}" for c in kept)
    if len(kept) > width:
        head = (width - 1) * 2 // 3
        kept = f"{kept[:head].rstrip()}…{kept[len(kept) - (width - 1 - head) :].lstrip()}"
    return kept.replace("$", r"\$")


def to_png(figure: Figure) -> bytes:
    """The figure as PNG; the same figure gives the same bytes (no date, no version inside)."""
    for text in figure.findobj(Text):
        text.set_fontfamily(FONT)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return frozenset(FT2Font(str(font)).get_charmap())
