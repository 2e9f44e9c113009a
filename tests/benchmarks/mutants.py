"""What mutation.py changes: every small change of the package, floor by floor, and a seeded sample of them."""

import ast
import copy
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "batik_scratch"
COMMANDS = ("cli.py", "__main__.py", "commands/", "bench/", "explain/", "study/single.py")
FLOORS = {
    "ops": ("ops/",),
    "nn": ("nn/",),
    "images": ("images/", "files.py"),
    "motifs": ("motifs/",),
    "saliency": ("saliency/",),
    "study": ("study/", "record/"),
    "report": ("report/", "figures/"),
    "learn": ("learn/",),
    "commands": COMMANDS,
}
Node = TypeVar("Node", bound=ast.AST)
NO_CODE = {"__init__.py", "everything.py"}  # names handed on, and the list of what gradcheck tries
SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
# Not arguments that an answer depends on: what zip asserts, how a file's text is coded, whose line a warning names ...
QUIET = {"strict", "encoding", "stacklevel"}
# ... and how thick, how grey and how far apart a drawing's lines and letters are.
LOOK = {
    "alpha", "bbox_to_anchor", "bottom", "capsize", "color", "dpi", "edgecolor", "facecolor", "figsize", "fontsize",
    "frameon", "ha", "handlelength", "hspace", "labelpad", "left", "length", "linestyle", "linewidth", "lw",
    "markersize", "pad", "right", "rotation", "shrink", "top", "va", "weight", "wspace", "zorder",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what stood there, what stands there now; `which` counts the same change in one file."""

    path: Path
    floor: str
    line: int
    span: tuple[tuple[int, int], tuple[int, int]]  # from and to (line, byte)
    before: str
    after: str
    which: int

    @property
    def name(self) -> str:
        """The file below the package."""
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def key(self) -> str:
        """The same as long as the change is, whatever happens to other lines."""
        return hashlib.sha256(f"{self.name} {self.before} {self.after} {self.which}".encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.name}:{self.line}: {self.before}  ->  {self.after}"

    def text(self) -> str:
        """The whole file with the change in it; all other lines stay what and where they are."""
        (first, start), (last, end) = self.span
        lines = self.path.read_bytes().splitlines(keepends=True)
        head, tail = lines[first - 1][:start], lines[last - 1][end:]
        new = head + self.after.encode() + tail
        if last > first:
            new = new.rstrip(b"\n") + b"\n" * (last - first + 1)
        return b"".join([*lines[: first - 1], new, *lines[last:]]).decode()


def all_mutants(floor: str) -> list[Mutant]:
    """All changes of a floor's files."""
    found: list[Mutant] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if path.name not in NO_CODE and floor_of(name) == floor:
            found += mutants_of(path, floor)
    return found


def floor_of(name: str) -> str | None:
    """The floor of a file below the package: commands first, whatever room they stand in today."""
    for floor in ("commands", *FLOORS):
        if name.startswith(FLOORS[floor]):
            return floor
    return None


def sample(everything: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """`count` of all mutants, in the order of a hash of what they are: it stays when other lines change."""
    return sorted(everything, key=lambda mutant: hashlib.sha256(f"{seed} {mutant.key}".encode()).digest())[:count]


def mutants_of(path: Path, floor: str) -> list[Mutant]:
    """All changes of one file."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    tree = ast.parse(path.read_text())
    same = set(map(id, open_lengths(tree)))
    for node in places(tree, drawing=floor == "report"):
        for old, new in variants(node):
            before, after = ast.unparse(old), ast.unparse(new)
            if isinstance(new, ast.expr):
                after = f"({after})"
            seen[before, after] += 1
            if id(old) in same:
                continue
            assert old.end_lineno is not None and old.end_col_offset is not None
            span = (old.lineno, old.col_offset), (old.end_lineno, old.end_col_offset)
            found.append(Mutant(path, floor, old.lineno, span, before, after, seen[before, after]))
    return found


def places(node: ast.AST, drawing: bool) -> Iterator[ast.AST]:
    """Nodes that may change; messages of errors, assertions, f-strings, annotations and docstrings are left alone."""
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # docstrings
        return
    yield node
    skipped = {"annotation", "returns", "decorator_list", "bases", "type_comment", "type_params"}
    for name, value in ast.iter_fields(node):
        if name in skipped:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (isinstance(child, ast.keyword) and is_quiet(child, drawing)):
                yield from places(child, drawing)


def open_lengths(tree: ast.AST) -> Iterator[ast.expr]:
    """The 1 of each -1 in a reshape: NumPy takes any negative length for the one that it is to find."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "reshape":
            asked = list(call.args)
            for shape in asked:  # grows by what stands in a tuple, or in "this if ... else that"
                if isinstance(shape, ast.Tuple):
                    asked += shape.elts
                elif isinstance(shape, ast.IfExp):
                    asked += [shape.body, shape.orelse]
                elif isinstance(shape, ast.UnaryOp):
                    yield shape.operand


def is_quiet(keyword: ast.keyword, drawing: bool) -> bool:
    return keyword.arg in QUIET or (drawing and keyword.arg in LOOK)


def variants(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, ast.expr | ast.stmt]]:
    """What could stand in the node's place, or in a part's: pairs of old and new."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield node, with_(node, ops=[SWAPS[type(node.ops[0])](), *node.ops[1:]])
    elif isinstance(node, ast.AugAssign) and type(node.op) in SWAPS:
        yield node, with_(node, op=SWAPS[type(node.op)]())
        yield node, ast.copy_location(ast.Assign([node.target], node.value), node)
    elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPS and not is_type_union(node):
        yield node, with_(node, op=SWAPS[type(node.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield node, node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, with_(node, value=not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield node, with_(node, value=node.value + 1)
    elif isinstance(node, ast.If | ast.IfExp | ast.While) and not is_type_checking(node.test):
        yield node.test, ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Return) and node.value is not None and not is_none(node.value):
        yield node, with_(node, value=ast.Constant(None))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield node, ast.copy_location(ast.Pass(), node)
    if isinstance(node, ast.Call):
        yield from calls(node)


def calls(node: ast.Call) -> Iterator[tuple[ast.expr, ast.expr]]:
    """A call without one of its named arguments; for `x.copy()`, x."""
    if isinstance(node.func, ast.Attribute) and node.func.attr == "copy" and not node.args:
        yield node, node.func.value
    for argument in node.keywords:
        if argument.arg is not None and not is_quiet(argument, drawing=True):
            yield node, with_(node, keywords=[other for other in node.keywords if other is not argument])


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def is_type_checking(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"


def is_type_union(node: ast.BinOp | ast.BoolOp) -> bool:
    """`int | float`: no arithmetic."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.BitOr)
        and any(isinstance(side, ast.Name | ast.Constant) for side in (node.left, node.right))
    )


def with_(node: Node, **fields: object) -> Node:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed
