"""The gradient of a class's score at the pixels: how much would it change if this pixel did?"""

import numpy as np

from .method import Method


class Gradient(Method):
    """Vanilla gradient (Simonyan, Vedaldi & Zisserman, 2013, arXiv:1312.6034).

    G[n,h,w,c] = d S / d X[n,h,w,c]    the backward pass of training, carried one layer further: to the pixels

    Shapes    X, G (N, H, W, C)
    Cost      one forward and one backward pass per image
    Not for   saying how much a pixel *contributes*: it says what a small change would do. The maps are noisy, and
              a saturated probability has no gradient; hence the logit is the default score.
    """

    def _attribute(self, images: np.ndarray, classes: np.ndarray | None, score: str) -> np.ndarray:
        return self.model.input_gradient(images, self._seed(classes, score))  # (N, H, W, C)


class GradientTimesInput(Gradient):
    """Gradient x input (Shrikumar et al., 2016, arXiv:1605.01713).

    M = X * dS/dX

    In a ReLU network without biases the map adds up to the score itself: the network is then a linear function of the
    pixels around each image.

    Shapes    X, M (N, H, W, C)
    Cost      as Gradient
    Not for   dark motifs: a black pixel, X = 0, gets nothing, however much it matters.
    """

    def _attribute(self, images: np.ndarray, classes: np.ndarray | None, score: str) -> np.ndarray:
        return images * super()._attribute(images, classes, score)  # (N, H, W, C)
