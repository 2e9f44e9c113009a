"""The layers, one concept a file."""

from .absolute import Absolute
from .activations import ReLU, Softmax
from .base import Layer
from .batch_norm import BatchNormalization
from .conv import Conv2D
from .dense import Dense
from .dropout import Dropout
from .flatten import Flatten
from .leaky_relu import LeakyReLU
from .log import Log
from .pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from .rescaling import Rescaling
from .squashing import Sigmoid, Tanh
from .standardization import Standardization

__all__ = [
    "Absolute",
    "AveragePooling2D",
    "BatchNormalization",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "Layer",
    "LeakyReLU",
    "Log",
    "MaxPooling2D",
    "ReLU",
    "Rescaling",
    "Sigmoid",
    "Softmax",
    "Standardization",
    "Tanh",
]
