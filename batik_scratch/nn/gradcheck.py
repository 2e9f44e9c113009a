"""Gradient checking: is the derivative in the code the derivative of the code?

    central difference    g ~ (f(x + eps e) - f(x - eps e)) / (2 eps)      error O(eps^2), and O(1/eps) by rounding
    complex step          g = Im f(x + i h d) / h,  h = 1e-20              no subtraction, so no rounding error at all

The scalar f is <dy, layer(x)> with dy drawn from N(0, 1): against ones, a softmax that returns zeros would pass, because
its true gradient is zero there. Everything is float64 (or complex128). A place where a ReLU or a pooling switches between
x - eps and x + eps has no derivative to compare with: it is skipped, *counted*, and too many of them fail.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from .gradient_report import GradientReport, TensorCheck
from .layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, Layer
from .model import Sequential
from .optimizers import Optimizer

ATOL = 1e-8
MAX_SKIPPED = 0.05
LINEAR = (Conv2D, Dense, Flatten, GlobalAveragePooling2D, Dropout)  # in each argument: no truncation error at any eps


def check_layer(
    layer: Layer,
    input_shape: Sequence[int],
    n: int = 3,
    seed: int = 0,
    samples: int = 60,
    x: np.ndarray | None = None,
) -> GradientReport:
    """Central differences of <dy, layer(x)> against `backward`, for dx and every parameter, in float64.

    input_shape    without the batch axis; small and unequal sizes show mixed-up axes
    samples        places tried per tensor, all of them where there are fewer
    x              the input (n, ...) to use; drawn where it is not given (distinct values, away from ReLU's kink)
    """
    rng = np.random.default_rng(seed)
    layer = copy.deepcopy(layer)
    layer.astype("float64")
    layer.build(tuple(input_shape), rng)
    for key, value in layer.params.items():  # biases too: zero ones would hide a forgotten bias
        layer.params[key] = value + 0.1 * rng.standard_normal(value.shape)
    x = _distinct((n, *input_shape), rng) if x is None else x.astype(np.float64)
    state = _random_state(layer)

    def forward() -> np.ndarray:
        _set_random_state(layer, state)  # one frozen dropout mask for all evaluations
        return layer.forward(x, training=True)

    y = forward()
    dy = rng.standard_normal(y.shape)
    dx = layer.backward(dy)
    if dx is None:
        raise AssertionError(f"{layer.name}: backward returned no dx")
    analytic = {"dx": (x, dx)} | {key: (layer.params[key], layer.grads.get(key)) for key in layer.params}
    linear = isinstance(layer, LINEAR)
    eps, rtol = (1e-3, 1e-8) if linear else (1e-5, 1e-6)
    report = GradientReport(f"{type(layer).__name__} {tuple(input_shape)}")
    for name, (tensor, gradient) in analytic.items():
        report.tensors.append(
            _compare(
                name,
                tensor,
                gradient,
                lambda: float((dy * forward()).sum()),
                lambda: _gates([layer]),
                eps,
                rtol,
                samples,
                rng,
            )
        )
    return report


def check_loss(
    loss: Callable[[np.ndarray, np.ndarray], tuple[Any, np.ndarray]],
    n: int = 5,
    classes: int = 4,
    seed: int = 0,
    probabilities: bool = False,
) -> GradientReport:
    """Central differences of `value, gradient = loss(outputs, y)`; `probabilities` perturbs inside the simplex' scale."""
    rng = np.random.default_rng(seed)
    outputs = rng.standard_normal((n, classes))
    if probabilities:
        outputs = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    y = rng.integers(0, classes, n)
    _, gradient = loss(outputs.copy(), y)
    report = GradientReport(f"loss ({n}, {classes})")
    value = lambda: float(loss(outputs.copy(), y)[0])  # noqa: E731
    report.tensors.append(_compare("doutputs", outputs, gradient, value, list, 1e-5, 1e-6, outputs.size, rng))
    return report


def check_model(model: Sequential, x: np.ndarray, y: np.ndarray, directions: int = 5, seed: int = 0) -> GradientReport:
    """The whole network's loss along random directions through all parameters at once.

    A complex128 model uses the complex step (relative error 1e-10); a float64 one central differences along
    unit-norm directions (eps 1e-6, 1e-5), redrawing and counting directions that cross a kink.
    """
    if model.dtype.name not in ("float64", "complex128"):
        raise InputError(f"check_model: needs a float64 or complex128 model, got {model.dtype}; float32 is too coarse")
    rng = np.random.default_rng(seed)
    complex_step = model.dtype.kind == "c"
    states = [_random_state(layer) for layer in model.layers]
    model.train_gradients(x, y)
    tensors = [layer.params[key] for layer in model.layers for key in layer.params]
    gradients = [layer.grads[key].real.copy() for layer in model.layers for key in layer.params]
    report = GradientReport("whole network")
    crossed = 0
    while len(report.tensors) < directions and crossed <= 20 * directions:
        direction = [rng.standard_normal(w.shape) for w in tensors]
        norm = np.sqrt(sum((d * d).sum() for d in direction))
        direction = [d / norm for d in direction]
        analytic = float(sum((g * d).sum() for g, d in zip(gradients, direction, strict=True)))
        if complex_step:
            imaginary = [1e-20j * d for d in direction]
            numeric, rtol, method = (
                _loss_at(model, x, y, tensors, imaginary, states)[0].imag / 1e-20,
                1e-10,
                "complex step",
            )
        else:
            step = [1e-6 * d for d in direction]
            above, gates_above = _loss_at(model, x, y, tensors, step, states)
            below, gates_below = _loss_at(model, x, y, tensors, [-s for s in step], states)
            if not _same(gates_above, gates_below):
                crossed += 1
                continue
            numeric, rtol, method = float((above - below) / 2e-6), 1e-5, "central difference"
        error = abs(analytic - numeric) / max(abs(analytic), abs(numeric), 1e-300)
        name = f"direction {len(report.tensors) + 1}"
        report.tensors.append(TensorCheck(name, method, error, (), analytic, numeric, 1, crossed, error <= rtol))
    return report


def check_optimizer(
    optimizer: Optimizer, reference: Callable[[np.ndarray, np.ndarray, dict[str, Any], int], np.ndarray], steps: int = 7
) -> GradientReport:
    """Run `optimizer` on two tensors beside `reference(w, g, memory, t) -> w`, the rule written down independently.

    Two tensors, because a step counter advanced once per tensor looks right with one; several steps, because a missing
    bias correction shows in the first ones.
    """
    rng = np.random.default_rng(0)
    layer = Dense(4)
    layer.astype("float64")
    layer.build((3,), rng)
    expected = {key: w.copy() for key, w in layer.params.items()}
    memories: dict[str, dict[str, Any]] = {key: {} for key in expected}
    for t in range(1, steps + 1):
        layer.grads = {key: rng.standard_normal(w.shape) for key, w in layer.params.items()}
        optimizer.step([layer])
        for key, g in layer.grads.items():
            expected[key] = reference(expected[key], g, memories[key], t)
    report = GradientReport(f"{type(optimizer).__name__}, {steps} steps")
    for key, w in layer.params.items():
        report.tensors.append(
            _verdict(key, "reference rule", w.ravel(), expected[key].ravel(), w.shape, np.arange(w.size), 0, 1e-12)
        )
    return report


def _compare(
    name: str,
    tensor: np.ndarray,
    gradient: np.ndarray | None,
    value: Callable[[], float],
    gates: Callable[[], list[np.ndarray]],
    eps: float,
    rtol: float,
    samples: int,
    rng: np.random.Generator,
) -> TensorCheck:
    """Central differences at sampled places of `tensor`, which is changed in place and put back."""
    if gradient is None or gradient.shape != tensor.shape:
        shape = None if gradient is None else gradient.shape
        return TensorCheck(f"{name} {shape}", "shape", np.inf, (), np.nan, np.nan, 0, 0, False)
    places = rng.permutation(tensor.size)[:samples]
    flat = tensor.reshape(-1)
    numeric, kept = [], []
    for place in places:
        before = flat[place]
        flat[place] = before + eps
        above, gates_above = value(), [gate.copy() for gate in gates()]
        flat[place] = before - eps
        below, gates_below = value(), gates()
        flat[place] = before
        if _same(gates_above, gates_below):
            numeric.append((above - below) / (2 * eps))
            kept.append(place)
    chosen = np.array(kept, int)
    skipped = len(places) - len(kept)
    return _verdict(
        name, "central difference", gradient.reshape(-1)[chosen], np.array(numeric), tensor.shape, chosen, skipped, rtol
    )


def _verdict(
    name: str,
    method: str,
    analytic: np.ndarray,
    numeric: np.ndarray,
    shape: tuple[int, ...],
    places: np.ndarray,
    skipped: int,
    rtol: float,
) -> TensorCheck:
    """Agree within ATOL + rtol max(|a|, |n|) everywhere, with few places skipped."""
    if len(places) == 0:
        return TensorCheck(name, method, np.inf, (), np.nan, np.nan, 0, skipped, False)
    difference = np.abs(analytic - numeric)
    scale = np.maximum(np.abs(analytic), np.abs(numeric))
    excess = difference / (ATOL + rtol * scale)  # above 1: wrong
    worst = int(np.argmax(np.where(np.isnan(excess), np.inf, excess)))
    index = tuple(int(i) for i in np.unravel_index(places[worst], shape))
    ok = bool((excess <= 1).all()) and skipped <= MAX_SKIPPED * (len(places) + skipped)
    error = float(difference[worst] / max(scale[worst], 1e-300)) if scale[worst] else 0.0
    return TensorCheck(
        name, method, error, index, float(analytic[worst]), float(numeric[worst]), len(places), skipped, ok
    )


def _distinct(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Shuffled, evenly spaced values of both signs: no ties for a pooling, nothing near a ReLU's kink."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) - size // 2 + 0.5) * (4 / size)).reshape(shape)


def _gates(layers: Sequence[Layer]) -> list[np.ndarray]:
    """What each layer decided in the last forward pass: ReLU's gates, pooling's winners."""
    kept = [layer._kept[0] if isinstance(layer._kept, tuple) else layer._kept for layer in layers]
    return [array for array in kept if isinstance(array, np.ndarray) and array.dtype.kind in "bui"]


def _same(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))


def _loss_at(
    model: Sequential,
    x: np.ndarray,
    y: np.ndarray,
    tensors: Sequence[np.ndarray],
    step: Sequence[np.ndarray],
    states: Sequence[Any],
) -> tuple[Any, list[np.ndarray]]:
    """The training loss with every tensor moved by its step (and moved back), and the gates on the way."""
    before = [w.copy() for w in tensors]
    for layer, state in zip(model.layers, states, strict=True):
        _set_random_state(layer, state)  # the same dropout masks as in the pass that is checked
    for w, s in zip(tensors, step, strict=True):
        w += s
    loss = model.train_gradients(x, y)
    gates = [gate.copy() for gate in _gates(model.layers)]
    for w, old in zip(tensors, before, strict=True):
        w[...] = old
    return loss, gates


def _random_state(layer: Layer) -> Any:
    return layer.rng.bit_generator.state if isinstance(layer, Dropout) else None


def _set_random_state(layer: Layer, state: Any) -> None:
    if isinstance(layer, Dropout):
        layer.rng.bit_generator.state = state
