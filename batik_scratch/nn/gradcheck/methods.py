"""The ways to measure a layer's derivative, each giving rows for the table: the layer is moved, and y compared."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..layers import Layer
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
    same_gates,
    unit_direction,
    verdict,
)
from .probe import SHORT, Probe
from .report import TensorCheck
from .specimen import Failure

METHODS = (CENTRAL, COMPLEX, DIRECTION, ADJOINT)


def central(probe: Probe, samples: int) -> list[TensorCheck]:
    """Each tensor at up to `samples` places, one at a time."""
    eps, rtol = probe.step
    how: dict[str, Any] = {"gates": probe.decisions, "eps": eps, "rtol": rtol, "samples": samples}
    how |= {"atol": 1e-3} if probe.coarse else {}
    return [
        at_places(name, tensor, probe.gradients[name], probe.forward, probe.dy, probe.rng, **how)
        for name, tensor in probe.tensors.items()
    ]


def complex_steps(probe: Probe, samples: int) -> list[TensorCheck]:
    """Forward in complex128 beside the float64 backward; nothing if the arithmetic takes no complex numbers."""
    if for_real_numbers(probe.specimen.layer) or probe.coarse or probe.x.dtype.kind != "f":
        return []
    specimen = probe.specimen.astype("complex128")
    x = probe.x.astype(complex)
    try:
        if specimen.forward(x).dtype.kind != "c":
            return []
    except Failure:
        return []
    return [
        at_places(
            name, tensor, probe.gradients[name], lambda: specimen.forward(x), probe.dy, probe.rng, samples=samples
        )
        for name, tensor in {"dx": x, **specimen.trained}.items()
    ]


def for_real_numbers(layer: Layer) -> bool:
    """True if the layer's arithmetic is compiled for real numbers alone."""
    return getattr(layer, "algorithm", "") == "loops"


def directions(probe: Probe) -> TensorCheck:
    """All tensors moved together, along some random directions; one that crosses a kink is drawn again and counted."""
    names, gradients = list(probe.tensors), probe.present
    # linear in each of many tensors means of a high degree in all of them, which bends
    eps, rtol = SHORT if probe.linear and len(names) > 2 else probe.step
    analytic: list[float] = []
    numeric: list[float] = []
    crossed = 0
    while len(numeric) < DRAWS and crossed <= CROSSINGS:
        direction = dict(zip(names, unit_direction([probe.tensors[k] for k in names], probe.rng), strict=True))
        seen: list[list[np.ndarray]] = []

        def beside(step: float, direction: dict = direction, seen: list = seen) -> np.ndarray:
            y = probe.forward_moved({key: step * d for key, d in direction.items()})
            seen.append(probe.decisions())
            return y

        slope = float((probe.dy * central_difference(beside, eps)).sum())
        if same_gates(seen[0], seen[1]):
            analytic.append(along([gradients[k] for k in names], [direction[k] for k in names]))
            numeric.append(slope)
        else:
            crossed += 1
    places = np.arange(len(numeric))
    check = verdict("all", DIRECTION, np.array(analytic), np.array(numeric), (DRAWS,), places, 0, rtol)
    return replace(check, skipped=crossed)


def adjoint(probe: Probe) -> list[TensorCheck]:
    """<f(t + v) - f(t), dy> = <v, gradient>, for steps v of any size: f is linear in each tensor."""
    rows = []
    at_rest = probe.forward()
    for name, gradient in probe.present.items():
        analytic, numeric, sizes = [], [], []
        for _ in range(DRAWS):
            v = probe.rng.standard_normal(probe.tensors[name].shape)
            analytic.append(float((v * gradient).sum()))
            numeric.append(float(((probe.forward_moved({name: v}) - at_rest) * probe.dy).sum()))
            sizes.append(float(np.linalg.norm(v) * np.linalg.norm(gradient)))
        atol = max(1e-11 * max(sizes), 1e-3 * ATOL)
        both = np.array(analytic), np.array(numeric)
        rows.append(verdict(name, ADJOINT, *both, (DRAWS,), np.arange(DRAWS), 0, 1e-10, atol))
    return rows


def analytic_rows(by_complex: list[TensorCheck], by_difference: list[TensorCheck]) -> list[TensorCheck]:
    """The complex steps' rows without those that only say that the layer's arithmetic is no analytic function.

    If differences agree with the gradient, a complex step that is off by more than they can be has not measured it.
    """
    agreed = {check.name for check in by_difference if check.ok}
    return [
        c
        for c in by_complex
        if c.ok or c.name not in agreed or abs(c.analytic - c.numeric) <= ATOL + 1e-6 * abs(c.analytic)
    ]
