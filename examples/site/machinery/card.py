"""The social card: drawn cloths beside the project's name; and what each page says of itself to those who link to it.

An address of a picture must be whole, so the card is named only where the site's address is known (settings.py).
"""

import html
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from batik_scratch import motifs

from .settings import HOME

WORDS = "A convolutional network from scratch: look into it, number by number, and learn how it works."
WIDTH, HEIGHT = 1200, 630
NAME = "social-card.png"


def write(app: Any, error: Exception | None) -> None:
    """Draw the card into the finished site."""
    if not error and app.builder.name == "html":
        draw(Path(app.outdir) / "_static" / NAME)


def draw(out: Path) -> None:
    """Three cloths below each other at the left, words at the right: 1200 x 630 pixels in 64 colours, under 300 kB."""
    size = HEIGHT // 3
    cloths = [motifs.draw(name, np.random.default_rng(3), 2 * size, difficulty=0.0)[0] for name in motifs.MOTIFS]
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor="#fbf4e6")
    for row, cloth in enumerate(cloths):
        axes = figure.add_axes((0, 1 - (row + 1) / 3, 0.3, 1 / 3))
        axes.imshow(cloth[: 2 * size * size // 360], aspect="auto")
        axes.set_axis_off()
    figure.text(0.34, 0.6, "batik_scratch", fontsize=48, weight="bold", color="#3b1f0e")
    figure.text(0.34, 0.5, "A convolutional network from scratch.", fontsize=24, color="#3b1f0e")
    figure.text(0.34, 0.4, "Look into it, number by number,\nand learn how it works.", fontsize=24, va="top")
    figure.savefig(out)
    with Image.open(out) as picture:
        picture.convert("RGB").quantize(64).save(out, optimize=True)


def about(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Sphinx's hook: the lines of a page's head that other programs read."""
    title = html.escape(str(context.get("title", "")))
    tags = [f'<meta name="description" content="{WORDS}">', f'<meta property="og:title" content="{title}">']
    tags += [f'<meta property="og:description" content="{WORDS}">', '<meta property="og:type" content="website">']
    if HOME:
        tags += [f'<meta property="og:image" content="{HOME}/_static/{NAME}">']
        tags += [f'<meta property="og:url" content="{HOME}/{page}.html">']
        tags += ['<meta name="twitter:card" content="summary_large_image">']
    context["metatags"] = context.get("metatags", "") + "\n".join(tags)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("html-page-context", about)
    app.connect("build-finished", write)
