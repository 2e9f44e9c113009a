"""A student's file: running it, whether it defines what is asked, and in which of its lines a thing is done."""

import ast
import importlib
import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .exercise import Exercise, Finding

Misfit = tuple[Any, ...] | None  # a sentence; if there are any, details and the line at fault


class Answer:
    """The file of a student, run as a module; `thing` is the class or function that the exercise asks for.

    note      takes findings that are certain, while something slow is still looking for better words
    trying    with what the code is being run, to be told should it stop
    """

    def __init__(
        self, path: Path, exercise: Exercise, note: Callable[[list[Finding]], None] = lambda findings: None
    ) -> None:
        self.path = path
        self.exercise = exercise
        self.note = note
        self.tree: ast.Module = ast.Module([], [])
        self.thing: Any = None
        self.trying = ""

    def found(self, part: str, sentence: str, details: tuple[str, ...] = (), at: str = "") -> list[Finding]:
        """A finding about `part`, in the line that works it out; or in the first line of the method `at`."""
        method = at or (part if part in self.exercise.writes else [self.exercise.answer, *self.exercise.writes][-1])
        tensor = "" if at else part if self.exercise.writes else "dx"
        return [Finding(part, sentence, details, self.line_of(method, tensor))]

    def load(self) -> list[Finding]:
        """Compile and run the file, and find the class or function in it."""
        source = self.path.read_bytes()
        if b"\0" in source:  # some Pythons say it by a ValueError
            raise SyntaxError("it holds zero bytes, so it is no text")
        self.tree = ast.parse(source, str(self.path))
        module = types.ModuleType("exercise_answer")  # not "__main__": what a file does when it is run stays undone
        module.__file__ = str(self.path)
        exec(compile(source, str(self.path), "exec"), module.__dict__)
        wanted = self.exercise.answer
        self.thing = getattr(module, wanted, None)
        if self.thing is None:
            wrong: Misfit = (f"The file defines no {wanted}; keep the name that the stub has.",)
        elif self.exercise.writes:
            wrong = self._class_misfits()
            for method in self.exercise.writes:
                wrong = wrong or self._method_misfits(method)
        else:
            wrong = self._function_misfits()
        return [Finding("file", *wrong)] if wrong else []

    def _class_misfits(self) -> Misfit:
        wanted, reference = self.exercise.answer, self.exercise.reference
        base = f"nn.{reference.__name__}"
        if self.thing is reference:
            return (f"{wanted} is the package's own here; write class {wanted}({base}): with methods of yours.",)
        if not isinstance(self.thing, type) or not issubclass(self.thing, reference):
            return (f"{wanted} must be a class that inherits from {base}: class {wanted}({base}):",)
        if inspect.signature(self.thing).parameters.keys() != inspect.signature(reference).parameters.keys():
            made = f"{wanted} has a constructor of its own; the check makes it as it makes {base}: leave __init__ out."
            return made, (), self.line_of("__init__")
        return None

    def _method_misfits(self, method: str) -> Misfit:
        wanted, reference = self.exercise.answer, self.exercise.reference
        base, function = f"nn.{reference.__name__}", vars(self.thing).get(method)
        if method not in vars(self.thing):
            return (
                f"{wanted} has no {method} of its own, so that {base}'s would answer for it; "
                f"write def {method}, indented under the class.",
            )
        if not callable(function) or isinstance(function, staticmethod):
            kind = type(function).__name__
            return (f"{method} is of the kind {kind}; it must be a method: def {method}(self, ...):",)
        if wrong := misfit(self.exercise, method, function):
            return wrong[0], wrong[1:], self.line_of(method)
        for node in ast.walk(self.node(method) or ast.Pass()):
            if isinstance(node, ast.Attribute) and node.attr == method and _asks_the_reference(node, reference):
                return f"{method} lets {base}.{method} do the work; the point is to write it yourself.", (), node.lineno
        return None

    def _function_misfits(self) -> Misfit:
        wanted = self.exercise.answer
        if not callable(self.thing):
            return (f"{wanted} must be a function: def {wanted}(...):",)
        if wrong := misfit(self.exercise, wanted, self.thing):
            return wrong[0], wrong[1:], self.line_of(wanted)
        for node in ast.walk(self.tree):
            name = getattr(node, "attr", getattr(node, "id", None))
            if name in self.exercise.forbidden:
                line = getattr(node, "lineno", None)
                return f"{name} does the work here; the point is to write it yourself.", (), line
        return None

    # ------------------------------------------------------------------ lines

    def node(self, method: str) -> ast.FunctionDef | None:
        """The definition of `method`, or of the function itself."""
        found = [n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef) and n.name == method]
        return found[-1] if found else None

    def line_of(self, method: str, tensor: str = "") -> int | None:
        """The line in which `method` fills `grads[tensor]`; for "dx" its last return; else its first line."""
        node = self.node(method)
        if node is None:
            return None
        if tensor == "dx":
            return max((n.lineno for n in ast.walk(node) if isinstance(n, ast.Return)), default=node.lineno)
        named = [
            part.lineno
            for statement in ast.walk(node)
            if isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr) and _fills_grads(statement)
            for part in ast.walk(statement)
            if isinstance(part, ast.Constant) and part.value == tensor
        ]
        return named[-1] if named else node.lineno


def _fills_grads(statement: ast.Assign | ast.AugAssign | ast.Expr) -> bool:
    if isinstance(statement, ast.Expr):  # a call, as of setdefault
        parts = [statement.value]
    else:
        parts = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(isinstance(n, ast.Attribute) and n.attr == "grads" for part in parts for n in ast.walk(part))


def _asks_the_reference(node: ast.Attribute, reference: type) -> bool:
    owner = node.value
    if isinstance(owner, ast.Call):
        return isinstance(owner.func, ast.Name) and owner.func.id == "super"
    return isinstance(owner, ast.Attribute) and owner.attr == reference.__name__


def misfit(exercise: Exercise, name: str, function: Callable[..., Any]) -> tuple[str, str] | None:
    """What is wrong with the parameters of the function `name`, and its first line as it must be; None if they fit."""
    solution = getattr(importlib.import_module(f"{__package__}.solutions.{exercise.name}"), exercise.answer)
    right = inspect.signature(solution if name == exercise.answer else vars(solution)[name])
    try:
        mine = inspect.signature(function)
    except (TypeError, ValueError):  # a function of C says nothing of its parameters: calling it will tell
        return None
    if _fits(mine, right):
        return None
    return f"{name} takes {mine}, and that does not fit its calls. Its first line must be:", f"def {name}{right}:"


def _fits(mine: inspect.Signature, right: inspect.Signature) -> bool:
    """Does every call of `right` mean the same to `mine`? What comes by place may have other names, or be *args."""
    defaults = {name: p.default for name, p in right.parameters.items() if p.default is not p.empty}
    plain = [object() for _ in range(len(right.parameters) - len(defaults))]
    options = {name: object() for name in defaults}
    try:
        mine.bind(*plain)
        mine.bind(*plain, **options)
        by_place = mine.bind(*plain, *options.values()).arguments
    except TypeError:
        return False
    known = mine.parameters.keys() & defaults.keys()
    return all(by_place[name] is options[name] and mine.parameters[name].default == defaults[name] for name in known)
