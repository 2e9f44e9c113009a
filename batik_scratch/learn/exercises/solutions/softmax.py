"""Write both passes of the softmax.

Keep    what backward will need: self._keep(value, training, keep); self._recall() gives it back
Return  from forward an array of its own, not the one that was kept: the caller may change it; from backward dx, or None
        where need_dx is False
"""

import numpy as np

from batik_scratch import nn


class Softmax(nn.Softmax):
    def forward(self, x, training=False, keep=None):
        """P (N, U) from the logits Z (N, U), here called x; logits of 10,000 are allowed."""
        powers = np.exp(x - x.max(axis=1, keepdims=True))  # (N, U), the largest is 1
        p = powers / powers.sum(axis=1, keepdims=True)  # (N, U)
        self._keep(p, training, keep)
        return p.copy()  # the caller may change what it is given, and backward still needs p

    def backward(self, dy, need_dx=True, need_grads=True):
        """dZ (N, U) from dP (N, U), here called dy."""
        p = self._recall()  # (N, U)
        return p * (dy - (dy * p).sum(axis=1, keepdims=True)) if need_dx else None  # (N, U)
