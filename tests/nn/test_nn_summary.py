"""The table of a network: every figure of it."""

import copy

import numpy as np
import pytest
from sample_layers import LAYERS

from batik_scratch import nn

TABLE = """\
Layer (type)                  Output Shape     Algorithm  Param #  Multiply-adds  Backward  Cached bytes
--------------------------------------------------------------------------------------------------------
conv2d (Conv2D)               (None, 6, 7, 4)  direct         112          4,536     4,536           864
re_lu (ReLU)                  (None, 6, 7, 4)                   0              0         0           168
max_pooling2d (MaxPooling2D)  (None, 3, 3, 4)                   0              0         0            36
flatten (Flatten)             (None, 36)                        0              0         0             0
dropout (Dropout)             (None, 36)                        0              0         0           144
dense (Dense)                 (None, 8192)                303,104        294,912   589,824           144
dense_1 (Dense)               (None, 3)                    24,579         24,576    49,152        32,768
softmax (Softmax)             (None, 3)                         0              0         0            12
--------------------------------------------------------------------------------------------------------
Input shape: (None, 8, 9, 3)
Total params: 327,795 (1.25 MiB as float32)
Multiply-adds: 324,024 per image forward, 643,512 backward in training
Cached for the backward pass: 34,136 bytes per image
"""


def small(input_shape, algorithm="auto"):
    layers = [
        nn.Conv2D(4, 3, algorithm=algorithm),
        nn.ReLU(),
        nn.MaxPooling2D(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Dense(8192),
        nn.Dense(3),
    ]
    return nn.Sequential([*layers, nn.Softmax()], input_shape, random_state=0)


def test_every_figure_of_the_table(capsys):
    small((8, 9, 3)).summary()
    assert capsys.readouterr().out == TABLE


def test_a_network_without_a_shape_has_question_marks_and_says_what_is_missing(capsys):
    small(None, "im2col").summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["conv2d", "(Conv2D)", "?", "im2col", "0", "?", "?", "?"]
    assert lines[-2:] == ["", "Not built yet: give input_shape, or call the model on a batch."]


def test_what_is_not_trained_is_counted_and_named_as_keras_does(capsys):
    layers = [nn.Rescaling(2), nn.Conv2D(4, 3), nn.BatchNormalization(), nn.Flatten(), nn.BatchNormalization()]
    model = nn.Sequential(layers, (3, 4, 2))
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-4] for line in lines[2:7]] == ["0", "76", "16", "0", "32"]
    assert lines[9:12] == [
        "Total params: 124 (0.00 MiB as float32)", "Trainable params: 100", "Non-trainable params: 24"
    ]  # fmt: skip
    assert [layer.parameter_count for layer in layers] == [0, 76, 8, 0, 16]
    backward = [line.split()[-2] for line in lines[2:7]]
    assert backward == ["0", "144", "16", "0", "16"]  # nobody needs a gradient below the first layer that learns


def test_the_papers_table_says_what_each_convolution_runs(capsys):
    nn.paper_cnn(algorithm="auto").summary()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[-5] for row in rows if row[1:2] == ["(Conv2D)"]] == ["direct", "winograd", "winograd"]


@pytest.mark.parametrize("layer", [layer for layer, _ in LAYERS], ids=lambda layer: type(layer).__name__)
def test_what_is_not_built_keeps_computes_and_learns_nothing(layer):
    assert (layer.cached_bytes(), layer.multiply_adds(), layer.parameter_count) == (0, 0, 0)


@pytest.mark.parametrize(("layer", "shape"), [*LAYERS, (nn.Dropout(0.0), (4,))], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_cached_bytes_are_those_that_a_training_pass_keeps(layer, shape, dtype):
    layer = copy.deepcopy(layer).astype(dtype)
    layer.build(shape, np.random.default_rng(0))
    layer.forward(np.random.default_rng(1).random((4, *shape)).astype(dtype), training=True)
    kept = layer._kept if isinstance(layer._kept, tuple) else (layer._kept,)
    assert sum(part.nbytes for part in kept if isinstance(part, np.ndarray)) == 4 * layer.cached_bytes()
