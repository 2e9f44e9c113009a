"""The parameters of what is to be written: do the package's calls fit the student's definition."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from .exercise import Exercise


def misfit(exercise: Exercise, name: str, function: Callable[..., Any]) -> tuple[str, str] | None:
    """What is wrong with the parameters of the function `name`, and its first line as it must be; None if they fit."""
    right = _of_the_solution(exercise, name)
    try:
        mine = inspect.signature(function)
    except (TypeError, ValueError):  # a function of C says nothing of its parameters: calling it will tell
        return None
    if _fits(mine, right):
        return None
    return f"{name} takes {mine}, and that does not fit its calls. Its first line must be:", f"def {name}{right}:"


def _of_the_solution(exercise: Exercise, name: str) -> inspect.Signature:
    module = importlib.import_module(f"{__package__}.solutions.{exercise.name}")
    answer = getattr(module, exercise.answer)
    return inspect.signature(answer if name == exercise.answer else vars(answer)[name])


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
