"""paper_cnn and cloth_cnn: every argument of them, and the order of their layers."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.nn import gradcheck, initializers

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


CLOTH = [
    "Conv2D", "Standardization", "Conv2D", "Absolute", "GlobalAveragePooling2D", "Dense", "Absolute", "Log",
    "BatchNormalization", "Dense", "ReLU", "Dropout", "Dense", "Softmax",
]  # fmt: skip


def stripes(n, size, seed=0):
    """Coloured pictures (n, size, size, 3) of stripes (label 0) or of checks (label 1), every one its own way."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    along = np.arange(size) * rng.uniform(0.7, 1.1, (n, 1)) + rng.uniform(0, 6, (n, 1))  # (N, S)
    waves = np.broadcast_to(np.sin(along)[:, :, None], (n, size, size))
    waves = np.where(labels[:, None, None] == 1, (waves + waves.transpose(0, 2, 1)) / 2, waves)[..., None]
    light, contrast = rng.uniform(0.3, 0.7, (n, 1, 1, 3)), rng.uniform(0.02, 0.2, (n, 1, 1, 1))
    return (light + contrast * waves + rng.normal(0, 0.02, (n, size, size, 3))).astype(np.float32), labels


def test_the_cloth_network_begins_with_the_bank_on_grey_and_ends_in_probabilities():
    model = nn.cloth_cnn()
    assert [type(layer).__name__ for layer in model.layers] == CLOTH
    assert model.input_shape == (64, 64, 3) and model.output_shape == (3,) and model.dtype == "float32"
    grey, bank = model.layers[0], model.layers[2]
    assert np.allclose(grey.params["kernel"][0, 0, :, 0], [0.299, 0.587, 0.114])
    drawn = initializers.draw("gabor", (15, 15, 1, 64), np.random.default_rng(0))
    assert (
        np.allclose(bank.params["kernel"], 10 * drawn) and bank.strides == (2, 2) and bank.output_shape == (25, 25, 64)
    )
    waves = initializers.draw("harmonics", (64, 32), np.random.default_rng(0))
    assert np.allclose(model.get_layer("waves").params["kernel"], 10 * waves)
    assert sum(layer.parameter_count for layer in model.layers) == 18_919
    assert nn.cloth_cnn((15, 40, 1), 7).output_shape == (7,)
    with pytest.raises(ValueError, match="does not fit"):
        nn.cloth_cnn((14, 15, 3))


def test_every_choice_of_the_cloth_network_arrives():
    model = nn.cloth_cnn((20, 21, 1), 4, 5, "float64", "plain", 0.15)
    assert model.dtype == "float64" and {w.dtype.name for w in model.get_weights()} == {"float64"}
    assert [model.layers[i].algorithm for i in (0, 2)] == ["plain"] * 2
    assert model.get_layer("dropout").rate == 0.15 and model.output_shape == (4,)
    one, same, other = (nn.cloth_cnn((20, 20, 3), random_state=seed).get_layer("dense") for seed in (1, 1, 2))
    assert np.array_equal(one.params["kernel"], same.params["kernel"])
    assert not np.array_equal(one.params["kernel"], other.params["kernel"])


def test_light_contrast_and_how_the_cloth_lies_do_not_move_its_features():
    x = stripes(6, 41)[0].astype(np.float64)  # 14 windows of 15 at stride 2: as many from either side
    model = nn.cloth_cnn((41, 41, 3), random_state=1, dtype="float64")
    model.layers[1].epsilon = 1e-12

    def features(x):
        for layer in model.layers[:8]:
            x = layer.forward(x)
        return x  # (N, 32)

    expected = features(x)
    for changed in (0.4 * x + 0.1, x[:, ::-1], x[:, :, ::-1], np.rot90(x, 1, (1, 2)), x.transpose(0, 2, 1, 3)):
        assert features(changed) == pytest.approx(expected, abs=1e-6)
    assert np.ptp(expected, axis=1).min() > 0.5


@pytest.mark.parametrize("classes", [2, 200])
def test_the_cloth_network_learns_stripes_from_checks_among_two_classes_or_two_hundred(classes):
    x, y = stripes(48, 32)
    y = y if classes == 2 else np.where(y == 0, 17, 199)
    model = nn.cloth_cnn((32, 32, 3), classes, random_state=2)
    model.compile(nn.Adam(3e-3))
    model.fit(x[:32], y[:32], batch_size=16, epochs=8, verbose=0)
    assert model.evaluate(x[32:], y[32:])["accuracy"] == 1.0


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_the_cloth_networks_gradients_are_its_slopes_from_the_pixels_on(dtype):
    x, y = stripes(5, 19, seed=4)
    model = nn.cloth_cnn((19, 19, 3), 2, random_state=3, dtype=dtype, algorithm="im2col", dropout=0.0)
    model.compile()
    each = dtype == "float64"  # one direction through each tensor and one through the pixels, which are real
    gradcheck.check_model(model, x.astype(dtype), y, directions=2, each_tensor=each).raise_if_wrong()


def test_a_trained_cloth_network_is_saved_with_what_it_remembers_of_its_batches(tmp_path):
    x, y = stripes(12, 20)
    model = nn.cloth_cnn((20, 20, 3), 2, random_state=0)
    model.compile()
    model.fit(x, y, batch_size=6, epochs=2, verbose=0)
    model.save(tmp_path / "cloth.npz")
    again = nn.Sequential.load(tmp_path / "cloth.npz")
    assert np.array_equal(again.predict(x), model.predict(x))
    assert again.get_layer("batch_normalization").params["moving_mean"].any()
    assert again.layers[2].kernel_initializer == "gabor" and again.layers[0].kernel_initializer == "luma"
