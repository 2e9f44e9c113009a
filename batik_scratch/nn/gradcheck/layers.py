"""check_layer: one layer, dx and every parameter, by every method that suits it."""

from collections.abc import Sequence

import numpy as np

from ...errors import InputError
from ...ops.threads import one_blas_thread
from ..layers import Layer
from . import methods, rest
from . import thorough as more
from .methods import METHODS
from .numeric import ADJOINT, CENTRAL, COMPLEX, DIRECTION
from .probe import Probe
from .randomness import global_sources_kept
from .report import GradientReport, TensorCheck
from .specimen import Failure


def check_layer(
    layer: Layer,
    input_shape: Sequence[int],
    n: int = 3,
    seed: int = 0,
    samples: int = 60,
    x: np.ndarray | None = None,
    method: str = CENTRAL,
    thorough: bool = False,
) -> GradientReport:
    """The gradients of <dy, layer(x)>, as `backward` says them, against numbers: dx and every parameter, in float64.

    input_shape    without the batch axis; small and unequal sizes show mixed-up axes
    samples        places tried per tensor, all of them if there are fewer; if places are left out, random directions
                   through all of them are tried as well
    x              the input (n, ...) to use; drawn if it is not given (distinct values, away from ReLU's kink)
    method         one of METHODS, or "all" for each that suits the layer: the complex step needs arithmetic that goes
                   on into the complex numbers (`abs`, `np.var` and a comparison do not), the adjoint identity a layer
                   that is linear in each tensor, which is tried out
    thorough       go on to other circumstances, one row each, called by its method: batches of 1 to 9, other sizes,
                   x to 10 and to 1e-9, float32, zeros and equal values in x, a pass at rest that is kept, the seventh
                   pass, ... (`gradcheck.thorough` lists them). No finite check sees everything: a mistake that needs a
                   batch of 1,000 or one special number passes

    If the layer changes dy, x or its parameters, or says something else when backward runs again, there is a row for
    that too. A layer with parameters that are not trained is examined at rest as well, by central differences: its
    gradients there, and what it promises of those parameters (rest.py). The layer itself is copied and stays as it is;
    what it raises is raised here.
    """
    if method not in (*METHODS, "all"):
        raise InputError(f"check_layer: method is one of {', '.join(METHODS)} or all; got {method!r}")
    report = GradientReport(f"{describe(layer)} {tuple(input_shape)}", layer=layer, input_shape=tuple(input_shape))
    try:
        with global_sources_kept(), one_blas_thread():  # once, and not around each of the many passes
            with np.errstate(all="ignore"):  # a step may lead out of what a logarithm takes: that is tried, and seen
                report.tensors = _rows(Probe(layer, tuple(input_shape), n, seed, x), samples, method)
            if thorough:
                report.tensors += more.rows(layer, tuple(input_shape), n, seed)
    except Failure as failure:
        raise failure.error from None
    return report


def _rows(probe: Probe, samples: int, method: str) -> list[TensorCheck]:
    """Every row of the table, those of broken promises last."""
    rows: list[TensorCheck] = []
    if method in (CENTRAL, "all"):
        rows += methods.central(probe, samples)
    if method in (COMPLEX, "all"):
        rows += methods.analytic_rows(methods.complex_steps(probe, min(samples, 30)), rows)
    sampled = method == CENTRAL and not probe.coarse and any(tensor.size > samples for tensor in probe.tensors.values())
    if probe.complete and not probe.coarse and (method in (DIRECTION, "all") or sampled):
        rows.append(methods.directions(probe))
    if probe.complete and method in (ADJOINT, "all") and probe.linear:
        rows += methods.adjoint(probe)
    if method in (CENTRAL, "all"):
        rows += rest.rows(probe, samples)
    return rows + probe.broken


def describe(layer: Layer) -> str:
    """The class and its options, as they were typed: `Conv2D(filters=4, kernel_size=[2, 3], ...)`."""
    hidden = ("name", "kernel_initializer")
    config = layer.config() if hasattr(layer, "config") else {}  # it need not be one of ours
    options = ", ".join(f"{key}={value}" for key, value in config.items() if key not in hidden)
    return f"{type(layer).__name__}({options})"
