"""Network: layers in a row, their weights and their streams of random numbers; walked forwards and backwards."""

import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ..errors import InputError
from ..ops import threads
from . import passes, shown
from .layers import (
    AveragePooling2D,
    Conv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Layer,
    MaxPooling2D,
    Softmax,
)
from .layers.base import cast, name_layers

WANTS_UNIT_RANGE = (Conv2D, Flatten, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D)  # as a first layer
DTYPES = ("float32", "float64", "complex128")


class Network:
    """Layers that follow each other; what can be done with them before anybody speaks of a loss.

    layers          a list of `Layer`s; `network.layers` is that list. None: they come one by one, by `append`
    input_shape     (H, W, C) or (D,), without the batch axis; None: built by the first batch
    random_state    int, SeedSequence or None: weights, dropout and order each get a stream of their own from it
    dtype           "float32"; "float64" is how gradients are checked; "complex128" for the complex step

    Calls that compute or change weights hold the network's lock: two threads on one network take turns.
    """

    def __init__(
        self,
        layers: Iterable[Layer] | None = None,
        input_shape: Sequence[int] | None = None,
        random_state: int | np.random.SeedSequence | None = None,
        dtype: str | np.dtype = "float32",
    ) -> None:
        who = type(self).__name__
        self.layers = [] if layers is None else list(layers)
        if layers is not None and (not self.layers or not all(isinstance(layer, Layer) for layer in self.layers)):
            raise InputError(f"{who}: needs a list of at least one Layer, got {self.layers!r}")
        if np.dtype(dtype).name not in DTYPES:
            raise InputError(f"{who}: dtype is one of {', '.join(DTYPES)}; got {dtype!r}")
        self.dtype = np.dtype(dtype)
        self.input_shape: tuple[int, ...] | None = None
        self.any_range = False  # True: pixels need not be in [0, 1], as in a model that another program trained
        self.order_rng = np.random.default_rng(0)  # where the batches' order is drawn from; `build` gives its own
        self._seeds = (
            random_state if isinstance(random_state, np.random.SeedSequence) else np.random.SeedSequence(random_state)
        )
        self._pass: passes.Pass | None = None
        self._lock = threading.RLock()
        name_layers(self.layers)
        if input_shape is not None:
            self.build(input_shape)

    def __repr__(self) -> str:
        learnt = sum(layer.parameter_count for layer in self.layers)
        last = self.layers[-1].output_shape if self.layers and self.input_shape else None
        sizes = f"{shown.shape(self.input_shape)} -> {shown.shape(last)}"
        return f"<{type(self).__name__} of {len(self.layers)} layers, {sizes}, {learnt:,} parameters, {self.dtype}>"

    def build(self, input_shape: Sequence[int]) -> None:
        """Create all parameters for inputs of `input_shape` (without the batch axis)."""
        shape = tuple(int(n) for n in input_shape)
        if not self.layers:
            raise InputError(f"{type(self).__name__}: has no layers yet to build; add them first")
        if not shape or min(shape) < 1:
            raise InputError(f"{type(self).__name__}: input_shape needs whole numbers >= 1, got {input_shape!r}")
        self.input_shape = shape
        # a stream for each layer, though only Dropout draws: what is put in or taken out changes nobody else's numbers
        weights, self.order_rng, *streams = (
            np.random.default_rng(seed) for seed in self._seeds.spawn(2 + len(self.layers))
        )
        for layer, rng in zip(self.layers, streams, strict=True):
            shape = self._build_layer(layer, shape, weights, rng)

    def append(self, layer: Layer) -> None:
        """One more layer at the end, built at once if the network is; InputError, and nothing changed, if it is none.

        Then it has a stream of its own: its weights are not those that a list with it would have had.
        """
        if not isinstance(layer, Layer):
            raise InputError(f"{type(self).__name__}: needs a Layer to add, got {layer!r}")
        shape = self.output_shape if self.input_shape is not None else None
        name_layers([*self.layers, layer])
        if shape is not None:
            weights, own = (np.random.default_rng(seed) for seed in self._seeds.spawn(2))
            self._build_layer(layer, shape, weights, own)
        self.layers.append(layer)

    def _build_layer(
        self, layer: Layer, shape: tuple[int, ...], weights: np.random.Generator, own: np.random.Generator
    ) -> tuple[int, ...]:
        layer.astype(self.dtype)
        shape = layer.build(shape, weights)
        if isinstance(layer, Dropout):
            layer.rng = own
        return shape

    def build_for(self, x: Any) -> None:
        """Build by the first batch, of an array or an iterable of (x, y), unless an input shape was given."""
        if self.input_shape is None:
            first = x if isinstance(x, np.ndarray) else next(iter(x))[0]
            self.build(first.shape[1:])

    # ------------------------------------------------------------------ what it is

    @property
    def output_shape(self) -> tuple[int, ...] | None:
        """The last layer's, without the batch axis; None before the network is built."""
        return self.layers[-1].output_shape if self.layers else None

    @property
    def ends_in_softmax(self) -> bool:
        """True if the last layer is a Softmax, with which the loss is fused."""
        return bool(self.layers) and isinstance(self.layers[-1], Softmax)

    @property
    def dropout_rngs(self) -> list[np.random.Generator]:
        """Every Dropout's stream of random numbers, in the layers' order."""
        return [layer.rng for layer in self.layers if isinstance(layer, Dropout)]

    def get_layer(self, name: str) -> Layer:
        """The layer called `name`; the error lists the names there are."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise InputError(f"there is no layer {name!r}; there are {', '.join(layer.name for layer in self.layers)}")

    def architecture(self) -> dict[str, Any]:
        """What it takes to build the network again, as JSON takes it."""
        layers = [{"type": type(layer).__name__, "name": layer.name, "config": layer.config()} for layer in self.layers]
        told = {"input_shape": list(self.input_shape or ()), "dtype": self.dtype.name, "layers": layers}
        return told | ({"any_range": True} if self.any_range else {})

    # ------------------------------------------------------------------ walking

    def forward(
        self, x: np.ndarray, training: bool = False, keep: bool | None = None, softmax: bool = True
    ) -> np.ndarray:
        """x (N, ...) through all layers, one by one; `softmax=False` stops at the logits before a final Softmax."""
        with self.alone():
            return passes.forward(self.walk(softmax), self.checked(x), training, keep)

    def backward(
        self, dy: np.ndarray, need_dx: bool = False, need_grads: bool = True, softmax: bool = True
    ) -> np.ndarray | None:
        """dy through all layers, last to first; each leaves its `grads`. dx of the pixels only if `need_dx`.

        `softmax=False` starts at the logits, below a final Softmax.
        """
        with self.alone():
            return passes.backward(self.walk(softmax), dy, need_dx, need_grads)

    def infer(self, x: np.ndarray, softmax: bool) -> np.ndarray:
        """Probabilities (N, U) of x (N, ...), or logits if not `softmax`: fused blocks, dropout off, nothing kept."""
        with self.alone():
            x = self.checked(x)
            return passes.forward(self.plan(softmax), x).copy()  # blocks overwrite their arrays

    def walk(self, softmax: bool) -> list[Layer]:
        """The layers, all of them or those up to the logits."""
        return self.layers if softmax or not self.ends_in_softmax else self.layers[:-1]

    def plan(self, softmax: bool = False, first: int = 0, last: int | None = None) -> list[Layer]:
        """What training and inference walk for the layers number `first` to `last`: some of them fused (passes.py)."""
        if self._pass is None or not self._pass.fits(self.layers):
            self._pass = passes.Pass(self.layers)
        return self._pass.blocks(first, len(self.walk(softmax)) if last is None else last)

    def kept_bytes(self) -> int:
        """How much memory the blocks of `plan` hold from one call to the next."""
        return 0 if self._pass is None else self._pass.bytes()

    def checked(self, x: np.ndarray) -> np.ndarray:
        """x (N, ...) in the network's dtype; InputError unless it is what the network takes."""
        x = np.asarray(x)
        if x.dtype == np.uint8:
            raise InputError("images need numbers in [0, 1], got uint8 (0..255); divide by 255 first")
        self.build_for(x)
        self._refuse_bytes(x)
        if x.shape[1:] != self.input_shape:
            wanted = ", ".join(map(str, self.input_shape or ()))
            raise InputError(f"the model needs inputs (N, {wanted}), got {x.shape}; the first axis counts the images")
        if len(x) == 0:
            raise InputError(f"the model needs at least one image, got an array of shape {x.shape}")
        return cast(x, self.dtype, "the model")

    def _refuse_bytes(self, x: np.ndarray) -> None:
        """InputError for pictures of 0..255 in another type than uint8, by the look of the first one.

        A network that begins with a change of scale, or with a layer of the user's own, may want such numbers; so may
        one that another program trained (`any_range`).
        """
        if (
            self.any_range
            or x.ndim != 4
            or len(x) == 0
            or x.dtype.kind not in "fiu"
            or not isinstance(self.layers[0], WANTS_UNIT_RANGE)
        ):
            return
        high = x[0].max()
        if 2 < high <= 255 and (low := x[0].min()) >= 0:
            raise InputError(
                f"images need numbers in [0, 1], got {x.dtype} from {low:g} to {high:g}, which look like 0..255; "
                "divide by 255 first, or begin the network with Rescaling(1 / 255)"
            )

    # ------------------------------------------------------------------ weights

    def named_weights(self) -> dict[str, np.ndarray]:
        """The parameters themselves, as "layer/key", in Keras' order and layouts: what files hold."""
        return {f"{layer.name}/{key}": value for layer in self.layers for key, value in layer.params.items()}

    def trained_weights(self) -> dict[str, np.ndarray]:
        """Those of `named_weights` that have a gradient, in the same order: what an optimiser has a memory of."""
        return {f"{layer.name}/{key}": value for layer in self.layers for key, value in layer.trained.items()}

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all parameters, in Keras' order and layouts: HWIO kernels, (in, out) dense, each then its bias.

        What is not trained is among them: gamma, beta, moving_mean, moving_variance.
        """
        with self._lock:
            return [value.copy() for layer in self.layers for value in layer.params.values()]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Take weights as `get_weights` returns them; nothing is changed unless all of them fit."""
        with self._lock:
            mine = [value for layer in self.layers for value in layer.params.values()]
            arrays = [np.asarray(w) for w in weights]
            wanted = [w.shape for w in mine]
            if [a.shape for a in arrays] != wanted:
                raise InputError(f"set_weights: needs arrays of shapes {wanted}, got {[a.shape for a in arrays]}")
            for own, array in zip(mine, arrays, strict=True):
                own[...] = array  # cast to the network's dtype

    # ------------------------------------------------------------------ one at a time

    def alone(self) -> AbstractContextManager[None]:
        """This network for this Python thread, and BLAS at one thread, so that sums repeat bit for bit."""
        return _Alone(self._lock)

    def __getstate__(self) -> dict[str, Any]:
        # locks do not travel, and what a pass keeps in memory is made anew
        return {key: value for key, value in self.__dict__.items() if key not in ("_lock", "_pass")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._pass = None
        self._lock = threading.RLock()


class _Alone(AbstractContextManager[None]):
    """A lock, and BLAS at one thread inside it; a class for the reason of threads._Held."""

    def __init__(self, lock: AbstractContextManager[bool]) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.__enter__()
        try:
            self._blas = threads.one_blas_thread()
            self._blas.__enter__()
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise

    def __exit__(self, *error: Any) -> None:
        try:
            self._blas.__exit__(*error)
        finally:
            self._lock.__exit__(*error)
