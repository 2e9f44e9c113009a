"""check_layer: one layer, dx and every parameter, by every method that suits it."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import InputError
from ..layers import Layer
from .frozen import gates, random_state, set_random_state
from .numeric import (
    ADJOINT,
    ATOL,
    CENTRAL,
    COMPLEX,
    CROSSINGS,
    DIRECTION,
    DRAWS,
    along,
    at_places,
    central_difference,
    distinct,
    fits,
    same_gates,
    unit_direction,
    verdict,
)
from .report import GradientReport, TensorCheck, broken_promise

METHODS = (CENTRAL, COMPLEX, DIRECTION, ADJOINT)


def check_layer(
    layer: Layer,
    input_shape: Sequence[int],
    n: int = 3,
    seed: int = 0,
    samples: int = 60,
    x: np.ndarray | None = None,
    method: str = CENTRAL,
) -> GradientReport:
    """The gradients of <dy, layer(x)>, as `backward` says them, against numbers: dx and every parameter, in float64.

    input_shape    without the batch axis; small and unequal sizes show mixed-up axes
    samples        places tried per tensor, all of them where there are fewer; where places are left out, random directions
                   through all of them are tried as well
    x              the input (n, ...) to use; drawn where it is not given (distinct values, away from ReLU's kink)
    method         one of METHODS, or "all" for each that suits the layer: the complex step needs arithmetic that goes on
                   into the complex numbers (`abs`, `np.var` and a comparison do not), the adjoint identity a layer that is
                   linear in each tensor, which is tried out

    Where the layer changes dy, x or its parameters, or says something else when backward runs again, there is a row for
    that too. The layer itself is copied and stays as it is.
    """
    if method not in (*METHODS, "all"):
        raise InputError(f"check_layer: method is one of {', '.join(METHODS)} or all; got {method!r}")
    subject = _Subject(layer, tuple(input_shape), n, seed, x)
    report = GradientReport(f"{describe(layer)} {tuple(input_shape)}", layer=layer, input_shape=tuple(input_shape))
    if method in (CENTRAL, "all"):
        report.tensors += subject.central(samples)
    if method in (COMPLEX, "all"):
        report.tensors += _analytic(subject.complex_steps(min(samples, 30)), report.tensors)
    sampled = method == CENTRAL and any(tensor.size > samples for tensor in subject.tensors.values())
    if subject.complete and (method in (DIRECTION, "all") or sampled):
        report.tensors.append(subject.directions())
    if subject.complete and method in (ADJOINT, "all") and subject.linear:
        report.tensors += subject.adjoint()
    report.tensors += subject.broken
    return report


def _analytic(by_complex: list[TensorCheck], by_difference: list[TensorCheck]) -> list[TensorCheck]:
    """The complex steps' rows without those that only say that the layer's arithmetic is no analytic function.

    Where differences agree with the gradient, a complex step that is off by more than they can be has not measured it.
    """
    agreed = {check.name for check in by_difference if check.ok}
    return [
        c
        for c in by_complex
        if c.ok or c.name not in agreed or abs(c.analytic - c.numeric) <= ATOL + 1e-6 * abs(c.analytic)
    ]


def describe(layer: Layer) -> str:
    """The class and its options, as they were typed: `Conv2D(filters=4, kernel_size=[2, 3], ...)`."""
    hidden = ("name", "kernel_initializer")
    options = ", ".join(f"{key}={value}" for key, value in layer.config().items() if key not in hidden)
    return f"{type(layer).__name__}({options})"


class _Subject:
    """A copy of the layer with random parameters, an input, an upstream gradient, and what backward made of them."""

    def __init__(self, layer: Layer, input_shape: tuple[int, ...], n: int, seed: int, x: np.ndarray | None) -> None:
        self.rng = np.random.default_rng(seed)
        self.layer = copy.deepcopy(layer)
        self.layer.astype("float64")
        self.layer.build(input_shape, self.rng)
        for key, value in self.layer.params.items():  # biases too: zero ones would hide a forgotten bias
            self.layer.params[key] = value + 0.1 * self.rng.standard_normal(value.shape)
        self.x = distinct((n, *input_shape), self.rng) if x is None else np.array(x, np.float64, order="C")
        y = self.layer.forward(distinct(self.x.shape, self.rng), training=True)  # an earlier batch, to be forgotten
        self.layer.backward(self.rng.standard_normal(y.shape))  # its gradients too
        before = self.x.copy()
        self.state = random_state(self.layer)
        self.dy = self.rng.standard_normal(self.forward().shape)
        self.gradients, self.broken = self._backward({"dy": self.dy.copy(), "x": before})
        self.tensors = {"dx": self.x, **self.layer.params}
        self.linear = self._is_linear()

    @property
    def complete(self) -> bool:
        """True where every gradient is there, in its tensor's shape."""
        return all(fits(g, self.tensors[key]) for key, g in self.gradients.items())

    def forward(self) -> np.ndarray:
        set_random_state(self.layer, self.state)  # one frozen dropout mask for all evaluations
        return self.layer.forward(self.x, training=True)

    def central(self, samples: int) -> list[TensorCheck]:
        eps, rtol = (1e-3, 1e-8) if self.linear else (1e-5, 1e-6)
        return [
            at_places(
                name,
                tensor,
                self.gradients[name],
                self.forward,
                self.dy,
                self.rng,
                lambda: gates([self.layer]),
                eps,
                rtol,
                samples,
            )
            for name, tensor in self.tensors.items()
        ]

    def complex_steps(self, samples: int) -> list[TensorCheck]:
        """Forward in complex128 beside the float64 backward; nothing where the arithmetic takes no complex numbers."""
        if getattr(self.layer, "algorithm", "") == "loops":  # compiled for real numbers
            return []
        layer = copy.deepcopy(self.layer).astype("complex128")
        x = self.x.astype(complex)

        def output() -> np.ndarray:
            set_random_state(layer, self.state)
            return layer.forward(x, training=True)

        try:
            takes_complex = output().dtype.kind == "c"
        except (TypeError, ValueError, NotImplementedError, InputError):
            takes_complex = False
        if not takes_complex:
            return []
        return [
            at_places(name, tensor, self.gradients[name], output, self.dy, self.rng, samples=samples)
            for name, tensor in {"dx": x, **layer.params}.items()
        ]

    def directions(self) -> TensorCheck:
        """All tensors moved together, along some random directions; one that crosses a kink is drawn again and counted."""
        names, gradients = list(self.tensors), self._present()
        eps, rtol = (1e-3, 1e-8) if self.linear else (1e-5, 1e-6)
        analytic: list[float] = []
        numeric: list[float] = []
        crossed = 0
        while len(numeric) < DRAWS and crossed <= CROSSINGS:
            direction = dict(zip(names, unit_direction([self.tensors[k] for k in names], self.rng), strict=True))
            seen: list[list[np.ndarray]] = []

            def moved(step: float, direction: dict = direction, seen: list = seen) -> np.ndarray:
                y = self._forward_moved({key: step * d for key, d in direction.items()})
                seen.append([gate.copy() for gate in gates([self.layer])])
                return y

            slope = float((self.dy * central_difference(moved, eps)).sum())
            if same_gates(seen[0], seen[1]):
                analytic.append(along([gradients[k] for k in names], [direction[k] for k in names]))
                numeric.append(slope)
            else:
                crossed += 1
        places = np.arange(len(numeric))
        check = verdict("all", DIRECTION, np.array(analytic), np.array(numeric), (DRAWS,), places, 0, rtol)
        return replace(check, skipped=crossed)

    def adjoint(self) -> list[TensorCheck]:
        """<f(t + v) - f(t), dy> = <v, gradient>, for steps v of any size: f is linear in each tensor."""
        rows = []
        at_rest = self.forward().copy()
        for name, gradient in self._present().items():
            analytic, numeric, sizes = [], [], []
            for _ in range(DRAWS):
                v = self.rng.standard_normal(self.tensors[name].shape)
                analytic.append(float((v * gradient).sum()))
                numeric.append(float(((self._forward_moved({name: v}) - at_rest) * self.dy).sum()))
                sizes.append(float(np.linalg.norm(v) * np.linalg.norm(gradient)))
            atol = max(1e-11 * max(sizes), 1e-3 * ATOL)
            rows.append(
                verdict(
                    name, ADJOINT, np.array(analytic), np.array(numeric), (DRAWS,), np.arange(DRAWS), 0, 1e-10, atol
                )
            )
        return rows

    def _is_linear(self) -> bool:
        """True where a long step in each tensor alone, twice back, changes y twice as much the other way: no kink, no bend."""
        at_rest = self.forward().copy()
        for name, tensor in self.tensors.items():
            v = 3 * self.rng.standard_normal(tensor.shape)
            there, back = (self._forward_moved({name: step * v}) - at_rest for step in (1, -2))
            if not np.allclose(back, -2 * there, rtol=1e-9, atol=1e-9 * np.abs(there).max(initial=1e-300)):
                return False
        return True

    def _present(self) -> dict[str, np.ndarray]:
        return {key: g for key, g in self.gradients.items() if g is not None}

    def _forward_moved(self, steps: dict[str, np.ndarray]) -> np.ndarray:
        before = {key: self.tensors[key].copy() for key in steps}
        for key, step in steps.items():
            self.tensors[key] += step
        y = self.forward().copy()
        for key, value in before.items():
            self.tensors[key][...] = value
        return y

    def _backward(self, before: dict[str, np.ndarray]) -> tuple[dict[str, Any], list[TensorCheck]]:
        """The gradients, and a row for each promise that forward or backward broke on the way."""
        before |= {key: w.copy() for key, w in self.layer.params.items()}
        first = self._gradients()
        now = {"dy": self.dy, "x": self.x, **self.layer.params}
        broken = [
            broken_promise(name, "was changed", now[name], value)
            for name, value in before.items()
            if not np.array_equal(now[name], value)
        ]
        for name, value in before.items():  # what was changed would spoil the comparison that follows
            now[name][...] = value
        second = self._gradients()
        for name, value in before.items():
            now[name][...] = value
        broken += [
            broken_promise(name, "second backward", second[name], g)
            for name, g in first.items()
            if isinstance(g, np.ndarray)
            and fits(second[name], g)
            and not np.array_equal(g, second[name], equal_nan=True)
        ]
        return first, broken

    def _gradients(self) -> dict[str, Any]:
        dx = self.layer.backward(self.dy)
        found = {"dx": dx} | {key: self.layer.grads.get(key) for key in self.layer.params}
        return {key: g.copy() if isinstance(g, np.ndarray) else g for key, g in found.items()}
