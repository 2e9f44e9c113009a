"""The gradient map against closed forms, and the promises of every method."""

import numpy as np
import pytest

from batik_scratch import nn, saliency
from batik_scratch.errors import InputError


def linear_model(rng):
    model = nn.Sequential([nn.Flatten(), nn.Dense(4), nn.Softmax()], (3, 5, 2), random_state=1, dtype="float64")
    return model, rng.random((6, 3, 5, 2))


def small_cnn(dtype="float64"):
    layers = [nn.Conv2D(4, 3), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten(), nn.Dropout(0.5), nn.Dense(3), nn.Softmax()]
    return nn.Sequential(layers, (9, 8, 3), random_state=2, dtype=dtype)


def test_gradient_of_a_linear_network_is_its_weights():
    model, x = linear_model(np.random.default_rng(0))
    kernel = model.layers[1].params["kernel"]
    maps = saliency.Gradient(model).attribute(x, target=2)
    assert np.allclose(maps, kernel[:, 2].reshape(1, 3, 5, 2), rtol=0, atol=1e-15)


def test_gradients_of_all_probabilities_add_up_to_zero():
    rng = np.random.default_rng(4)
    model, x = small_cnn(), rng.random((3, 9, 8, 3))
    method = saliency.Gradient(model)
    total = sum(method.attribute(x, target=c, score="probability") for c in range(3))
    assert np.abs(total).max() < 1e-15


def test_a_batch_gives_what_its_images_give_one_by_one():
    rng = np.random.default_rng(5)
    model, x = small_cnn(), rng.random((7, 9, 8, 3))
    method = saliency.Gradient(model)
    together = method.attribute(x, batch_size=3)
    singles = np.concatenate([method.attribute(image[None]) for image in x])
    assert np.allclose(together, singles, rtol=0, atol=1e-14)


def test_explaining_changes_neither_parameters_gradients_nor_random_state():
    rng = np.random.default_rng(6)
    model, x = small_cnn(), rng.random((4, 9, 8, 3))
    model.compile()
    model.train_step(x, np.array([0, 1, 2, 0]))
    weights = model.get_weights()
    gradients = [g.copy() for layer in model.layers for g in layer.grads.values()]
    state = model.layers[4].rng.bit_generator.state
    saliency.Gradient(model).attribute(x)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    assert all(
        np.array_equal(a, b)
        for a, b in zip(gradients, [g for layer in model.layers for g in layer.grads.values()], strict=True)
    )
    assert model.layers[4].rng.bit_generator.state == state


def test_the_default_target_is_the_predicted_class():
    rng = np.random.default_rng(7)
    model, x = small_cnn(), rng.random((5, 9, 8, 3))
    predicted = model.predict(x).argmax(axis=1)
    method = saliency.Gradient(model)
    assert np.array_equal(method.attribute(x), method.attribute(x, target=predicted))


def test_the_true_class_warns_that_it_holds_the_answer():
    rng = np.random.default_rng(8)
    model, x = small_cnn(), rng.random((2, 9, 8, 3))
    with pytest.warns(UserWarning, match="contain the answer"):
        maps = saliency.Gradient(model).attribute(x, target="true", labels=np.array([1, 2]))
    assert np.array_equal(maps, saliency.Gradient(model).attribute(x, target=np.array([1, 2])))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((2, 8, 8, 3))}, "needs inputs"),
        ({"images": np.zeros((9, 8, 3))}, "images\\[None\\]"),
        ({"images": np.full((2, 9, 8, 3), np.nan)}, "NaN"),
        ({"images": np.zeros((2, 9, 8, 3), np.uint8)}, "255"),
        ({"target": 3}, "0..2"),
        ({"target": "best"}, "predicted"),
        ({"target": [0, 1, 2]}, "2 images"),
        ({"target": "true"}, "labels"),
        ({"score": "odds"}, "log_probability"),
    ],
)
def test_bad_input_says_what_is_wrong(change, message):
    arguments = {"images": np.zeros((2, 9, 8, 3))} | change
    with pytest.raises(InputError, match=message):
        saliency.Gradient(small_cnn()).attribute(**arguments)
