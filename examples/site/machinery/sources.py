"""Every file of the package as a page, its lines numbered: what lessons and the reference point at."""

import ast
import html
import inspect
import posixpath
import sys
from pathlib import Path
from string import Template
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename

from .links import SHOWN, WANTED, relative
from .settings import PACKAGE, ROOT

TEMPLATE = Template((Path(__file__).parent / "source.html").read_text(encoding="utf-8"))


def shown_files() -> list[Path]:
    """What gets a page: the package, and whatever else a page links to."""
    return sorted({path for path in PACKAGE.rglob("*") if path.suffix in SHOWN} | {ROOT / path for path in WANTED})


def write(app: Any, error: Exception | None) -> None:
    """After the pages: these, which Sphinx need not know, since nobody searches them or finds them in a menu."""
    if error or app.builder.name != "html":
        return
    files = shown_files()
    for path in files:
        _page(Path(app.outdir), relative(path), f'<div class="highlight">{_numbered(path)}</div>')
    for folder in sorted({parent for path in files if PACKAGE in path.parents for parent in path.parents} & _inside()):
        rows = "".join(_row(path, files) for path in sorted(folder.iterdir()))
        body = f"<p>{html.escape(_says(folder / '__init__.py'))}</p>\n<ul>{rows}</ul>"
        _page(Path(app.outdir), f"{relative(folder)}/index", body)


def _page(out: Path, name: str, body: str) -> None:
    path = out / "source" / f"{name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    title, up = name.removesuffix("/index"), "../" * (name.count("/") + 1)
    path.write_text(TEMPLATE.substitute(title=title, up=up, way=_way(title), body=body), encoding="utf-8")


def _inside() -> set[Path]:
    return {PACKAGE, *(path for path in PACKAGE.rglob("*") if path.is_dir())}


def _row(path: Path, files: list[Path]) -> str:
    if path in files:
        return f'<li><a href="{path.name}.html"><code>{path.name}</code></a> {html.escape(_says(path))}</li>'
    if any(path in file.parents for file in files):
        says = html.escape(_says(path / "__init__.py"))
        return f'<li><a href="{path.name}/index.html"><code>{path.name}/</code></a> {says}</li>'
    return ""


def _says(path: Path) -> str:
    """The first sentence of a module."""
    if not path.is_file() or path.suffix != ".py":
        return ""
    words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(words.partition("\n\n")[0].split())


def _way(name: str) -> str:
    """The path as links to its folders."""
    *folders, last = name.split("/")
    steps = [f'<a href="{"../" * (len(folders) - 1 - i)}index.html">{part}</a>/' for i, part in enumerate(folders)]
    if not name.startswith("batik_scratch"):
        steps = [f"{part}/" for part in folders]
    elif not Path(last).suffix:  # a folder's own page lies one deeper
        steps = [step.replace('href="', 'href="../') for step in steps]
    return "".join(steps) + last


def _numbered(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    form = HtmlFormatter(linenos="inline", lineanchors="line", anchorlinenos=True)
    return highlight(text, get_lexer_for_filename(path.name), form)


def linkcode(domain: str, told: dict[str, str]) -> str | None:
    """From an entry of the reference, which lies one folder deep, to the lines that it describes."""
    if domain != "py" or not told["module"]:
        return None
    thing: Any = sys.modules.get(told["module"])
    try:
        for part in told["fullname"].split("."):
            thing = inspect.unwrap(getattr(thing, part))
        thing = thing.fget if isinstance(thing, property) else thing
        file, (_, line) = inspect.getsourcefile(thing), inspect.getsourcelines(thing)
    except (AttributeError, TypeError, OSError):
        return None
    name = relative(Path(file)) if file else ".."
    return None if name.startswith("..") else posixpath.join("..", "source", f"{name}.html#line-{line}")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.config.linkcode_resolve = linkcode
    app.connect("build-finished", write)
