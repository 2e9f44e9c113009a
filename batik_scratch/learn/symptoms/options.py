"""The small numbers that a layer holds, whatever they are called, and what each of them does.

A stride may be called strides, stride, s or step; a class may hold it, or a layer within. So what a number means is
found by changing it: with another stride the output grows otherwise with the input; without padding it is smaller;
without dilation it is larger. A number whose effect is none of these is left alone.
"""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...nn import Layer
from ...nn.gradcheck.specimen import Failure, Specimen
from .checkup import Case

LARGEST = 16
NOT_OPTIONS = ("name", "dtype", "input_shape", "output_shape", "named_by_user", "params", "grads", "not_trained")
LONGER = 12  # by which the input grows: every stride up to 4, and 6, divides it

Option = tuple[tuple[str, ...], Any]  # where it stands, such as ("inner", "strides"), and what it is


def options(layer: Any) -> Iterator[Option]:
    """Whole numbers up to 16, pairs of them, numbers with a point, and "same"; of the object, its class, its layers."""
    for name, value in _members(layer).items():
        if isinstance(value, Layer):
            yield from (((name, *path), inner) for path, inner in options(value))
        elif _is_option(value):
            yield (name,), value


def rates(layer: Any) -> dict[str, float]:
    """{name: number} of those between 0 and 1."""
    return {path[-1]: value for path, value in options(layer) if isinstance(value, float) and 0 < value < 1}


def with_option(layer: Any, path: tuple[str, ...], value: Any) -> Any:
    """A copy of the layer in which the option has another value."""
    changed = copy.deepcopy(layer)
    owner = changed
    for name in path[:-1]:
        owner = getattr(owner, name)
    setattr(owner, path[-1], value)
    return changed


def easier_options(case: Case) -> Iterator[tuple[str, Case, str]]:
    """(diagnosis, the case with one option made easy, what it was instead), for every option whose role is known."""
    for path, value in options(case.layer):
        for easy in _easier(value):
            changed = case.changed()
            changed.layer = with_option(case.layer, path, easy)
            if (slug := _role(case, changed, easy)) is not None:
                yield slug, changed, f"{path[-1]} = {value}"


def _easier(value: Any) -> Iterator[Any]:
    if value == "same":
        yield "valid"
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from (easy for easy in (1, 0) if value > easy)
    elif isinstance(value, tuple | list):
        kind = type(value)
        yield from (kind([easy] * len(value)) for easy in (1, 0) if max(value) > easy)


def _role(case: Case, changed: Case, easy: Any) -> str | None:
    """What the option does, as the name of the diagnosis that only its easy value is right."""
    if len(case.input_shape) < 2:
        return None
    try:
        before, after = _sizes(case), _sizes(changed)
    except Failure:
        return None
    growth, easy_growth = before[1] - before[0], after[1] - after[0]
    nothing = easy in (0, "valid") or (isinstance(easy, tuple | list) and set(easy) == {0})
    if growth != easy_growth:
        if nothing or easy_growth != LONGER:
            return None
        return "right for stride 1 alone" if growth < LONGER else "right for factor 1 alone"
    if nothing:
        return "right without padding alone" if after[0] < before[0] else None
    if before[2] != after[2] or not before[2]:  # the kernel is another one, or there is none: a pooling
        return None
    return "right for dilation 1 alone" if after[0] > before[0] else None


def _sizes(case: Case) -> tuple[int, int, tuple]:
    """The output's first axis for the input as it is, and for one that is longer; the shapes of the parameters."""
    found, shapes = [], tuple[tuple[int, ...], ...]()
    for longer in (0, LONGER):
        shape = (case.input_shape[0] + longer, *case.input_shape[1:])
        rng = np.random.default_rng(0)
        specimen = Specimen(case.layer, shape, rng)
        found.append(specimen.forward(rng.standard_normal((1, *shape))).shape[1])
        shapes = tuple(value.shape for value in specimen.layer.params.values())
    return found[0], found[1], shapes


def _members(layer: Any) -> dict[str, Any]:
    of_classes = [vars(one) for one in reversed(type(layer).__mro__) if one not in (Layer, object)]
    every = {
        name: value for members in [*of_classes, getattr(layer, "__dict__", {})] for name, value in members.items()
    }
    return {name: value for name, value in every.items() if name not in NOT_OPTIONS and not name.startswith("__")}


def _is_option(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, tuple | list):
        return 0 < len(value) < 3 and all(type(one) is int and 0 <= one <= LARGEST for one in value)
    return (
        (type(value) is int and 0 <= value <= LARGEST)
        or type(value) is float
        or (isinstance(value, str) and value == "same")
    )
