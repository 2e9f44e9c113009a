"""Write both passes of the rectified linear unit.

Keep    what backward will need: self._keep(value, training, keep); self._recall() gives it back
Return  from backward dx, or None where need_dx is False
"""

import numpy as np

from batik_scratch import nn


class ReLU(nn.ReLU):
    def forward(self, x, training=False, keep=None):
        """Y from X, of X's shape."""
        self._keep(x > 0, training, keep)
        return np.maximum(x, 0)

    def backward(self, dy, need_dx=True, need_grads=True):
        """dX from dY, of X's shape."""
        gate = self._recall()
        return dy * gate if need_dx else None
