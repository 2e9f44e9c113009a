"""Every random source that a layer may draw from, found and held still, so that forward is one fixed function.

A layer may hold a generator of its own, at any depth; share one of its class or module; draw from the global
generators of NumPy or Python; or make a new generator from a counter that each call advances. All four are rewound.

The global generators are started anew from a seed for each pass: that takes 10 microseconds. To read NumPy's and write
it back takes 70, as much as a layer's pass, so whoever makes many passes has that done once (`global_sources_kept`).
"""

import copy
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import is_dataclass
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

SOURCES = (np.random.Generator, np.random.RandomState, random.Random)
DEPTH = 4  # of objects within objects

_kept = ContextVar("global_sources_kept", default=False)  # True within that function's `with`


class Randomness:
    """The random sources that some layers use, their counters, and where each of them stands now."""

    def __init__(self, layers: Iterable[Any]) -> None:
        self._states: list[tuple[Any, Any]] = []
        self._counters: list[tuple[Any, str, int]] = []
        self._outside: list[Any] = []  # of classes and modules, whom a copy of the layer shares
        self._seed = 0  # of the global sources
        seen: set[int] = set()
        for layer in layers:
            self._look_into(layer, seen, DEPTH)
            for source in _of_its_class(layer):
                self._look_into(source, seen, 0)
                self._outside.append(source)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Randomness":
        memo |= {id(source): source for source in self._outside}
        other = memo[id(self)] = object.__new__(type(self))
        vars(other).update(copy.deepcopy(vars(self), memo))
        return other

    def rewind(self) -> None:
        """Put the layers' own sources back to where they stood, so that the same numbers are drawn again."""
        for source, state in self._states:
            _put_back(source, state)
        for owner, name, count in self._counters:
            setattr(owner, name, count)

    def move_on(self) -> None:
        """Hold each source a little further on, each counter where it stands now, and the global ones elsewhere."""
        for source, state in self._states:
            _put_back(source, state)
            source.random()
        self._states = [(source, _state(source)) for source, _ in self._states]
        self._counters = [(owner, name, getattr(owner, name, count)) for owner, name, count in self._counters]
        self._seed += 1

    @contextmanager
    def rewound(self) -> Iterator[None]:
        """Within the `with`, the global sources start at the same place too; then they are given back untouched."""
        self.rewind()
        with global_sources_kept():
            np.random.seed(self._seed)  # noqa: NPY002
            random.seed(self._seed)
            yield

    def _look_into(self, value: Any, seen: set[int], depth: int) -> None:
        if id(value) in seen or depth < 0 or isinstance(value, type | ModuleType | FunctionType | np.ndarray):
            return
        seen.add(id(value))
        if isinstance(value, SOURCES):
            self._states.append((value, _state(value)))
            return
        if isinstance(value, dict):
            inner = list(value.values())
        elif isinstance(value, list | tuple | set):
            inner = list(value)
        else:
            inner = list(getattr(value, "__dict__", {}).values())
            self._counters += [(value, name, getattr(value, name)) for name in _counters(value)]
        for one in inner:
            self._look_into(one, seen, depth - 1)


@contextmanager
def global_sources_kept() -> Iterator[None]:
    """After the `with`, NumPy's and Python's global generators stand where they stood before it.

    One within another leaves that to the outer one.
    """
    if _kept.get():
        yield
        return
    states, token = (np.random.get_state(), random.getstate()), _kept.set(True)  # noqa: NPY002
    try:
        yield
    finally:
        _kept.reset(token)
        np.random.set_state(states[0])  # noqa: NPY002
        random.setstate(states[1])


def _counters(owner: Any) -> list[str]:
    """The whole numbers that an object may count with: its own, and those that its class starts them from."""
    if not hasattr(owner, "__dict__") or is_dataclass(owner):
        return []
    held = {name: value for one in reversed(type(owner).__mro__) for name, value in vars(one).items()} | vars(owner)
    return sorted(name for name, value in held.items() if type(value) is int and not name.startswith("__"))


def _of_its_class(layer: Any) -> list[Any]:
    """The random sources that the layer's class holds, and those that its methods name or enclose."""
    found: list[Any] = []
    for one in type(layer).__mro__[:-1]:
        for value in vars(one).values():
            found.append(value)
            if isinstance(value, FunctionType):
                found += [value.__globals__[name] for name in value.__code__.co_names if name in value.__globals__]
                found += [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
    return [value for value in found if isinstance(value, SOURCES)]


def _is_filled(cell: Any) -> bool:
    try:
        return isinstance(cell.cell_contents, SOURCES)
    except ValueError:
        return False


def _state(source: Any) -> Any:
    if isinstance(source, np.random.Generator):
        return source.bit_generator.state
    return source.get_state() if isinstance(source, np.random.RandomState) else source.getstate()


def _put_back(source: Any, state: Any) -> None:
    if isinstance(source, np.random.Generator):
        source.bit_generator.state = state
    elif isinstance(source, np.random.RandomState):
        source.set_state(state)
    else:
        source.setstate(state)
