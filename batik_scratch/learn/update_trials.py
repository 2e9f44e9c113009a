"""An optimiser tried out from outside: where its steps go, and what it remembers from one step to the next.

The gradients are ours, so whatever array moves with them shows its own rule: a memory s that becomes a s + b g is a
running mean (b = 1 - a), a velocity (b = 1) or a sum (a = b = 1), and a and b are read off by least squares.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..nn import Dense
from ..nn.gradcheck.optimizers import UpdateRule

Tensors = dict[str, np.ndarray]
FITS = 1e-9  # of the largest value in a memory
DEPTH = 5  # of objects within objects
OF: dict[str, Callable[[np.ndarray], np.ndarray]] = {"g": np.asarray, "g*g": np.square, "|g|": np.abs}


@dataclass(frozen=True)
class Slot:
    """A memory that becomes `keeps` s + `takes` f, where f is "g", "g*g" or "|g|" of the gradient plus `penalty` w."""

    of: str
    keeps: float
    takes: float
    penalty: float = 0.0


@dataclass(frozen=True)
class Trial:
    """Steps of one layer with a kernel (3, 4) and a bias (4,).

    gradients    those of each step
    weights      the start, and what each step left
    memory       {where in the optimiser: array} after each step
    touched      True if a step wrote into a gradient that it was handed
    """

    gradients: list[Tensors]
    weights: list[Tensors]
    memory: list[Tensors]
    touched: bool

    def follows(self, rule: UpdateRule) -> bool:
        """True if every step is that of the rule, to rounding."""
        memories: dict[str, dict[str, Any]] = {key: {} for key in self.weights[0]}
        w = dict(self.weights[0])
        for t, (gradients, after) in enumerate(zip(self.gradients, self.weights[1:], strict=True), 1):
            for key, g in gradients.items():
                w[key] = rule(w[key], g, memories[key], t)
            if not all(_same(after[key], w[key]) for key in w):
                return False
        return True

    def apart(self, rule: UpdateRule) -> float:
        """How far its steps are from those of the rule times the best factor, as a share of their own length."""
        memories: dict[str, dict[str, Any]] = {key: {} for key in self.weights[0]}
        moves: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for t, (gradients, before, after) in enumerate(
            zip(self.gradients, self.weights, self.weights[1:], strict=False), 1
        ):
            for key, g in gradients.items():
                moves[0].append((after[key] - before[key]).reshape(-1))
                moves[1].append((rule(before[key], g, memories[key], t) - before[key]).reshape(-1))
        ours, theirs = map(np.concatenate, moves)
        lengths = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
        cosine = float(ours @ theirs) / lengths if 0 < lengths < np.inf else 0.0
        return float(np.sqrt(max(1 - max(cosine, 0.0) ** 2, 0.0)))

    def slots(self) -> list[Slot]:
        """Each memory of the kernel that moves by a rule which is known here."""
        shape = self.weights[0]["kernel"].shape
        paths = [path for path, array in self.memory[-1].items() if array.shape == shape]
        return [slot for path in paths if (slot := self._slot(path)) is not None]

    def remembers(self) -> int:
        """How many numbers it keeps for each weight."""
        held = sum(array.size for array in self.memory[-1].values())
        return held // sum(w.size for w in self.weights[0].values())

    def never_writes(self) -> bool:
        """True if it has memories, and all of them are zero after every step."""
        held = [array for memory in self.memory for array in memory.values()]
        return bool(held) and not any(array.any() for array in held)

    def _slot(self, path: str) -> Slot | None:
        kept = [memory.get(path) for memory in self.memory]
        pairs = [(a, b, t) for t, (a, b) in enumerate(pairwise(kept), 1) if a is not None and b is not None]
        if len(pairs) < 3 or any(a.shape != b.shape for a, b, _ in pairs):
            return None
        before, after = (np.concatenate([ends[end].reshape(-1) for *ends, _ in pairs]) for end in (0, 1))
        g, w = (
            np.concatenate([there[t]["kernel"].reshape(-1) for _, _, t in pairs])
            for there in (self.gradients, self.weights)
        )
        for of, function in OF.items():
            if (fit := _fit([before, function(g)], after)) is not None and fit[1]:
                return Slot(of, fit[0], fit[1])
        if (fit := _fit([before, g, w], after)) is not None and fit[1]:
            return Slot("g", fit[0], fit[1], round(fit[2] / fit[1], 9))
        return None


def try_out(optimizer: Any, steps: int, dead: bool = False) -> Trial:
    """Steps on gradients from N(0, 1), the same as in `trajectories`; if `dead`, the first unit's gradients are zero,
    and no w is.
    """
    rng = np.random.default_rng(0)
    layer, tried = _layer(rng), copy.deepcopy(optimizer)
    if dead:
        for w in layer.params.values():
            w[...] = rng.standard_normal(w.shape)
    gradients, weights, memory, touched = [], [_copies(layer.params)], [], False
    for _ in range(steps):
        given = {key: rng.standard_normal(w.shape) for key, w in layer.params.items()}
        for g in given.values() if dead else ():
            g[..., 0] = 0
        layer.grads = _copies(given)
        handed = dict(layer.grads)
        tried.step([layer])
        touched |= any(not np.array_equal(handed[key], g) for key, g in given.items())
        besides = {id(array) for array in [*layer.params.values(), *layer.grads.values()]}
        gradients.append(given)
        weights.append(_copies(layer.params))
        memory.append(_copies(_arrays_in(tried, besides)))
    return Trial(gradients, weights, memory, touched)


def side_by_side(optimizer: Any, steps: int, other: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """The kernels of two equal layers after each step; the second's gradients are `other` times the first's."""
    rng = np.random.default_rng(0)
    first = _layer(rng)
    second, tried = copy.deepcopy(first), copy.deepcopy(optimizer)
    after = []
    for _ in range(steps):
        first.grads = {key: rng.standard_normal(w.shape) for key, w in first.params.items()}
        second.grads = {key: other * g for key, g in first.grads.items()}
        tried.step([first, second])
        after.append((first.params["kernel"].copy(), second.params["kernel"].copy()))
    return after


def _layer(rng: np.random.Generator) -> Dense:
    layer = Dense(4)
    layer.astype("float64")
    layer.build((3,), rng)
    return layer


def _copies(tensors: Tensors) -> Tensors:
    return {key: np.array(value) for key, value in tensors.items()}


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == np.shape(b) and bool((np.abs(a - b) <= 1e-14 + 1e-12 * np.abs(b)).all())


def _fit(columns: list[np.ndarray], after: np.ndarray) -> tuple[float, ...] | None:
    """The coefficients of the columns, if they give `after`; rounded, where they are numbers of few digits."""
    matrix = np.stack(columns, axis=1)
    if not (np.isfinite(matrix).all() and np.isfinite(after).all()):
        return None
    sizes = np.maximum(np.abs(matrix).max(axis=0), 1e-300)
    found = np.linalg.lstsq(matrix / sizes, after, rcond=None)[0] / sizes
    if np.abs(matrix @ found - after).max() > FITS * max(np.abs(after).max(), 1e-300):
        return None
    return tuple(float(np.round(c, 6)) if abs(c - np.round(c, 6)) < 1e-8 else float(c) for c in found)


def _arrays_in(thing: Any, besides: set[int], depth: int = DEPTH, path: str = "") -> Tensors:
    """{where: array of numbers} in an object, at any depth but for the arrays named by their identity."""
    if depth < 0 or id(thing) in besides or isinstance(thing, type | str):
        return {}
    if isinstance(thing, np.ndarray):
        return {path: thing} if thing.dtype.kind == "f" and thing.ndim else {}
    if isinstance(thing, dict):
        inner = [(f"{path}[{key!r}]", value) for key, value in thing.items()]
    elif isinstance(thing, list | tuple):
        inner = [(f"{path}[{number}]", value) for number, value in enumerate(thing)]
    else:
        inner = [(f"{path}.{key}", value) for key, value in getattr(thing, "__dict__", {}).items()]
    found: Tensors = {}
    for there, value in inner:
        found |= _arrays_in(value, besides, depth - 1, there)
    return found
