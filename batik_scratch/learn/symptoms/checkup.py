"""One checkup of a layer: its input, what `backward` said, and what the numbers say.

The numbers are the whole Jacobian by central differences, d y / d tensor, because it answers for every upstream
gradient at once: `numeric("dx", dy)` is J' dy, whatever dy. Nothing is assumed of the layer but the contract.
"""

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...nn import Layer
from ...nn.gradcheck.jacobian import EPS
from ...nn.gradcheck.jacobian import jacobian as measured_jacobian
from ...nn.gradcheck.numeric import distinct
from ...nn.gradcheck.probe import is_rounded
from ...nn.gradcheck.specimen import Failure, Gradients, Specimen, moved, what_instead

LARGEST = 4_000_000  # numbers in a Jacobian: 32 MB
ATOL, RTOL = 1e-8, 1e-7  # of the largest value: far above rounding, far below any mistake
SHORTER = 0.3  # of the usual step, where the numbers and backward differ by little
MOST = 1500  # values of y, for each of which backward is asked once
WIDTH = 3.9  # of the inputs: in steps that never meet a multiple of 1/2, where a clipping may have its kinks


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


class Checkup:
    """The case, run once: forward on another input, forward on x, backward on dy twice.

    x, y, dy         distinct values (n, *input_shape), above zero for a logarithm; what forward made of
                     them; N(0, 1) of y's shape (1 for a loss)
    twice            what two backward passes gave, and what they changed
    analytic         {tensor: gradient} of the first one, None if there is none
    instead          {tensor: what came in place of an array}
    past, later      {tensor: gradient} of another batch, and of this one if that one's backward pass went before

    Raises Failure if the layer does.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        rng = np.random.default_rng(case.seed)
        self.specimen = Specimen(case.layer, tuple(case.input_shape), rng)
        self.layer = self.specimen.layer
        for key, value in case.params.items():
            self.layer.params[key][...] = value
        self.params = {key: value.copy() for key, value in self.layer.params.items()}
        self.earlier_x, drawn = (self._draw((case.n, *case.input_shape), rng) for _ in range(2))
        self.x = drawn if case.x is None else case.x
        self._jacobians: dict[str, np.ndarray] = {}
        self._claimed: dict[str, np.ndarray] | None = None
        fresh = copy.deepcopy(self.specimen)
        self.y = self._after_another()
        self.repeatable = np.array_equal(self.y, self._after_another(), equal_nan=True)
        self.dy = np.ones(self.y.shape) if case.of_a_loss else rng.standard_normal(self.y.shape)
        self.twice = self.specimen.backward_twice(self.x, self.dy)
        self.analytic, self.instead = _arrays(self.twice.first)
        self.past, self.later = self._with_a_past(fresh, rng)

    def backward(self, dy: np.ndarray) -> dict[str, np.ndarray | None]:
        """{tensor: gradient} for another upstream gradient, after a fresh forward pass."""
        self._after_another()
        return _arrays(self.specimen.backward(dy))[0]

    def jacobian(self, name: str) -> np.ndarray:
        """d y / d tensor (y.size, tensor.size); a column is NaN if the derivative jumps there."""
        if name not in self._jacobians:
            x, tensor = self._movable(name)
            self._jacobians[name] = measured_jacobian(lambda: self.specimen.forward(x), tensor)
        return self._jacobians[name]

    def claimed(self, name: str) -> np.ndarray | None:
        """d y / d tensor (y.size, tensor.size) as backward has it, read off row by row.

        None if y has more than MOST values, if a gradient is none or has another shape than its tensor, or if the rows
        do not add up to what backward gave for dy, because it is not linear in dy.
        """
        if self._claimed is None:
            self._claimed = self._read_off() if self.y.size <= MOST else {}
        return self._claimed.get(name)

    def _read_off(self) -> dict[str, np.ndarray]:
        names = [name for name, g in self.analytic.items() if g is not None and g.shape == self._tensor(name).shape]
        matrices = {name: np.empty((self.y.size, self._tensor(name).size)) for name in names}
        self._after_another()
        for row in range(self.y.size):
            alone = np.zeros(self.y.shape)
            alone.reshape(-1)[row] = 1
            gradients = _arrays(self.specimen.backward(alone))[0]
            for name in list(matrices):
                given = gradients[name]
                if given is None or given.size != matrices[name].shape[1]:
                    del matrices[name]
                else:
                    matrices[name][row] = given.reshape(-1)
        dy = self.dy.reshape(-1)
        whole = {name: np.reshape(g, -1) for name, g in self.analytic.items() if g is not None}
        return {name: rows for name, rows in matrices.items() if close(dy @ rows, whole[name])}

    def _tensor(self, name: str) -> np.ndarray:
        return self.x if name == "dx" else self.params[name]

    def numeric(self, name: str, dy: np.ndarray | None = None) -> np.ndarray:
        """The true gradient of <dy, y>, of the tensor's shape."""
        shape = self.x.shape if name == "dx" else self.params[name].shape
        upstream = (self.dy if dy is None else dy).reshape(-1)
        with np.errstate(all="ignore"):
            return (upstream @ self.jacobian(name)).reshape(shape)

    def without(self, name: str) -> np.ndarray:
        """y if the tensor were zero everywhere."""
        x, tensor = self._movable(name)
        with moved((tensor, -tensor)), np.errstate(all="ignore"):
            return self.specimen.forward(x)

    def rounds(self, name: str) -> bool:
        """True if forward rounds the tensor to float32 on its way to a y in float64."""
        x, tensor = self._movable(name)
        return is_rounded(lambda: self.specimen.forward(x), tensor, self.y)

    def right(self, name: str) -> bool:
        """True if `backward` and the numbers agree, or those of shorter steps: a kink may lie within the first."""
        given = self.analytic[name]
        if given is None or close(given, self.numeric(name)):
            return given is not None
        if given.shape != self._tensor(name).shape or not close(given, self.numeric(name), 1e3):
            return False
        x, tensor = self._movable(name)
        shorter = measured_jacobian(lambda: self.specimen.forward(x), tensor, SHORTER * EPS)
        anew = (self.dy.reshape(-1) @ shorter).reshape(given.shape)
        if close(anew, self.numeric(name)) or not close(given, anew, 3.0):
            return False  # where both steps say the same, no kink lay between, and backward is what differs
        self._jacobians[name] = shorter
        return True

    def fits(self, name: str, given: np.ndarray, dy: np.ndarray) -> bool:
        """True if `given` is the true gradient of <dy, y>; most that is not fails along one direction."""
        if dy.shape != self.y.shape or given.shape != (self.x if name == "dx" else self.params[name]).shape:
            return False
        if name not in self._jacobians:
            direction = np.random.default_rng(0).standard_normal(given.shape)
            slope = (dy * self._slope(name, direction / np.linalg.norm(direction))).sum()
            along = (given * direction).sum() / np.linalg.norm(direction)
            if not abs(along - slope) <= 1e-4 * np.linalg.norm(given) + 1e-7:
                return False
        return close(given, self.numeric(name, dy))

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        x = self.specimen.suited(distinct(shape, rng, WIDTH))
        into_range = getattr(self.layer, "into_range", None)  # that of a loss on probabilities
        return x if into_range is None else into_range(x)

    def _after_another(self) -> np.ndarray:
        """y of x, just after that of another batch: a layer that remembers an earlier one shows itself."""
        self.specimen.forward(self.earlier_x)
        return self.specimen.forward(self.x)

    def _with_a_past(self, fresh: Specimen, rng: np.random.Generator) -> tuple[Gradients, Gradients]:
        """The gradients of another batch, and then those of this one, by a layer that has run neither before."""
        past = fresh.backward(rng.standard_normal(fresh.forward(self.earlier_x).shape))
        fresh.forward(self.x)
        return _arrays(past)[0], _arrays(fresh.backward(self.dy))[0]

    def _slope(self, name: str, direction: np.ndarray) -> np.ndarray:
        """d y along a unit direction of one tensor, in steps too small for most kinks."""
        x, tensor = self._movable(name)
        ends = []
        for step in (1e-6, -1e-6):
            with moved((tensor, step * direction)):
                ends.append(self.specimen.forward(x))
        return (ends[0] - ends[1]) / 2e-6

    def _movable(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """What forward is to be called with, and the tensor to move for it to see."""
        x = self.x.copy()
        return x, x if name == "dx" else self.layer.params[name]


def check_up(case: Case) -> Checkup:
    """Run the case; if its Jacobians would be too large, a smaller one of the same kind."""
    done = Checkup(case)
    largest = max([done.x.size, *(value.size for value in done.params.values())])
    product = done.y.size * largest
    if product <= LARGEST:
        return done
    smaller = tuple(max(1, size * 2 // 3) if size > 4 else size for size in case.input_shape)
    if smaller == case.input_shape:
        numbers = f"y has {done.y.size:,} numbers and the largest tensor {largest:,}, which makes {product:,}"
        raise TooLarge("forward", ValueError(f"even for inputs of shape {case.input_shape} {numbers}"))
    return check_up(case.changed(input_shape=smaller, n=min(case.n, 3)))


def try_to_check_up(case: Case) -> Checkup | None:
    """`check_up`, or None if the layer does not work in this case."""
    try:
        return check_up(case)
    except Failure:
        return None


def close(a: np.ndarray, b: np.ndarray, times: float = 1.0) -> bool:
    """True if both agree to 1e-7 (or `times` that) of the largest value; places that are NaN in b are not compared."""
    if a.shape != b.shape:
        return False
    known = ~np.isnan(b)
    if not known.any():
        return b.size == 0
    largest = float(np.abs(b[known]).max())
    return bool((np.abs(a - b)[known] <= times * (ATOL + RTOL * largest)).all())  # False if a is NaN


def zero(a: np.ndarray) -> np.ndarray:
    """True at each place where a is zero, up to the rounding of a numerical derivative."""
    return np.abs(a) <= ATOL


def _arrays(gradients: Gradients) -> tuple[dict[str, np.ndarray | None], dict[str, str]]:
    """{tensor: gradient, or None if it is no array of numbers}, and {tensor: what came instead}."""
    instead = {key: kind for key, g in gradients.items() if g is not None and (kind := what_instead(g))}
    return {key: None if g is None or key in instead else np.array(g) for key, g in gradients.items()}, instead
