"""Integrated gradients: the score's change from a baseline, shared out among the pixels without remainder."""

import numpy as np

from ..errors import InputError
from ..nn import Sequential
from .method import Method
from .scores import value


class IntegratedGradients(Method):
    """Integrated gradients (Sundararajan, Taly & Yan, 2017, arXiv:1703.01365).

    M = (X - X0) * integral_0^1 dS/dX (X0 + a (X - X0)) da  ~  (X - X0) * sum_k w_k G(X0 + a_k (X - X0))

    a_k, w_k are Gauss-Legendre's: exact for polynomials of degree 2 steps - 1. The maps add up to S(X) - S(X0)
    (completeness); how far they miss it, `delta` (N,) of the last call, says whether the steps were enough.

    steps       points on the way
    baseline    X0: a number, or an image (H, W, C)

    Shapes    X and the map (N, H, W, C)
    Cost      `steps` times Gradient's, and two forward passes
    Not for   asking without thinking about X0: from black, a black pixel gets nothing.
    """

    def __init__(self, model: Sequential, steps: int = 50, baseline: float | np.ndarray = 0.0) -> None:
        super().__init__(model)
        if not isinstance(steps, int | np.integer) or steps < 1:
            raise InputError(f"IntegratedGradients: steps needs a whole number >= 1, got {steps!r}")
        shape = model.input_shape or ()
        if np.shape(baseline) not in ((), shape):
            raise InputError(
                f"IntegratedGradients: baseline is a number or an image {shape}, got shape {np.shape(baseline)}"
            )
        if not np.isfinite(baseline).all():
            raise InputError("IntegratedGradients: baseline needs finite numbers; there is a NaN or an infinity in it")
        nodes, weights = np.polynomial.legendre.leggauss(steps)  # (steps,) both, on [-1, 1]
        self.places, self.weights = (nodes + 1) / 2, weights / 2
        self.baseline = np.asarray(baseline)
        self.delta = np.zeros(0)

    def _begin(self) -> None:
        self.delta = np.zeros(0)

    def _attribute(self, images: np.ndarray, classes: np.ndarray | None, score: str) -> np.ndarray:
        classes = self._classes(images, classes)  # (N,)
        start = self._seed(classes, score)
        images = images.astype(self.model.dtype)
        base = np.broadcast_to(self.baseline.astype(images.dtype), images.shape)  # (N, H, W, C)
        way = images - base  # (N, H, W, C)
        mean = np.zeros_like(images)
        for place, weight in zip(self.places, self.weights, strict=True):
            gradient = self.model.input_gradient(base + images.dtype.type(place) * way, start)  # (N, H, W, C)
            gradient *= images.dtype.type(weight)
            mean += gradient
        maps = way * mean  # (N, H, W, C)
        ends = [value(score, self.model.logits(x), classes) for x in (images, base)]
        missed = maps.sum(axis=(1, 2, 3), dtype=np.float64) - (ends[0] - ends[1])  # (N,)
        self.delta = np.concatenate([self.delta, missed])
        return maps
