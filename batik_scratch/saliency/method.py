"""What every saliency method shares: checked images, batches, a target."""

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .scores import SCORES, Target

if TYPE_CHECKING:
    from ..nn import Sequential


class Method:
    """A way to say which pixels mattered: `Method(model).attribute(images, target="predicted")`.

    A subclass implements `_attribute` for one batch. Raw signed maps come back; reducing channels, clipping, normalising
    and overlaying are pure functions of their own.
    """

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
        """Maps of `images` (N, H, W, C) in [0, 1], of the images' shape, signed.

        target    class index, one per image, "predicted", or "true" (with labels (N,); warns)
        score     "logit", "probability", "log_probability" or "loss"

        Dropout is off; parameters, their gradients and the random state stay as they are. A batch gives what its
        images give one by one.
        """
        images = np.asarray(images)
        if images.ndim != 4:
            raise InputError(
                f"attribute: needs images (N, H, W, C), got shape {images.shape}; use images[None] for one"
            )
        if images.dtype == np.uint8 or not np.isfinite(images).all():
            raise InputError("attribute: needs finite numbers in [0, 1]; divide uint8 images by 255, and look for NaN")
        if score not in SCORES:
            raise InputError(f"score is one of {', '.join(SCORES)}; got {score!r}")
        if batch_size < 1:
            raise InputError(f"batch_size needs a whole number >= 1, got {batch_size!r}")
        per_image = not isinstance(target, str) and np.ndim(target) == 1
        if per_image and len(np.asarray(target)) != len(images):
            raise InputError(
                f"target: needs one class index for each of the {len(images)} images, got {len(np.asarray(target))}"
            )
        parts = []
        for start in range(0, len(images), batch_size):
            part = slice(start, start + batch_size)
            classes = np.asarray(target)[part] if per_image else target
            parts.append(
                self._attribute(images[part], classes, score, None if labels is None else np.asarray(labels)[part])
            )
        return np.concatenate(parts) if parts else np.zeros_like(images)  # (N, H, W, C)

    def _attribute(self, images: np.ndarray, target: Target, score: str, labels: np.ndarray | None) -> np.ndarray:
        raise NotImplementedError
