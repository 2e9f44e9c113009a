"""CNNClassifier: the networks of this package as a scikit-learn estimator."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from . import nn
from .errors import InputError
from .nn.fitting.batches import ArrayBatches

Builder = Callable[[tuple[int, ...], int, int], nn.Sequential]  # input shape, classes, seed -> a network
LEARNING_RATES = {"paper": 3e-4, "cloth": 3e-3, "dense": 1e-2}


class CNNClassifier(ClassifierMixin, BaseEstimator):
    """A network for images (or for rows of features) that scikit-learn can clone, tune, calibrate and cross-validate.

    network                 "paper", "cloth" (nn.paper_cnn, nn.cloth_cnn), "dense" (one hidden layer, for features that
                            are no image), or "auto": "paper" for images and "dense" for rows. Or a function of
                            (input_shape, classes, seed) that returns an nn.Sequential, ending in Softmax
    image_shape             (H, W, C): rows of H W C numbers are images, as a Pipeline's scaler hands them on
    epochs, batch_size      how often all images are gone through, and how many at a time
    learning_rate           Adam's; None: 3e-4 for "paper", 3e-3 for "cloth", 1e-2 for "dense", else 1e-3
    early_stopping          hold out `validation_fraction` of the images, class by class; stop after `patience` epochs
                            without a better loss on them, and keep the best epoch's weights
    class_weight            {label: weight}, "balanced", or None: how much an image of a class counts in the loss
    random_state            int, RandomState or None: weights, dropout, order and split
    verbose                 as in `nn.Sequential.fit`: 0 silent, 1 a bar, 2 lines

    X is (N, H, W, C) with numbers in [0, 1], or uint8 (0..255), which is divided batch by batch: a read-only or
    memory-mapped array stays where it is. Or it is (N, D). Labels are of any kind that sorts.

    classes_     the labels in sorted order: the columns of `predict_proba`
    history_     {"loss": [...], "accuracy": [...], ...}, an entry per epoch
    model_       the trained nn.Sequential
    """

    image_shape_: tuple[int, ...] | None

    def __init__(
        self,
        network: str | Builder = "auto",
        image_shape: Sequence[int] | None = None,
        epochs: int = 30,
        batch_size: int = 16,
        learning_rate: float | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        class_weight: Mapping[Any, float] | str | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.network = network
        self.image_shape = image_shape
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> "CNNClassifier":
        """Train a fresh network on X (N, H, W, C) or (N, D) and labels y (N,); InputError for what does not fit."""
        x, labels = self._checked(X, y, reset=True)
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise InputError(f"CNNClassifier: needs at least two classes to tell apart, got 1 class ({labels[0]!r})")
        numbers = np.searchsorted(self.classes_, labels)  # (N,)
        seed = int(check_random_state(self.random_state).randint(2**31))
        self.model_ = self._build(x, seed)
        train, held_out = np.arange(len(x)), None
        callbacks: list[nn.Callback] = []
        if self.early_stopping:
            train, rows = self._held_out(numbers, seed)
            held_out = _Batches(x, numbers, self.batch_size, rows)
            callbacks = [nn.EarlyStopping(patience=self.patience, restore_best_weights=True)]
        weights = self._weights(labels, self.class_weight)
        batches = _Batches(x, numbers, self.batch_size, train, weights, self.model_.order_rng)
        history = self.model_.fit(
            batches, epochs=self.epochs, validation_data=held_out, callbacks=callbacks, verbose=self.verbose
        )
        self.history_ = {key: list(values) for key, values in history.history.items()}
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> "CNNClassifier":
        """One epoch on X and y, going on from what is there; the first call needs `classes`, all that will come."""
        first = not hasattr(self, "model_")
        x, labels = self._checked(X, y, reset=first)
        if first:
            if classes is None:
                raise InputError("partial_fit: the first call needs classes, all labels that will ever come")
            self.classes_ = np.unique(classes)
            self.model_ = self._build(x, int(check_random_state(self.random_state).randint(2**31)))
            self.history_ = {}
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise InputError(f"partial_fit: classes were {self.classes_.tolist()}, got {np.unique(classes).tolist()}")
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise InputError(f"partial_fit: needs labels among {self.classes_.tolist()}, got {unknown.tolist()}")
        if self.class_weight == "balanced":
            raise InputError('partial_fit: class_weight="balanced" needs all labels at once; give {label: weight}')
        numbers = np.searchsorted(self.classes_, labels)  # (N,)
        weights = self._weights(labels, self.class_weight)
        order = self.model_.order_rng
        batches = _Batches(x, numbers, self.batch_size, np.arange(len(x)), weights, order)
        history = self.model_.fit(batches, epochs=1, verbose=self.verbose)
        for key, values in history.history.items():
            self.history_.setdefault(key, []).extend(values)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (N, U) of X, a column for each of `classes_`; in the network's own dtype."""
        check_is_fitted(self)
        x = self._checked(X, None, reset=False)[0]
        parts = _Batches(x, np.zeros(len(x), int), self.batch_size, np.arange(len(x)))
        return np.concatenate([self.model_.predict(part, self.batch_size) for part, *_ in parts])  # (N, U)

    def predict(self, X: Any) -> np.ndarray:
        """The label (N,) with the largest probability for each image of X."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    # ------------------------------------------------------------------

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[np.ndarray, Any]:
        """X as images (N, H, W, C) or rows (N, D), and labels y (N,) or None, in scikit-learn's own way."""
        if (X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim) == 4:
            x = check_array(X, allow_nd=True, ensure_2d=False)  # (N, H, W, C)
            wanted: tuple[int, ...] | None = x.shape[1:] if reset else self.image_shape_
            if x.shape[1:] != wanted:
                raise InputError(f"CNNClassifier: was fitted on images {wanted}, got {x.shape[1:]}")
            self.image_shape_, self.n_features_in_ = x.shape[1:], int(np.prod(x.shape[1:]))
            if y is not None:
                y = column_or_1d(y, warn=True)
                if len(y) != len(x):
                    raise InputError(f"CNNClassifier: needs one label per image: got {len(x)} images, {len(y)} labels")
        else:
            if reset or y is not None:
                x, y = validate_data(self, X, y, reset=reset)
            else:
                x = validate_data(self, X, reset=False)  # (N, D)
            x = self._as_images(x, reset)
        if y is not None:
            check_classification_targets(y)
        return x, y

    def _as_images(self, x: np.ndarray, reset: bool) -> np.ndarray:
        """Rows (N, D) as (N, *image_shape), where there is one."""
        shape = self.image_shape if reset else self.image_shape_
        if shape is not None:
            shape = tuple(int(n) for n in shape)
            if len(shape) != 3 or int(np.prod(shape)) != x.shape[1]:
                raise InputError(
                    f"CNNClassifier: image_shape is (H, W, C) with H W C = {x.shape[1]}, the features of X; got {shape}"
                )
            x = x.reshape(len(x), *shape)
        self.image_shape_ = shape
        return x

    def _build(self, x: np.ndarray, seed: int) -> nn.Sequential:
        """The network for images or rows like x, compiled."""
        name = self.network
        if name == "auto":
            name = "paper" if x.ndim == 4 else "dense"
        if name in ("paper", "cloth") and x.ndim != 4:
            raise InputError(
                f"CNNClassifier: network={name!r} needs images (N, H, W, C), got rows {x.shape}; "
                'give image_shape=(H, W, C), or take the network for rows, "dense"'
            )
        shape, classes = x.shape[1:], len(self.classes_)
        if name == "paper":
            model = nn.paper_cnn(shape, classes, seed, algorithm="auto")
        elif name == "cloth":
            model = nn.cloth_cnn(shape, classes, seed)
        elif name == "dense":
            model = _dense(shape, classes, seed)
        elif callable(name):
            model = name(shape, classes, seed)
        else:
            raise InputError(
                f'CNNClassifier: network is "auto", "paper", "cloth", "dense" or a function of (input_shape, classes, '
                f"seed); got {name!r}"
            )
        if not isinstance(model, nn.Sequential) or model.output_shape != (classes,) or not model.ends_in_softmax:
            raise InputError(
                f"CNNClassifier: the network needs to be an nn.Sequential built for {shape} that ends in "
                f"Dense({classes}), Softmax(); got {model!r}"
            )
        rate = self.learning_rate
        model.compile(nn.Adam(LEARNING_RATES.get(str(name), 1e-3) if rate is None else rate))
        return model

    def _held_out(self, numbers: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers to train on and to stop by, of every class its share; InputError if a class is too small."""
        try:
            train, rows = train_test_split(
                np.arange(len(numbers)), test_size=self.validation_fraction, random_state=seed, stratify=numbers
            )
        except ValueError as error:
            raise InputError(
                f"CNNClassifier: early_stopping cannot hold out {self.validation_fraction} of {len(numbers)} images "
                f"({error}); give more images, another validation_fraction, or early_stopping=False"
            ) from None
        return np.sort(train), np.sort(rows)

    def _weights(self, labels: np.ndarray, class_weight: Any) -> np.ndarray | None:
        """How much each image counts (N,); None for all alike."""
        if class_weight is None:
            return None
        of_class = compute_class_weight(class_weight, classes=self.classes_, y=labels)  # (U,)
        return of_class[np.searchsorted(self.classes_, labels)]


class _Batches:
    """Some rows of x and y, batch by batch: bytes become numbers in [0, 1] here, and nothing is copied as a whole."""

    def __init__(
        self,
        x: np.ndarray,
        numbers: np.ndarray,
        batch_size: int,
        rows: np.ndarray,
        weights: np.ndarray | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.x, self.numbers, self.weights = x, numbers, weights
        self.rows = ArrayBatches(rows, rows, batch_size, rng)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        for rows, *_ in self.rows:
            x = self.x[rows]
            x = x.astype(np.float32) / np.float32(255) if x.dtype == np.uint8 and x.ndim == 4 else x
            batch = (x, self.numbers[rows])
            yield batch if self.weights is None else (*batch, self.weights[rows])


def _dense(shape: tuple[int, ...], classes: int, seed: int) -> nn.Sequential:
    """One hidden layer on rows of features, in float64: features have any scale, and rows are few numbers."""
    layers = [nn.BatchNormalization(momentum=0.9), nn.Dense(32, "he_uniform"), nn.ReLU(), nn.Dense(classes)]
    return nn.Sequential([*layers, nn.Softmax()], shape, seed, "float64")
