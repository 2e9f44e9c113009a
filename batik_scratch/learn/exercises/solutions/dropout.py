"""Write both passes of dropout.

Given   self.rate, the share to drop; self.rng, the layer's own random numbers: self.rng.random(shape) in [0, 1)
Keep    what backward will need: self._keep(value, training, keep); self._recall() gives it back
Return  from backward dx, or None where need_dx is False

Draw from self.rng and nothing else: the gradient check rewinds it, so that the same features are missing each time.
"""

import numpy as np

from batik_scratch import nn


class Dropout(nn.Dropout):
    def forward(self, x, training=False, keep=None):
        """Y from X, of X's shape and dtype; where training is False, Y is a copy of X."""
        if training:
            kept = self.rng.random(x.shape) >= self.rate
            mask = kept.astype(x.dtype) / x.dtype.type(1 - self.rate)
        else:
            mask = np.ones_like(x)
        self._keep(mask, training, keep)
        return x * mask

    def backward(self, dy, need_dx=True, need_grads=True):
        """dX from dY, of X's shape."""
        mask = self._recall()
        return dy * mask if need_dx else None
