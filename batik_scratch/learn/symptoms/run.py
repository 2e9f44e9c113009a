"""One run of a layer: its input, what `backward` said, and what the numbers say.

The numbers are the whole Jacobian by central differences, d y / d tensor, because it answers for every upstream
gradient at once: `numeric("dx", dy)` is J' dy, whatever dy. Nothing is assumed of the layer but the contract.
"""

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...nn import Layer
from .diagnosis import close
from .differences import differences
from .patient import Failure, Patient

LARGEST = 4_000_000  # numbers in a Jacobian: 32 MB

Gradients = dict[str, np.ndarray | None]


class TooLarge(Failure):
    """The layer works, but its Jacobians would be too large."""


@dataclass
class Case:
    """How to run the layer: everything that an explanation may change."""

    layer: Layer
    input_shape: tuple[int, ...]
    n: int = 3
    seed: int = 0
    x: np.ndarray | None = None
    params: dict[str, np.ndarray] = field(default_factory=dict)
    of_a_loss: bool = False  # then dy is 1, so that the numbers told are the loss' own

    def changed(self, options: dict[str, Any] | None = None, **changes: Any) -> "Case":
        """The same case with other fields, or with the layer's `options` (attributes such as strides) set."""
        layer = copy.deepcopy(self.layer)
        for name, value in (options or {}).items():
            setattr(layer, name, value)
        return Case(**({**vars(self), "layer": layer} | changes))


class Run:
    """The case, run once: forward on another input, forward on x, backward on dy twice.

    x (n, *input_shape) distinct values, dy N(0, 1) of y's shape (1 for a loss); analytic {tensor: gradient} of the first
    backward, again {tensor: gradient} of the second; instead {tensor: what came in place of an array}; touched: names of
    what the layer changed and should not have.
    later {tensor: gradient} where a whole backward pass of another batch went before, past {tensor: gradient} of that one.
    Raises Failure where the layer does.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        rng = np.random.default_rng(case.seed)
        self._patient = Patient(case.layer, tuple(case.input_shape), rng)
        self.layer = self._patient.layer
        self.layer.params |= {key: value.copy() for key, value in case.params.items()}
        shape = (case.n, *case.input_shape)
        self.earlier_x, drawn = distinct(shape, rng), distinct(shape, rng)
        self.x = drawn if case.x is None else case.x
        self.params = {key: value.copy() for key, value in self.layer.params.items()}
        self._jacobians: dict[str, np.ndarray] = {}
        fresh = copy.deepcopy(self._patient)
        self.y = self._after_another(self.x.copy()).copy()
        x = self.x.copy()
        self.repeatable = np.array_equal(self.y, self._after_another(x), equal_nan=True)
        self.dy = np.ones(self.y.shape) if case.of_a_loss else rng.standard_normal(self.y.shape)
        dy = self.dy.copy()
        self.analytic, self.instead = self._patient.backward(dy)
        self.again, _ = self._patient.backward(self.dy.copy())
        after: dict[str, tuple[Any, np.ndarray]] = {"dy": (dy, self.dy), "x": (x, self.x)}
        after |= {key: (self.layer.params.get(key), value) for key, value in self.params.items()}
        self.touched = [name for name, (now, before) in after.items() if not _same(now, before)]
        self.layer.params = {key: value.copy() for key, value in self.params.items()}
        self.past, self.later = self._with_a_past(fresh, rng)

    @property
    def tensors(self) -> list[str]:
        """The names of all gradients that there should be."""
        return ["dx", *self.params]

    def output(self, x: np.ndarray) -> np.ndarray:
        """A copy of y of a copy of x: the layer may do with both what it likes."""
        return self._patient.forward(x.copy()).copy()

    def backward(self, dy: np.ndarray) -> Gradients:
        """{tensor: gradient} for another upstream gradient, after a fresh forward pass."""
        self._after_another(self.x.copy())
        return self._patient.backward(dy.copy())[0]

    def jacobian(self, name: str) -> np.ndarray:
        """d y / d tensor (y.size, tensor.size); a column is NaN where the derivative jumps."""
        if name not in self._jacobians:
            tensor = self.x.copy() if name == "dx" else self.layer.params[name]
            x = tensor if name == "dx" else self.x
            self._jacobians[name] = differences(lambda: self.output(x), tensor)
        return self._jacobians[name]

    def numeric(self, name: str, dy: np.ndarray | None = None) -> np.ndarray:
        """The true gradient of <dy, y>, of the tensor's shape."""
        shape = self.x.shape if name == "dx" else self.params[name].shape
        upstream = (self.dy if dy is None else dy).reshape(-1)
        with np.errstate(all="ignore"):
            return (upstream @ self.jacobian(name)).reshape(shape)

    def right(self, name: str) -> bool:
        """True where `backward` and the numbers agree."""
        given = self.analytic[name]
        return given is not None and close(given, self.numeric(name))

    def fits(self, name: str, given: np.ndarray, dy: np.ndarray) -> bool:
        """True where `given` is the true gradient of <dy, y>; most that is not fails along one direction, at two forwards."""
        if dy.shape != self.y.shape or given.shape != (self.x if name == "dx" else self.params[name]).shape:
            return False
        if name not in self._jacobians:
            direction = np.random.default_rng(0).standard_normal(given.shape)
            slope = (dy * self._slope(name, direction / np.linalg.norm(direction))).sum()
            along = (given * direction).sum() / np.linalg.norm(direction)
            if not abs(along - slope) <= 1e-4 * np.linalg.norm(given) + 1e-7:
                return False
        return close(given, self.numeric(name, dy))

    def _after_another(self, x: np.ndarray) -> np.ndarray:
        """y of x, just after that of another batch: a layer that remembers an earlier one shows itself."""
        self._patient.forward(self.earlier_x.copy())
        return self._patient.forward(x)

    def _with_a_past(self, patient: Patient, rng: np.random.Generator) -> tuple[Gradients, Gradients]:
        """The gradients of another batch, and then those of this one, by a layer that has run neither before."""
        other = patient.forward(self.earlier_x.copy())
        past, _ = patient.backward(rng.standard_normal(other.shape))
        patient.forward(self.x.copy())
        return past, patient.backward(self.dy.copy())[0]

    def _slope(self, name: str, direction: np.ndarray) -> np.ndarray:
        """d y along a unit direction of one tensor, in steps too small for most kinks."""
        tensor = self.x.copy() if name == "dx" else self.layer.params[name]
        x = tensor if name == "dx" else self.x
        before, step = tensor.copy(), 1e-6 * direction
        tensor += step
        above = self.output(x)
        tensor[...] = before - step
        below = self.output(x)
        tensor[...] = before
        return (above - below) / 2e-6


def run(case: Case) -> Run:
    """Run the case; where its Jacobians would be too large, a smaller one of the same kind."""
    done = Run(case)
    largest = max([done.x.size, *(value.size for value in done.params.values())])
    if done.y.size * largest <= LARGEST:
        return done
    smaller = tuple(max(1, size * 2 // 3) if size > 4 else size for size in case.input_shape)
    if smaller == case.input_shape:
        sizes = (
            f"even for inputs of shape {case.input_shape} y has {done.y.size:,} numbers and the largest tensor {largest:,}, "
            f"which makes {done.y.size * largest:,}"
        )
        raise TooLarge("forward", ValueError(sizes))
    return run(case.changed(input_shape=smaller, n=min(case.n, 3)))


def try_run(case: Case) -> Run | None:
    """`run`, or None where the layer does not work in this case."""
    try:
        return run(case)
    except Failure:
        return None


def distinct(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Shuffled, evenly spaced values of both signs: no ties for a pooling, nothing near a ReLU's kink.

    From -1.95 to 1.95, in steps that never meet a multiple of 1/2, where a clipping may have its kinks.
    """
    size = int(np.prod(shape))
    return ((rng.permutation(size) - size // 2 + 0.5) * (3.9 / size)).reshape(shape)


def _same(now: Any, before: np.ndarray) -> bool:
    return isinstance(now, np.ndarray) and now.shape == before.shape and np.array_equal(now, before, equal_nan=True)
