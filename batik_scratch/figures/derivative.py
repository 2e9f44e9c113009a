"""A derivative as code has it beside the true one: over x, as two matrices, or one against the other."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style


def over_x(x: np.ndarray, claimed: np.ndarray, true: np.ndarray, title: str) -> Figure:
    """Both slopes (P,) over x (P,)."""
    figure = style.new_figure(style.NARROW, 3.5)
    axes = figure.subplots()
    style.dress(axes)
    order = np.argsort(x)
    axes.plot(x[order], true[order], "-", color=style.RIGHT, linewidth=1.9, label="the derivative of forward")
    axes.plot(x[order], claimed[order], ".", color=style.WRONG, markersize=5, label="what dy is multiplied by")
    _words(figure, axes, title, "x", "slope")
    return figure


def as_matrices(claimed: np.ndarray, true: np.ndarray, title: str) -> Figure:
    """Both Jacobians (outputs, values) side by side, in one scale of colours."""
    figure = style.new_figure(style.WIDE, 3.5)
    limit = float(np.abs(true).max(initial=1e-12))
    for axes, matrix, words in zip(figure.subplots(1, 2), (claimed, true), ("claimed", "true"), strict=True):
        axes.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
        axes.set_title(f"{title}: {words}", fontsize=style.TITLE_SIZE, color=style.INK)
        axes.set_xlabel("value", fontsize=style.TEXT_SIZE, color=style.INK)
        axes.set_ylabel("output", fontsize=style.TEXT_SIZE, color=style.INK)
    return figure


def against(claimed: np.ndarray, true: np.ndarray, title: str) -> Figure:
    """Each claimed value (P,) over the true one (P,): right ones lie on the line."""
    figure = style.new_figure(style.NARROW, 3.5)
    axes = figure.subplots()
    style.dress(axes)
    ends = [float(true.min()), float(true.max())]
    axes.plot(ends, ends, "-", color=style.RIGHT, linewidth=1.9, label="right")
    axes.plot(true, claimed, ".", color=style.WRONG, markersize=5, label="claimed")
    _words(figure, axes, title, "true gradient", "claimed gradient")
    return figure


def _words(figure: Figure, axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, fontsize=style.TITLE_SIZE, color=style.INK)
    axes.set_xlabel(x, fontsize=style.TEXT_SIZE, color=style.INK)
    axes.set_ylabel(y, fontsize=style.TEXT_SIZE, color=style.INK)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=style.SMALL_SIZE)
