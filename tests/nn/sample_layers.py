"""Every layer in the shapes and options that tell right from wrong, each with an input shape."""

import numpy as np

from batik_scratch import nn

LAYERS = [
    (nn.Conv2D(4, (2, 3), strides=2, padding="same", algorithm="loops"), (5, 6, 3)),
    (nn.Conv2D(4, (2, 3), strides=2, padding="same"), (5, 6, 3)),
    (nn.Conv2D(4, (3, 2), strides=(1, 2)), (5, 6, 3)),
    (nn.Conv2D(3, 3, algorithm="auto"), (6, 5, 2)),
    (nn.Conv2D(3, 3, algorithm="winograd"), (6, 9, 2)),
    (nn.Conv2D(9, 3, algorithm="auto", padding="same"), (6, 5, 8)),
    (nn.Dense(4), (7,)),
    (nn.MaxPooling2D(2), (5, 6, 3)),
    (nn.MaxPooling2D((3, 2), strides=(2, 1)), (6, 5, 2)),
    (nn.GlobalAveragePooling2D(), (4, 5, 3)),
    (nn.ReLU(), (5, 6, 3)),
    (nn.Softmax(), (5,)),
    (nn.Dropout(0.2), (4, 5, 2)),
    (nn.Flatten(), (3, 4, 2)),
    (nn.Absolute(), (5, 6, 3)),
    (nn.AveragePooling2D(2), (5, 6, 3)),
    (nn.AveragePooling2D((3, 2), strides=(2, 1)), (6, 5, 2)),
    (nn.BatchNormalization(), (4, 5, 3)),
    (nn.BatchNormalization(0.9, 0.01), (7,)),
    (nn.Log(0.01), (4, 5, 2)),
    (nn.Rescaling(-1.5, 0.25), (4, 5, 2)),
    (nn.Standardization(), (4, 5, 3)),
    (nn.LeakyReLU(0.2), (5, 6, 3)),
    (nn.Sigmoid(), (4, 5, 2)),
    (nn.Tanh(), (4, 5, 2)),
    (nn.MaxPooling2D((3, 2), strides=2, padding="same"), (6, 5, 2)),
    (nn.AveragePooling2D((3, 2), strides=(1, 2), padding="same"), (6, 5, 2)),
]
ANY_SHAPE = nn.ReLU | nn.LeakyReLU | nn.Sigmoid | nn.Tanh | nn.Softmax | nn.Dropout
ANY_SHAPE |= nn.Absolute | nn.Log | nn.Rescaling | nn.Standardization


def inputs(layer, shape, n=4):
    """Normal numbers (n, *shape) for a layer; a logarithm's are positive."""
    x = np.random.default_rng(1).standard_normal((n, *shape))
    return np.abs(x) if isinstance(layer, nn.Log) else x


def everything():
    """A small model with every kind of layer."""
    layers = [
        nn.Conv2D(4, (3, 2), strides=(1, 2), padding="same", kernel_initializer="he_normal"),
        nn.ReLU(),
        nn.MaxPooling2D(3, strides=2),
        nn.Conv2D(5, 2, algorithm="loops", name="second"),
        nn.GlobalAveragePooling2D(),
        nn.Dropout(0.1),
        nn.Dense(3),
        nn.Softmax(),
    ]
    return nn.Sequential(layers, (12, 11, 3), random_state=4)


def images(n=5, seed=0):
    return np.random.default_rng(seed).random((n, 12, 11, 3), dtype=np.float32)
