"""Keras as the other side: its files read here, ours read there, the same numbers (marker peers; skipped without)."""

import numpy as np
import pytest
from exchange_models import inputs, moved, shared_models

from batik_scratch import exchange, nn
from batik_scratch.errors import InputError

keras = pytest.importorskip("keras")
pytest.importorskip("h5py")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
L = keras.layers


def theirs():
    """{name: (layers after the input, its shape)} of models that Keras writes: sizes, paddings, strides, all layers."""
    return {
        "paper": (
            [
                *(L.Conv2D(32, 3), L.ReLU(), L.MaxPooling2D(), L.Conv2D(64, 3, activation="relu"), L.MaxPooling2D()),
                *(L.Conv2D(128, 3), L.Activation("relu"), L.MaxPooling2D(), L.Flatten(), L.Dropout(0.2)),
                *(L.Dense(64, activation="relu"), L.Dense(3, activation="softmax")),
            ],
            (40, 38, 3),
        ),
        "same": (
            [
                *(L.Conv2D(5, 3, padding="same"), L.LeakyReLU(), L.Conv2D(4, (4, 2), strides=(2, 3), padding="same")),
                *(L.MaxPooling2D(3, 2, padding="same"), L.AveragePooling2D(2, 2, padding="same")),
                *(L.Flatten(), L.Dense(4), L.Softmax()),
            ],
            (17, 14, 2),
        ),
        "strides": (
            [L.Conv2D(4, 5, strides=3), L.AveragePooling2D((2, 1), (1, 2)), L.Flatten(), L.Dense(2)],
            (23, 20, 1),
        ),
        "normalised": (
            [
                *(
                    L.Rescaling(1 / 0.5, -1.0),
                    L.Conv2D(6, 3, use_bias=False),
                    L.BatchNormalization(),
                    L.Activation("tanh"),
                ),
                *(L.GlobalAveragePooling2D(), L.Dense(5, activation="sigmoid"), L.BatchNormalization(epsilon=0.1)),
                L.Dense(2, use_bias=False),
            ],
            (12, 12, 3),
        ),
        "maps": ([L.Conv2D(3, 2, activation="leaky_relu"), L.MaxPooling2D((3, 2), (2, 1))], (9, 11, 3)),
        "rows": ([L.Dense(9, activation="tanh"), L.Dropout(0.5), L.Dense(4), L.LeakyReLU(negative_slope=0.05)], (13,)),
        "one by one": (
            [L.Conv2D(7, 1), L.ReLU(negative_slope=0.1), L.Conv2D(2, 1, activation="softmax")][:2],
            (5, 4, 6),
        ),
        "deep": (
            [
                layer
                for filters in (4, 6, 8)
                for layer in (L.Conv2D(filters, 3, padding="same"), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(2))
            ]
            + [L.GlobalAveragePooling2D(), L.Dense(3, activation="softmax")],
            (24, 24, 3),
        ),
        "sigmoids": (
            [
                L.Activation("sigmoid"),
                L.Conv2D(4, 3, activation="sigmoid"),
                L.Activation("tanh"),
                L.Flatten(),
                L.Dense(1),
            ],
            (6, 7, 2),
        ),
        "averages": (
            [L.AveragePooling2D(3, 1, padding="same"), L.Conv2D(2, 2, 2), L.GlobalAveragePooling2D()],
            (10, 9, 4),
        ),
    }


def keras_model(name):
    layers, shape = theirs()[name]
    model = keras.Sequential([keras.Input(shape), *layers])
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.uniform(0.01, 0.2, w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("name", theirs())
def test_what_keras_writes_says_the_same_here_from_both_kinds_of_file(name, tmp_path):
    model = keras_model(name)
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    ours = exchange.from_keras(tmp_path / "m.keras")
    x = np.random.default_rng(1).random((5, *ours.input_shape), np.float32)
    y = model.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x), y, rtol=1e-5, atol=1e-5)
    ours.set_weights([0 * w for w in ours.get_weights()])
    exchange.from_keras(tmp_path / "m.weights.h5", ours)
    np.testing.assert_allclose(ours.predict(x), y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", theirs())
def test_what_was_read_here_goes_back_to_keras_in_both_kinds_of_file(name, tmp_path):
    keras_model(name).save(tmp_path / "m.keras")
    there_and_back(exchange.from_keras(tmp_path / "m.keras"), tmp_path)


@pytest.mark.parametrize("name", shared_models())
def test_what_is_written_here_says_the_same_in_keras(name, tmp_path):
    there_and_back(shared_models()[name], tmp_path)


def there_and_back(model, folder):
    exchange.to_keras(model, folder / "ours.keras")
    exchange.to_keras(model, folder / "ours.weights.h5")
    x = inputs(model)
    y = model.predict(x)
    read = keras.saving.load_model(folder / "ours.keras")
    np.testing.assert_allclose(read.predict(x, verbose=0), y, rtol=1e-5, atol=1e-5)
    assert [layer.name for layer in read.layers] == [layer.name for layer in model.layers]
    read.set_weights([0 * w for w in read.get_weights()])
    read.load_weights(folder / "ours.weights.h5")
    np.testing.assert_allclose(read.predict(x, verbose=0), y, rtol=1e-5, atol=1e-5)


UNSUPPORTED = {
    "dilation": ([L.Conv2D(2, 3, dilation_rate=2)], (9, 9, 3), r"dilation_rate=\[2, 2\] is not read"),
    "groups": ([L.Conv2D(3, 3, groups=3)], (9, 9, 3), "groups=3 is not read"),
    "depthwise": ([L.DepthwiseConv2D(3)], (9, 9, 3), "there is no DepthwiseConv2D here"),
    "1-D": ([L.Conv1D(3, 3)], (9, 3), "there is no Conv1D here"),
    "gelu": ([L.Dense(3, activation="gelu")], (4,), "activation 'gelu' is not read"),
    "elu": ([L.ELU()], (4,), "there is no ELU here"),
    "relu6": ([L.ReLU(max_value=6)], (4,), r"max_value=6(\.0)? is not read"),
    "no scale": ([L.BatchNormalization(scale=False)], (4,), "scale=False is not read"),
    "no centre": ([L.BatchNormalization(center=False)], (4,), "center=False is not read"),
    "axis": ([L.BatchNormalization(axis=1)], (5, 4, 3), "axis=1 is not read"),
    "keepdims": ([L.GlobalAveragePooling2D(keepdims=True)], (5, 4, 3), "keepdims=True is not read"),
    "global maximum": ([L.GlobalMaxPooling2D()], (5, 4, 3), "there is no GlobalMaxPooling2D here"),
    "recurrent": ([L.LSTM(3)], (5, 4), "there is no LSTM here"),
    "zero padding": ([L.ZeroPadding2D(1)], (5, 4, 3), "there is no ZeroPadding2D here"),
    "reshape": ([L.Reshape((2, 2))], (4,), "there is no Reshape here"),
    "softmax of maps": ([L.Softmax()], (5, 4, 3), "Softmax: needs one row of logits"),
    "dense of maps": ([L.Dense(2)], (5, 4, 3), "Dense: needs one row of features"),
    "any size": ([L.Conv2D(2, 3)], (None, None, 3), "takes images of any size"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_keras_writes_and_no_layer_can_do_is_named(name, tmp_path):
    layers, shape, words = UNSUPPORTED[name]
    keras.Sequential([keras.Input(shape), *layers]).save(tmp_path / "m.keras")
    with pytest.raises(InputError, match=words) as error:
        exchange.from_keras(tmp_path / "m.keras")
    assert str(error.value).startswith(str(tmp_path / "m.keras"))


def test_a_model_that_is_no_row_and_weights_of_another_model_are_refused(tmp_path):
    given = keras.Input((4,))
    keras.Model(given, L.Add()([given, L.Dense(4)(given)])).save(tmp_path / "m.keras")
    with pytest.raises(InputError, match="holds a Functional; only Sequential"):
        exchange.from_keras(tmp_path / "m.keras")
    keras_model("rows").save_weights(tmp_path / "m.weights.h5")
    other = moved(nn.Sequential([nn.Dense(3)], (13,)))
    with pytest.raises(InputError, match=r"kernel of layer 'dense' has shape \(13, 9\)"):
        exchange.from_keras(tmp_path / "m.weights.h5", other)
