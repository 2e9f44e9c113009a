"""Layer-wise relevance propagation: the score is handed down, layer by layer, in proportion to who made it."""

import numpy as np

from ..errors import InputError
from ..nn import Sequential
from ..nn.explaining import relevance
from .method import Method


class LRP(Method):
    """LRP-epsilon (Bach et al., 2015, doi:10.1371/journal.pone.0130140).

    R_i = sum_j x_i w_ij / (z_j + epsilon sign(z_j)) R_j,   z_j = sum_i x_i w_ij + b_j,   from R = the class's logit

    Pooling hands its relevance to the winner, activations pass it on. Biases swallow their share. Without biases, and
    as epsilon -> 0, the relevances add up to the logit, and the map is gradient x input.

    Shapes    X and R (N, H, W, C)
    Cost      one forward and one backward pass, and a division per value
    Not for   other scores than the logit. A large epsilon swallows relevance; with a tiny one it explodes at z near 0.
    """

    scores = ("logit",)

    def __init__(self, model: Sequential, epsilon: float = 1e-6) -> None:
        super().__init__(model)
        if not epsilon > 0:
            raise InputError(f"LRP: epsilon needs a number above 0, got {epsilon!r}")
        self.epsilon = float(epsilon)

    def _attribute(self, images: np.ndarray, classes: np.ndarray | None, score: str) -> np.ndarray:
        seed = self._seed(classes, score)
        return relevance(self.model, images, lambda logits: logits * seed(logits), self.epsilon)  # (N, H, W, C)
