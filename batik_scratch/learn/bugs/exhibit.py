"""A bug on show in the museum: how it is hung, and what hangs beside it."""

import copy
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...nn import Layer, Optimizer
from ..update_rules import wrong_rules

IMAGE, COLOURED = (5, 6, 2), (5, 6, 3)  # unequal sizes, which tell the axes apart
ROW, CLASSES = (6,), (5,)  # neither is the batch of three
LABELS = ("Looks right", "The check", "Numbers")


@dataclass(frozen=True)
class Exhibit:
    """One bug on show, and what must be found out about it.

    bug          a broken layer, loss, optimiser or difference quotient; its docstring tells the story
    tensor       the gradient that the check must call wrong: "dx", "kernel", ...
    diagnosis    the name that the doctor should give it
    shape        input shape for a layer, without the batch axis
    """

    bug: Any
    tensor: str
    diagnosis: str
    shape: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The class, or the function, that is wrong."""
        return self._source().__name__

    @property
    def story(self) -> dict[str, str]:
        """What was wrong, and under each of LABELS what its docstring says."""
        parts = re.split(rf"^ *({'|'.join(LABELS)})\b", self._source().__doc__ or "", flags=re.MULTILINE)
        what, *told = [" ".join(part.split()) for part in parts]
        return {"What": what} | dict(zip(told[::2], told[1::2], strict=True))

    def _source(self) -> Callable:
        return self.bug if hasattr(self.bug, "__name__") else type(self.bug)


HUNG: defaultdict[str, list[Exhibit]] = defaultdict(list)  # by the module that is its room, in the order of that file


def hang(right: Any, tensor: str, diagnosis: str, shape: tuple[int, ...] = ()) -> Callable[[Any], Any]:
    """A decorator that hangs up a bug: a class, or the one function in which that class differs from a right one.

    right    a right layer, loss or optimiser, with the options of the one on show; None beside a difference quotient

    The function of a layer is `(self, dy, right) -> wrong`, both being the gradient of `tensor`; that of a loss is
    `(self, outputs, y, right) -> wrong`, and that of an optimiser its `update`. It becomes a class of the same name.
    """

    def hung(wrong: Any) -> Any:
        bug = wrong
        if right is not None:
            wrong = wrong if isinstance(wrong, type) else _of_function(wrong, type(right), tensor)
            bug = copy.deepcopy(right)
            bug.__class__ = wrong
        HUNG[wrong.__module__].append(Exhibit(bug, tensor, diagnosis, shape))
        return wrong

    return hung


def follow(optimizer: Optimizer, mistake: str, w: np.ndarray, g: np.ndarray, memory: dict[str, np.ndarray]) -> None:
    """Update w and memory as an optimiser does that makes a mistake of ../update_rules.py."""
    rule, remembered = wrong_rules(optimizer)[mistake][0], dict(memory)
    w[...] = rule(w, g, remembered, optimizer.iterations)
    for slot, old in memory.items():
        old[...] = remembered[slot]


def _of_function(wrong: Callable[..., Any], base: Any, tensor: str) -> type:
    """The class that differs from `base` in what `wrong` says."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = base.backward(self, dy, need_dx, need_grads)
        right = dict(self.grads)
        if tensor not in self.params:
            dx = wrong(self, dy, dx) if need_dx else None
        elif need_grads:
            right[tensor] = wrong(self, dy, right[tensor])
        self.grads = right
        return dx

    def call(self, outputs, y):
        value, gradient = base.__call__(self, outputs, y)
        return value, wrong(self, outputs, y, gradient)

    members: dict[type, dict[str, Any]] = {Layer: {"backward": backward}, Optimizer: {"update": wrong}}
    member = next((members[kind] for kind in members if issubclass(base, kind)), {"__call__": call})
    return type(wrong.__name__, (base,), {"__doc__": wrong.__doc__, "__module__": wrong.__module__, **member})
