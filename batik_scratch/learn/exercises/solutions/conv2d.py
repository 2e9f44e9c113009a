"""Write both passes of the convolution, for padding="valid" (every window lies inside the image).

Given   self.params["kernel"] (kh, kw, C, F), self.params["bias"] (F,), self.kernel_size, self.strides
Keep    what backward will need: self._keep(x, training, keep); self._recall() gives it back
Return  from backward dx, or None where need_dx is False
Fill    self.grads["kernel"] and self.grads["bias"], if need_grads

Loops over images, places and filters are a right answer; so are fewer loops over larger pieces.
"""

import numpy as np

from batik_scratch import nn


class Conv2D(nn.Conv2D):
    def forward(self, x, training=False, keep=None):
        """Y (N, OH, OW, F) from X (N, H, W, C)."""
        self._keep(x, training, keep)
        kernel, (sh, sw) = self.params["kernel"], self.strides
        kh, kw, _, filters = kernel.shape
        oh, ow = (x.shape[1] - kh) // sh + 1, (x.shape[2] - kw) // sw + 1
        y = np.zeros((len(x), oh, ow, filters), x.dtype) + self.params["bias"]
        for u in range(kh):
            for v in range(kw):
                seen = x[:, u : u + oh * sh : sh, v : v + ow * sw : sw]  # (N, OH, OW, C): what place (u, v) looks at
                y += seen @ kernel[u, v]  # (N, OH, OW, C) @ (C, F)
        return y

    def backward(self, dy, need_dx=True, need_grads=True):
        """dX (N, H, W, C) from dY (N, OH, OW, F); fills the gradients of the kernel and the bias."""
        x, kernel, (sh, sw) = self._recall(), self.params["kernel"], self.strides
        _, oh, ow, _ = dy.shape
        dx, dkernel = np.zeros_like(x), np.zeros_like(kernel)
        for u in range(kernel.shape[0]):
            for v in range(kernel.shape[1]):
                place = (slice(None), slice(u, u + oh * sh, sh), slice(v, v + ow * sw, sw))
                dkernel[u, v] = np.tensordot(x[place], dy, axes=([0, 1, 2], [0, 1, 2]))  # (C, F)
                dx[place] += dy @ kernel[u, v].T  # (N, OH, OW, F) @ (F, C); += because windows overlap
        if need_grads:
            self.grads["kernel"] = dkernel
            self.grads["bias"] = dy.sum(axis=(0, 1, 2))
        return dx if need_dx else None
