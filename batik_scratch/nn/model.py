"""Sequential: layers in a row, trained by walking the row forwards and then backwards."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import InputError
from ..ops import threads
from . import explaining, model_file, steps, training
from .callbacks import Callback, History
from .checkpoint import Checkpoint
from .layers import Dropout, Layer, Softmax
from .layers.base import cast, name_layers
from .losses import SparseCategoricalCrossentropy
from .optimizers import Adam, Optimizer
from .summary import summary_table
from .trace import Seed, Trace, record

DTYPES = ("float32", "float64", "complex128")


class Sequential:
    """A network whose layers follow each other.

    layers          a list of `Layer`s; `model.layers` is that list
    input_shape     (H, W, C) or (D,), without the batch axis; None: built by the first batch
    random_state    int, SeedSequence or None: weights, dropout and order each get a stream of their own from it
    dtype           "float32"; "float64" is how gradients are checked; "complex128" for the complex step

    A final `Softmax` makes `predict` return probabilities; the loss is computed on the logits before it. Without one,
    `logits` and `predict` are the same. Public calls hold the model's lock: two threads on one model take turns.
    """

    def __init__(
        self,
        layers: Iterable[Layer],
        input_shape: Sequence[int] | None = None,
        random_state: int | np.random.SeedSequence | None = None,
        dtype: str | np.dtype = "float32",
    ) -> None:
        self.layers = list(layers)
        if not self.layers or not all(isinstance(layer, Layer) for layer in self.layers):
            raise InputError(f"Sequential: needs a list of at least one Layer, got {self.layers!r}")
        if np.dtype(dtype).name not in DTYPES:
            raise InputError(f"Sequential: dtype is one of {', '.join(DTYPES)}; got {dtype!r}")
        self.dtype = np.dtype(dtype)
        self.input_shape: tuple[int, ...] | None = None
        self.optimizer: Optimizer = Adam()
        self.loss: SparseCategoricalCrossentropy | None = None
        self.stop_training = False
        self.metadata: dict[str, Any] = {}
        self._seeds = (
            random_state if isinstance(random_state, np.random.SeedSequence) else np.random.SeedSequence(random_state)
        )
        self._lock = threading.RLock()
        name_layers(self.layers)
        if input_shape is not None:
            self.build(input_shape)

    def build(self, input_shape: Sequence[int]) -> None:
        """Create all parameters for inputs of `input_shape` (without the batch axis)."""
        shape = tuple(int(n) for n in input_shape)
        if not shape or min(shape) < 1:
            raise InputError(f"Sequential: input_shape needs whole numbers >= 1, got {input_shape!r}")
        self.input_shape = shape
        weights, order, *dropout = (np.random.default_rng(s) for s in self._seeds.spawn(2 + len(self.layers)))
        self._order_rng = order
        for layer, rng in zip(self.layers, dropout, strict=True):
            layer.astype(self.dtype)
            shape = layer.build(shape, weights)
            if isinstance(layer, Dropout):
                layer.rng = rng

    @property
    def output_shape(self) -> tuple[int, ...] | None:
        """The last layer's, without the batch axis; None before the model is built."""
        return self.layers[-1].output_shape

    @property
    def ends_in_softmax(self) -> bool:
        """True where the last layer is a Softmax, with which the loss is fused."""
        return isinstance(self.layers[-1], Softmax)

    def summary(self) -> None:
        """Print the table of layers: shapes, parameters, multiply-adds forward and backward, cached bytes."""
        print(summary_table(self))

    def get_layer(self, name: str) -> Layer:
        """The layer called `name`; the error lists the names there are."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise InputError(f"there is no layer {name!r}; there are {', '.join(layer.name for layer in self.layers)}")

    def forward(
        self, x: np.ndarray, training: bool = False, keep: bool | None = None, softmax: bool = True
    ) -> np.ndarray:
        """x (N, ...) through all layers; `softmax=False` stops at the logits before a final Softmax."""
        with self.alone():
            return steps.forward(self._walk(softmax), self._cast(x), training, keep)

    def backward(
        self, dy: np.ndarray, need_dx: bool = False, need_grads: bool = True, softmax: bool = True
    ) -> np.ndarray | None:
        """dy through all layers, last to first; each leaves its `grads`. dx of the pixels only where `need_dx`.

        `softmax=False` starts at the logits, below a final Softmax.
        """
        with self.alone():
            return steps.backward(self._walk(softmax), dy, need_dx, need_grads)

    def train_step(self, x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        """Forward, loss, backward and one step of the optimiser on one batch; returns the loss and the logits.

        Where the loss is not finite the step is not made: the weights stay as they were.
        """
        with self.alone():
            loss, logits = self._forward_backward(x, y)
            if np.isfinite(loss):
                self.optimizer.step(self.layers)
            return loss, logits

    def train_gradients(self, x: np.ndarray, y: np.ndarray) -> float:
        """Forward, loss and backward on one batch, and no step: the gradients are left in each layer's `grads`."""
        with self.alone():
            return self._forward_backward(x, y)[0]

    def loss_and_logits(self, x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss of one batch and its logits (N, U), dropout off, nothing kept."""
        with self.alone():
            logits = self._infer(x, softmax=False)
            return self._loss(logits, y)[0], logits

    def input_gradient(self, x: np.ndarray, seed: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """d score / d x, of x's shape, by the same backward pass that trains the network.

        `seed` maps logits (N, U) to d score / d logits (N, U). Dropout is off; parameters, their gradients and the
        random state stay as they are.
        """
        return explaining.gradient_at(self, x, seed)[1]

    def trace(self, x: np.ndarray, y: np.ndarray | None = None, seed: Seed | None = None) -> Trace:
        """Every activation and gradient of x (N, ...), layer by layer: of the loss where labels y (N,) are given, of the
        score with that `seed` (as in `input_gradient`), or of each image's largest logit. Changes nothing; see trace.py."""
        return record(self, x, y, seed)

    # ------------------------------------------------------------------ use

    def compile(self, optimizer: Optimizer | None = None, loss: SparseCategoricalCrossentropy | None = None) -> None:
        """Choose how to train: Adam() and SparseCategoricalCrossentropy() where nothing is said."""
        loss = loss or SparseCategoricalCrossentropy()
        if loss.from_logits and self.ends_in_softmax:
            raise InputError(
                "compile: from_logits=True needs a model that returns logits, and this one ends in Softmax; "
                "drop the Softmax, or use from_logits=False (the two are fused, nothing is lost)"
            )
        self.optimizer, self.loss = optimizer or Adam(), loss

    def fit(
        self,
        x: np.ndarray | training.Batches,
        y: np.ndarray | None = None,
        batch_size: int = 32,
        epochs: int = 1,
        validation_data: tuple[np.ndarray, np.ndarray] | training.Batches | None = None,
        callbacks: Iterable[Callback] = (),
        shuffle: bool = True,
        verbose: int = 1,
        initial_epoch: int = 0,
        checkpoint: Checkpoint | None = None,
    ) -> History:
        """Train on x (N, H, W, C) in [0, 1] and labels y (N,), or on a sized iterable of (x, y) batches.

        verbose: 0 silent, 1 a bar on a terminal and a line per epoch, 2 lines only. Returns the History: loss and
        accuracy are running means (dropout on), val_loss and val_accuracy are computed after each epoch. With a
        `checkpoint` the state is saved there, and training goes on from what is there already.
        """
        if not isinstance(epochs, int | np.integer) or epochs < 1:
            raise InputError(f"fit: epochs needs a whole number >= 1, got {epochs!r}")
        with self.alone():
            if self.loss is None:
                raise InputError("fit: the model has no loss yet; call model.compile() first")
            rng = self._built_for(x)._order_rng if shuffle else None
            batches = training.as_batches(x, y, batch_size, rng)
            held_out = None
            if validation_data is not None:
                x_held, y_held = validation_data if isinstance(validation_data, tuple) else (validation_data, None)
                held_out = training.as_batches(x_held, y_held, batch_size, None)
            return training.fit(self, batches, int(epochs), initial_epoch, held_out, callbacks, verbose, checkpoint)

    def evaluate(
        self, x: np.ndarray | training.Batches, y: np.ndarray | None = None, batch_size: int = 32
    ) -> dict[str, float]:
        """{"accuracy", "loss"} on x, y or on an iterable of batches, dropout off."""
        with self.alone():
            return training.evaluate(self, training.as_batches(x, y, batch_size, None))

    def predict(self, x: np.ndarray, batch_size: int = 32) -> np.ndarray:
        """Probabilities (N, U) of images x (N, ...); logits where the model has no final Softmax."""
        return self._in_batches(x, batch_size, softmax=True)

    def logits(self, x: np.ndarray, batch_size: int = 32) -> np.ndarray:
        """Logits (N, U) of images x (N, ...): the scores before the softmax."""
        return self._in_batches(x, batch_size, softmax=False)

    # ------------------------------------------------------------------ weights and files

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all parameters, in Keras' order and layouts: HWIO kernels, (in, out) dense, each then its bias."""
        with self._lock:
            return [value.copy() for layer in self.layers for value in layer.params.values()]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Take weights as `get_weights` returns them; nothing is changed unless all of them fit."""
        with self._lock:
            slots = [(layer, key) for layer in self.layers for key in layer.params]
            arrays = [np.asarray(w) for w in weights]
            wanted = [layer.params[key].shape for layer, key in slots]
            if [a.shape for a in arrays] != wanted:
                raise InputError(f"set_weights: needs arrays of shapes {wanted}, got {[a.shape for a in arrays]}")
            for (layer, key), array in zip(slots, arrays, strict=True):
                layer.params[key][...] = array  # cast to the model's dtype

    def save(self, path: str | os.PathLike) -> None:
        """Write architecture, weights and `model.metadata` to one `.npz` file, atomically and without pickle."""
        with self._lock:
            model_file.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Sequential":
        """The model that `save` wrote, with random_state=0; InputError where the file is damaged, foreign or newer."""
        return model_file.load(path)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """This model for this Python thread, and BLAS at one thread, so that sums repeat bit for bit."""
        with self._lock, threads.one_blas_thread():
            yield

    def plan(self, softmax: bool = False) -> list[Layer]:
        """The steps that training and inference walk: the layers, some of them fused (nn/steps.py)."""
        return steps.plan(self._walk(softmax))

    def _walk(self, softmax: bool) -> list[Layer]:
        return self.layers if softmax or not self.ends_in_softmax else self.layers[:-1]

    def _forward_backward(self, x: np.ndarray, y: np.ndarray) -> tuple[Any, np.ndarray]:
        x = self._cast(x)
        walk = self.plan()
        logits = steps.forward(walk, x, training=True)  # (N, U)
        loss, dlogits = self._loss(logits, y)  # scalar, (N, U)
        if np.isfinite(loss):
            steps.backward(walk, dlogits, need_dx=False)
        return loss, logits.copy()  # steps overwrite their arrays

    def _infer(self, x: np.ndarray, softmax: bool) -> np.ndarray:
        x = self._cast(x)
        return steps.forward(self.plan(softmax), x).copy()  # steps overwrite their arrays

    def _loss(self, logits: np.ndarray, y: np.ndarray) -> tuple[Any, np.ndarray]:
        if self.loss is None:
            raise InputError("the model has no loss yet; call model.compile() first")
        return self.loss.on_logits(logits, y) if self.ends_in_softmax else self.loss(logits, y)

    def _built_for(self, x: Any) -> "Sequential":
        """Build from the first batch where no input shape was given; returns self."""
        if self.input_shape is None:
            first = x if isinstance(x, np.ndarray) else next(iter(x))[0]
            self.build(first.shape[1:])
        return self

    def _cast(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        if x.dtype == np.uint8:
            raise InputError("images need numbers in [0, 1], got uint8 (0..255); divide by 255 first")
        self._built_for(x)
        if x.shape[1:] != self.input_shape:
            wanted = ", ".join(map(str, self.input_shape or ()))
            raise InputError(f"the model needs inputs (N, {wanted}), got {x.shape}; the first axis counts the images")
        if len(x) == 0:
            raise InputError(f"the model needs at least one image, got an array of shape {x.shape}")
        return cast(x, self.dtype, "the model")

    def _in_batches(self, x: np.ndarray, batch_size: int, softmax: bool) -> np.ndarray:
        with self.alone():
            batches = training.ArrayBatches(x, np.zeros(len(x)), batch_size)
            return np.concatenate([self._infer(part, softmax) for part, _ in batches])  # (N, U)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_lock"}  # locks do not travel

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._lock = threading.RLock()
