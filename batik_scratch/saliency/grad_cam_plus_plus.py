"""Grad-CAM++: positive gradients, weighted so that several occurrences of a class all count."""

import numpy as np

from .cam import ClassActivationMap


class GradCAMPlusPlus(ClassActivationMap):
    """Grad-CAM++ (Chattopadhyay et al., 2018, arXiv:1710.11063).

    M[n,i,j] = max(0, sum_k w_nk A[n,i,j,k]),  w_nk = sum_{i,j} a_nijk max(0, g_nijk),  g = dS/dA
    a_nijk = g^2 / (2 g^2 + (sum_{i,j} A[n,i,j,k]) g^3),  0 if that is 0/0

    Shapes    A (N, h, w, K); the map (N, H, W, 1), or (N, h, w, 1) with upsample=False
    Cost      one forward pass, and a backward pass down to the layer
    Not for   negative evidence: it is thrown away twice. The weights have no meaning outside exp(S).
    """

    def _combine(self, a: np.ndarray, g: np.ndarray) -> np.ndarray:
        total = a.sum(axis=(1, 2), keepdims=True)  # (N, 1, 1, K)
        # a with g^2 cancelled: 1 / (2 + total g). At g = 0 it is not 0, but max(0, g) below multiplies it by 0
        below = 2 + total * g  # (N, h, w, K)
        share = np.divide(1, below, out=np.zeros_like(g), where=below != 0)  # (N, h, w, K)
        w = (share * np.maximum(g, 0)).sum(axis=(1, 2), keepdims=True)  # (N, 1, 1, K)
        return np.maximum((w * a).sum(axis=-1), 0)  # (N, h, w)
