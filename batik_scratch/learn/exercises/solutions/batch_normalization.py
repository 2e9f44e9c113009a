"""Write both passes of batch normalisation, for training and for inference.

Given   self.params["gamma"], self.params["beta"], self.params["moving_mean"] and self.params["moving_variance"], (C,)
        each and already created; self.momentum, self.epsilon
Move    the two moving ones, in a forward pass where training is True, and never else
Keep    what backward will need: self._keep(value, training, keep); self._recall() gives it back
Return  from backward dx, or None where need_dx is False
Fill    self.grads["gamma"] and self.grads["beta"], if need_grads

X may be maps (N, H, W, C) or rows (N, C): whatever is averaged is averaged over all axes but the last.
"""

import numpy as np

from batik_scratch import nn


class BatchNormalization(nn.BatchNormalization):
    def forward(self, x, training=False, keep=None):
        """Y from X, of X's shape; in training it moves moving_mean and moving_variance."""
        mean, variance = self.params["moving_mean"], self.params["moving_variance"]  # (C,) both
        if training:
            over = tuple(range(x.ndim - 1))
            mean, variance = x.mean(axis=over), x.var(axis=over)  # (C,) both
            for key, new in (("moving_mean", mean), ("moving_variance", variance)):
                self.params[key][...] = self.momentum * self.params[key] + (1 - self.momentum) * new
        inverse = 1 / np.sqrt(variance + self.epsilon)  # (C,)
        normed = (x - mean) * inverse  # X's shape
        self._keep((normed, inverse, training), training, keep)
        return self.params["gamma"] * normed + self.params["beta"]

    def backward(self, dy, need_dx=True, need_grads=True):
        """dX from dY, of X's shape; fills the gradients of gamma and beta."""
        normed, inverse, of_the_batch = self._recall()
        over = tuple(range(dy.ndim - 1))
        dgamma = (dy * normed).sum(axis=over)  # (C,)
        dbeta = dy.sum(axis=over)  # (C,)
        if need_grads:
            self.grads["gamma"] = dgamma
            self.grads["beta"] = dbeta
        if not need_dx:
            return None
        dx = dy.copy()
        if of_the_batch:  # mean and variance move with x; at rest they are constants
            m = dy.size // dy.shape[-1]
            dx -= (dbeta + normed * dgamma) / m
        return self.params["gamma"] * inverse * dx
