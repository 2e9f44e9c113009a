"""Write both passes of the layer that only changes the shape.

Keep    what backward will need: self._keep(value, training, keep); self._recall() gives it back
Return  from backward dx, or None where need_dx is False
"""

from batik_scratch import nn


class Flatten(nn.Flatten):
    def forward(self, x, training=False, keep=None):
        """Y (N, H*W*C) from X (N, H, W, C): an array of its own, not a view of X."""
        self._keep(x.shape, training, keep)
        return x.reshape(len(x), -1).copy()  # (N, D)

    def backward(self, dy, need_dx=True, need_grads=True):
        """dX (N, H, W, C) from dY (N, H*W*C): an array of its own, not a view of dY."""
        return dy.reshape(self._recall()).copy() if need_dx else None
