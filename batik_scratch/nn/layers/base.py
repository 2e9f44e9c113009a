"""What every layer is: two dictionaries and three methods.

Axis letters, here and everywhere: N images, H height, W width, C channels in, F filters, K = kh*kw*C,
D features in, U units. `dy` is the upstream gradient (of the loss with respect to the layer's output), `dx` the
downstream one.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from .. import shown


class Layer:
    """The contract. A subclass says how shapes, activations and gradients pass through it.

    params, grads    parameters and their gradients under the same names ("kernel", "bias")
    not_trained      keys of `params` that have no gradient (running means): saved with the weights, and never learnt
    forward          y from x; with `keep` (default: `training`) it stores what backward needs, else it forgets it
    backward         dx from dy; fills `grads`; changes no parameter and no argument, and may be called again

    A gradient is never divided by the batch here: the loss does that, once.
    """

    not_trained: tuple[str, ...] = ()

    def __init__(self, name: str | None = None) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.named_by_user = name is not None
        self.dtype = np.dtype("float32")
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self.input_shape: tuple[int, ...] | None = None
        self.output_shape: tuple[int, ...] | None = None
        self._kept: Any = None

    def __repr__(self) -> str:
        """`Conv2D(filters=32, kernel_size=3): (8, 8, 3) -> (6, 6, 32), 896 parameters`; shapes once it is built."""
        built = getattr(self, "input_shape", None)  # a subclass may have forgotten our constructor
        said = shown.call(self, self.config() if hasattr(self, "named_by_user") else {})
        if built is None:
            return said
        learnt = f", {self.parameter_count:,} parameters" if self.params else ""
        return f"{said}: {shown.shape(built)} -> {shown.shape(self.output_shape)}{learnt}"

    def _repr_html_(self) -> str:
        rows = [
            (key, shown.shape(value.shape), str(value.dtype), "no" if key in self.not_trained else "yes")
            for key, value in self.params.items()
        ]
        return shown.html_table(f"{self.name}: {self!r}", ("parameter", "shape", "dtype", "trained"), rows)

    def build(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
        """Create the parameters for inputs of `input_shape` (without the batch axis); return the output's shape."""
        self.input_shape = tuple(input_shape)
        self.output_shape = self.infer_shape(self.input_shape)
        self.params = {
            key: np.asarray(value, self.dtype, order="C")
            for key, value in self.create_params(self.input_shape, rng).items()
        }
        self.grads = {}
        return self.output_shape

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The output's shape for an input's, both without the batch axis; InputError if it does not fit."""
        return input_shape

    def create_params(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Fresh parameters for inputs of `input_shape`; none for most layers."""
        return {}

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        """y from x (N, ...). `keep=True` stores what `backward` needs; by default only training does."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        """dx from dy, of the forward pass before it; None if `need_dx` is False.

        InputError if that pass was not kept: a layer remembers one pass, and one that is not kept makes it forget.
        """
        raise NotImplementedError

    def decisions(self) -> list[np.ndarray]:
        """What the forward pass before it decided, if it was kept: gates, winners. While they stay, so does the slope.

        Unless a layer says otherwise, these are the arrays of truth values or whole numbers among what it kept.
        """
        kept = self._kept if isinstance(self._kept, tuple) else (self._kept,)
        return [entry for entry in kept if isinstance(entry, np.ndarray) and entry.dtype.kind in "bui"]

    def forget(self) -> None:
        """Drop what a forward pass kept for `backward`."""
        self._kept = None

    def config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON takes them: `type(layer)(**layer.config())` is the layer again."""
        return {"name": self.name} if self.named_by_user else {}

    def astype(self, dtype: str | np.dtype) -> "Layer":
        """Change the arithmetic to `dtype` (float32, float64 or complex128), parameters included; returns self."""
        self.dtype = np.dtype(dtype)
        self.params = {key: value.astype(self.dtype) for key, value in self.params.items()}
        self.grads = {}
        return self

    def multiply_adds(self) -> int:
        """Multiplications with an addition, forward, for one image; 0 if a layer only moves or compares."""
        return 0

    def cached_bytes(self) -> int:
        """Bytes per image that a training forward pass keeps for the backward pass."""
        return 0

    @property
    def trained(self) -> dict[str, np.ndarray]:
        """The parameters that have a gradient, in their order: all but those of `not_trained`."""
        return {key: value for key, value in self.params.items() if key not in self.not_trained}

    @property
    def parameter_count(self) -> int:
        """How many numbers this layer learns."""
        return sum(value.size for value in self.trained.values())

    def _set_grads(self, **grads: np.ndarray | None) -> None:
        """Replace `grads`; what was not computed (None) is not there."""
        self.grads = {key: value for key, value in grads.items() if value is not None}

    def _keep(self, value: Any, training: bool, keep: bool | None) -> None:
        self._kept = value if (training if keep is None else keep) else None

    def _recall(self) -> Any:
        if self._kept is None:
            raise InputError(
                f"{self.name}.backward: needs a kept forward pass and found none; "
                "call forward(x, training=True) or forward(x, keep=True) first"
            )
        return self._kept

    def _expect(self, array: np.ndarray, shape: tuple[int, ...] | None, what: str) -> np.ndarray:
        """`array` of the right shape; in the parameters' dtype if there are any, as Keras casts what it is given."""
        array = np.asarray(array)
        if shape is not None and array.shape[1:] != shape:
            raise InputError(
                f"{self.name}.{what}: needs (N, {', '.join(map(str, shape))}), got {array.shape}; "
                "the first axis counts the images"
            )
        return cast(array, self.dtype, f"{self.name}.{what}") if self.params else array


def cast(array: np.ndarray, dtype: np.dtype, who: str) -> np.ndarray:
    """`array` in the weights' dtype, as Keras casts what it is given; InputError if imaginary parts would be lost."""
    if array.dtype == dtype:
        return array
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise InputError(
            f"{who}: computes in {dtype} and got {array.dtype}; convert the array"
            + (', or the weights with astype("complex128")' if array.dtype.kind == "c" else " to numbers")
        )
    return array.astype(dtype)


def snake_case(name: str) -> str:
    """Keras' layer names from class names: Conv2D -> conv2d, MaxPooling2D -> max_pooling2d, ReLU -> re_lu."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def name_layers(layers: Sequence[Layer]) -> None:
    """Keras' names: conv2d, conv2d_1, ...; a name chosen by the user stays, and must be unique."""
    taken = Counter(layer.name for layer in layers if layer.named_by_user)
    if any(n > 1 for n in taken.values()):
        raise InputError(f"layer names must be unique; used more than once: {[k for k, n in taken.items() if n > 1]}")
    seen: Counter[str] = Counter()
    for layer in layers:
        if not layer.named_by_user:
            base = snake_case(type(layer).__name__)
            layer.name = base
            while layer.name in taken:
                seen[base] += 1
                layer.name = f"{base}_{seen[base]}"
            taken[layer.name] += 1
