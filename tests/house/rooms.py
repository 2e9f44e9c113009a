"""How large the rooms are, and what may stand in them: one function a rule, each returns what breaks it."""

import ast
from collections.abc import Iterable
from pathlib import Path

from house.arrows import imports_in, modules_of, tree_of

LINES_OF_A_MODULE, LINES_OF_A_FUNCTION, LETTERS_OF_A_LINE = 300, 50, 120


def large_modules(package: Path, most: int = LINES_OF_A_MODULE) -> list[str]:
    """`file: lines` of every module with more lines than `most`."""
    counts = {path: path.read_text(encoding="utf-8").count("\n") for path in modules_of(package).values()}
    return [f"{_name(package, path)}: {n}" for path, n in counts.items() if n > most]


def large_functions(package: Path, most: int = LINES_OF_A_FUNCTION) -> list[str]:
    """`file:line name: lines` of every function with more lines than `most`, decorators and docstring counted."""
    found = []
    for path in modules_of(package).values():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                lines = (node.end_lineno or first) - first + 1
                if lines > most:
                    found.append(f"{_name(package, path)}:{node.lineno} {node.name}: {lines}")
    return found


def without_docstring(package: Path) -> list[str]:
    """Modules that do not say what they are."""
    return [_name(package, path) for path in modules_of(package).values() if not ast.get_docstring(tree_of(path))]


def defining_inits(package: Path) -> list[str]:
    """`file:line` of everything in an `__init__` but its docstring, imports and `__all__`.

    The package's own may also say `__version__` and load its floors when they are first asked for (`__getattr__`).
    """
    found = []
    for name, path in modules_of(package).items():
        if path.name != "__init__.py":
            continue
        allowed = {"__all__"} | ({"__version__", "__getattr__"} if not name else set())
        for node in tree_of(path).body:
            is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not (is_docstring or isinstance(node, ast.Import | ast.ImportFrom) or _defines(node) <= allowed):
                found.append(f"{_name(package, path)}:{node.lineno}")
    return found


def type_checking(package: Path) -> list[str]:
    """`file:line` of every mention of TYPE_CHECKING: an arrow that nobody is meant to see."""
    found = []
    for path in modules_of(package).values():
        for node in ast.walk(tree_of(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            if "TYPE_CHECKING" in (getattr(node, "id", ""), getattr(node, "attr", ""), *names):
                found.append(f"{_name(package, path)}:{node.lineno}")  # type: ignore[attr-defined]
    return found


def importers_of(package: Path, libraries: Iterable[str]) -> dict[str, set[str]]:
    """{file: those of the libraries that it imports, wherever in the file}."""
    wanted, found = set(libraries), {}
    for path in modules_of(package).values():
        here = {dotted.split(".")[0] for _, dotted, _ in imports_in(package, path)} & wanted
        if here:
            found[_name(package, path)] = here
    return found


def long_lines(files: Iterable[Path], root: Path, most: int = LETTERS_OF_A_LINE) -> list[str]:
    """`file:line` of every line over `most` letters; of a Markdown file only prose: no table, no code, no bare link."""
    found = []
    for path in files:
        in_code = False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if path.suffix == ".md":
                in_code ^= line.lstrip().startswith("```")
                if in_code or line.startswith("|") or " " not in line.strip():
                    continue
            if len(line) > most:
                found.append(f"{path.relative_to(root).as_posix()}:{number}")
    return found


def _defines(node: ast.stmt) -> set[str]:
    """The names that a statement defines; {""} where it does something else."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {getattr(target, "id", "") for target in targets}
    return {getattr(node, "name", "")}


def _name(package: Path, path: Path) -> str:
    return path.relative_to(package).as_posix()
