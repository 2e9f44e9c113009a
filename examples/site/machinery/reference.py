"""The API reference: a page for each room of the package, in the words of its docstrings.

Our docstrings are plain text whose columns are lined up by hand. Paragraphs become paragraphs, and whatever is lined
up keeps its lines.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from itertools import groupby
from types import ModuleType
from typing import Any

from .settings import PACKAGE

ROOMS = {
    "nn": "The network",
    "nn.gradcheck": "Gradient checks",
    "saliency": "Saliency maps",
    "saliency.evaluation": "Judging saliency maps",
    "learn.doctor": "The doctor",
    "learn.adapt": "Layers of other people",
    "learn.exercises": "Exercises",
    "learn.bugs": "The museum of bugs",
    "learn.lesson": "For lessons",
    "images": "Folders of photos",
    "motifs": "Drawn batik",
    "study": "The two-stage study",
    "experiment": "The experiment",
    "statistics": "Statistics of comparisons",
    "estimator": "The scikit-learn classifier",
    "exchange": "Keras files and ONNX",
    "figures": "Figures",
    "report": "Reports",
    "lab": "The lab",
    "ops": "The arithmetic",
}
CODE = re.compile(r"(?<!`)`{1,2}([^`\s](?:[^`]*[^`\s])?)`{1,2}(?!`)")
ALIGNED = re.compile(r"\S {2,}\S")


def pages() -> dict[str, str]:
    """{page: text}: the index, and a page for each room."""
    made = {f"api/{name}.rst": _room(name, title) for name, title in ROOMS.items()}
    rows = "\n".join(f"   {name}" for name in ROOMS)
    words = [f":doc:`{name} </api/{name}>`\n   {escaped(_first(_module(name)))}\n" for name in ROOMS]
    index = [*_title("API reference", "="), "What may be imported, room by room. ``[source]`` leads to the lines.", ""]
    made["api/index.rst"] = "\n".join([*index, *words, "", ".. toctree::", "   :hidden:", "", rows, ""])
    return made


def _room(name: str, title: str) -> str:
    module = _module(name)
    lines = [*_title(f"{name}: {title}", "="), *rst(inspect.getdoc(module) or "")]
    for home, members in groupby(_members(module), key=lambda one: one[2]):
        if home != module.__name__:
            words = _first(importlib.import_module(home))
            lines += ["", *_title(home.rpartition(".")[2], "-"), escaped(words), ""]
        for member, kind, _ in members:
            lines += ["", f".. {kind}:: {module.__name__}.{member}"]
            lines += ["   :members:"] if kind == "autoclass" else []
    return "\n".join(lines) + "\n"


def _members(module: ModuleType) -> list[tuple[str, str, str]]:
    """(name, directive, module where it is written), in the order of the files."""
    if module.__name__ == "batik_scratch.ops":
        return [one for part in _ops() for one in part]
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    found = []
    for name in names:
        thing = getattr(module, name)
        home = getattr(thing, "__module__", module.__name__)
        if not hasattr(module, "__all__") and home != module.__name__:
            continue
        if inspect.isclass(thing):
            found.append((name, "autoclass", home))
        elif inspect.isfunction(thing) and thing.__doc__:
            found.append((name, "autofunction", home))
    return sorted(found, key=lambda one: (one[2], inspect.getsourcelines(getattr(module, one[0]))[1]))


def _ops() -> Iterator[list[tuple[str, str, str]]]:
    for path in sorted((PACKAGE / "ops").glob("[!_]*.py")):
        module = importlib.import_module(f"batik_scratch.ops.{path.stem}")
        own = [
            (f"{path.stem}.{name}", "autofunction", module.__name__)
            for name, thing in vars(module).items()
            if inspect.isfunction(thing) and thing.__module__ == module.__name__ and not name.startswith("_")
        ]
        yield [one for one in own if getattr(module, one[0].split(".")[1]).__doc__]


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"batik_scratch.{name}")


def _first(module: ModuleType) -> str:
    return " ".join((inspect.getdoc(module) or "").partition("\n\n")[0].split())


def _title(words: str, line: str) -> list[str]:
    return [words, line * len(words), ""]


def rst(words: str) -> list[str]:
    """A docstring as reStructuredText: paragraphs as they are, and what is lined up as it stands."""
    lines: list[str] = []
    for part in re.split(r"\n\s*\n", words.strip("\n")):
        rows = part.splitlines()
        if any(row.startswith(" ") or ALIGNED.search(row) for row in rows):
            lines += ["", "::", "", *(f"   {row}" for row in rows), ""]
        elif all(row.startswith("- ") for row in rows[:1]):
            lines += ["", *(escaped(row) if row.startswith("- ") else f"  {escaped(row)}" for row in rows), ""]
        else:
            lines += [*(escaped(row) for row in rows), ""]
    return lines


def escaped(words: str) -> str:
    """Prose whose stars, bars and underscores mean themselves, and whose `code` is code."""
    parts = CODE.split(words)
    plain = [re.sub(r"([\\*_|`])", r"\\\1", part) for part in parts[::2]]
    code = [f"\\ ``{part}``\\ " for part in parts[1::2]]
    return "".join(one for pair in zip(plain, [*code, ""], strict=True) for one in pair)


def docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Sphinx's hook: the lines of a docstring, changed where they stand."""
    lines[:] = rst("\n".join(lines))


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", docstring)
