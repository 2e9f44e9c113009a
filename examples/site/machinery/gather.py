"""Every page of the site, gathered in one folder: Sphinx reads that one, and the repository stays as it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from batik_scratch.learn.exercises import EXERCISES

from . import bugs, lessons, lite, reference, tasks
from .links import relative, rewritten
from .settings import ROOT, SITE, fingerprint

ELSEWHERE = {  # file of the repository: page
    "examples/lessons/README.md": "course.md",
    "examples/exercises/README.md": "exercises/index.md",
    "examples/experiment/README.md": "experiment-machines.md",
    "examples/results/README.md": "experiment-found.md",  # where an experiment's results are kept
    "examples/scripts/README.md": "scripts.md",
    "data/README.md": "data-card.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
BELOW = {  # page: the pages below it
    "course.md": [f"lessons/{path.stem}" for path in lessons.scripts()],
    "exercises/index.md": list(EXERCISES),
}
TOCTREE = "\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"


def gather(app: Any, config: Any) -> None:
    """Write all pages below what Sphinx remembers, and have Sphinx read them there."""
    made = Path(app.doctreedir) / "made" / fingerprint()
    config.nb_execution_cache_path = str(made / "lessons")
    folder = Path(app.doctreedir) / "pages"
    found = _texts() | _notebooks() | reference.pages() | tasks.pages(lite.available())
    found |= _kept(made / "museum.json", bugs.pages)
    pictures: set[Path] = set()
    pages = {**ELSEWHERE, "README.md": "index.md", **_of_lessons(), **_of_the_site()}
    for page, (source, text) in _with_sources(found).items():
        if page.endswith(".md"):
            text, shown = rewritten(text, source, page, pages)
            pictures |= shown
        _write(folder / page, text)
    for picture in pictures:
        _write(folder / "pictures" / picture.name, (ROOT / picture).read_bytes())
    _forget(folder, {folder / page for page in found} | {folder / "pictures" / picture.name for picture in pictures})
    app.srcdir = type(app.srcdir)(folder)


def _texts() -> dict[str, str]:
    files = {page: ROOT / file for file, page in ELSEWHERE.items() if (ROOT / file).is_file()}
    files |= {path.name: path for path in SITE.glob("*.md")}
    texts = {page: path.read_text(encoding="utf-8") for page, path in files.items()}
    for page, names in BELOW.items():
        texts[page] += TOCTREE.format(names="\n".join(names))
    for name in EXERCISES:  # they are pages here
        texts["exercises/index.md"] = texts["exercises/index.md"].replace(f"`{name}`", f"[{name}]({name}.md)")
    return texts


def _notebooks() -> dict[str, str]:
    """The lessons; links in them are those of Markdown, so that they are rewritten before they become JSON."""
    books = {}
    pages = {**ELSEWHERE, **_of_lessons(), **_of_the_site()}
    for path in lessons.scripts():
        page = f"lessons/{path.stem}.ipynb"
        book = lessons.for_the_site(path, lite.links(path))
        for cell in book.cells:
            if cell.cell_type == "markdown":
                cell.source = rewritten(cell.source, Path(relative(path)), page, pages)[0].rstrip("\n")
        books[page] = nbformat.writes(book)
    return books


def _of_lessons() -> dict[str, str]:
    return {relative(path): f"lessons/{path.stem}.ipynb" for path in lessons.scripts()}


def _of_the_site() -> dict[str, str]:
    return {relative(path): path.name for path in SITE.glob("*.md")}


def _with_sources(found: dict[str, str]) -> dict[str, tuple[Path, str]]:
    """With each page's text, the file that its links are seen from."""
    elsewhere = {page: Path(file) for file, page in ELSEWHERE.items()}
    return {page: (elsewhere.get(page, Path(relative(SITE)) / page), text) for page, text in found.items()}


def _kept(path: Path, maker: Callable[[], dict[str, str]]) -> dict[str, str]:
    """What `maker` makes; made once for each state of the package."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(maker()), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def _write(path: Path, content: str | bytes) -> None:
    """Only what changed: Sphinx reads a page again when its file is newer."""
    data = content.encode() if isinstance(content, str) else content
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _forget(folder: Path, wanted: set[Path]) -> None:
    for path in [path for path in folder.rglob("*") if path.is_file() and path not in wanted]:
        path.unlink()


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("config-inited", gather, priority=1)
