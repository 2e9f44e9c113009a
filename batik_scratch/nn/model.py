"""Sequential: a network that is trained, judged, asked and saved."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from . import explaining, model_file, named, passes
from .fitting import given, loop
from .fitting.batches import ArrayBatches, Batches, as_batches
from .fitting.callbacks import Callback, History
from .fitting.checkpoint import Checkpoint
from .layers import Layer
from .losses import SparseCategoricalCrossentropy
from .network import Network
from .optimizers import Adam, Optimizer
from .summary import parameters_of, summary_html, summary_table
from .trace import Trace, record


class Sequential(Network):
    """A network whose layers follow each other, with all that one does with it.

    layers          a list of `Layer`s; `model.layers` is that list. None: they come one by one, by `add`
    input_shape     (H, W, C) or (D,), without the batch axis; None: built by the first batch
    random_state    int, SeedSequence or None: weights, dropout and order each get a stream of their own from it
    dtype           "float32"; "float64" is how gradients are checked; "complex128" for the complex step

    A final `Softmax` makes `predict` return probabilities; the loss is computed on the logits before it. Without one,
    `logits` and `predict` are the same. Two threads on one model take turns: what computes holds the model's lock.
    """

    def __init__(
        self,
        layers: Iterable[Layer] | None = None,
        input_shape: Sequence[int] | None = None,
        random_state: int | np.random.SeedSequence | None = None,
        dtype: str | np.dtype = "float32",
    ) -> None:
        super().__init__(layers, input_shape, random_state, dtype)
        self.optimizer: Optimizer = Adam()
        self.loss: SparseCategoricalCrossentropy | None = None
        self.stop_training = False
        self.metadata: dict[str, Any] = {}

    def _repr_html_(self) -> str:
        return summary_html(self)

    def summary(self) -> None:
        """Print the table of layers: shapes, algorithms, parameters, multiply-adds both ways, cached bytes."""
        print(summary_table(self))

    def count_params(self) -> int:
        """How many numbers the parameters are, trained or not; InputError before the model is built."""
        if self.input_shape is None:
            raise InputError("count_params: the model is not built yet; give input_shape, or call it on a batch")
        return sum(map(parameters_of, self.layers))

    def add(self, layer: Layer) -> None:
        """One more layer at the end; it is built at once if the model is.

        InputError if it does not fit, or if the model has been trained: an optimiser remembers the old parameters.
        """
        if self.optimizer.iterations:
            raise InputError("add: this model has been trained; make nn.Sequential([*model.layers, layer]) of it")
        with self.alone():
            self.append(layer)

    def __call__(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """The last layer's output for one batch x (N, ...), as `forward`; `predict` goes through many."""
        return self.forward(x, training)

    # ------------------------------------------------------------------ training

    def compile(
        self,
        optimizer: Optimizer | str | None = None,
        loss: SparseCategoricalCrossentropy | str | None = None,
        metrics: Iterable[str] = (),
    ) -> None:
        """Choose how to train: Adam() and SparseCategoricalCrossentropy() if nothing is said.

        Keras' names are understood: "adam", "adamw", "sgd"; "sparse_categorical_crossentropy"; metrics=["accuracy"],
        which is computed in any case. InputError lists the names, or says what does not go together.
        """
        optimizer, loss = named.optimizer_called(optimizer), named.loss_called(loss)
        named.check_metrics(metrics)
        if loss.from_logits and self.ends_in_softmax:
            raise InputError(
                "compile: from_logits=True needs a model that returns logits, and this one ends in Softmax; "
                "drop the Softmax, or use from_logits=False (the two are fused, nothing is lost)"
            )
        self.optimizer, self.loss = optimizer, loss

    def train_step(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """Forward, loss, backward and one step of the optimiser on one batch; returns the loss and the logits.

        weights (N,) say how much each image counts. If the loss is not finite the step is not made: what is trained
        stays as it was.
        """
        with self.alone():
            loss, logits = self._forward_backward(x, y, weights)
            if np.isfinite(loss):
                self.optimizer.step(self.layers)
            return loss, logits

    def train_gradients(self, x: np.ndarray, y: np.ndarray) -> float:
        """Forward, loss and backward on one batch, and no step: the gradients are left in each layer's `grads`.

        It is a training pass all the same: running means move.
        """
        with self.alone():
            return self._forward_backward(x, y)[0]

    def training_loss(self, x: np.ndarray, y: np.ndarray) -> float:
        """The loss of one batch as `train_gradients` has it, without the backward pass.

        Dropout is on and running means move; the gradients in each layer's `grads` stay as they are.
        """
        with self.alone():
            return self._loss_on_logits(self._training_logits(x), y)[0]

    def loss_and_logits(
        self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """The loss of one batch and its logits (N, U), dropout off, nothing kept."""
        with self.alone():
            logits = self.infer(x, softmax=False)
            return self._loss_on_logits(logits, y, weights)[0], logits

    def fit(
        self,
        x: np.ndarray | Batches,
        y: np.ndarray | None = None,
        batch_size: int = 32,
        epochs: int = 1,
        validation_data: tuple[np.ndarray, np.ndarray] | Batches | None = None,
        callbacks: Iterable[Callback] = (),
        shuffle: bool = True,
        verbose: int = 1,
        initial_epoch: int = 0,
        checkpoint: Checkpoint | None = None,
        validation_split: float = 0.0,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> History:
        """Train on x (N, H, W, C) in [0, 1] and labels y (N,), or on a sized iterable of (x, y) batches.

        An iterable has its own size of batches and its own order: batch_size and shuffle are for arrays.
        verbose: 0 silent, 1 a bar on a terminal and a line per epoch, 2 lines only. Returns the History: loss and
        accuracy are running means (dropout on), val_loss and val_accuracy are computed after each epoch. With a
        `checkpoint` the state is saved there, and training goes on from what is there already.

        validation_split    hold out the last share of x and y, before anything is shuffled; not with validation_data
        class_weight        {class: weight}, 1 for a class that is not named: a loss of 2 counts like two images
        sample_weight       (N,), multiplied with it; an iterable may give batches of (x, y, weights) instead
        """
        if not isinstance(epochs, int | np.integer) or epochs < 1:
            raise InputError(f"fit: epochs needs a whole number >= 1, got {epochs!r}")
        with self.alone():
            if self.loss is None:
                raise InputError("fit: the model has no loss yet; call model.compile() first")
            x, y, sample_weight, held_out = given.divided(x, y, sample_weight, validation_data, validation_split)
            if shuffle:
                self.build_for(x)  # only then is there a stream to draw the order from
            batches = as_batches(x, y, batch_size, self.order_rng if shuffle else None, sample_weight)
            if class_weight is not None:
                batches = given.ClassWeighted(batches, given.check_class_weight(class_weight))
            return loop.fit(
                self,
                self.train_step,
                self.loss_and_logits,
                batches,
                epochs=int(epochs),
                initial_epoch=initial_epoch,
                validation=given.held_out_batches(held_out, batch_size),
                callbacks=callbacks,
                verbose=verbose,
                checkpoint=checkpoint,
            )

    def evaluate(self, x: np.ndarray | Batches, y: np.ndarray | None = None, batch_size: int = 32) -> dict[str, float]:
        """{"accuracy", "loss"} on x, y or on an iterable of batches, dropout off."""
        with self.alone():
            return loop.evaluate(self.loss_and_logits, as_batches(x, y, batch_size, None))

    # ------------------------------------------------------------------ asking

    def predict(self, x: np.ndarray, batch_size: int = 32) -> np.ndarray:
        """Probabilities (N, U) of images x (N, ...); logits if the model has no final Softmax."""
        return self._in_batches(x, batch_size, softmax=True)

    def logits(self, x: np.ndarray, batch_size: int = 32) -> np.ndarray:
        """Logits (N, U) of images x (N, ...): the scores before the softmax."""
        return self._in_batches(x, batch_size, softmax=False)

    def input_gradient(self, x: np.ndarray, seed: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """d score / d x, of x's shape, by the same backward pass that trains the network.

        `seed` maps logits (N, U) to d score / d logits (N, U). Dropout is off; parameters, their gradients and the
        random state stay as they are.
        """
        return explaining.gradient_at(self, x, seed)[1]

    def trace(
        self, x: np.ndarray, y: np.ndarray | None = None, seed: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> Trace:
        """Every activation of x (N, ...), layer by layer, and the gradient of one number with respect to each.

        That number is the loss if labels y (N,) are given, the score of that `seed` (as in `input_gradient`), or else
        each image's largest logit. Changes nothing; see trace.py.
        """
        return record(self, x, self._loss_on_logits, y, seed)

    # ------------------------------------------------------------------ files

    def save(self, path: str | os.PathLike) -> None:
        """Write architecture, weights and `model.metadata` to one `.npz` file, atomically and without pickle.

        Warns if `load(path)` could not read it back as it is: a layer of your own that is not registered (`register`),
        or whose `config()` does not say what its constructor needs. InputError for endings of other programs' files.
        """
        with self.alone():
            model_file.save(self, path, self.metadata)

    @classmethod
    def load(cls, path: str | os.PathLike, layers: Iterable[type[Layer]] = ()) -> "Sequential":
        """The model that `save` wrote, with random_state=0; InputError if the file is damaged, foreign or newer.

        layers    classes of your own that the model is made of, beside this package's and those of `@nn.register`
        """
        model, metadata = model_file.load(path, cls, layers)
        model.metadata = metadata
        return model

    # ------------------------------------------------------------------

    def _forward_backward(
        self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None
    ) -> tuple[Any, np.ndarray]:
        logits = self._training_logits(x)  # (N, U)
        loss, dlogits = self._loss_on_logits(logits, y, weights)  # scalar, (N, U)
        if np.isfinite(loss):
            passes.backward(self.plan(), dlogits, need_dx=False)
        return loss, logits.copy()  # blocks overwrite their arrays

    def _training_logits(self, x: np.ndarray) -> np.ndarray:
        return passes.forward(self.plan(), self.checked(x), training=True)  # (N, U)

    def _loss_on_logits(
        self, logits: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None
    ) -> tuple[Any, np.ndarray]:
        if self.loss is None:
            raise InputError("the model has no loss yet; call model.compile() first")
        loss = self.loss.on_logits if self.ends_in_softmax else self.loss
        return loss(logits, y) if weights is None else loss(logits, y, weights)

    def _in_batches(self, x: np.ndarray, batch_size: int, softmax: bool) -> np.ndarray:
        with self.alone():
            parts = ArrayBatches(x, np.zeros(len(x)), batch_size)
            return np.concatenate([self.infer(part, softmax) for part, _ in parts])  # (N, U)
