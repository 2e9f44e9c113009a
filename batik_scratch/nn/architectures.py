"""The paper's network."""

from collections.abc import Sequence

import numpy as np

from .layers import Conv2D, Dense, Dropout, Flatten, Layer, MaxPooling2D, ReLU, Softmax
from .model import Sequential


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
    "centred" (see `initializers.draw_bias`), with which learning starts by the seventh epoch on drawn cloth, and with
    "zeros", Keras' default, after 5 to 20 or never.
    """
    layers: list[Layer] = []
    for filters, bias in ((32, first_bias), (64, "zeros"), (128, "zeros")):
        layers += [Conv2D(filters, 3, algorithm=algorithm, bias_initializer=bias), ReLU(), MaxPooling2D(2)]
    layers += [Flatten(), Dropout(dropout), Dense(64), ReLU(), Dense(classes), Softmax()]
    return Sequential(layers, input_shape=input_shape, random_state=random_state, dtype=dtype)
