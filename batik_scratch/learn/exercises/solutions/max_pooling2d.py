"""Write both passes of max-pooling; windows may overlap, and what is left over at the end is dropped.

Given   self.pool_size (ph, pw), self.strides (sh, sw)
Keep    what backward will need: self._keep(value, training, keep); self._recall() gives it back
Return  from backward dx, or None where need_dx is False
"""

import numpy as np

from batik_scratch import nn


class MaxPooling2D(nn.MaxPooling2D):
    def forward(self, x, training=False, keep=None):
        """Y (N, OH, OW, C) from X (N, H, W, C)."""
        self._keep(x, training, keep)
        (ph, pw), (sh, sw) = self.pool_size, self.strides
        oh, ow = (x.shape[1] - ph) // sh + 1, (x.shape[2] - pw) // sw + 1
        y = np.empty((len(x), oh, ow, x.shape[3]), x.dtype)
        for i in range(oh):
            for j in range(ow):
                window = x[:, i * sh : i * sh + ph, j * sw : j * sw + pw]  # (N, ph, pw, C)
                y[:, i, j] = window.max(axis=(1, 2))
        return y

    def backward(self, dy, need_dx=True, need_grads=True):
        """dX (N, H, W, C) from dY (N, OH, OW, C)."""
        x = self._recall()
        (ph, pw), (sh, sw), (_, oh, ow, channels) = self.pool_size, self.strides, dy.shape
        dx = np.zeros_like(x)
        images, maps = np.ogrid[: len(x), :channels]  # (N, 1), (1, C)
        for i in range(oh):
            for j in range(ow):
                window = x[:, i * sh : i * sh + ph, j * sw : j * sw + pw]  # (N, ph, pw, C)
                winner = window.reshape(len(x), ph * pw, channels).argmax(axis=1)  # (N, C), the first maximum
                dx[images, i * sh + winner // pw, j * sw + winner % pw, maps] += dy[:, i, j]
        return dx if need_dx else None
