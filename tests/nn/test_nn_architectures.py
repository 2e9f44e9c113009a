"""paper_cnn: every argument of it, and the order of its layers."""

import numpy as np
import pytest

from batik_scratch import nn

BLOCK = ["Conv2D", "ReLU", "MaxPooling2D"]


def test_the_layers_are_the_papers_in_its_order_with_its_sizes():
    model = nn.paper_cnn((40, 31, 2), classes=5)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == [*3 * BLOCK, "Flatten", "Dropout", "Dense", "ReLU", "Dense", "Softmax"]
    convolutions, pools = model.layers[0:9:3], model.layers[2:9:3]
    assert [layer.filters for layer in convolutions] == [32, 64, 128]
    for layer in convolutions:
        assert (layer.kernel_size, layer.strides, layer.padding) == ((3, 3), (1, 1), "valid")
        assert layer.kernel_initializer == "glorot_uniform"
    assert [layer.bias_initializer for layer in convolutions] == ["centred", "zeros", "zeros"]
    assert all(pool.pool_size == pool.strides == (2, 2) for pool in pools)
    assert [layer.output_shape for layer in model.layers] == [
        (38, 29, 32), (38, 29, 32), (19, 14, 32), (17, 12, 64), (17, 12, 64), (8, 6, 64),
        (6, 4, 128), (6, 4, 128), (3, 2, 128), (768,), (768,), (64,), (64,), (5,), (5,),
    ]  # fmt: skip
    assert model.input_shape == (40, 31, 2) and model.output_shape == (5,)


def test_what_nobody_chooses_is_the_papers():
    model = nn.paper_cnn()
    assert model.input_shape == (150, 150, 3) and model.output_shape == (3,)
    assert model.dtype == "float32" and model.get_layer("dropout").rate == 0.2
    assert model.get_layer("conv2d").algorithm == "im2col"
    small, same, other = (
        nn.paper_cnn((22, 22, 3), **options) for options in ({}, {"random_state": 0}, {"random_state": 1})
    )
    for a, b, c in zip(*(made.get_weights()[::2] for made in (small, same, other)), strict=True):
        assert np.array_equal(a, b) and not np.array_equal(b, c)


def test_every_choice_arrives():
    model = nn.paper_cnn((22, 23, 1), 4, 5, "float64", "auto", 0.35, "zeros")
    assert model.get_layer("conv2d").bias_initializer == "zeros" and not model.get_weights()[1].any()
    assert model.dtype == "float64" and {w.dtype.name for w in model.get_weights()} == {"float64"}
    assert [layer.algorithm for layer in model.layers[0:9:3]] == ["auto"] * 3
    assert model.get_layer("dropout").rate == 0.35 and model.output_shape == (4,)
    assert model.get_layer("conv2d").params["kernel"].shape == (3, 3, 1, 32)


@pytest.mark.parametrize("shape", [(22, 22, 1), (21, 22, 1), (22, 21, 1)])
def test_images_need_22_pixels_each_way(shape):
    if min(shape[:2]) == 22:
        assert nn.paper_cnn(shape).get_layer("flatten").output_shape == (128,)
    else:
        with pytest.raises(ValueError, match="does not fit"):
            nn.paper_cnn(shape)
