"""Links that are right in the repository, made right on the site.

A page's text says `[Adam](../../batik_scratch/ops/adam.py)`, as a reader of the file needs it. Here that becomes a link
to the page that the site has for it: a page of text, a lesson, or a file of the package with its lines numbered. And
a path between backquotes becomes a link without being asked.
"""

import os
import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from .settings import PACKAGE, ROOT

LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\])\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:|#")
FENCE = re.compile(r"^ *(```|~~~)")
FILE = re.compile(r"[\w./-]+(?:/|\.\w+)")
SHOWN = (".py", ".js", ".css")


def rewritten(text: str, source: Path, page: str, pages: dict[str, str]) -> tuple[str, set[Path]]:
    """The text of the file `source` (below the repository) as that of `page`, and the pictures that it shows.

    pages    {file below the repository: page of the site with its suffix}
    """
    pictures: set[Path] = set()
    base = posixpath.dirname(page)

    def one(found: re.Match) -> str:
        words, target = found[1], found[2]
        if ELSEWHERE.match(target):
            return found[0]
        path, _, anchor = target.partition("#")
        full = posixpath.normpath(posixpath.join(source.parent.as_posix(), path))
        anchor = f"#{anchor}" if anchor else ""
        if full in pages:
            return f"{words}({posixpath.relpath(pages[full], base or '.')}{anchor})"
        if words.startswith("!"):
            pictures.add(Path(full))
            return f"{words}(/pictures/{posixpath.basename(full)})"
        if (ROOT / full).exists():
            return f"{words}(source:{full})"
        return found[0]  # a page that is made: Sphinx knows whether it is there

    lines, inside = [], False
    for line in text.splitlines():
        if FENCE.match(line):
            inside = not inside
        lines.append(line if inside else LINK.sub(one, line))
    return "\n".join(lines) + "\n", pictures


def page_of_source(path: str) -> str | None:
    """The page, without suffix, that shows this file or folder of the repository; None if the site has none."""
    full = ROOT / path
    if full.is_dir():
        return f"source/{PurePosixPath(path)}/index" if full.is_relative_to(PACKAGE) else None
    shown = full.is_file() and full.suffix in SHOWN and full.is_relative_to(PACKAGE)
    return f"source/{path}" if shown or path in WANTED else None


WANTED: set[str] = set()  # files beside the package that a page links to: they get a page too


class Sources(SphinxPostTransform):
    """`source:PATH` and paths between backquotes become links to the pages of sources.py."""

    default_priority = 5

    def run(self, **_: Any) -> None:
        if self.app.builder.format != "html":
            return
        for node in list(self.document.findall(nodes.reference)):
            if node.get("refuri", "").startswith("source:"):
                node["refuri"] = self._uri(node["refuri"].removeprefix("source:"))
        for node in list(self.document.findall(nodes.literal)):
            words = node.astext()
            if FILE.fullmatch(words) and not isinstance(node.parent, nodes.reference):
                found = next((path for path in (words, f"batik_scratch/{words}") if page_of_source(path)), None)
                if found:
                    link = nodes.reference("", "", refuri=self._uri(found), classes=["file"])
                    node.replace_self(link)
                    link += node

    def _uri(self, path: str) -> str:
        if not page_of_source(path) and (ROOT / path).is_file():
            WANTED.add(path)
        page = page_of_source(path)
        if page is None:
            raise ValueError(f"{self.env.docname}: links to {path}, and the site has no page for it; link to a file")
        return self.app.builder.get_relative_uri(self.env.docname, page)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.add_post_transform(Sources)


def relative(path: Path) -> str:
    """A file's path below the repository, with slashes."""
    return Path(os.path.relpath(path, ROOT)).as_posix()
