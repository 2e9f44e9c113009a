"""What every method of `check_layer` starts from: a layer at one input, what its backward said, how to move it."""

from collections.abc import Callable, Sequence

import numpy as np

from ..layers import Layer
from .numeric import distinct, fits
from .report import TensorCheck, broken_promise, nothing_to_compare
from .specimen import Specimen, Twice, decisions, moved

SHORT, LONG = (1e-5, 1e-6), (1e-3, 1e-8)  # steps, and the tolerances that go with them
FELT = 1e-5  # of each value: what a float64 y cannot but feel
COARSE = 1e-2, 2e-2  # for float32, whose rounding drowns what a shorter step changes


class Probe:
    """A specimen of the layer, an input, an upstream gradient, and what backward made of them.

    x, dy        the input (n, *input_shape) and the upstream gradient, of y's shape
    gradients    {tensor: what backward gave}
    tensors      {"dx": x, and each trained parameter}: the arrays that `forward` reads, to be moved in place
    broken       a row for each promise that was broken on the way
    coarse       True if forward computes in float32 although all that it is given is float64
    linear       True if y is linear in each tensor alone
    """

    def __init__(self, layer: Layer, input_shape: tuple[int, ...], n: int, seed: int, x: np.ndarray | None) -> None:
        self.rng = np.random.default_rng(seed)
        self.specimen = Specimen(layer, input_shape, self.rng)
        self.x = self._draw((n, *input_shape)) if x is None else np.array(x, np.float64, order="C")
        y = self.specimen.forward(self._draw(self.x.shape))  # an earlier batch, to be forgotten
        before = {key: value.copy() for key, value in self.specimen.trained.items()}
        self.specimen.backward(self.rng.standard_normal(y.shape))  # its gradients too
        moved_at_first = self._put_back(before)
        self.specimen.hold()
        y = self.forward()
        movable = {"dx": self.x} if self.x.dtype.kind == "f" else {}
        self.tensors = {**movable, **self.specimen.trained}
        self.coarse = is_coarse(y) or any(is_rounded(self.forward, tensor, y) for tensor in self.tensors.values())
        self.dy = self.rng.standard_normal(y.shape)
        twice = self.specimen.backward_twice(self.x, self.dy)
        self.gradients = twice.first
        self.broken = _broken(twice)
        told = {row.name for row in self.broken if row.method == "was changed"}
        self.broken += [row for row in moved_at_first if row.name not in told]
        if self.coarse:
            self.broken.append(nothing_to_compare("y", "float32 inside", compared=y.size))
        self.linear = not self.coarse and self._is_linear()

    @property
    def complete(self) -> bool:
        """True if every gradient is there, in its tensor's shape."""
        return all(fits(g, self.tensors[key]) for key, g in self.gradients.items())

    @property
    def present(self) -> dict[str, np.ndarray]:
        """{tensor: gradient} of those that are there."""
        return {key: g for key, g in self.gradients.items() if g is not None}

    @property
    def step(self) -> tuple[float, float]:
        """How far to move for a difference, and the tolerance; to a linear layer a long step does no harm."""
        return COARSE if self.coarse else LONG if self.linear else SHORT

    def forward(self) -> np.ndarray:
        """y of x and the parameters as they stand, under one frozen dropout mask."""
        return self.specimen.forward(self.x)

    def forward_moved(self, steps: dict[str, np.ndarray]) -> np.ndarray:
        """y with each tensor moved by its step."""
        with moved(*((self.tensors[key], step) for key, step in steps.items())):
            return self.forward()

    def decisions(self) -> list[np.ndarray]:
        """What the layer decided in the last forward pass."""
        return decisions([self.specimen.layer])

    def _put_back(self, before: dict[str, np.ndarray]) -> list[TensorCheck]:
        """A row for each parameter that is not what it was; a clipping, say, changes nothing the second time."""
        rows = []
        for key, was in before.items():
            now = self.specimen.layer.params[key]
            if now.shape == was.shape and not np.array_equal(now, was, equal_nan=True):
                rows.append(broken_promise(key, "was changed", now.copy(), was))
                now[...] = was
        return rows

    def _draw(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.specimen.suited(distinct(shape, self.rng))

    def _is_linear(self) -> bool:
        """Whether a step in each tensor alone, twice back, changes y twice as much the other way: no kink, no bend."""
        at_rest = self.forward()
        for name, tensor in self.tensors.items():
            v = 3 * self.rng.standard_normal(tensor.shape)
            there, back = (self.forward_moved({name: step * v}) - at_rest for step in (1, -2))
            if not np.isfinite(there).all():  # a logarithm of less than nothing
                return False
            if not np.allclose(back, -2 * there, rtol=1e-9, atol=1e-9 * np.abs(there).max(initial=1e-300)):
                return False
        return True


def is_coarse(y: np.ndarray) -> bool:
    """True if float32 holds every value of y, which of random float64 numbers it does not unless y was made in it."""
    if y.dtype.kind != "f" or y.size < 3:
        return False
    if y.dtype == np.float64 and len(np.unique(y[y * 4096 != np.round(y * 4096)])) < 3:
        return False  # few different values, or round ones such as counts, prove nothing
    return np.array_equal(y, y.astype(np.float32))


def is_rounded(forward: Callable[[], np.ndarray], tensor: np.ndarray, y: np.ndarray) -> bool:
    """True if forward rounds a float64 tensor that it reads to float32: the very same y comes of the rounded one.

    To prove something, y must feel what is a hundred times a rounding; one that steps, or hardly hangs on the tensor,
    may be the same by chance, and so may one or two numbers, such as the value of a loss.
    """
    if y.size < 3 or tensor.dtype != np.float64 or y.dtype != np.float64 or not np.isfinite(y).all():
        return False
    felt = FELT * tensor
    rounding = tensor.astype(np.float32) - tensor
    if not rounding.any():
        return False
    with moved((tensor, rounding)):
        same = np.array_equal(forward(), y)
    if same:
        with moved((tensor, felt)):
            same = bool(np.abs(forward() - y).max(initial=0) > 1e-3 * FELT * np.abs(y).max(initial=0))
    forward()  # so that the layer keeps what belongs to y
    return same


def _broken(twice: Twice) -> list[TensorCheck]:
    """A row for each array that was changed, and for each gradient that is another one the second time."""
    rows = [broken_promise(name, "was changed", now, was) for name, (now, was) in twice.changed.items()]
    for name in twice.unlike():
        if _all_real(both := (twice.second[name], twice.first[name])):
            rows.append(broken_promise(name, "second backward", *both))
    return rows


def _all_real(arrays: Sequence[np.ndarray]) -> bool:
    return all(fits(array, np.asarray(array)) for array in arrays)
