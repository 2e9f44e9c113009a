"""The layers, one concept a file."""

from .activations import ReLU, Softmax
from .base import Layer
from .conv import Conv2D
from .dense import Dense
from .dropout import Dropout
from .flatten import Flatten
from .pooling import GlobalAveragePooling2D, MaxPooling2D

__all__ = [
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "Layer",
    "MaxPooling2D",
    "ReLU",
    "Softmax",
]
