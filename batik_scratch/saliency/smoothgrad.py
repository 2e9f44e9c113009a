"""Gradients of many noisy copies: what stays of a map when the picture trembles?"""

import numpy as np

from ..errors import InputError
from ..nn import Sequential
from .method import Method

STATISTICS = ("mean", "squared", "variance")


class SmoothGrad(Method):
    """SmoothGrad (Smilkov et al., 2017, arXiv:1706.03825), and two others made of the same noisy gradients.

    They are SmoothGrad-squared (Hooker et al., 2019) and VarGrad (Adebayo et al., 2018).

    G_i = dS/dX at X + sigma r e_i,  i = 1..n,  e_i standard normal,  r = max(X) - min(X) of each image

    mean        sum_i G_i / n             noise that is not the image's own averages out
    squared     sum_i G_i^2 / n
    variance    sum_i (G_i - mean)^2 / n  large where the gradient changes most from copy to copy

    samples     n;  sigma: noise as a share of each image's range
    rng         a seed or a Generator. All images get the same e_i, so that a batch gives what singles give
    noise       the e_i themselves, (n, H, W, C), instead of drawn ones

    Shapes    X and the map (N, H, W, C)
    Cost      n times Gradient's
    Not for   telling whether the network used a pixel: smooth maps look right more often than they are.
    """

    def __init__(
        self,
        model: Sequential,
        samples: int = 50,
        sigma: float = 0.15,
        statistic: str = "mean",
        rng: int | np.random.Generator = 0,
        noise: np.ndarray | None = None,
    ) -> None:
        super().__init__(model)
        if statistic not in STATISTICS:
            raise InputError(f"SmoothGrad: statistic is one of {', '.join(STATISTICS)}; got {statistic!r}")
        if samples < 1 or not sigma >= 0:
            raise InputError(f"SmoothGrad: needs samples >= 1 and sigma >= 0, got {samples!r} and {sigma!r}")
        if model.input_shape is None:
            raise InputError(
                "SmoothGrad: the model is not built yet; give it an input_shape, or call model.build(shape)"
            )
        if noise is None:
            noise = np.random.default_rng(rng).standard_normal((samples, *model.input_shape))
        if len(noise) == 0 or np.shape(noise)[1:] != model.input_shape or not np.isfinite(noise).all():
            raise InputError(
                f"SmoothGrad: noise needs finite numbers (n, {', '.join(map(str, model.input_shape))}), "
                f"got shape {np.shape(noise)}"
            )
        self.noise, self.sigma, self.statistic = np.asarray(noise), float(sigma), statistic  # (n, H, W, C)

    def _attribute(self, images: np.ndarray, classes: np.ndarray | None, score: str) -> np.ndarray:
        start = self._seed(self._classes(images, classes), score)
        images = images.astype(self.model.dtype)
        spread = np.ptp(images, axis=(1, 2, 3), keepdims=True)  # (N, 1, 1, 1)
        mean = np.zeros_like(images)  # (N, H, W, C): running, so that memory does not grow with n
        squares = np.zeros_like(images)
        for count, noise in enumerate(self.noise, 1):
            noisy = images + spread * (self.sigma * noise).astype(images.dtype)  # (N, H, W, C)
            gradient = self.model.input_gradient(noisy, start)  # (N, H, W, C)
            if self.statistic == "squared":
                gradient = gradient * gradient
            away = gradient - mean  # Welford: mean and sum of squared distances from it, without cancellation
            mean += away / count
            if self.statistic == "variance":
                squares += away * (gradient - mean)
        return squares / len(self.noise) if self.statistic == "variance" else mean  # (N, H, W, C)
