"""A convolutional network, by hand: layers, losses, optimisers, callbacks and the model that holds them."""

from .architectures import cloth_cnn, paper_cnn
from .fitting.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    ProgressBar,
    ReduceLROnPlateau,
    StopAtAccuracy,
)
from .fitting.checkpoint import Checkpoint
from .fitting.schedule import LearningRateSchedule, WarmUp
from .layers import (
    Absolute,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Layer,
    LeakyReLU,
    Log,
    MaxPooling2D,
    ReLU,
    Rescaling,
    Sigmoid,
    Softmax,
    Standardization,
    Tanh,
)
from .losses import SparseCategoricalCrossentropy
from .model import Sequential
from .optimizers import SGD, Adam, AdamW, Optimizer
from .registry import register
from .trace import Trace

__all__ = [
    "SGD",
    "Absolute",
    "Adam",
    "AdamW",
    "AveragePooling2D",
    "BatchNormalization",
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "Conv2D",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "Flatten",
    "GlobalAveragePooling2D",
    "History",
    "Layer",
    "LeakyReLU",
    "LearningRateSchedule",
    "Log",
    "MaxPooling2D",
    "Optimizer",
    "ProgressBar",
    "ReLU",
    "ReduceLROnPlateau",
    "Rescaling",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "SparseCategoricalCrossentropy",
    "Standardization",
    "StopAtAccuracy",
    "Tanh",
    "Trace",
    "WarmUp",
    "cloth_cnn",
    "paper_cnn",
    "register",
]
