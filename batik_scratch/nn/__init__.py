"""A convolutional network, by hand: layers, losses, optimisers, callbacks and the model that holds them."""

from .architectures import paper_cnn
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
from .fitting.schedule import LearningRateSchedule
from .layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, Layer, MaxPooling2D, ReLU, Softmax
from .losses import SparseCategoricalCrossentropy
from .model import Sequential
from .optimizers import SGD, Adam, AdamW, Optimizer
from .trace import Trace

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
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
    "LearningRateSchedule",
    "MaxPooling2D",
    "Optimizer",
    "ProgressBar",
    "ReLU",
    "ReduceLROnPlateau",
    "Sequential",
    "Softmax",
    "SparseCategoricalCrossentropy",
    "StopAtAccuracy",
    "Trace",
    "paper_cnn",
]
