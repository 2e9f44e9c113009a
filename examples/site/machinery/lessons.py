"""Lessons, which are scripts, as notebooks: for the site, which runs them, and for the browser."""

import re
from pathlib import Path
from typing import Any

import jupytext
from nbformat.v4 import new_code_cell, new_markdown_cell

from .settings import ROOT

FOLDER = ROOT / "examples" / "lessons"
QUOTED = re.compile(r"(?:^> .*\n?)+", re.MULTILINE)
INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n?)+", re.MULTILINE)
QUICK = "import sys\n\nsys.argv.append('--quick')  # fewer steps: the site is built in minutes"
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def scripts() -> list[Path]:
    """All lessons in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def notebook(path: Path) -> Any:
    """A lesson as a notebook without outputs."""
    book = jupytext.read(path, fmt="py:percent")
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number}"  # nbformat draws them by chance, and equal lessons should be equal files
        if cell.cell_type == "markdown":
            cell.source = fenced(cell.source)
    book.metadata = book.metadata.__class__(KERNEL)
    return book


def for_the_site(path: Path, links: str) -> Any:
    """The notebook that Sphinx runs: quick, with `links` below its title."""
    book = notebook(path)
    title, _, rest = book.cells[0].source.partition("\n")
    book.cells[0].source = f"{title}\n\n{links}\n{rest}"
    book.cells.insert(1, new_code_cell(QUICK, metadata={"tags": ["remove-cell"]}, id="quick"))
    return book


def for_the_browser(path: Path, banner: str, preparing: str, kernel: dict[str, Any]) -> Any:
    """The notebook for JupyterLite: what is slower there, and the cell that loads the package, come first."""
    book = notebook(path)
    book.metadata = book.metadata.__class__(kernel)
    book.cells[:0] = [new_markdown_cell(banner, id="banner"), new_code_cell(preparing, id="prepare")]
    return book


def fenced(words: str) -> str:
    """Lines that begin with "> " quote what is printed; those and lines set in by four (formulas) keep their lines."""
    if "```" in words:  # it says so itself
        return words
    words = QUOTED.sub(lambda found: _block(found[0], 2), words + "\n")
    return INDENTED.sub(lambda found: _block(found[0], 4), words).rstrip("\n")


def _block(lines: str, cut: int) -> str:
    return "```text\n" + "\n".join(line[cut:] for line in lines.rstrip("\n").split("\n")) + "\n```\n"
