"""The paper's network, and one for real cloth."""

from collections.abc import Sequence

import numpy as np

from .layers import (
    Absolute,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Layer,
    Log,
    MaxPooling2D,
    ReLU,
    Softmax,
    Standardization,
)
from .model import Sequential

STRENGTH = 10  # by which cloth_cnn's given weights begin larger than they need to
LOG_EPSILON = 0.03  # in units of a standardised picture's energies: differences below this are noise


def paper_cnn(
    input_shape: Sequence[int] = (150, 150, 3),
    classes: int = 3,
    random_state: int | np.random.SeedSequence | None = 0,
    dtype: str = "float32",
    algorithm: str = "im2col",
    dropout: float = 0.2,
    first_bias: str = "centred",
) -> Sequential:
    """The network of Aditiya, Overbeek & Pomalingo (2025), section II.D: 2,460,995 parameters at 150x150x3.

    Three times 3x3 convolution (32, 64, 128 filters), ReLU and 2x2 max-pooling; dropout 0.2 right after flattening;
    64 ReLU units; one logit per class, softmax. Maps shrink 148-74-72-36-34-17, to 36,992 features.
    Images need at least 22x22 pixels. `algorithm` is Conv2D's.

    The paper names no initialisers. Kernels are Glorot's, as Keras has them; the first convolution's biases begin
    "centred" (see `initializers.draw_bias`), with which learning starts sooner than with "zeros", Keras' default. A
    rate below Adam's usual 1e-3 helps as much: its first step closes half of the 64 units for good (lesson 23).
    """
    layers: list[Layer] = []
    for filters, bias in ((32, first_bias), (64, "zeros"), (128, "zeros")):
        layers += [Conv2D(filters, 3, algorithm=algorithm, bias_initializer=bias), ReLU(), MaxPooling2D(2)]
    layers += [Flatten(), Dropout(dropout), Dense(64), ReLU(), Dense(classes), Softmax()]
    return Sequential(layers, input_shape=input_shape, random_state=random_state, dtype=dtype)


def cloth_cnn(
    input_shape: Sequence[int] = (64, 64, 3),
    classes: int = 3,
    random_state: int | np.random.SeedSequence | None = 0,
    dtype: str = "float32",
    algorithm: str = "auto",
    dropout: float = 0.3,
) -> Sequential:
    """A network that begins where texture analysis stands: 18,919 parameters at three classes, whatever the image size.

    grey                       1x1 convolution that begins with the weights of luma
    Standardization            every picture to mean 0 and deviation 1: light and exposure no longer matter
    Conv2D                     64 filters of 15x15 at stride 2, which begin as Gabor's: 4 scales, 8 directions, 2 phases
    Absolute, GlobalAveragePooling2D     how much of each filter's stripes there is, wherever it is
    Dense(32), Absolute, Log   begins as waves over the directions: how a scale comes and goes as one turns
    BatchNormalization, Dense(64), ReLU, Dropout, Dense(classes), Softmax

    With a few hundred photos the filters are the hard part: networks that learn theirs from noise stay near the paper's
    accuracy, and a support vector machine on fixed texture features is far above both. So the features are given, and
    then trained on like every other weight (gabor.py has the formulas and the sources). Before training, the output of
    Log is such a set of features: quarter turns and mirror images of the cloth do not change it, but for a line of
    pixels at the edge that strides of 2 leave out where the size is even.

    Filters and waves begin STRENGTH times as large as the initialisers make them. Behind Log and BatchNormalization
    that says nothing else, but a step of Adam is as long for a large weight as for a small one: filters of length 1
    would turn into others within an epoch or two, before the dense layers have learnt to use them.

    Images need at least 15x15 pixels; 64 are meant: the filters reach from 5 to 23 waves across a picture. `algorithm`
    is Conv2D's.
    """
    layers = [
        Conv2D(1, 1, algorithm=algorithm, kernel_initializer="luma", name="grey"),
        Standardization(),
        Conv2D(64, 15, strides=2, algorithm=algorithm, kernel_initializer="gabor", name="filters"),
        Absolute(),
        GlobalAveragePooling2D(),
        Dense(32, kernel_initializer="harmonics", name="waves"),
        Absolute(),
        Log(epsilon=LOG_EPSILON * STRENGTH**2),
        BatchNormalization(momentum=0.9),
        Dense(64, kernel_initializer="he_uniform"),
        ReLU(),
        Dropout(dropout),
        Dense(classes),
        Softmax(),
    ]
    model = Sequential(layers, input_shape=input_shape, random_state=random_state, dtype=dtype)
    for name in ("filters", "waves"):
        model.get_layer(name).params["kernel"] *= STRENGTH
    return model
