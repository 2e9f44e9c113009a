"""What every saliency method shares: checked images, batches, a target."""

import warnings
from collections.abc import Callable

import numpy as np

from ..errors import InputError
from ..nn import Sequential
from .scores import Target, check_classes, check_score, seed


class Method:
    """A way to say which pixels mattered: `Method(model).attribute(images, target="predicted")`.

    A subclass implements `_attribute` for one batch; its `classes` (N,) are None if the predicted ones are explained.
    Raw signed maps come back; reducing channels, clipping, normalising and overlaying are pure functions of their own.
    """

    scores: tuple[str, ...] | None = None  # the scores that make sense for a method, None: all of them
    channels: int | None = None  # of a map; None: the image's

    def __init__(self, model: Sequential) -> None:
        self.model = model

    def attribute(
        self,
        images: np.ndarray,
        target: Target = "predicted",
        score: str = "logit",
        batch_size: int = 32,
        labels: np.ndarray | None = None,
    ) -> np.ndarray:
        """Maps of `images` (N, H, W, C) in [0, 1], signed, of the images' shape; (N, H, W, 1) for the CAM methods.

        target    class index, one per image, "predicted", or "true" (with labels (N,); warns)
        score     "logit", "probability", "log_probability", "loss" or "margin" (over the strongest other class)

        Dropout is off; parameters, their gradients and the random state stay as they are. A batch gives what its
        images give one by one.
        """
        images = np.asarray(images)
        self._check(images, score, batch_size)
        classes = self._explained(target, labels, len(images))  # (N,)
        if len(images) == 0:
            return np.zeros((*images.shape[:3], self.channels or images.shape[3]), self.model.dtype)
        self._begin()
        parts = []
        with self.model.alone():  # once for all passes
            for start in range(0, len(images), batch_size):
                part = slice(start, start + batch_size)
                parts.append(self._attribute(images[part], None if classes is None else classes[part], score))
        return np.concatenate(parts)  # (N, H, W, C)

    def _check(self, images: np.ndarray, score: str, batch_size: int) -> None:
        """InputError unless these images can be explained by this score."""
        if images.ndim != 4:
            raise InputError(
                f"attribute: needs images (N, H, W, C), got shape {images.shape}; use images[None] for one"
            )
        if images.dtype == np.uint8 or images.dtype.kind not in "fiu" or not np.isfinite(images).all():
            raise InputError("attribute: needs finite numbers in [0, 1]; divide uint8 images by 255, and look for NaN")
        check_score(score)
        if self.scores and score not in self.scores:
            raise InputError(f"{type(self).__name__} explains {', '.join(self.scores)} alone, not {score!r}")
        if batch_size < 1:
            raise InputError(f"batch_size needs a whole number >= 1, got {batch_size!r}")
        if self.model.output_shape is None:
            raise InputError(
                f"{type(self).__name__}: the model is not built yet; give it an input_shape, or call model.build(shape)"
            )

    def _explained(self, target: Target, labels: np.ndarray | None, n: int) -> np.ndarray | None:
        """The class to explain for each of n images (N,); None if it is the one that the network predicts."""
        if isinstance(target, str) and target == "predicted":
            return None
        if isinstance(target, str) and target == "true":
            if labels is None:
                raise InputError('target="true" needs labels=, one class index per image')
            message = "maps of the true class contain the answer: do not validate a model on them"
            warnings.warn(message, UserWarning, stacklevel=3)  # at the line that called `attribute`
            target = labels
        assert self.model.output_shape is not None
        return check_classes(target, n, self.model.output_shape[0])  # (N,)

    def _begin(self) -> None:
        """Called once before the first batch."""

    def _attribute(self, images: np.ndarray, classes: np.ndarray | None, score: str) -> np.ndarray:
        raise NotImplementedError

    def _classes(self, images: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
        """The class of each image (N,), asked of the images themselves: not of noisy or covered copies."""
        return self.model.logits(images).argmax(axis=1) if classes is None else classes

    def _seed(self, classes: np.ndarray | None, score: str) -> Callable[[np.ndarray], np.ndarray]:
        """From logits (N, U) to the seed (N, U) of the backward pass."""

        def start(logits: np.ndarray) -> np.ndarray:
            return seed(score, logits, logits.argmax(axis=1) if classes is None else classes)  # (N, U)

        return start
