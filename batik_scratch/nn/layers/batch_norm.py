"""BatchNormalization: every channel brought to mean 0 and deviation 1 over the batch, then scaled and shifted."""

import math
from typing import Any

import numpy as np

from ...errors import InputError
from ...ops import batch_norm
from .base import Layer


class BatchNormalization(Layer):
    """Batch normalisation (Ioffe & Szegedy, 2015, arXiv:1502.03167), with Keras' defaults and meaning.

    Written for one channel; m runs over the M = N H W places of the batch (M = N for rows of features).

    Forward   mu = sum_m x_m / M,    v = sum_m (x_m - mu)^2 / M,    s = sqrt(v + epsilon)
              n_m = (x_m - mu) / s,  y_m = gamma n_m + beta
    At rest   mu and v are moving_mean and moving_variance, which only training moves:
              moving = momentum moving + (1 - momentum) of the batch

    Backward  Each x_m reaches the loss L by three ways: straight through n_m, through mu and through v.
        1     dbeta  = sum_m dy_m
        2     dgamma = sum_m dy_m n_m
        3     dn_m   = gamma dy_m
        4     dv     = sum_m dn_m (x_m - mu) (-1/2) s^-3        as d(1/s) / dv = -1/2 s^-3
        5     dmu    = - sum_m dn_m / s                         and none by v: dv / dmu = -2 sum_m (x_m - mu) / M = 0
        6     dx_m   = dn_m / s  +  dv 2 (x_m - mu) / M  +  dmu / M
        Put 4 and 5 into 6, with sum dn_m = gamma dbeta and sum dn_m n_m = gamma dgamma:
        7     dx_m   = gamma / s (dy_m  -  dbeta / M  -  n_m dgamma / M)
        So dy loses its mean, and its part along n: no step can be made that the layer would take back. The well-known
        mistakes are to leave out one of the two terms, or to take mu and v for constants.
    At rest   they are constants, and only the first way is left: dx_m = gamma dy_m / s. This is the backward pass of
              forward(x, keep=True), by which a prediction is explained.

    Keras divides v by M, for the batch and for moving_variance alike. (PyTorch moves its running_var by M / (M - 1) of
    that, and its momentum is 1 - ours.) A batch of one row has v = 0, so that y = beta and dx = 0; one image has the
    variance over its places.

    Shapes    X, Y (N, H, W, C) or (N, D); gamma, beta, moving_mean, moving_variance (C,) or (D,)
    Cost      one multiply-add per value; X is read twice forwards, X and dY twice backwards; caches X
    """

    not_trained = ("moving_mean", "moving_variance")

    def __init__(self, momentum: float = 0.99, epsilon: float = 1e-3, name: str | None = None) -> None:
        super().__init__(name)
        if not 0 <= momentum < 1:
            raise InputError(
                f"BatchNormalization: momentum is the share of the old mean, at least 0 and below 1; got {momentum!r}"
            )
        if not (epsilon > 0 and math.isfinite(epsilon)):
            raise InputError(f"BatchNormalization: epsilon needs a finite number above 0, got {epsilon!r}")
        self.momentum, self.epsilon = float(momentum), float(epsilon)

    def infer_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(input_shape) not in (1, 3):
            raise InputError(f"BatchNormalization: needs images (H, W, C) or features (D,), got {input_shape}")
        return input_shape

    def create_params(self, input_shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, np.ndarray]:
        channels = input_shape[-1]
        return {
            "gamma": np.ones(channels),
            "beta": np.zeros(channels),
            "moving_mean": np.zeros(channels),
            "moving_variance": np.ones(channels),
        }

    def forward(self, x: np.ndarray, training: bool = False, keep: bool | None = None) -> np.ndarray:
        x = self._expect(x, self.input_shape, "forward")
        table = _table(x)  # (M, C)
        if training:
            mean, variance = batch_norm.moments(table)  # (C,) both
            if np.isfinite(variance).all():  # a NaN would stay for good, and training stops at it anyway
                self._move("moving_mean", mean)
                self._move("moving_variance", variance)
        else:  # copies, because training may go on before backward is called
            mean, variance = self.params["moving_mean"].copy(), self.params["moving_variance"].copy()
        self._keep((x, (mean, variance), training), training, keep)
        y = batch_norm.normalise(table, mean, variance, self.params["gamma"], self.params["beta"], self.epsilon)
        return y.reshape(x.shape)

    def backward(self, dy: np.ndarray, need_dx: bool = True, need_grads: bool = True) -> np.ndarray | None:
        x, (mean, variance), of_the_batch = self._recall()
        dy = self._expect(dy, self.output_shape, "backward")
        dx, dgamma, dbeta = batch_norm.backward(
            _table(x), _table(dy), mean, variance, self.params["gamma"], self.epsilon, of_the_batch, need_dx, need_grads
        )
        if need_grads:
            self._set_grads(gamma=dgamma, beta=dbeta)  # (C,) both
        return None if dx is None else dx.reshape(x.shape)

    def config(self) -> dict[str, Any]:
        return super().config() | {"momentum": self.momentum, "epsilon": self.epsilon}

    def multiply_adds(self) -> int:
        return int(np.prod(self.input_shape or (0,)))

    def cached_bytes(self) -> int:
        return int(np.prod(self.input_shape or (0,))) * self.dtype.itemsize

    def _move(self, key: str, of_the_batch: np.ndarray) -> None:
        self.params[key][...] = self.momentum * self.params[key] + (1 - self.momentum) * of_the_batch


def _table(x: np.ndarray) -> np.ndarray:
    """x (..., C) as (M, C)."""
    return x.reshape(-1, x.shape[-1])
