"""A layer held still: the same dropout mask at every evaluation, and what it decided in the last one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..layers import Layer


def random_state(layer: Layer) -> dict[str, Any]:
    """The state of every random generator that the layer holds, to be given to `set_random_state`."""
    generators = {k: v for k, v in vars(layer).items() if isinstance(v, np.random.Generator)}
    return {name: generator.bit_generator.state for name, generator in generators.items()}


def set_random_state(layer: Layer, state: dict[str, Any]) -> None:
    """Put the generators back to where they were."""
    for name, saved in state.items():
        getattr(layer, name).bit_generator.state = saved


def gates(layers: Sequence[Layer]) -> list[np.ndarray]:
    """What each layer decided in the last forward pass: ReLU's gates, pooling's winners."""
    kept = [layer._kept[0] if isinstance(layer._kept, tuple) else layer._kept for layer in layers]
    return [array for array in kept if isinstance(array, np.ndarray) and array.dtype.kind in "bui"]
