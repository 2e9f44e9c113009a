"""Guided backpropagation and the deconvnet: backward passes with another rule at the ReLUs."""

import numpy as np

from ..nn.explaining import BackwardRule, gradient_at
from ..nn.layers import Layer, ReLU
from .method import Method


def guided_rule(layer: Layer, dy: np.ndarray) -> np.ndarray:
    """dY if Z > 0 and dY > 0, else 0."""
    gradient = layer.backward(dy)  # dY if Z > 0, else 0
    assert gradient is not None
    return np.maximum(gradient, 0, out=gradient)


def deconvnet_rule(layer: Layer, dy: np.ndarray) -> np.ndarray:
    """dY if dY > 0, else 0: the forward pass's gate is forgotten."""
    return np.maximum(dy, 0)


class GuidedBackprop(Method):
    """Guided backpropagation (Springenberg et al., 2014, arXiv:1412.6806).

    The gradient, but every ReLU lets back only what is positive: dX = dY [Z > 0] [dY > 0].

    Shapes    X and the map (N, H, W, C)
    Cost      as Gradient
    Not for   explaining a prediction: the maps show edges of the image, and hardly change when the later layers are
              randomised (Adebayo et al., 2018, arXiv:1810.03292; Sixt et al., 2020, arXiv:1912.09818).
    """

    rule: BackwardRule = staticmethod(guided_rule)

    def _attribute(self, images: np.ndarray, classes: np.ndarray | None, score: str) -> np.ndarray:
        start = self._seed(classes, score)
        return gradient_at(self.model, images, start, rules={ReLU: self.rule})[1]  # (N, H, W, C)


class Deconvnet(GuidedBackprop):
    """Deconvnet (Zeiler & Fergus, 2013, arXiv:1311.2901).

    The gradient, but every ReLU is applied to what comes back instead of being differentiated: dX = dY [dY > 0].

    Shapes, cost and warning are GuidedBackprop's.
    """

    rule: BackwardRule = staticmethod(deconvnet_rule)
