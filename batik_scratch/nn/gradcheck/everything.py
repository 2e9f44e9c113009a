"""What `batik-scratch gradcheck` runs: every layer and conv algorithm, losses, optimisers, the paper's network."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...ops.choose import NAMES
from ...ops.im2col import col2im, im2col
from .. import layers
from ..architectures import paper_cnn
from ..layers import (
    Absolute,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Layer,
    LeakyReLU,
    Log,
    MaxPooling2D,
    ReLU,
    Rescaling,
    Sigmoid,
    Softmax,
    Standardization,
    Tanh,
)
from ..losses import SparseCategoricalCrossentropy
from ..model import Sequential
from ..optimizers import SGD, Adam, AdamW
from .adjoint import check_adjoint
from .layers import check_layer
from .losses import check_loss
from .methods import for_real_numbers
from .model import check_model
from .optimizers import adam_rule, adamw_rule, check_optimizer, sgd_rule
from .quotient import check_quotient
from .report import GradientReport

LAYER_NAMES = tuple(name for name in layers.__all__ if name != "Layer")
PAPER_SIZE = 150
SMALL_SIZE = 22  # the smallest images that the paper's network takes

# sizes that differ in every axis, non-square windows, strides, padding: what tells right from wrong
CONV_SHAPES: tuple[tuple[dict, tuple[int, int, int]], ...] = (
    ({"filters": 4, "kernel_size": (2, 3), "strides": 2, "padding": "same"}, (5, 6, 3)),
    ({"filters": 4, "kernel_size": (3, 2), "strides": (1, 2)}, (5, 6, 3)),
    ({"filters": 4, "kernel_size": 3, "padding": "same"}, (7, 6, 3)),
    ({"filters": 5, "kernel_size": 3}, (8, 7, 2)),
    ({"filters": 9, "kernel_size": 3}, (5, 6, 8)),  # as many channels as "auto" needs to take another algorithm
)
OTHERS: tuple[tuple[Layer, tuple[int, ...]], ...] = (
    (MaxPooling2D(2), (5, 6, 3)),
    (MaxPooling2D((3, 2), strides=(2, 1)), (6, 5, 2)),
    (GlobalAveragePooling2D(), (4, 5, 3)),
    (Dense(4), (7,)),
    (Dropout(0.2), (4, 5, 2)),
    (Flatten(), (3, 4, 2)),
    (ReLU(), (5, 6, 3)),
    (Softmax(), (5,)),
    (Absolute(), (5, 6, 3)),
    (AveragePooling2D(2), (5, 6, 3)),
    (AveragePooling2D((3, 2), strides=(2, 1)), (6, 5, 2)),
    (BatchNormalization(), (4, 5, 3)),
    (BatchNormalization(), (7,)),
    (Log(0.01), (4, 5, 2)),
    (Rescaling(-1.5, 0.25), (4, 5, 2)),
    (Standardization(), (4, 5, 3)),
    (LeakyReLU(0.2), (5, 6, 3)),
    (Sigmoid(), (4, 5, 2)),
    (Tanh(), (4, 5, 2)),
    (MaxPooling2D((3, 2), strides=2, padding="same"), (6, 5, 2)),
    (AveragePooling2D((3, 2), strides=(1, 2), padding="same"), (6, 5, 2)),
)


def all_checks(layer: str | None = None, thorough: bool = False) -> Iterator[GradientReport]:
    """Every report, one after the other; with `layer` those of that layer alone (InputError lists the names).

    `thorough` tries every layer in the other circumstances of thorough.py as well.
    """
    if layer is not None:
        yield from layer_checks(_known(layer), thorough)
        return
    yield check_quotient()
    yield check_adjoint(
        lambda x: im2col(x, (2, 3), (2, 1)),
        lambda columns: col2im(columns, (3, 5, 6, 3), (2, 3), (2, 1)),
        (3, 5, 6, 3),
        title="im2col and col2im",
    )
    for name in LAYER_NAMES:
        yield from layer_checks(name, thorough)
    yield from loss_checks()
    yield from optimizer_checks()
    yield from network_checks()


def layer_checks(name: str, thorough: bool = False) -> Iterator[GradientReport]:
    """The layer called `name` in each shape, for Conv2D by each algorithm, by all methods."""
    for layer, shape in samples():
        if type(layer).__name__ == name:
            yield check_layer(layer, shape, x=_input(layer, shape), method="all", thorough=thorough)


def _input(layer: Layer, shape: tuple[int, ...]) -> np.ndarray | None:
    """Images (3, ...) for a layer that does not take all numbers: a logarithm's are positive."""
    return 0.1 + np.random.default_rng(0).random((3, *shape)) if isinstance(layer, Log) else None


def samples() -> Iterator[tuple[Layer, tuple[int, ...]]]:
    """Every layer with the input shapes to try it on; of Conv2D each algorithm that takes the shape."""
    for algorithm in NAMES:
        for options, shape in CONV_SHAPES:
            try:
                layer = Conv2D(**options, algorithm=algorithm)
                layer.infer_shape(shape)
            except InputError:  # an algorithm for some kernels and strides only
                continue
            yield layer, shape
    yield from OTHERS


def loss_checks() -> Iterator[GradientReport]:
    """Cross-entropy on logits and on probabilities."""
    yield _titled(check_loss(SparseCategoricalCrossentropy(from_logits=True)), "SparseCategoricalCrossentropy, logits")
    loss = SparseCategoricalCrossentropy()

    def on_any_rows(p: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        """The value written out, because a row with one place moved adds up to 1 no longer, and the loss insists."""
        value = -np.log(p[np.arange(len(y)), y]).mean()
        return value, loss.on_probabilities(p / p.sum(axis=1, keepdims=True), y)[1]

    yield _titled(check_loss(on_any_rows, probabilities=True), "SparseCategoricalCrossentropy, probabilities")


def optimizer_checks() -> Iterator[GradientReport]:
    """Adam, AdamW and the forms of SGD beside their rules, written a second time."""
    yield check_optimizer(Adam(), adam_rule())
    yield check_optimizer(AdamW(0.01, 0.3), adamw_rule(0.01, 0.3))
    yield _titled(check_optimizer(SGD(0.05), sgd_rule(0.05)), "SGD")
    yield _titled(check_optimizer(SGD(0.05, 0.8), sgd_rule(0.05, 0.8)), "SGD, momentum")
    yield _titled(check_optimizer(SGD(0.05, 0.8, True), sgd_rule(0.05, 0.8, True)), "SGD, Nesterov")


def network_checks() -> Iterator[GradientReport]:
    """The paper's network: of full size by the complex step; small, by each algorithm, by central differences."""
    model = paper_cnn((PAPER_SIZE, PAPER_SIZE, 3), random_state=3, dtype="complex128")
    yield model_check(model, f"paper_cnn {PAPER_SIZE}x{PAPER_SIZE}, all parameters", images=1, directions=2)
    for algorithm in NAMES:
        model = paper_cnn((SMALL_SIZE, SMALL_SIZE, 3), random_state=3, dtype="float64", algorithm=algorithm)
        yield model_check(model, f"paper_cnn {SMALL_SIZE}x{SMALL_SIZE}, {algorithm}", images=3, directions=2)


def model_check(model: Sequential, title: str, images: int = 2, directions: int = 3) -> GradientReport:
    """`check_model`, every tensor of it, on random images and labels of the model's own shape."""
    if model.input_shape is None or model.output_shape is None:
        raise InputError("gradcheck: the model has no shape yet; build it, or train it on a batch")
    if model.loss is None:
        model.compile(loss=SparseCategoricalCrossentropy(from_logits=not model.ends_in_softmax))
    rng = np.random.default_rng(1)
    x = rng.random((images, *model.input_shape))
    y = rng.integers(0, model.output_shape[-1], images)
    return _titled(check_model(model, x, y, directions, each_tensor=True), title)


def saved_check(path: Path) -> GradientReport:
    """`model_check` of the network in a file, on one image: by the complex step, if its layers take complex numbers."""
    model = Sequential.load(path)
    model.dtype = np.dtype("float64" if any(map(for_real_numbers, model.layers)) else "complex128")
    for layer in model.layers:
        layer.astype(model.dtype)
    return model_check(model, str(path), images=1, directions=5)


def _known(layer: str) -> str:
    by_lower = {name.lower(): name for name in LAYER_NAMES}
    if layer.lower() not in by_lower:
        raise InputError(f"--layer: there is no layer {layer!r}; there are {', '.join(LAYER_NAMES)}")
    return by_lower[layer.lower()]


def _titled(report: GradientReport, title: str) -> GradientReport:
    return GradientReport(title, report.tensors)
