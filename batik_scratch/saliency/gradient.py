"""The gradient of a class's score at the pixels: how much would it change if this pixel did?"""

import numpy as np

from .method import Method
from .scores import Target, resolve_target, seed


class Gradient(Method):
    """Vanilla gradient (Simonyan, Vedaldi & Zisserman, 2013, arXiv:1312.6034).

    G[n,h,w,c] = d S / d X[n,h,w,c]    the backward pass of training, carried one layer further: to the pixels

    Shapes    X, G (N, H, W, C)
    Cost      one forward and one backward pass per image
    Not for   saying how much a pixel *contributes*: it says what a small change would do. The maps are noisy, and
              a saturated probability has no gradient; hence the logit is the default score.
    """

    def _attribute(self, images: np.ndarray, target: Target, score: str, labels: np.ndarray | None) -> np.ndarray:
        def start(logits: np.ndarray) -> np.ndarray:
            return seed(score, logits, resolve_target(target, logits, labels))  # (N, U)

        return self.model.input_gradient(images, start)  # (N, H, W, C)
