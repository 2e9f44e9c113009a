"""The layer at work: its random numbers frozen, whatever it raises or returns turned into something that can be told."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...nn import Layer

NUMBERS = (np.ndarray, np.generic, int, float, complex)  # a number is an array of no axes


class Failure(Exception):
    """The layer raised: `stage` says in which call, `error` what."""

    def __init__(self, stage: str, error: BaseException) -> None:
        super().__init__(f"{type(error).__name__}: {_first_line(error)}")
        self.stage, self.error = stage, error


class NoArray(Failure):
    """forward returned something else than an array of numbers: `error` says what."""


class Patient:
    """A copy of a layer, built in float64 for inputs of `input_shape`, its parameters random, biases too.

    Raises Failure where the layer raises, and NoArray where forward gives no array.
    """

    def __init__(self, layer: Layer, input_shape: tuple[int, ...], rng: np.random.Generator) -> None:
        with calling("build"):
            self.layer = copy.deepcopy(layer)
            self.layer.astype("float64")
            self.layer.build(input_shape, rng)
        for key, value in self.layer.params.items():  # biases too: zeros would hide what is missing
            self.layer.params[key] = value + 0.1 * rng.standard_normal(value.shape)
        self.names = tuple(self.layer.params)
        self._generators = {k: v for k, v in vars(self.layer).items() if isinstance(v, np.random.Generator)}
        self._states = {k: v.bit_generator.state for k, v in self._generators.items()}

    def forward(self, x: np.ndarray) -> np.ndarray:
        """y of x, with the layer's random numbers as they were at the first call (one frozen dropout mask)."""
        for key, generator in self._generators.items():
            generator.bit_generator.state = self._states[key]
        with calling("forward"):
            y = self.layer.forward(x, training=True)
        if (kind := what_instead(y)) is not None:
            raise NoArray("forward", TypeError(kind))
        return np.asarray(y)

    def backward(self, dy: np.ndarray) -> tuple[dict[str, np.ndarray | None], dict[str, str]]:
        """{tensor: a copy of its gradient, or None}, and {tensor: what came instead} where that is no array of numbers."""
        with calling("backward"):
            dx = self.layer.backward(dy)
            grads = self.layer.grads if isinstance(self.layer.grads, dict) else {}
            found = {"dx": dx} | {key: grads.get(key) for key in self.names}
            instead = {key: kind for key, g in found.items() if g is not None and (kind := what_instead(g))}
            none = {key for key, g in found.items() if g is None or key in instead}
            return {key: None if key in none else np.array(g) for key, g in found.items()}, instead


def what_instead(value: Any) -> str | None:
    """None for an array of numbers; else what it is: "a list", "an array of dtype object"."""
    if not isinstance(value, NUMBERS):
        return "None" if value is None else f"a {type(value).__name__}"
    return None if np.asarray(value).dtype.kind in "fiubc" else f"an array of dtype {np.asarray(value).dtype}"


@contextmanager
def calling(stage: str) -> Iterator[None]:
    """Turn whatever the layer raises into a Failure that knows where; numeric warnings are not the question here."""
    try:
        with np.errstate(all="ignore"):
            yield
    except Failure:
        raise
    except (Exception, SystemExit) as error:
        raise Failure(stage, error) from error


def _first_line(error: BaseException) -> str:
    try:
        words = str(error).strip()
    except Exception:  # an exception of the student's own may stop while it is told
        words = ""
    return words.splitlines()[0] if words else "no message"
