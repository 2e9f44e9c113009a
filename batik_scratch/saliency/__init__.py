"""Saliency: which pixels a prediction depends on."""

from .gradient import Gradient
from .method import Method
from .overlay import overlay
from .postprocess import normalise, reduce_channels

__all__ = ["Gradient", "Method", "normalise", "overlay", "reduce_channels"]
