"""Class activation maps: common ground. Where in a layer's feature maps is what speaks for the class?"""

import numpy as np

from ..errors import InputError
from ..nn import Sequential
from ..nn.explaining import gradient_at
from ..nn.layers import Absolute, Conv2D, Layer, LeakyReLU, ReLU, Sigmoid, Tanh
from .method import Method


class ClassActivationMap(Method):
    """A weighted sum of the feature maps A (N, h, w, K) of one layer, scaled up to the image.

    layer       its name; without one, the activation behind the last convolution (or that convolution)
    upsample    bilinear to (N, H, W, 1); False leaves (N, h, w, 1)
    """

    channels = 1

    def __init__(self, model: Sequential, layer: str | None = None, upsample: bool = True) -> None:
        super().__init__(model)
        self.layer, self.upsample = _chosen(model, layer, type(self).__name__), upsample

    def _attribute(self, images: np.ndarray, classes: np.ndarray | None, score: str) -> np.ndarray:
        a, g = gradient_at(self.model, images, self._seed(classes, score), self.layer)  # (N, h, w, K) both
        maps = self._combine(a, g)  # (N, h, w)
        return (resize_bilinear(maps, images.shape[1:3]) if self.upsample else maps)[..., None]

    def _combine(self, a: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Feature maps and their gradients (N, h, w, K) -> one map (N, h, w)."""
        raise NotImplementedError


def resize_bilinear(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(N, h, w) -> (N, H, W), bilinear with half-pixel centres (align_corners=False), the edge repeated beyond it."""
    for axis, new in zip((1, 2), size, strict=True):
        old = maps.shape[axis]
        at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)  # (new,) places in the old picture
        low = at.astype(int)  # rounded down
        share = (at - low).astype(maps.dtype).reshape((-1, 1) if axis == 1 else (-1,))
        near, far = np.take(maps, low, axis), np.take(maps, np.minimum(low + 1, old - 1), axis)
        maps = near * (1 - share) + far * share
    return maps


def _chosen(model: Sequential, name: str | None, method: str) -> Layer:
    if model.input_shape is None:
        raise InputError(f"{method}: the model is not built yet; give it an input_shape, or call model.build(shape)")
    layers = [layer for layer in model.layers if len(layer.output_shape or ()) == 3]
    convolutions = [layer for layer in layers if isinstance(layer, Conv2D)]
    if name is not None:
        layer = model.get_layer(name)
        if layer not in layers:
            raise InputError(
                f"{method}: {name} has no feature maps, its output is {layer.output_shape}; "
                f"choose one of {', '.join(spatial.name for spatial in layers) or 'none: the model has no such layer'}"
            )
        return layer
    if not convolutions:
        raise InputError(
            f"{method}: needs a layer with feature maps (H, W, C), and the model has no convolution; "
            "use Gradient or IntegratedGradients"
        )
    last = convolutions[-1]
    place = model.layers.index(last) + 1
    behind = model.layers[place] if place < len(model.layers) else last
    return behind if isinstance(behind, ReLU | LeakyReLU | Sigmoid | Tanh | Absolute) else last
