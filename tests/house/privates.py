"""Who reaches for a name with an underscore that is somebody else's.

A sin is `from x import _y`, `module._y`, and `thing._y` or `getattr(thing, "_y")` of any object but self, cls and
super(). Names that the same module defines are its own affair: functions and variables at the top, methods, and what
its classes put into self; so a class may look at another of its kind (`other._y`). Names with two underscores at both
ends are Python's. Underscores that are documented (`os._exit`, a named tuple's `_replace`) are no secret.
"""

import ast
from pathlib import Path

from house.arrows import imports_in, modules_of, tree_of

PUBLIC_ALL_THE_SAME = {"_exit", "_replace", "_asdict", "_fields", "_make", "_getframe"}
OWN = {"self", "cls"}


def foreign_privates(package: Path) -> list[tuple[str, int, str]]:
    """(file, line, name) of every use of somebody else's underscore name in a package."""
    found = []
    for path in modules_of(package).values():
        found += [(path.relative_to(package).as_posix(), line, name) for line, name in _sins(package, path)]
    return sorted(found)


def _sins(package: Path, path: Path) -> list[tuple[int, str]]:
    tree = tree_of(path)
    own = _defined_in(tree) | PUBLIC_ALL_THE_SAME
    sins = [
        (getattr(node, "lineno", 0), name)
        for node, dotted, names in imports_in(package, path)
        for name in [*dotted.split("."), *names]
        if _is_private(name)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name, owner = node.attr, node.value
        elif isinstance(node, ast.Call) and _asks_by_name(node):
            name, owner = node.args[1].value, node.args[0]  # type: ignore[attr-defined]
        else:
            continue
        if _is_private(name) and name not in own and not _is_oneself(owner):
            sins.append((node.lineno, name))
    return sins


def _defined_in(tree: ast.Module) -> set[str]:
    """Every name that the module defines: at the top, in its classes, and in their `self`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_oneself(node.value):
            names.add(node.attr)
    for body in [tree.body, *(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]:
        for statement in body:
            targets = getattr(statement, "targets", [getattr(statement, "target", None)])
            names |= {
                name.id for target in targets if target for name in ast.walk(target) if isinstance(name, ast.Name)
            }
    return names


def _is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__")) and name.strip("_") != ""


def _is_oneself(owner: ast.expr) -> bool:
    if isinstance(owner, ast.Name):
        return owner.id in OWN
    return isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "super"


def _asks_by_name(node: ast.Call) -> bool:
    asked = isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr", "hasattr", "delattr")
    return asked and len(node.args) > 1 and isinstance(getattr(node.args[1], "value", None), str)
