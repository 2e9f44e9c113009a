"""What a figure shows, read from matplotlib's artists; and what is wrong with how it is laid out."""

from itertools import combinations

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from matplotlib.legend import Legend
from matplotlib.text import Text


def panels(figure):
    """The visible axes, without colour bars."""
    return [axes for axes in figure.axes if axes.get_visible() and axes.get_label() != "<colorbar>"]


def colour_bar(figure):
    (bar,) = [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]
    return bar


def names(axis):
    """{place: text} of the ticks."""
    places = axis.get_majorticklocs()
    return dict(zip(map(float, places), axis.get_major_formatter().format_ticks(places), strict=True))


def image(axes):
    """The only picture of these axes."""
    (found,) = axes.get_images()
    return found


def pixels(axes):
    return np.asarray(image(axes).get_array())


def titles(axes):
    """What stands above, left, in the middle or right."""
    return " ".join(filter(None, (axes.get_title(loc=place) for place in ("left", "center", "right"))))


def texts(axes):
    """[(x, y, text)] of the texts inside."""
    return [(*map(float, text.get_position()), text.get_text()) for text in axes.texts]


def bars(axes):
    """[(y of its middle, width, colour)] of horizontal bars that begin at 0."""
    assert all(bar.get_x() == 0 for bar in axes.patches)
    return [(bar.get_y() + bar.get_height() / 2, bar.get_width(), to_hex(bar.get_facecolor())) for bar in axes.patches]


def lines(axes):
    """{label: line}"""
    return {line.get_label(): line for line in axes.lines}


def from_top(axes):
    """Whether the y axis counts downwards."""
    bottom, top = axes.get_ylim()
    return bottom > top


def contrast(colour, ground):
    """WCAG's contrast of two colours, from 1 to 21."""
    linear = [np.asarray(to_rgb(c)) for c in (colour, ground)]
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in linear]
    high, low = sorted((float(c @ [0.2126, 0.7152, 0.0722]) for c in linear), reverse=True)
    return (high + 0.05) / (low + 0.05)


def laid_out(figure, covered=None):
    """The figure's faults in words: texts cut or lying on each other, panels that do, a rim that is none, empty paper.

    covered    the least share of the figure that its panels should cover; without it the rims may not be wide
    """
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    (width, height), found = figure.bbox.size, []
    boxes = [(text, text.get_window_extent(renderer)) for text in in_sight(figure)]
    for text, box in boxes:
        if min(box.x0, box.y0, width - box.x1, height - box.y1) < -0.5:
            found.append(f"{text.get_text()!r} is cut")
    upright = [(text, box) for text, box in boxes if not text.get_rotation() % 90]
    for (one, a), (other, b) in combinations(upright, 2):
        if meet(a, b):
            found.append(f"{one.get_text()!r} lies on {other.get_text()!r}")
    areas = [axes.get_window_extent(renderer) for axes in panels(figure)]
    found += ["panels lie on each other" for a, b in combinations(areas, 2) if meet(a, b)]
    legends = [legend.get_window_extent(renderer) for legend in figure.findobj(Legend)]
    found += ["a legend lies on a panel" for legend in legends for area in areas if meet(legend, area)]
    box = figure.get_tightbbox(renderer)
    rims = [float(x) for x in (box.x0, box.y0, *(figure.get_size_inches() - (box.x1, box.y1)))]  # inches
    if min(rims) < 0.04 or (covered is None and max(rims) > 0.35):
        found.append(f"rims of {rims} left, below, right, above")
    if covered and (share := sum(box.width * box.height for box in areas) / width / height) < covered:
        found.append(f"panels cover {share:.3f} only")
    return found


def meet(a, b):
    """Whether two boxes have more than a rim in common."""
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1


def in_sight(figure):
    """Every text of the figure that is drawn; the ticks beyond an axis' ends are not."""
    found = [text for legend in figure.findobj(Legend) for text in legend.get_texts()]
    found += [text for part in (figure, *figure.subfigs) for text in part.texts]
    for axes in (axes for axes in figure.axes if axes.get_visible()):
        found += [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
        found += [child for child in axes.get_children() if isinstance(child, Text) and child not in found]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            labels = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            found += [label for label in labels if label.get_visible()]
    return [text for text in found if text.get_text().strip()]
