"""Backward passes that explain: where they begin, which rules they follow, what they leave alone."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.nn import explaining


def network(algorithm="im2col", padding="valid"):
    layers = [
        nn.Conv2D(9, 3, padding=padding, algorithm=algorithm),
        nn.ReLU(),
        nn.MaxPooling2D(2),
        nn.Flatten(),
        nn.Dropout(0.4),
        nn.Dense(5),
        nn.ReLU(),
        nn.Dense(3),
        nn.Softmax(),
    ]
    model = nn.Sequential(layers, (8, 7, 8), 4, "float64")
    rng = np.random.default_rng(8)
    model.set_weights([w + 0.1 * rng.standard_normal(w.shape) for w in model.get_weights()])
    model.compile()
    return model


X = np.random.default_rng(1).standard_normal((4, 8, 7, 8))
Y = np.array([0, 2, 1, 2])
SEEDS = np.random.default_rng(2).standard_normal((4, 3))


@pytest.mark.parametrize(("algorithm", "padding"), [("im2col", "valid"), ("auto", "valid"), ("auto", "same")])
def test_a_layers_activation_and_gradient_are_those_of_a_trace(algorithm, padding):
    model = network(algorithm, padding)
    trace = model.trace(X, seed=lambda logits: SEEDS)
    for layer in model.layers[:-1]:
        activation, gradient = explaining.gradient_at(model, X, lambda logits: SEEDS, layer)
        np.testing.assert_allclose(activation, trace[layer.name].activation, rtol=0, atol=1e-12)
        np.testing.assert_allclose(gradient, trace[layer.name].gradient, rtol=0, atol=1e-12)
    activation, gradient = explaining.gradient_at(model, X, lambda logits: SEEDS)
    assert np.array_equal(activation, X)
    np.testing.assert_allclose(gradient, trace["input"].gradient, rtol=0, atol=1e-12)
    np.testing.assert_allclose(model.input_gradient(X, lambda logits: SEEDS), gradient, rtol=0, atol=1e-14)


def test_the_seed_is_given_the_logits_of_these_images():
    model, given = network(), []
    explaining.gradient_at(model, X, lambda logits: given.append(logits.copy()) or SEEDS)
    explaining.relevance(model, X, lambda logits: given.append(logits.copy()) or logits, 1e-3)
    for logits in given:
        np.testing.assert_allclose(logits, model.logits(X), rtol=1e-12)


@pytest.mark.parametrize("algorithm", ["im2col", "auto"])
def test_a_rule_replaces_the_backward_pass_of_its_class_alone(algorithm):
    """Guided: a ReLU lets through what is positive both ways. Worked out by the layers, one by one."""
    model, met = network(algorithm), []

    def guided(layer, dy):
        met.append(layer.name)
        return layer.backward(np.maximum(dy, 0))

    gradient = explaining.gradient_at(model, X, lambda logits: SEEDS, rules={nn.ReLU: guided})[1]
    assert met == ["re_lu_1", "re_lu"]
    model.forward(X, keep=True, softmax=False)
    expected = SEEDS
    for layer in reversed(model.layers[:-1]):
        expected = layer.backward(np.maximum(expected, 0) if isinstance(layer, nn.ReLU) else expected)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-12)
    plain = explaining.gradient_at(model, X, lambda logits: SEEDS)[1]
    assert np.abs(gradient - plain).max() > 1e-3


def test_relevance_by_the_epsilon_rule_is_the_sum_over_connections():
    """R_i = sum_j x_i w_ij R_j / (y_j + epsilon sign(y_j)), written out for two dense layers."""
    model = nn.Sequential([nn.Dense(4), nn.ReLU(), nn.Dropout(0.5), nn.Dense(2), nn.Softmax()], (3,), 5, "float64")
    rng = np.random.default_rng(3)
    w1, b1, w2, b2 = (rng.standard_normal(shape) for shape in ((3, 4), (4,), (4, 2), (2,)))
    model.set_weights([w1, b1, w2, b2])
    x, epsilon = rng.standard_normal((5, 3)), 0.25
    z = x @ w1 + b1
    hidden = np.maximum(z, 0)
    logits = hidden @ w2 + b2
    chosen = logits * np.eye(2)[[0, 1, 1, 0, 1]]
    r_hidden, r_x = np.zeros_like(hidden), np.zeros_like(x)
    for n, i, j in np.ndindex(5, 4, 2):
        r_hidden[n, i] += hidden[n, i] * w2[i, j] * chosen[n, j] / (logits[n, j] + epsilon * np.sign(logits[n, j]))
    for n, i, j in np.ndindex(5, 3, 4):
        r_x[n, i] += x[n, i] * w1[i, j] * r_hidden[n, j] / (z[n, j] + epsilon * np.sign(z[n, j]))
    found = explaining.relevance(model, x, lambda logits: chosen, epsilon)
    np.testing.assert_allclose(found, r_x, rtol=1e-12)


def test_relevance_passes_pooling_and_convolution_by_their_own_backward_passes():
    model, epsilon = network(), 0.05
    r = chosen = np.eye(3)[Y] * model.logits(X)
    steps = model.trace(X, seed=lambda logits: SEEDS).steps[:-1]
    for before, after, layer in zip(
        reversed(steps[:-1]), reversed(steps[1:]), reversed(model.layers[:-1]), strict=True
    ):
        layer.forward(before.activation, keep=True)
        if isinstance(layer, nn.Flatten):
            r = r.reshape(before.activation.shape)
        elif isinstance(layer, nn.Dense | nn.Conv2D | nn.MaxPooling2D):
            sign = np.where(after.activation >= 0, 1, -1)
            r = before.activation * layer.backward(r / (after.activation + epsilon * sign))
    np.testing.assert_allclose(
        explaining.relevance(model, X, lambda logits: chosen, epsilon), r, rtol=1e-10, atol=1e-14
    )


def test_relevance_by_the_layers_of_texture_is_their_rules_written_out():
    """Absolute and Log hand on, lines share out and their offsets swallow, Standardization is centred and divided."""
    layers = [nn.Standardization(0.1), nn.Rescaling(2, 0.3), nn.Absolute(), nn.BatchNormalization(0.5), nn.Log(5)]
    model = nn.Sequential(layers, (6,), 0, "float64")
    rng, epsilon = np.random.default_rng(4), 0.2
    model.forward(rng.standard_normal((9, 6)), training=True)
    norm = model.layers[3].params
    norm["gamma"] += 0.3 * rng.standard_normal(6)
    norm["beta"] += 0.3 * rng.standard_normal(6)
    x = rng.standard_normal((3, 6))
    s = np.sqrt(x.var(axis=1, keepdims=True) + 0.1)
    a = (x - x.mean(axis=1, keepdims=True)) / s
    b = 2 * a + 0.3
    slope = norm["gamma"] / np.sqrt(norm["moving_variance"] + 1e-3)
    c = slope * (np.abs(b) - norm["moving_mean"]) + norm["beta"]
    logits = np.log(c + 5)

    def share(r, y):
        return r / (y + epsilon * np.sign(y))

    r = np.abs(b) * slope * share(logits, c)
    r = a * 2 * share(r, b)
    g = share(r, a)
    r = x * (g - g.mean(axis=1, keepdims=True)) / s
    found = explaining.relevance(model, x, lambda logits: logits, epsilon)
    np.testing.assert_allclose(found, r, rtol=1e-10)


def test_standardisation_hands_on_all_relevance_that_it_is_given():
    model = nn.Sequential([nn.Standardization()], (4, 5, 3), 0, "float64")
    x = np.random.default_rng(0).random((2, 4, 5, 3))
    given = np.random.default_rng(1).random((2, 4, 5, 3))
    found = explaining.relevance(model, x, lambda y: given, 1e-12)
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), given.sum(axis=(1, 2, 3)), rtol=1e-6)


def test_a_unit_that_is_exactly_zero_counts_as_positive():
    model = nn.Sequential([nn.Dense(1)], (2,), 0, "float64")
    model.set_weights([np.array([[1.0], [-1.0]]), np.zeros(1)])
    found = explaining.relevance(model, np.array([[2.0, 2.0]]), lambda logits: logits + 1, 0.5)
    assert found.tolist() == [[4.0, -4.0]]  # 2 * 1 / 0.5, and with the other sign


@pytest.mark.parametrize("algorithm", ["im2col", "auto"])
@pytest.mark.parametrize("how", ["pixels", "layer", "rules", "relevance"])
def test_an_explanation_leaves_gradients_kept_passes_and_random_states_as_they_were(algorithm, how):
    model = network(algorithm)
    model.train_gradients(X, Y)
    weights, x = model.get_weights(), X.copy()
    grads = {layer.name: {key: g.copy() for key, g in layer.grads.items()} for layer in model.layers}
    state = model.get_layer("dropout").rng.bit_generator.state
    seed = lambda logits: np.ones_like(logits)  # noqa: E731
    first, second = (
        {
            "pixels": lambda: model.input_gradient(x, seed),
            "layer": lambda: explaining.gradient_at(model, x, seed, model.layers[2])[1],
            "rules": lambda: explaining.gradient_at(
                model, x, seed, rules={nn.ReLU: lambda relu, dy: relu.backward(dy)}
            )[1],
            "relevance": lambda: explaining.relevance(model, x, seed, 1e-3),
        }[how]()
        for _ in range(2)
    )
    assert np.array_equal(first, second) and not np.shares_memory(first, second) and np.array_equal(x, X)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    for layer in model.layers:
        assert layer.grads.keys() == grads[layer.name].keys()
        assert all(np.array_equal(layer.grads[key], g) for key, g in grads[layer.name].items())
    assert model.get_layer("dropout").rng.bit_generator.state == state
    for layer in model.layers[:-1]:
        if layer.name != "softmax" and how in ("rules", "relevance"):
            assert layer._kept is None, layer.name
    fresh = network(algorithm)
    assert np.array_equal(fresh.predict(X), model.predict(X))
