"""Write both passes of the layer that takes the mean of each channel.

Keep    what backward will need: self._keep(value, training, keep); self._recall() gives it back
Return  from backward dx, or None where need_dx is False
"""

import numpy as np

from batik_scratch import nn


class GlobalAveragePooling2D(nn.GlobalAveragePooling2D):
    def forward(self, x, training=False, keep=None):
        """Y (N, C) from X (N, H, W, C)."""
        self._keep(x.shape, training, keep)
        return x.mean(axis=(1, 2))  # (N, C)

    def backward(self, dy, need_dx=True, need_grads=True):
        """dX (N, H, W, C) from dY (N, C)."""
        shape = self._recall()
        share = dy[:, None, None, :] / (shape[1] * shape[2])  # (N, 1, 1, C)
        return np.broadcast_to(share, shape).copy() if need_dx else None  # (N, H, W, C)
