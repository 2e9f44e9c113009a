"""Networks that the lab's engine is held to, and the package's own numbers of them, in float64."""

import base64

import numpy as np

from batik_scratch import nn
from batik_scratch.lab import recorded
from batik_scratch.nn import registry


def in_float64(model):
    """The same network with the same weights, computed in float64."""
    told = [(entry["type"], entry["name"], entry["config"]) for entry in model.architecture()["layers"]]
    layers = [registry.make(kind, {**config, "name": name}, registry.known()) for kind, name, config in told]
    wide = nn.Sequential(layers, input_shape=model.input_shape, dtype="float64")
    wide.set_weights(model.get_weights())
    wide.metadata = model.metadata
    wide.compile(loss=nn.SparseCategoricalCrossentropy(from_logits=not wide.ends_in_softmax))
    return wide


def pictures(told):
    """The pictures that a page is fed, x (N, H, W, C) in [0, 1]."""
    packed = [image["pixels"] for image in told["images"]]
    pixels = [np.frombuffer(base64.b64decode(one["data"]), np.uint8).reshape(one["shape"]) for one in packed]
    return np.stack(pixels) / 255.0


def shipped():
    return nn.Sequential.load(recorded.model_file())


def paper():
    return nn.paper_cnn((40, 40, 3), random_state=4)


def cloth():
    return stirred(nn.cloth_cnn((32, 32, 3), classes=4, random_state=5))


def everything():
    """Every layer of the package, strides, odd sizes and both paddings; no Softmax."""
    layers = [
        nn.Rescaling(2, -1),
        nn.Standardization(),
        nn.Conv2D(5, (3, 2), strides=(2, 1), padding="same"),
        nn.BatchNormalization(),
        nn.LeakyReLU(0.2),
        nn.MaxPooling2D((3, 2), strides=(2, 2), padding="same"),
        nn.Conv2D(4, (2, 3), strides=(1, 2)),
        nn.Tanh(),
        nn.AveragePooling2D((2, 3), strides=(2, 1), padding="same"),
        nn.Conv2D(6, 3, padding="same"),
        nn.Absolute(),
        nn.Log(0.1),
        nn.AveragePooling2D(2),
        nn.MaxPooling2D(2, strides=1),
        nn.GlobalAveragePooling2D(),
        nn.Dense(7),
        nn.Sigmoid(),
        nn.Dropout(0.4),
        nn.Dense(3),
    ]
    return stirred(nn.Sequential(layers, input_shape=(33, 33, 3), random_state=6))


def stirred(model):
    """With weights that are no starting values: a running variance of 1 or a bias of 0 would hide mistakes."""
    rng = np.random.default_rng(7)
    model.set_weights(
        [w * rng.uniform(0.5, 1.5, w.shape) + rng.uniform(0.02, 0.1, w.shape) for w in model.get_weights()]
    )
    return model


NETWORKS = {"shipped": shipped, "paper": paper, "cloth": cloth, "everything": everything}
