"""Random layers that are right, in random shapes: the doctor must find nothing in any of them."""

import numpy as np

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.ops.choose import NAMES as ALGORITHMS


def right_case(seed):
    """A layer, an input shape without the batch axis, and a batch size."""
    rng = np.random.default_rng(seed)

    def pick(low, high):
        return int(rng.integers(low, high + 1))

    image, row = (pick(4, 7), pick(4, 7), pick(1, 3)), (pick(1, 8),)
    either = image if pick(0, 1) else row
    makers = [
        lambda: (convolution(rng, pick), image),
        lambda: (convolution(rng, pick), image),
        lambda: (nn.MaxPooling2D((pick(1, 3), pick(1, 3)), (pick(1, 3), pick(1, 3))), image),
        lambda: (nn.Dense(pick(1, 5)), row),
        lambda: (nn.Dropout(float(rng.choice([0, 0.1, 0.2, 0.5, 0.7]))), either),
        lambda: (nn.ReLU(), either),
        lambda: (nn.Softmax(), row),
        lambda: (nn.Flatten(), image),
        lambda: (nn.GlobalAveragePooling2D(), image),
        lambda: (nn.AveragePooling2D((pick(1, 3), pick(1, 3)), (pick(1, 3), pick(1, 3))), image),
        lambda: (nn.BatchNormalization(float(rng.choice([0, 0.3, 0.5, 0.99])), float(rng.choice([1e-3, 0.1]))), either),
        lambda: (nn.Standardization(float(rng.choice([1e-3, 0.1]))), either),
        lambda: (nn.Log(float(rng.choice([0, 1e-6, 0.1]))), either),
        lambda: (nn.Absolute(), either),
        lambda: (nn.LeakyReLU(float(rng.choice([0.01, 0.3]))), either),
        lambda: (nn.Sigmoid(), either),
        lambda: (nn.Tanh(), either),
        lambda: (nn.MaxPooling2D(pick(1, 3), pick(1, 3), padding="same"), image),
        lambda: (nn.AveragePooling2D(pick(1, 3), pick(1, 3), padding="same"), image),
        lambda: (nn.Rescaling(float(rng.choice([-1.5, 2])), 0.3), either),
    ]
    layer, shape = makers[pick(0, len(makers) - 1)]()
    return layer, shape, pick(1, 4)


def convolution(rng, pick):
    algorithm = list(ALGORITHMS)[pick(0, len(ALGORITHMS) - 1)]
    options = {"kernel_size": (pick(1, 3), pick(1, 3)), "strides": (pick(1, 3), pick(1, 3))}
    padding = ("valid", "same")[pick(0, 1)]
    try:
        return nn.Conv2D(pick(1, 4), **options, padding=padding, algorithm=algorithm)
    except InputError:  # an algorithm for 3x3 kernels at stride 1 only
        return nn.Conv2D(pick(1, 4), 3, padding=padding, algorithm=algorithm)
