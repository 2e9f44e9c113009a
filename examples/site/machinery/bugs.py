"""The museum of bugs as pages: the wrong lines, why they look right, and what the doctor says when it is called."""

import inspect
import textwrap
from types import ModuleType

from batik_scratch.learn import museum
from batik_scratch.learn.bugs import EXHIBITS, ROOMS
from batik_scratch.learn.museum import Visit

from .links import relative

INDEX = """# The museum of bugs

{count} mistakes as people make them, in published code and in the classroom. Each is a small change to a layer that
is right, and most of them train all the same. On every page: the wrong lines, why they look right, what the gradient
check sees, and what the doctor said when it was called while this site was built. `batik-scratch gradcheck --museum`
walks through all of them on your machine.

To use the museum in class: show the code, ask what is wrong, and open the doctor's words last.

{rooms}

```{{toctree}}
:hidden:

{names}
```
"""


def pages() -> dict[str, str]:
    """{page: text}: the index, and a page for each room."""
    visits = {visit.exhibit.name + visit.exhibit.diagnosis: visit for visit in museum.walk()}
    made, rows = {}, []
    for room in ROOMS:
        own = [visits[one.name + one.diagnosis] for one in EXHIBITS if _module(visits, one) == room.__name__]
        name = room.__name__.rpartition(".")[2]
        made[f"museum/{name}.md"] = _room(room, name, own)
        rows.append(f"- [{name.capitalize()}]({name}.md), {len(own)} bugs. {_first(room)}")
    names = "\n".join(room.__name__.rpartition(".")[2] for room in ROOMS)
    made["museum/index.md"] = INDEX.format(count=len(EXHIBITS), rooms="\n".join(rows), names=names)
    return made


def _module(visits: dict[str, Visit], exhibit: object) -> str:
    bug = exhibit.bug
    return bug.__module__ if hasattr(bug, "__name__") else type(bug).__module__


def _first(room: ModuleType) -> str:
    return " ".join((inspect.getdoc(room) or "").partition("\n\n")[0].split())


def _room(room: ModuleType, name: str, visits: list[Visit]) -> str:
    parts = [f"# {name.capitalize()}", _first(room), f"The room is [{name}.py](source:{relative(_file(room))})."]
    return "\n\n".join([*parts, *(_exhibit(room, visit) for visit in visits)]) + "\n"


def _file(room: ModuleType):
    from pathlib import Path

    return Path(inspect.getfile(room))


def _exhibit(room: ModuleType, visit: Visit) -> str:
    """One bug, the answer folded."""
    story = visit.exhibit.story
    words = "\n".join(f"- **{label}**: {text}" for label, text in story.items() if label != "What")
    said = "\n".join(textwrap.fill(f"{one.tensor}: {one.sentence}", 100) for one in visit.diagnoses)
    caught = f"caught by `{visit.caught_by}`" if visit.caught else "not caught"
    lines = [f"## {visit.exhibit.name}", "```python\n" + _code(room, visit.exhibit.name) + "\n```", words]
    lines += ["<details><summary>What is wrong, and what the doctor says</summary>", story["What"]]
    lines += [f"{caught.capitalize()}.", f"```text\n{said}\n```", "</details>"]
    return "\n\n".join(lines)


def _code(room: ModuleType, name: str) -> str:
    """The wrong lines without the docstring, which tells."""
    import ast

    source = inspect.getsource(room)
    node = next(one for one in ast.parse(source).body if getattr(one, "name", None) == name)
    lines = source.splitlines()
    end = node.end_lineno
    first = node.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    kept = lines[node.lineno - 1 : first.lineno - 1] + lines[first.end_lineno if told else first.lineno - 1 : end]
    return "\n".join(kept)
