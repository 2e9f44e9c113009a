"""Write both passes of the fully connected layer.

Given   self.params["kernel"] (D, U) and self.params["bias"] (U,), already created
Keep    what backward will need: self._keep(x, training, keep); self._recall() gives it back
Return  from backward dx, or None where need_dx is False
Fill    self.grads["kernel"] and self.grads["bias"], if need_grads
"""

from batik_scratch import nn


class Dense(nn.Dense):
    def forward(self, x, training=False, keep=None):
        """Y (N, U) from X (N, D)."""
        self._keep(x, training, keep)
        return x @ self.params["kernel"] + self.params["bias"]  # (N, D) @ (D, U) -> (N, U)

    def backward(self, dy, need_dx=True, need_grads=True):
        """dX (N, D) from dY (N, U); fills the gradients of the kernel and the bias."""
        x = self._recall()  # (N, D)
        if need_grads:
            self.grads["kernel"] = x.T @ dy  # (D, N) @ (N, U) -> (D, U)
            self.grads["bias"] = dy.sum(axis=0)  # (U,)
        return dy @ self.params["kernel"].T if need_dx else None  # (N, U) @ (U, D) -> (N, D)
