"""check_model: the whole network's loss, and its input, along random directions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ..model import Sequential
from .numeric import ATOL, COMPLEX, CROSSINGS, DIRECTION, Gates, H, along, same_gates, unit_direction
from .report import GradientReport, TensorCheck, nothing_to_compare
from .specimen import Randomness, decisions, moved, unmoved

EPS = 1e-6
NOTHING = 1e-13  # of the network's largest gradient: what rounding leaves of one that is zero in truth


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
    input (the gradient that saliency maps are made of). Running means are put back to where they were.
    """
    if model.dtype.name not in ("float64", "complex128"):
        raise InputError(f"check_model: needs a float64 or complex128 model, got {model.dtype}; float32 is too coarse")
    rng = np.random.default_rng(seed)
    probe = ModelProbe(model, x, y)
    report = GradientReport("whole network")
    every = list(probe.tensors)
    for number in range(directions):
        report.tensors.append(probe.along(f"direction {number + 1}", every, rng))
    if each_tensor:
        report.tensors += [probe.along(name, [name], rng) for name in every]
        report.tensors.append(_along_the_input(model, x, rng))
    return report


class ModelProbe:
    """The model, its batch, its trained parameters by name, and their gradients."""

    def __init__(self, model: Sequential, x: np.ndarray, y: np.ndarray) -> None:
        self.model, self.x, self.y = model, x, y
        with unmoved(model.layers):
            model.train_gradients(-x, y)  # an earlier batch, to be forgotten
            self.masks = Randomness(model.layers)
            loss = model.train_gradients(x, y)
        if not np.isfinite(loss):
            raise InputError(f"check_model: the loss of these images is {loss}; there is no gradient to check")
        named = [(f"{layer.name} {key}", layer, key) for layer in model.layers for key in layer.trained]
        self.tensors = {name: layer.params[key] for name, layer, key in named}
        self.gradients = {name: layer.grads[key].real.copy() for name, layer, key in named}
        # a bias just before batch normalisation, say, changes nothing, and its gradient is rounding alone
        self.nothing = NOTHING * max((float(np.abs(g).max(initial=0)) for g in self.gradients.values()), default=0.0)

    def along(self, name: str, names: Sequence[str], rng: np.random.Generator) -> TensorCheck:
        """A row for one direction through the tensors called `names` together."""
        tensors, gradients = ([of[key] for key in names] for of in (self.tensors, self.gradients))
        by_complex = self.model.dtype.kind == "c"
        return one_direction(name, tensors, gradients, self.loss_and_gates, 1.0, rng, by_complex, self.nothing)

    def loss_and_gates(self) -> tuple[Any, Gates]:
        """The training loss with the tensors as they stand, and the gates on the way; none of a complex model."""
        with unmoved(self.model.layers):
            self.masks.rewind()
            loss = self.model.training_loss(self.x, self.y)
            if self.model.dtype.kind == "c":
                return loss, []
            self.masks.rewind()  # training may fuse layers; one by one, each keeps what it decided
            self.model.forward(self.x, training=True)
        return loss, decisions(self.model.layers)


def _along_the_input(model: Sequential, x: np.ndarray, rng: np.random.Generator) -> TensorCheck:
    """d <dlogits, logits(x)> / dx along one direction, dropout off."""
    x = x.astype(np.float64)
    dlogits = rng.standard_normal(model.logits(x).shape)  # (N, U)
    gradient = model.input_gradient(x, lambda logits: dlogits.astype(logits.dtype)).real  # (N, ...)
    moving = x.astype(model.dtype)
    by_complex = model.dtype.kind == "c"
    return one_direction("dx", [moving], [gradient], lambda: logits_and_gates(model, moving), dlogits, rng, by_complex)


def logits_and_gates(model: Sequential, x: np.ndarray) -> tuple[np.ndarray, Gates]:
    """The logits of x without dropout, and the gates on the way; none of a complex model."""
    logits = model.logits(x)
    if model.dtype.kind == "c":
        return logits, []
    model.forward(x, keep=True)
    return logits, decisions(model.layers)


def one_direction(
    name: str,
    tensors: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    output: Callable[[], tuple[Any, Gates]],
    dy: np.ndarray | float,
    rng: np.random.Generator,
    by_complex: bool,
    nothing: float = 0.0,
) -> TensorCheck:
    """<gradients, d> against the derivative of <dy, output()> along a random direction d through the tensors together.

    Complex tensors take the complex step, real ones a central difference. A direction that crosses a kink is counted,
    and another one drawn. Slopes that differ by less than `nothing` are the same.
    """
    for crossed in range(CROSSINGS + 1):
        direction = unit_direction(tensors, rng)
        analytic = along(gradients, direction)

        def beside(step: Any, direction: list[np.ndarray] = direction) -> tuple[Any, Gates]:
            with moved(*zip(tensors, [step * d for d in direction], strict=True)):
                return output()

        if by_complex:
            slope = (dy * np.asarray(beside(1j * H)[0]).imag).sum() / H
            return direction_row(name, COMPLEX, analytic, float(slope), crossed, 1e-10, nothing)
        (above, gates_above), (below, gates_below) = beside(EPS), beside(-EPS)
        if same_gates(gates_above, gates_below):
            slope = (dy * np.asarray(above - below)).sum() / (2 * EPS)
            return direction_row(name, DIRECTION, analytic, float(slope), crossed, 1e-5, nothing)
    return nothing_to_compare(name, DIRECTION, skipped=crossed + 1)


def direction_row(
    name: str, method: str, analytic: float, numeric: float, crossed: int, rtol: float, nothing: float = 0.0
) -> TensorCheck:
    """The verdict on one direction; only what was subtracted is forgiven its rounding, beyond `nothing`."""
    scale = max(abs(analytic), abs(numeric), 1e-300)
    error = abs(analytic - numeric)
    atol = nothing if method == COMPLEX else max(ATOL, nothing)  # what rounding leaves of a difference over 2e-6
    return TensorCheck(
        name, method, error / scale, (), analytic, numeric, 1, crossed, bool(error <= atol + rtol * scale)
    )
