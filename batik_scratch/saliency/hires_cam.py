"""HiResCAM: feature maps times their gradient, place by place."""

import numpy as np

from .cam import ClassActivationMap


class HiResCAM(ClassActivationMap):
    """HiResCAM (Draelos & Carin, 2020, arXiv:2011.08891).

    M[n,i,j] = sum_k A[n,i,j,k] dS/dA[n,i,j,k]

    Where everything above the layer is affine, the map adds up to the score minus its bias: it says what was used.

    Shapes    A (N, h, w, K); the map (N, H, W, 1), or (N, h, w, 1) with upsample=False; signed
    Cost      one forward pass, and a backward pass down to the layer
    Not for   fine detail: the map is as coarse as the layer.
    """

    def _combine(self, a: np.ndarray, g: np.ndarray) -> np.ndarray:
        return (a * g).sum(axis=-1)  # (N, h, w)
