"""Models of all sizes, paddings and strides, with weights that are not those they began with."""

import numpy as np

from batik_scratch import nn


def moved(model):
    """The model with every weight moved a little up, so that no bias is zero and no running mean at its start."""
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.uniform(0.01, 0.2, w.shape) for w in model.get_weights()])
    return model


def made(*layers, shape=(9, 8, 3), dtype="float32"):
    return moved(nn.Sequential(list(layers), shape, 0, dtype))


def shared_models():
    """{name: model} of those that every format can hold."""
    return {
        "paper": moved(nn.paper_cnn((22, 22, 3))),
        "long": made(
            *(nn.Rescaling(2, -1), nn.Conv2D(4, 3, padding="same"), nn.ReLU(), nn.BatchNormalization()),
            *(nn.LeakyReLU(0.2), nn.Tanh(), nn.MaxPooling2D(2, padding="same")),
            *(nn.AveragePooling2D(3, 2, padding="same"), nn.Conv2D(5, (2, 1), strides=(1, 2), padding="same")),
            *(nn.Sigmoid(), nn.Flatten(), nn.Dropout(0.2), nn.Dense(6), nn.Dense(3), nn.Softmax()),
        ),
        "averages": made(nn.Conv2D(4, (2, 3), strides=2), nn.GlobalAveragePooling2D(), nn.Dense(3)),
        "maps": made(nn.Conv2D(4, (2, 3), strides=(1, 2), padding="same"), nn.MaxPooling2D((3, 2), (2, 1))),
        "rows": made(nn.Dense(4), nn.BatchNormalization(0.9, 0.01), nn.ReLU(), nn.Dense(2), nn.Softmax(), shape=(7,)),
    }


def inputs(model, n=4):
    return np.random.default_rng(1).random((n, *model.input_shape), np.float32)
