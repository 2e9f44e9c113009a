"""Grad-CAM: feature maps weighted by their mean gradient."""

import numpy as np

from .cam import ClassActivationMap


class GradCAM(ClassActivationMap):
    """Grad-CAM (Selvaraju et al., 2017, arXiv:1610.02391).

    M[n,i,j] = max(0, sum_k alpha_nk A[n,i,j,k]),  alpha_nk = mean_{i,j} dS/dA[n,i,j,k]

    Shapes    A (N, h, w, K); the map (N, H, W, 1), or (N, h, w, 1) with upsample=False
    Cost      one forward pass, and a backward pass down to the layer
    Not for   fine detail: the map is as coarse as the layer. Averaging the gradient first can point at places that
              the score does not depend on (HiResCAM's authors).
    """

    def _combine(self, a: np.ndarray, g: np.ndarray) -> np.ndarray:
        alpha = g.mean(axis=(1, 2), keepdims=True)  # (N, 1, 1, K)
        return np.maximum((alpha * a).sum(axis=-1), 0)  # (N, h, w)
