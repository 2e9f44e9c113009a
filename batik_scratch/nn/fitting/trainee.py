"""What the loop, the callbacks and the checkpoints see of the model that they train."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from ..optimizers import Optimizer

# x (N, ...), y (N,), perhaps weights (N,) -> loss and logits (N, U): with a step of the optimiser, or just looking
OnBatch = Callable[..., tuple[Any, np.ndarray]]


class Trainee(Protocol):
    """A model in training: its optimiser, its weights and its random streams, and whether it has had enough."""

    optimizer: Optimizer
    stop_training: bool
    order_rng: np.random.Generator

    @property
    def dropout_rngs(self) -> list[np.random.Generator]: ...
    def architecture(self) -> dict[str, Any]: ...
    def named_weights(self) -> dict[str, np.ndarray]: ...
    def trained_weights(self) -> dict[str, np.ndarray]: ...
    def get_weights(self) -> list[np.ndarray]: ...
    def set_weights(self, weights: Sequence[np.ndarray]) -> None: ...
    def save(self, path: str | os.PathLike) -> None: ...
