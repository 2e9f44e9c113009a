"""Sigmoid, Tanh, LeakyReLU and padding="same" for pooling: their numbers, by hand and window by window."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError

X = np.array([[-800.0, -2.0, -0.0, 0.5, 3.0, 800.0]])
DY = np.array([[1.0, 2, 3, 4, 5, 6]])


def both(layer, x=X, dy=DY):
    y = layer.forward(x, keep=True)
    return y, layer.backward(dy)


def test_sigmoid_is_the_logistic_function_and_never_overflows():
    y, dx = both(nn.Sigmoid())
    s = 1 / (1 + np.exp(-X[0, 1:5]))
    np.testing.assert_allclose(y[0], [0, *s, 1], rtol=1e-14)
    np.testing.assert_allclose(dx[0], [0, *(DY[0, 1:5] * s * (1 - s)), 0], rtol=1e-14)
    assert nn.Sigmoid().forward(X.astype(np.float32)).dtype == np.float32


def test_tanh_is_the_sigmoid_of_twice_the_number_spread_over_both_signs():
    y, dx = both(nn.Tanh())
    np.testing.assert_allclose(y, 2 * nn.Sigmoid().forward(2 * X) - 1, rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(dx, DY * (1 - y**2), rtol=1e-14)


def test_leaky_relu_keeps_its_share_of_negative_numbers_and_of_their_gradient():
    y, dx = both(nn.LeakyReLU(0.25))
    assert y.tolist() == [[-200, -0.5, 0, 0.5, 3, 800]] and dx.tolist() == [[0.25, 0.5, 0.75, 4, 5, 6]]
    assert nn.LeakyReLU().negative_slope == 0.3
    with pytest.raises(InputError, match="negative_slope needs a finite number of at least 0, got -1"):
        nn.LeakyReLU(-1)


@pytest.mark.parametrize("layer", [nn.Sigmoid(), nn.Tanh()], ids=lambda layer: layer.name)
def test_whoever_changes_what_it_was_handed_changes_no_gradient(layer):
    y, dx = both(layer)
    expected = dx.copy()
    y[...] = 7
    np.testing.assert_array_equal(layer.backward(DY), expected)


def windows(n, k, s):
    """(first, last + 1) of each window of "same" padding on a line of n, cut to what lies inside."""
    count = -(-n // s)
    before = max((count - 1) * s + k - n, 0) // 2
    return [(max(i * s - before, 0), min(i * s - before + k, n)) for i in range(count)]


SIZES = [((3, 2), 2), (2, 2), (3, 1), ((1, 4), (2, 3)), (2, 3)]


@pytest.mark.parametrize("size, strides", SIZES)
@pytest.mark.parametrize("kind", [nn.MaxPooling2D, nn.AveragePooling2D])
def test_a_window_of_same_padding_sees_its_places_inside_of_the_image_alone(kind, size, strides):
    x = np.random.default_rng(0).standard_normal((2, 7, 6, 3)) - 5  # below zero: a zero around would win
    layer = kind(size, strides, padding="same")
    layer.build(x.shape[1:], None)
    y = layer.forward(x, keep=True)
    kh, kw = layer.pool_size
    rows, columns = windows(7, kh, layer.strides[0]), windows(6, kw, layer.strides[1])
    assert y.shape == (2, *layer.output_shape) == (2, len(rows), len(columns), 3)
    dy = np.random.default_rng(1).standard_normal(y.shape)
    expected, dx = np.empty(y.shape), np.zeros(x.shape)
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            part = x[:, top:bottom, left:right]
            expected[:, i, j] = (part.max if kind is nn.MaxPooling2D else part.mean)(axis=(1, 2))
            share = part == expected[:, i, j][:, None, None] if kind is nn.MaxPooling2D else 1 / part[0, :, :, 0].size
            dx[:, top:bottom, left:right] += dy[:, i, j][:, None, None] * share
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    np.testing.assert_allclose(layer.backward(dy), dx, rtol=1e-12, atol=1e-15)


def test_same_padding_takes_windows_larger_than_the_image_and_valid_says_so():
    assert nn.MaxPooling2D(5, padding="same").infer_shape((3, 2, 1)) == (1, 1, 1)
    with pytest.raises(InputError, match=r'window 5x5 does not fit input 3x2; .*padding="same"'):
        nn.MaxPooling2D(5).infer_shape((3, 2, 1))
    with pytest.raises(InputError, match='padding is "valid" or "same", got \'full\''):
        nn.AveragePooling2D(2, padding="full")


def test_a_padded_pool_behind_a_convolution_is_not_fused_away():
    def layers(padding):
        return [nn.Conv2D(8, 3, algorithm="direct"), nn.ReLU(), nn.MaxPooling2D(2, padding=padding)]

    x = np.random.default_rng(0).random((2, 9, 9, 3), np.float32)  # maps of 7: "valid" drops their last line
    model = nn.Sequential(layers("same"), (9, 9, 3), 0)
    assert model.predict(x).shape == (2, 4, 4, 8)
    np.testing.assert_array_equal(model.predict(x), model.forward(x))
