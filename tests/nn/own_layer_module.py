"""Layers of somebody's own, in a module that another process can import."""

import numpy as np

from batik_scratch import nn


class Scaled(nn.Layer):
    """Y = factor X + shift, the shift learnt: what a user's own layer with parameters looks like."""

    def __init__(self, factor, name=None):
        super().__init__(name)
        self.factor = factor

    def create_params(self, input_shape, rng):
        return {"shift": np.zeros(input_shape[-1])}

    def forward(self, x, training=False, keep=None):
        self._keep(x.shape, training, keep)
        return self._expect(x, self.input_shape, "forward") * self.factor + self.params["shift"]

    def backward(self, dy, need_dx=True, need_grads=True):
        self._recall()
        if need_grads:
            self._set_grads(shift=dy.reshape(-1, dy.shape[-1]).sum(axis=0))
        return dy * self.factor if need_dx else None

    def config(self):
        return super().config() | {"factor": self.factor}
