"""Sequential: structure, weights, files, threads, and its errors."""

import pickle
import threading

import numpy as np
import pytest
from sample_layers import everything, images

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn import explaining


def test_the_papers_network_has_2460995_parameters(capsys):
    model = nn.paper_cnn()
    model.summary()
    text = capsys.readouterr().out
    assert sum(w.size for w in model.get_weights()) == 2_460_995 and "2,460,995" in text
    assert [layer.output_shape[0] for layer in model.layers[:9]] == [148, 148, 74, 72, 72, 36, 34, 34, 17]
    assert [layer.parameter_count for layer in model.layers if layer.params] == [896, 18_496, 73_856, 2_367_552, 195]


def test_layers_are_named_as_in_keras():
    names = [layer.name for layer in nn.paper_cnn((32, 32, 3)).layers]
    assert names[:6] == ["conv2d", "re_lu", "max_pooling2d", "conv2d_1", "re_lu_1", "max_pooling2d_1"]
    with pytest.raises(InputError, match="there are conv2d, re_lu"):
        nn.paper_cnn((32, 32, 3)).get_layer("conv3d")
    with pytest.raises(InputError, match="unique"):
        nn.Sequential([nn.ReLU(name="a"), nn.ReLU(name="a")])


def test_weights_come_in_keras_order_and_layout():
    shapes = [w.shape for w in everything().get_weights()]
    assert shapes == [(3, 2, 3, 4), (4,), (2, 2, 4, 5), (5,), (5, 3), (3,)]


def test_set_weights_takes_all_or_nothing():
    model, other = everything(), everything()
    other.set_weights([w + 1 for w in model.get_weights()])
    assert np.array_equal(other.get_weights()[0], model.get_weights()[0] + 1)
    before = model.get_weights()
    with pytest.raises(InputError, match="needs arrays of shapes"):
        model.set_weights([w + 1 for w in before[:-1]] + [np.zeros(9)])
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_changing_what_get_weights_returned_changes_nothing():
    model = everything()
    model.get_weights()[0][:] = 0
    assert model.get_weights()[0].any()


def test_an_initial_bias_is_zero_and_a_kernel_within_glorots_limit():
    kernel, bias = nn.Sequential([nn.Dense(100)], (200,), 0).get_weights()
    limit = np.sqrt(6 / 300)
    assert (
        not bias.any() and np.abs(kernel).max() <= limit and kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    )


@pytest.mark.parametrize(
    ("name", "variance"), [("glorot_normal", 2 / 500), ("he_normal", 2 / 300), ("he_uniform", 2 / 300)]
)
def test_initialisers_have_their_variance(name, variance):
    kernel = nn.Sequential([nn.Dense(200, kernel_initializer=name)], (300,), 0).get_weights()[0]
    assert kernel.var() == pytest.approx(variance, rel=0.03)


def test_probabilities_add_up_and_logits_stop_before_the_softmax():
    model, x = everything(), images()
    p, z = model.predict(x), model.logits(x)
    assert np.allclose(p.sum(axis=1), 1) and np.allclose(
        np.log(p), z - np.log(np.exp(z).sum(1, keepdims=True)), atol=1e-5
    )
    without = nn.Sequential([nn.Flatten(), nn.Dense(3)], (12, 11, 3), 0)
    assert np.array_equal(without.predict(x), without.logits(x))


def test_batch_size_does_not_change_a_prediction():
    model, x = everything(), images(7)
    assert np.allclose(model.predict(x, batch_size=2), model.predict(x, batch_size=32), atol=1e-7)


def test_a_model_without_input_shape_is_built_by_its_first_batch():
    model = nn.Sequential([nn.Flatten(), nn.Dense(2), nn.Softmax()], random_state=0)
    model.summary()
    assert model.predict(images()).shape == (5, 2) and model.input_shape == (12, 11, 3)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda m: m.predict(images()[0]), "first axis counts the images"),
        (lambda m: m.predict((images() * 255).astype(np.uint8)), "divide by 255"),
        (lambda m: m.predict(images() + 0j), "in float32 and got complex64; .*complex128"),
        (lambda m: m.predict(images().astype(str)), "in float32 and got <U32; convert the array to numbers"),
        (lambda m: m.predict(images()[:0]), "at least one"),
        (lambda m: m.predict(images(), batch_size=0), "batch_size"),
        (lambda m: m.fit(images(), np.zeros(5, int)), "compile"),
        (lambda m: m.compile(loss=nn.SparseCategoricalCrossentropy(from_logits=True)), "ends in Softmax"),
    ],
)
def test_misuse_is_explained(use, message):
    with pytest.raises(InputError, match=message):
        use(everything())


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 2, 3, 0], "0..2 for 3 classes, got 0..3"),
        ([0, 1], "one label per image"),
        (np.eye(3)[[0, 1, 2, 0, 1]], "argmax"),
    ],
)
def test_wrong_labels_are_explained(y, message):
    model = everything()
    model.compile()
    with pytest.raises(InputError, match=message):
        model.fit(images(), np.array(y), verbose=0)


def test_the_fused_loss_is_the_one_of_softmax_then_logarithm():
    model, x, y = everything(), images(), np.array([0, 1, 2, 0, 1])
    model.compile()
    value, dp = nn.SparseCategoricalCrossentropy()(model.predict(x), y)
    assert model.evaluate(x, y)["loss"] == pytest.approx(value, rel=1e-6)
    logits = model.logits(x)
    softmax = nn.Softmax()
    softmax.forward(logits, training=True)
    fused = nn.SparseCategoricalCrossentropy(from_logits=True)(logits, y)[1]
    assert np.allclose(softmax.backward(dp), fused, atol=1e-7)


def test_two_threads_on_one_model_take_turns_and_two_models_run_side_by_side():
    model, x = everything(), images(20)
    expected, wrong = model.predict(x), []

    def ask():
        for _ in range(5):
            if not np.array_equal(model.predict(x), expected):
                wrong.append(1)

    def train(result):
        made = everything()
        made.compile()
        made.fit(x, np.arange(20) % 3, epochs=3, verbose=0)
        result.append(made.get_weights())

    serial, parallel = [], []
    train(serial)
    workers = [threading.Thread(target=ask) for _ in range(2)] + [
        threading.Thread(target=train, args=(parallel,)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong and len(parallel) == 2
    for weights in parallel:
        assert all(np.array_equal(a, b) for a, b in zip(weights, serial[0], strict=True))


def test_a_model_travels_to_another_process():
    model, x = everything(), images()
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(x), model.predict(x))


def test_the_output_shape_is_the_last_layers():
    assert everything().output_shape == (3,) and nn.Sequential([nn.Dense(2)]).output_shape is None


def test_the_loss_of_huge_logits_does_not_overflow():
    loss, gradient = nn.SparseCategoricalCrossentropy.on_logits(np.array([[1e4, 0.0], [-1e4, -1e4]]), np.array([1, 0]))
    assert loss == pytest.approx((1e4 + np.log(2)) / 2) and gradient.tolist() == [[0.5, -0.5], [-0.25, 0.25]]


def test_the_logits_of_a_step_belong_to_the_caller():
    layers = [nn.Conv2D(9, 3, algorithm="auto"), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten()]  # ends in a kept array
    model = nn.Sequential(layers, (4, 4, 8), random_state=0)
    model.compile(loss=nn.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(0).random((2, 5, 4, 4, 8), np.float32)
    logits = model.loss_and_logits(x[0], np.arange(5))[1]
    before = logits.copy()
    model.loss_and_logits(x[1], np.arange(5))
    assert np.array_equal(logits, before)


@pytest.mark.parametrize("row", [[1.5, -0.5], [0.2, 0.2], [0.7, 0.7]])
def test_what_is_no_probability_is_refused_by_the_loss(row):
    with pytest.raises(InputError, match="rows that add up to 1"):
        nn.SparseCategoricalCrossentropy()(np.array([row]), np.array([0]))


def test_an_activation_that_was_handed_out_is_not_overwritten_by_the_next_call():
    model = nn.paper_cnn((30, 30, 3), random_state=0, algorithm="auto")
    x = np.random.default_rng(0).random((4, 30, 30, 3), np.float32)
    pool = model.get_layer("max_pooling2d_1")
    seed = lambda logits: np.ones_like(logits)  # noqa: E731
    activation, gradient = explaining.gradient_at(model, x[:2], seed, pool)
    kept = activation.copy(), gradient.copy()
    explaining.gradient_at(model, x[2:], seed, pool)
    assert np.array_equal(activation, kept[0]) and np.array_equal(gradient, kept[1])
