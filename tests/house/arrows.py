"""Which module of a package leans on which: the arrows between modules, and the circles among them.

What counts as an arrow from a module M:

- Every `import` statement counts, wherever it stands: at the top, inside a function, inside a class, under
  `if TYPE_CHECKING`. So does `import_module("...")` with its name written out. A name that is put together while the
  program runs cannot be seen; the package's own lazy `__getattr__` is of that kind.
- The arrow goes to the module that is named: `from .layers.dense import Dense` leads to layers/dense.py. Of
  `from . import x`, x is a module if there is a file of that name, and otherwise a name that the package's `__init__`
  hands on: then the arrow leads to the `__init__`, and by the arrows of that one to the module which defines it.
- Python runs the `__init__` of each folder on the way before the module itself. So `from .layers.dense import Dense`,
  said outside of layers/, leads to layers/__init__.py as well. Said inside of layers/ it does not: that `__init__` has
  begun already, and a folder that hands its modules' names on would be a circle with each of them.
"""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

Arrows = dict[str, set[str]]


def modules_of(package: Path) -> dict[str, Path]:
    """{dotted name: file} of every module; "nn.layers" is the `__init__` of that folder, "" the package's own."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def tree_of(path: Path) -> ast.Module:
    """A file as Python reads it."""
    return _tree(path.read_text(encoding="utf-8"))


def arrows_of(package: Path) -> Arrows:
    """{module: the modules of the package that it leans on}."""
    modules = modules_of(package)
    return {name: _targets(package, modules, name) - {name} for name in modules}


def imports_in(package: Path, path: Path) -> Iterator[tuple[ast.AST, str, list[str]]]:
    """(node, dotted name, imported names) of every import in a file; relative ones spelled out as `PACKAGE.x.y`."""
    folder = (package.name, *path.relative_to(package).parent.parts)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else ()
            yield node, ".".join([*base, *filter(None, [node.module])]), [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and _called(node) == "import_module" and node.args:
            named = node.args[0]
            if isinstance(named, ast.Constant) and isinstance(named.value, str):
                dots = len(named.value) - len(named.value.lstrip("."))
                base = folder[: len(folder) - dots + 1] if dots else ()
                yield node, ".".join([*base, named.value.lstrip(".")]), []


def circles(arrows: Arrows) -> list[list[str]]:
    """One shortest way round for each knot of modules, every one of which leads to every other."""
    return [_way_round(arrows, knot) for knot in knots(arrows)]


def knots(arrows: Arrows) -> list[set[str]]:
    """The sets of two and more modules that all lean on each other, by whatever way (Tarjan's components)."""
    reach = {name: _reach(arrows, name) for name in arrows}
    found: list[set[str]] = []
    for name in sorted(arrows):
        if name in reach[name] and not any(name in knot for knot in found):
            found.append({name} | {other for other in reach[name] if name in reach.get(other, ())})
    return found


def _targets(package: Path, modules: dict[str, Path], name: str) -> set[str]:
    targets = set()
    for _, dotted, names in imports_in(package, modules[name]):
        if dotted.split(".")[0] != package.name:
            continue
        inside = dotted.removeprefix(package.name).removeprefix(".")
        led_to = {f"{inside}.{n}".lstrip(".") for n in names} & set(modules)
        if len(led_to) < len(names) or not names:
            led_to.add(inside)  # a name that the module itself has, or its __init__ hands on
        for target in led_to & set(modules):
            targets |= {target} | _gates(name, modules[name].name == "__init__.py", target)
    return targets


def _gates(name: str, is_init: bool, target: str) -> set[str]:
    """The folders whose `__init__` Python runs on the way from a module to its target, but those it is in itself."""
    above = {".".join(target.split(".")[:i]) for i in range(1, target.count(".") + 1)}
    parts = name.split(".")
    own = {".".join(parts[:i]) for i in range(1, len(parts) + is_init)}
    return above - own


def _reach(arrows: Arrows, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(arrows.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += arrows.get(name, ())
    return seen


def _way_round(arrows: Arrows, knot: set[str]) -> list[str]:
    """The shortest way from a module of a knot back to itself, breadth first."""
    ways = []
    for start in sorted(knot):
        paths, seen = [[start]], {start}
        while paths:
            path = paths.pop(0)
            following = sorted(arrows[path[-1]] & knot)
            if start in following:
                ways.append([*path, start])
                break
            paths += [[*path, name] for name in following if name not in seen]
            seen |= set(following)
    return min(ways, key=len)


@functools.cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))
