"""Stub and solution of an exercise, both made from the solution's own source: so neither can go stale.

solution    the file in solutions/, with the package's docstring on the class or function
stub        the same with every function's body gone
"""

import ast
import inspect
import re
import textwrap
from importlib import resources
from pathlib import Path

from ...errors import InputError
from .catalogue import find
from .exercise import Exercise
from .progress import BEGUN, remember

HOW_A_LAYER_WORKS = """\
#
# A layer is an object with two methods; self is the layer.
# forward   is given x, an array with an image (or a row) at each first index,
#           and returns y. What backward will need, it puts away:
#           self._keep(value, training, keep). Hand on training and keep as they
#           came: they tell whether a backward pass will follow.
# backward  is given dy: how much the loss, which is one number for how wrong the
#           network is, changes with each value of y. It returns dx: the same for
#           each value of x, in x's shape. It does not know forward's x or y:
#           self._recall() is what forward put away. If need_dx is False,
#           nobody asks for dx: return None.
# Return arrays of your own: x.reshape(...) shows x's own numbers in another
# shape (a view), .copy() makes them yours.
"""


def start(name: str, folder: Path, hard: bool = False) -> Path:
    """Write the exercise's stub into `folder`, which is made if it is missing; a file that exists is never changed.

    hard    without the formulas: what the thing is, its shapes, and what is given
    """
    exercise = find(name)
    path = folder / f"{exercise.name}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(stub(exercise, hard))
    except FileExistsError:
        taken = path if folder.is_dir() else folder
        raise InputError(f"{taken} exists, and is left as it is; choose another folder") from None
    remember(exercise.name, BEGUN)
    return path


def solution(exercise: Exercise) -> str:
    """The reference answer as a file that `check` accepts."""
    return _header(exercise) + _explained(exercise)


def stub(exercise: Exercise, hard: bool = False) -> str:
    """The file to start from: docstrings and signatures are there, bodies are not; nor are the formulas, if `hard`."""
    lines = _explained(exercise, hard).splitlines()
    for function, owner in reversed(_functions(ast.parse("\n".join(lines)))):
        body = function.body
        last_kept = body[0].end_lineno if _is_docstring(body[0]) else function.lineno
        indent = " " * body[0].col_offset
        name = f"{owner}.{function.name}" if owner else function.name
        assert last_kept is not None
        lines[last_kept : function.end_lineno] = [f'{indent}raise NotImplementedError("{name} is still to be written")']
    return _header(exercise) + "\n".join(lines) + "\n"


def _header(exercise: Exercise) -> str:
    file, many = f"{exercise.name}.py", "s" * (len(exercise.after) > 1)
    return (
        f"# Exercise {exercise.name}, after lesson{many} {exercise.lessons}.\n"
        f"# Is it right?  batik-scratch exercise check {file}    (in the folder of this file)\n"
        f"# Stuck?        batik-scratch exercise hint {file}\n"
    ) + (HOW_A_LAYER_WORKS if exercise.writes == ("forward", "backward") else "")


def _explained(exercise: Exercise, hard: bool = False) -> str:
    """The source in solutions/, with the package's docstring put above whatever the answer says itself."""
    source = resources.files(__package__).joinpath("solutions", f"{exercise.name}.py").read_text("utf-8")
    node = next(n for n in ast.parse(source).body if getattr(n, "name", None) == exercise.answer)
    assert isinstance(node, ast.ClassDef | ast.FunctionDef)
    words, first = inspect.cleandoc(exercise.docstring), node.body[0]
    if hard:
        words = _without_formulas(words)
    lines, start = source.splitlines(), node.lineno
    if _is_docstring(first):
        words += "\n\n" + inspect.cleandoc(ast.get_docstring(node) or "")
        start, end = first.lineno - 1, first.end_lineno
        lines[start:end] = []
    gap = [""] if isinstance(node, ast.ClassDef) else []
    words = words + ('\n"""' if "\n" in words else '"""')
    lines[start:start] = [*textwrap.indent(f'"""{words}', "    ").splitlines(), *gap]
    return "\n".join(lines) + "\n"


def _without_formulas(words: str) -> str:
    """What it is, in the first paragraph, and the lines that name the shapes."""
    shapes = re.findall(r"^Shapes.*(?:\n +.*)*", words, re.MULTILINE)
    return "\n\n".join([words.split("\n\n")[0], *shapes])


def _functions(tree: ast.Module) -> list[tuple[ast.FunctionDef, str]]:
    """Every function of the file with the name of its class, in the order of the text."""
    owners: list[tuple[ast.Module | ast.ClassDef, str]] = [(tree, "")]
    owners += [(node, node.name) for node in tree.body if isinstance(node, ast.ClassDef)]
    found = [(inner, name) for owner, name in owners for inner in owner.body if isinstance(inner, ast.FunctionDef)]
    return sorted(found, key=lambda one: one[0].lineno)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
