"""How objects show themselves: one line in a terminal, a table in a notebook.

A notebook asks what it shows for `_repr_html_` (IPython's convention), and falls back on `repr`.
"""

import inspect
from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any


def call(thing: object, options: Mapping[str, Any]) -> str:
    """The class and those of its options that are not the default, in order: `Conv2D(filters=32, kernel_size=5)`."""
    known = inspect.signature(type(thing)).parameters
    said = {key: _typed(options[key]) for key in [*known, *options] if key in options}
    told = [f"{key}={value!r}" for key, value in said.items() if key not in known or known[key].default != value]
    return f"{type(thing).__name__}({', '.join(told)})"


def _typed(value: Any) -> Any:
    """As one would type it: tuples for JSON's lists, and one number for a pair of the same."""
    if not isinstance(value, list | tuple):
        return value
    return value[0] if len(value) == 2 and value[0] == value[1] else tuple(value)


def attributes(thing: object) -> dict[str, Any]:
    """The constructor's arguments that an object keeps under their own names, with what they are now."""
    names = inspect.signature(type(thing)).parameters
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


def shape(sizes: Sequence[int] | None) -> str:
    """A shape without its batch axis: "(150, 150, 3)"; "?" before it is known."""
    return "?" if sizes is None else f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


def html_table(
    caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = (), below: str = ""
) -> str:
    """An HTML table of plain text, which is escaped; columns in `right` are flush right; `below` are lines under it."""

    def line(cells: Sequence[str], tag: str) -> str:
        sides = ["right" if i in right else "left" for i in range(len(cells))]
        styled = zip(sides, cells, strict=True)
        return "".join(f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>' for side, cell in styled)

    title = f'<caption style="text-align: left; font-weight: bold">{escape(caption)}</caption>'
    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    note = "".join(f"<div>{escape(text)}</div>" for text in below.splitlines())
    return f"<table>{title}<thead><tr>{line(header, 'th')}</tr></thead><tbody>{body}</tbody></table>{note}"
