"""Keras' names as texts: what `compile("adam", "sparse_categorical_crossentropy", ["accuracy"])` means here."""

import difflib
from collections.abc import Callable, Iterable

from ..errors import InputError
from .losses import SparseCategoricalCrossentropy
from .optimizers import SGD, Adam, AdamW, Optimizer

OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {"adam": Adam, "adamw": AdamW, "sgd": SGD}
LOSS = "sparse_categorical_crossentropy"
METRICS = ("accuracy", "acc", "sparse_categorical_accuracy")  # three names for the one that is always computed


def optimizer_called(given: Optimizer | str | None) -> Optimizer:
    """The optimiser itself, one by Keras' name with its defaults, or Adam(); InputError lists the names."""
    if given is None:
        return Adam()
    if isinstance(given, str):
        if given.lower() not in OPTIMIZERS:
            raise InputError(f"compile: there is no optimizer {given!r}{_near(given, OPTIMIZERS)}")
        return OPTIMIZERS[given.lower()]()
    if not isinstance(given, Optimizer):
        raise InputError(
            f'compile: optimizer needs an Optimizer such as nn.Adam(1e-3), or a name such as "adam"; got {given!r}'
        )
    return given


def loss_called(given: SparseCategoricalCrossentropy | str | None) -> SparseCategoricalCrossentropy:
    """The loss itself, or the one by Keras' name; InputError says what to do in place of its relatives."""
    if given is None or given == LOSS:
        return SparseCategoricalCrossentropy()
    if isinstance(given, str):
        hint = _near(given, [LOSS])
        if given in ("categorical_crossentropy", "binary_crossentropy"):
            hint = f'; use "{LOSS}" with whole numbers for labels: y.argmax(axis=1) of one-hot rows, 0 and 1 of two'
        raise InputError(f"compile: there is no loss {given!r}{hint}")
    if not callable(given):
        raise InputError(f'compile: loss needs nn.SparseCategoricalCrossentropy(), or its name "{LOSS}"; got {given!r}')
    return given


def check_metrics(given: Iterable[str]) -> None:
    """InputError unless all are names of accuracy, which is computed whether it is named or not."""
    names = [given] if isinstance(given, str) else list(given)
    for name in names:
        if name not in METRICS:
            raise InputError(
                f'compile: there is no metric {name!r}; there is "accuracy", and it is always computed. '
                "For others, hand predict() to scikit-learn's metrics"
            )


def _near(given: str, names: Iterable[str]) -> str:
    known = list(names)
    near = difflib.get_close_matches(given.lower(), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(known)}"
