"""Formulas as MathML, which browsers draw by themselves: no script, no network, and a screen reader can read them."""

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def _inline(writer: Any, node: Any) -> None:
    writer.body.append(convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def _block(writer: Any, node: Any) -> None:
    # several lines without an environment of their own are lines below each other, as in every other renderer
    lines = [line for line in node.astext().split("\n\n") if line.strip()]
    if len(lines) == 1 and r"\\" in lines[0] and r"\begin" not in lines[0]:
        lines = [rf"\begin{{aligned}}{lines[0]}\end{{aligned}}"]
    drawn = "".join(convert(line.replace("{aligned}", "{align}"), display="block") for line in lines)
    writer.body.append(f'<div class="math">{drawn}</div>\n')
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
