"""What every saliency method shares: checked images, batches, a target."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .scores import Target, check_score, resolve_target, seed

if TYPE_CHECKING:
    from ..nn import Sequential


class Method:
    """A way to say which pixels mattered: `Method(model).attribute(images, target="predicted")`.

    A subclass implements `_attribute` for one batch. Raw signed maps come back; reducing channels, clipping, normalising
    and overlaying are pure functions of their own.
    """

    scores: tuple[str, ...] | None = None  # the scores that make sense for a method, all where None

    def __init__(self, model: "Sequential") -> None:
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
        per_image = not isinstance(target, str) and np.ndim(target) == 1
        if per_image and len(np.asarray(target)) != len(images):
            raise InputError(
                f"target: needs one class index for each of the {len(images)} images, got {len(np.asarray(target))}"
            )
        self._begin()
        parts = []
        with self.model.alone():  # once for all passes
            for start in range(0, len(images), batch_size):
                part = slice(start, start + batch_size)
                wanted = np.asarray(target)[part] if per_image else target
                known = None if labels is None else np.asarray(labels)[part]
                parts.append(self._attribute(images[part], wanted, score, known))
        return np.concatenate(parts) if parts else np.zeros_like(images)  # (N, H, W, C)

    def _begin(self) -> None:
        """Called once before the first batch."""

    def _attribute(self, images: np.ndarray, target: Target, score: str, labels: np.ndarray | None) -> np.ndarray:
        raise NotImplementedError

    def _classes(self, images: np.ndarray, target: Target, labels: np.ndarray | None) -> np.ndarray:
        """The class of each image (N,), asked of the images themselves: not of noisy or covered copies."""
        if isinstance(target, str) and target == "predicted":
            return self.model.logits(images).argmax(axis=1)
        return resolve_target(target, np.zeros((len(images), self._outputs())), labels)

    def _seed(self, target: Target, score: str, labels: np.ndarray | None = None) -> Callable[[np.ndarray], np.ndarray]:
        """From logits (N, U) to the seed (N, U) of the backward pass."""

        def start(logits: np.ndarray) -> np.ndarray:
            return seed(score, logits, resolve_target(target, logits, labels))  # (N, U)

        return start

    def _outputs(self) -> int:
        shape = self.model.output_shape
        assert shape is not None
        return shape[0]
