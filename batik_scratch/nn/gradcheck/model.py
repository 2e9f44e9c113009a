"""check_model: the whole network's loss, and its input, along random directions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ..model import Sequential
from .frozen import gates, random_state, set_random_state
from .numeric import ATOL, COMPLEX, CROSSINGS, DIRECTION, H, along, same_gates, unit_direction
from .report import GradientReport, TensorCheck

EPS = 1e-6


def check_model(
    model: Sequential,
    x: np.ndarray,
    y: np.ndarray,
    directions: int = 5,
    seed: int = 0,
    each_tensor: bool = False,
) -> GradientReport:
    """The loss of images x (N, ...) with labels y (N,) along random directions through all parameters at once.

    A complex128 model uses the complex step (relative error 1e-10); a float64 one central differences along
    unit-norm directions (eps 1e-6, 1e-5), redrawing and counting directions that cross a kink.
    `each_tensor` adds one direction through each parameter alone, which says where a mistake sits, and one through the
    input (the gradient that saliency maps are made of).
    """
    if model.dtype.name not in ("float64", "complex128"):
        raise InputError(f"check_model: needs a float64 or complex128 model, got {model.dtype}; float32 is too coarse")
    rng = np.random.default_rng(seed)
    subject = _Network(model, x, y)
    report = GradientReport("whole network")
    every = list(subject.tensors)
    for number in range(directions):
        report.tensors.append(subject.along(f"direction {number + 1}", every, rng))
    if each_tensor:
        report.tensors += [subject.along(name, [name], rng) for name in every]
        report.tensors.append(_input_direction(model, x, rng))
    return report


class _Network:
    """The model, its batch, its parameters by name, and their gradients."""

    def __init__(self, model: Sequential, x: np.ndarray, y: np.ndarray) -> None:
        self.model, self.x, self.y = model, x, y
        self.complex_step = model.dtype.kind == "c"
        model.train_gradients(-x, y)  # an earlier batch, to be forgotten
        self.states = [random_state(layer) for layer in model.layers]
        loss = model.train_gradients(x, y)
        if not np.isfinite(loss):
            raise InputError(f"check_model: the loss of these images is {loss}; there is no gradient to check")
        named = [(f"{layer.name} {key}", layer, key) for layer in model.layers for key in layer.params]
        self.tensors = {name: layer.params[key] for name, layer, key in named}
        self.gradients = {name: layer.grads[key].real.copy() for name, layer, key in named}

    def along(self, name: str, names: Sequence[str], rng: np.random.Generator) -> TensorCheck:
        tensors = [self.tensors[key] for key in names]
        crossed = 0
        while crossed <= CROSSINGS:
            direction = unit_direction(tensors, rng)
            analytic = along([self.gradients[key] for key in names], direction)
            if self.complex_step:
                numeric = self._loss_at(tensors, [1j * H * d for d in direction])[0].imag / H
                return _row(name, COMPLEX, analytic, numeric, crossed, 1e-10)
            above, gates_above = self._loss_at(tensors, [EPS * d for d in direction])
            below, gates_below = self._loss_at(tensors, [-EPS * d for d in direction])
            if same_gates(gates_above, gates_below):
                return _row(name, DIRECTION, analytic, float((above - below) / (2 * EPS)), crossed, 1e-5)
            crossed += 1
        return TensorCheck(name, DIRECTION, np.inf, (), np.nan, np.nan, 0, crossed, False)

    def _loss_at(self, tensors: Sequence[np.ndarray], step: Sequence[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
        """The training loss with every tensor moved by its step (and moved back), and the gates on the way."""
        before = [w.copy() for w in tensors]
        for w, s in zip(tensors, step, strict=True):
            w += s
        self._same_masks()
        loss = self.model.train_gradients(self.x, self.y)
        decided: list[np.ndarray] = []
        if not self.complex_step:  # training may fuse layers; one by one, each keeps what it decided
            self._same_masks()
            self.model.forward(self.x, training=True)
            decided = [gate.copy() for gate in gates(self.model.layers)]
        for w, old in zip(tensors, before, strict=True):
            w[...] = old
        return loss, decided

    def _same_masks(self) -> None:
        for layer, state in zip(self.model.layers, self.states, strict=True):
            set_random_state(layer, state)


def _input_direction(model: Sequential, x: np.ndarray, rng: np.random.Generator) -> TensorCheck:
    """d <dlogits, logits(x)> / dx along one direction, dropout off."""
    x = x.astype(np.float64)
    dlogits = rng.standard_normal(model.logits(x).shape)  # (N, U)
    gradient = model.input_gradient(x, lambda logits: dlogits.astype(logits.dtype)).real
    crossed = 0
    while crossed <= CROSSINGS:
        (direction,) = unit_direction([x], rng)
        analytic = along([gradient], [direction])
        if model.dtype.kind == "c":
            moved = model.logits(x + 1j * H * direction)
            return _row("dx", COMPLEX, analytic, float((dlogits * moved.imag).sum() / H), crossed, 1e-10)
        above, below = x + EPS * direction, x - EPS * direction
        if same_gates(_gates_at(model, above), _gates_at(model, below)):
            difference = model.logits(above) - model.logits(below)
            return _row("dx", DIRECTION, analytic, float((dlogits * difference).sum() / (2 * EPS)), crossed, 1e-5)
        crossed += 1
    return TensorCheck("dx", DIRECTION, np.inf, (), np.nan, np.nan, 0, crossed, False)


def _gates_at(model: Sequential, x: np.ndarray) -> list[np.ndarray]:
    model.forward(x, keep=True)
    return [gate.copy() for gate in gates(model.layers)]


def _row(name: str, method: str, analytic: float, numeric: float, crossed: int, rtol: float) -> TensorCheck:
    scale = max(abs(analytic), abs(numeric), 1e-300)
    error = abs(analytic - numeric)
    atol = 0.0 if method == COMPLEX else ATOL  # what rounding leaves of a difference over 2e-6
    return TensorCheck(
        name, method, error / scale, (), analytic, numeric, 1, crossed, bool(error <= atol + rtol * scale)
    )
