"""A layer under examination: built anew, run as often as one likes, its randomness held still, its words kept.

How to use it (the gradient check, the doctor and the exercises all do):

    specimen = Specimen(layer, (5, 6, 3), np.random.default_rng(0))    # a copy in float64; of a class, Dense(**options)
    y = specimen.forward(x)                                            # the same dropout mask at every call
    gradients = specimen.backward(dy)                                  # {"dx": ..., "kernel": ..., "bias": ...}
    with moved((specimen.layer.params["kernel"], step)):               # and put back, bit by bit, at the end
        there = specimen.forward(x)
    twice = specimen.backward_twice(x, dy)                             # the same again? was anything changed?

The layer gets copies and gives copies, so that what it does to its arguments stays its own affair. Whatever it raises
arrives as a Failure that says in which call (`stage`) and what (`error`, with its own traceback).
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..layers import Layer
from .randomness import Randomness

NUMBERS = (np.ndarray, np.generic, int, float, complex)  # a number is an array of no axes

Gradients = dict[str, Any]  # a copy of each array that backward gave; anything else as it came, None if nothing did


class Failure(Exception):
    """The layer raised: `stage` says in which call ("build", "forward" or "backward"), `error` what."""

    def __init__(self, stage: str, error: BaseException) -> None:
        super().__init__(f"{type(error).__name__}: {_first_line(error)}")
        self.stage, self.error = stage, error


class NoArray(Failure):
    """forward returned something else than an array of numbers: `kind` says what."""

    def __init__(self, kind: str) -> None:
        super().__init__("forward", TypeError(f"forward returns {kind}; it must return an array of numbers"))
        self.kind = kind


@dataclass(frozen=True)
class Twice:
    """Two backward passes of one forward pass.

    first, second    {tensor: gradient} of each
    changed          {"dy", "x" or a parameter: (what the layer made of it, what it was)}; should be empty
    """

    first: Gradients
    second: Gradients
    changed: dict[str, tuple[Any, np.ndarray]]

    def unlike(self, same: Callable[[np.ndarray, np.ndarray], bool] | None = None) -> list[str]:
        """The tensors whose second gradient is not the same as the first, to the last bit or as `same` judges."""
        both = [(name, g, self.second[name]) for name, g in self.first.items()]
        numbers = [one for one in both if what_instead(one[1]) is None and what_instead(one[2]) is None]
        pairs = [(name, np.asarray(a), np.asarray(b)) for name, a, b in numbers if np.shape(a) == np.shape(b)]
        return [name for name, a, b in pairs if not (same or _unchanged)(a, b)]


class Specimen:
    """A copy of `layer`, built by `rng` for inputs of `input_shape` (without the batch axis).

    layer       the copy itself, free to be used; no parameter of it is zero: zero biases would hide a missing one
    names       "dx" and every parameter that is trained
    at_rest     the parameters that are not: running means, which the layer uses outside of training
    given       the very array that the last forward pass was handed; a layer that changes its input changes it here
    returned    what that pass returned, uncopied: for a layer that hands on its input, or keeps what it returns

    Parameters are those of `build` plus `spread` N(0, 1). Raises Failure if the layer raises.
    """

    def __init__(
        self,
        layer: Layer,
        input_shape: tuple[int, ...],
        rng: np.random.Generator,
        spread: float = 0.1,
        dtype: str = "float64",
    ) -> None:
        self.layer: Layer = _call("build", _built, layer, input_shape, rng, dtype)
        for key, value in self.layer.params.items():
            step = spread * rng.standard_normal(np.shape(value))
            if isinstance(value, np.ndarray) and value.dtype == dtype and value.flags.writeable:
                value += step  # in place: whoever else holds this array, such as a layer within, sees it too
            else:
                self.layer.params[key] = np.asarray(value + step).astype(dtype)
        self.at_rest = [key for key in _not_trained(self.layer) if key in self.layer.params]
        self.names = ("dx", *(key for key in self.layer.params if key not in self.at_rest))
        self.given = np.empty(0)
        self.returned: Any = None
        self.hold()

    def hold(self) -> None:
        """From here on every forward pass draws the random numbers that the next one would draw now."""
        self._randomness = Randomness([self.layer])

    def astype(self, dtype: str) -> "Specimen":
        """A second specimen that computes in `dtype`, with the same parameters and the same random numbers."""
        other = copy.deepcopy(self)
        other.layer.astype(dtype)
        return other

    def forward(self, x: np.ndarray, training: bool = True, **options: Any) -> np.ndarray:
        """A copy of y of a copy of x, under the random numbers that are held; `options` (such as keep) go to the layer.

        What is not trained (a running mean) is put back afterwards, so that every call finds the same layer.
        Raises NoArray if forward returns something else than numbers.
        """
        self.given = x.copy()
        with self._randomness.rewound(), unmoved([self.layer]):
            self.returned = _call("forward", self.layer.forward, self.given, training=training, **options)
        if (kind := what_instead(self.returned)) is not None:
            raise NoArray(kind)
        return np.array(self.returned)

    @property
    def trained(self) -> dict[str, np.ndarray]:
        """The layer's own parameters of `names`, as they stand."""
        return {key: self.layer.params[key] for key in self.names[1:]}

    def after(self, x: np.ndarray, training: bool) -> dict[str, np.ndarray]:
        """What a forward pass of x makes of each parameter of `at_rest`: copies; then all is put back."""
        with self._randomness.rewound(), unmoved([self.layer]):
            _call("forward", self.layer.forward, x.copy(), training=training)
            return {key: np.array(self.layer.params[key]) for key in self.at_rest}

    def suited(self, x: np.ndarray) -> np.ndarray:
        """x; or x moved above zero, if forward is finite there alone, as that of a logarithm is.

        Or whole numbers from 0 up, each more than once, if forward takes no others, as an embedding does.
        """
        with np.errstate(all="ignore"):
            try:
                fits = _is_finite(copy.deepcopy(self).forward(x))
            except Failure as failure:
                whole = self._whole(x)
                if isinstance(failure.error, TypeError | IndexError) and self._takes(whole):
                    return whole
                raise
            if fits:
                return x
            above = x - x.min() + 0.1
            return above if _is_finite(copy.deepcopy(self).forward(above)) else x

    def _whole(self, x: np.ndarray) -> np.ndarray:
        """The order of x's values, as whole numbers below the shortest first axis of a matrix of parameters."""
        rows = min((len(value) for value in self.layer.params.values() if value.ndim > 1), default=3)
        return (x.argsort(axis=None).argsort() % rows).reshape(x.shape)

    def _takes(self, x: np.ndarray) -> bool:
        try:
            return copy.deepcopy(self).forward(x).size > 0
        except Failure:
            return False

    def train_once(self, x: np.ndarray, dy: np.ndarray) -> None:
        """One pass forward and one backward, after which nothing is put back: as in training, but for the optimiser."""
        _call("forward", self.layer.forward, x.copy(), training=True)
        _call("backward", self.layer.backward, dy.copy())

    def draw_on(self) -> None:
        """From here on forward passes draw other random numbers than until now."""
        self._randomness.move_on()

    def backward(self, dy: np.ndarray, **options: Any) -> Gradients:
        """{"dx" and each parameter: its gradient} of the last forward pass, dy being copied before."""
        return _call("backward", self._gradients, dy.copy(), options)

    def backward_twice(self, x: np.ndarray, dy: np.ndarray) -> Twice:
        """Two backward passes of the last forward pass, which was that of x; what they change is told, and put back."""
        held = dict(self.layer.params)
        before = {"x": x, **{key: value.copy() for key, value in held.items()}}
        changed: dict[str, tuple[Any, np.ndarray]] = {}
        passes = []
        for _ in range(2):
            given = dy.copy()
            passes.append(_call("backward", self._gradients, given, {}))
            now = {"dy": given, "x": self.given, **self.layer.params}
            for name, was in ({"dy": dy} | before).items():
                if not _unchanged(now.get(name), was):
                    changed.setdefault(name, (copy.copy(now.get(name)), was))
            self.given[...] = x
            for key, value in held.items():
                value[...] = before[key]
            self.layer.params = dict(held)
        return Twice(passes[0], passes[1], changed)

    def _gradients(self, dy: np.ndarray, options: dict[str, Any]) -> Gradients:
        dx = self.layer.backward(dy, **options)
        grads = self.layer.grads if isinstance(self.layer.grads, dict) else {}
        found = {"dx": dx} if self.given.dtype.kind == "f" else {}  # a whole number cannot be moved a little
        found |= {key: grads.get(key) for key in self.names[1:]}
        for key, g in found.items():
            if key != "dx" and self.layer.params[key].shape == () and isinstance(g, np.generic | float):
                found[key] = np.array(g)  # a number, for a parameter that is one number
        return {key: g.copy() if isinstance(g, np.ndarray) else g for key, g in found.items()}


@contextmanager
def moved(*steps: tuple[np.ndarray, Any]) -> Iterator[None]:
    """Within the `with`, each tensor (or view of a part of it) is moved in place by its step; then it is put back."""
    before = [tensor.copy() for tensor, _ in steps]
    for tensor, step in steps:
        tensor += step
    try:
        yield
    finally:
        for (tensor, _), value in zip(steps, before, strict=True):
            tensor[...] = value


@contextmanager
def unmoved(layers: Sequence[Layer]) -> Iterator[None]:
    """Within the `with`, forward passes may move what is not trained (running means); then it is put back."""
    found = [(layer, key, layer.params.get(key)) for layer in layers for key in _not_trained(layer)]
    before = [(layer, key, array, array.copy()) for layer, key, array in found if array is not None]
    try:
        yield
    finally:
        for layer, key, array, value in before:
            array[...] = value
            layer.params[key] = array


def decisions(layers: Iterable[Layer]) -> list[np.ndarray]:
    """Copies of what the layers decided in the last forward pass, a kept one: ReLU's gates, pooling's winners."""
    return [decided.copy() for layer in layers for decided in layer.decisions()]


def what_instead(value: Any) -> str | None:
    """None for an array of numbers; else what it is: "a list", "an array of dtype object"."""
    if not isinstance(value, NUMBERS):
        return "None" if value is None else f"a {type(value).__name__}"
    return None if np.asarray(value).dtype.kind in "fiubc" else f"an array of dtype {np.asarray(value).dtype}"


def _built(layer: Layer, input_shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> Layer:
    new = copy.deepcopy(layer)
    new.astype(dtype)
    new.build(input_shape, rng)
    return new


def _call(stage: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    try:
        return function(*arguments, **options)
    except (Exception, SystemExit) as error:
        raise Failure(stage, error) from error


def _not_trained(layer: Layer) -> tuple[str, ...]:
    return getattr(layer, "not_trained", ())  # a student's layer need not be one of ours


def _is_finite(y: np.ndarray) -> bool:
    return bool(np.isfinite(y).all())


def _unchanged(now: Any, before: np.ndarray) -> bool:
    return isinstance(now, np.ndarray) and np.array_equal(now, before, equal_nan=True)


def _first_line(error: BaseException) -> str:
    try:
        words = str(error).strip()
    except Exception:  # an exception of the student's own may stop while it is told
        words = ""
    return words.splitlines()[0] if words else "no message"
