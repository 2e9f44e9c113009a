"""BatchNormalization: its numbers, what training moves, what inference leaves, and its place in networks and files."""

import copy
import pickle

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.nn.gradcheck import check_layer, check_model
from batik_scratch.nn.gradcheck.specimen import Specimen, moved

# What PyTorch 2 says, in float64: BatchNorm2d(3, eps=1e-3, momentum=0.1) with these weights is given X as (3, 3, 1, 2)
# and DY after it, in training and then in eval(). Its running_var is moved by the unbiased variance.
X = (np.arange(18.0).reshape(3, 1, 2, 3) * 7) % 11
DY = (np.arange(18.0).reshape(3, 1, 2, 3) * 5) % 7 - 3
GAMMA, BETA = np.array([1.0, -2.0, 0.5]), np.array([0.0, 1.0, -1.0])
TRAINING = {
    "y": [-2.051859513126788, -1.927198456400454, -1.149918576549881, 1.025929756563394, -0.756319073840273,
          -1.278420213592635, 0.718150829594376, 0.414560308719909, -1.40692185063539, 0.410371902625358,
          1.585439691280091, -1.535423487678145, 0.102592975656339, 2.756319073840273, -0.250407117250598,
          -0.205185951312679, 3.927198456400455, -0.378908754293353],
    "dx": [-0.44550018928835, -0.781188215193386, -0.100909796167815, -0.623641954520625, -2.654354443228371,
           -0.040544893405651, -0.267270958331478, 3.668635006657917, 0.019820009356513, 0.08910003785767,
           1.795468778622932, 0.080184912118677, 0.445471034046818, -0.077697449412053, -0.009457567331943,
           0.801842030235965, -1.950863677447038, 0.05090733543022],
    "gamma": [3.077789269690183, 6.147116758440954, -12.3789910351187],
    "beta": [-3, -1, 1],
}  # fmt: skip
RUNNING_MEAN = [0.666666666666667, 0.45, 0.416666666666667]
RUNNING_VAR = [2.166666666666667, 1.25, 2.716666666666667]
EVAL = {
    "y": [-0.45280633194312, -10.71231221382374, -0.216475901663343, 6.339288647203681, -8.924172944537673,
          -0.519775552632372, 5.660079149289, -7.136033675251605, -0.8230752036014, 4.980869651374321,
          -5.347894405965539, -1.126374854570429, 4.301660153459641, -3.559755136679471, 1.906621655119856,
          3.62245065554496, -1.771615867393404, 1.603322004150828],
    "dx": [-2.03762849374404, -3.576278538572134, 0, -1.35841899582936, -5.364417807858201, 0.303299650969029,
           -0.67920949791468, 5.364417807858201, 0.606599301938057, 0, 3.576278538572134, 0.909898952907086,
           0.67920949791468, 1.788139269286067, -0.909898952907086, 1.35841899582936, 0, -0.606599301938057],
    "gamma": [-5.433675983317441, 5.766749143447567, -26.943118994415368],
    "beta": [-3, -1, 1],
}  # fmt: skip


def built(shape=(1, 2, 3), momentum=0.9, dtype="float64", epsilon=1e-3):
    layer = nn.BatchNormalization(momentum, epsilon).astype(dtype)
    layer.build(shape, np.random.default_rng(0))
    return layer


def agrees(layer, y, dx, recorded):
    found = {"y": y, "dx": dx} | layer.grads
    for name, numbers in recorded.items():
        np.testing.assert_allclose(found[name].ravel(), numbers, rtol=0, atol=1e-12, err_msg=name)


def test_training_and_inference_are_those_of_pytorch_but_for_its_unbiased_running_variance():
    layer = built()
    layer.params["gamma"][...], layer.params["beta"][...] = GAMMA, BETA
    agrees(layer, layer.forward(X, training=True), layer.backward(DY), TRAINING)
    np.testing.assert_allclose(layer.params["moving_mean"], RUNNING_MEAN, rtol=1e-14)
    unbiased = (layer.params["moving_variance"] - 0.9) * 6 / 5 + 0.9  # six places: 6 / 5 of Keras' variance
    np.testing.assert_allclose(unbiased, RUNNING_VAR, rtol=1e-14)
    layer.params["moving_variance"][...] = RUNNING_VAR
    agrees(layer, layer.forward(X, keep=True), layer.backward(DY), EVAL)


def test_the_running_statistics_move_by_keras_rule_towards_the_biased_variance():
    layer, rng = built((4, 5, 3), momentum=0.7), np.random.default_rng(1)
    mean, variance = np.zeros(3), np.ones(3)
    for n in (3, 1, 2):
        x = 3 * rng.standard_normal((n, 4, 5, 3)) + 7
        layer.forward(x, training=True)
        rows = x.reshape(-1, 3)
        mean = 0.7 * mean + 0.3 * rows.mean(axis=0)
        variance = 0.7 * variance + 0.3 * ((rows - rows.mean(axis=0)) ** 2).mean(axis=0)
        np.testing.assert_allclose(layer.params["moving_mean"], mean, rtol=1e-12)
        np.testing.assert_allclose(layer.params["moving_variance"], variance, rtol=1e-12)


@pytest.mark.parametrize("keep", [None, False, True])
def test_nothing_but_training_moves_them(keep):
    layer, x = built(), X + 1
    layer.forward(x, training=True, keep=False)
    before = {key: w.copy() for key, w in layer.params.items()}
    assert before["moving_mean"].any()
    y = layer.forward(2 * x, keep=keep)
    if keep:
        layer.backward(y)
    assert all(np.array_equal(layer.params[key], w) for key, w in before.items())
    layer.forward(np.full_like(x, np.nan), training=True)  # nor does a batch that has no statistics
    assert all(np.array_equal(layer.params[key], w) for key, w in before.items())


@pytest.mark.parametrize("shape", [(4, 5, 3), (7,)])
@pytest.mark.parametrize("asked_later", [False, True])
def test_the_backward_pass_at_rest_takes_the_statistics_for_constants(shape, asked_later):
    """By central differences, dx and both gradients; training that goes on in between changes nothing."""
    one = Specimen(nn.BatchNormalization(), shape, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, *shape))
    dy = rng.standard_normal(x.shape)
    one.forward(x, training=False, keep=True)
    if asked_later:
        for key in one.layer.not_trained:
            one.layer.params[key] += 1
    found = one.backward(dy)
    if asked_later:
        for key in one.layer.not_trained:
            one.layer.params[key] -= 1
    for name, tensor in {"dx": x, **one.layer.trained}.items():
        v, eps = rng.standard_normal(tensor.shape), 1e-5
        sides = []
        for step in (eps, -eps):
            with moved((tensor, step * v)):
                sides.append((dy * one.forward(x, training=False)).sum())
        assert (found[name] * v).sum() == pytest.approx((sides[0] - sides[1]) / (2 * eps), rel=1e-8, abs=1e-8)
    p = one.layer.params
    slope = p["gamma"] / np.sqrt(p["moving_variance"] + 1e-3)
    np.testing.assert_allclose(found["dx"], dy * slope, rtol=1e-13)
    np.testing.assert_allclose(one.forward(x, training=False), (x - p["moving_mean"]) * slope + p["beta"], rtol=1e-10)


def test_one_row_has_no_variance_and_one_image_that_over_its_places():
    rows = built((3,), momentum=0.5)
    y = rows.forward(np.array([[1.0, -2.0, 3.0]]), training=True)
    assert not y.any() and not rows.backward(np.ones((1, 3))).any()
    assert (
        rows.params["moving_mean"].tolist() == [0.5, -1, 1.5] and rows.params["moving_variance"].tolist() == [0.5] * 3
    )
    assert rows.grads["beta"].tolist() == [1, 1, 1] and not rows.grads["gamma"].any()
    image = built((4, 5, 3), epsilon=1e-12)
    y = image.forward(np.random.default_rng(0).random((1, 4, 5, 3)), training=True)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-13)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)), 1, rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mean_that_is_far_larger_than_the_deviation_does_not_drown_it(dtype):
    layer = built((30, 40, 2), dtype=dtype, epsilon=1e-12)
    x = np.array([1000.0, -50.0]) + 0.5 * np.random.default_rng(0).standard_normal((8, 30, 40, 2))
    x = x.astype(dtype)
    y = layer.forward(x, training=True)
    exact = x.astype("float64").reshape(-1, 2)
    expected = (exact - exact.mean(axis=0)) / exact.std(axis=0)
    np.testing.assert_allclose(y.reshape(-1, 2), expected, rtol=0, atol={"float32": 1e-6, "float64": 1e-9}[dtype])


@pytest.mark.parametrize("seed", range(5))
def test_the_gradient_is_right_at_random_shapes_by_every_method(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(2, 6, 3)) if seed % 2 else (int(rng.integers(2, 9)),)
    report = check_layer(nn.BatchNormalization(), shape, n=int(rng.integers(2, 6)), seed=seed, method="all")
    assert {row.method for row in report.tensors} == {"central difference", "complex step", "random direction"}
    report.raise_if_wrong()


# ---------------------------------------------------------------------------------- in a network, in files


def network(seed=0, dtype="float64", optimizer=nn.Adam):
    layers = [
        nn.Standardization(),
        nn.Conv2D(4, 3),
        nn.Absolute(),
        nn.BatchNormalization(0.8),
        nn.AveragePooling2D(2),
        nn.GlobalAveragePooling2D(),
        nn.Rescaling(0.5, 3),  # above zero for the logarithm, whatever batch normalisation makes of it
        nn.Log(),
        nn.Dense(5),
        nn.BatchNormalization(0.5),
        nn.Dense(3),
        nn.Softmax(),
    ]
    model = nn.Sequential(layers, (8, 9, 2), seed, dtype)
    model.compile(optimizer(0.05))
    return model


IMAGES = np.random.default_rng(5).random((11, 8, 9, 2))
LABELS = np.arange(11) % 3


def test_weights_come_in_keras_order_and_those_that_are_not_trained_are_among_them():
    model = network()
    norm = ["gamma", "beta", "moving_mean", "moving_variance"]
    names = [f"batch_normalization/{key}" for key in norm]
    assert list(model.named_weights())[2:6] == names and len(model.get_weights()) == 14
    assert list(model.trained_weights()) == [name for name in model.named_weights() if "moving" not in name]
    given = [w + 1 for w in model.get_weights()]
    model.set_weights(given)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), given, strict=True))
    assert model.layers[3].parameter_count == 8


@pytest.mark.parametrize("optimizer", [nn.Adam, lambda rate: nn.SGD(rate, 0.9)])
def test_an_optimiser_has_a_memory_of_what_is_trained_alone(optimizer):
    model = network(optimizer=optimizer)
    model.fit(IMAGES, LABELS, verbose=0)
    for kept in model.optimizer.memory.values():
        assert [m.shape for m in kept] == [w.shape for w in model.trained_weights().values()]
    before = {name: w.copy() for name, w in model.named_weights().items()}
    model.optimizer.step(model.layers)  # with the same gradients again
    changed = [name for name, w in model.named_weights().items() if not np.array_equal(w, before[name])]
    assert set(changed) <= set(model.trained_weights()) and len(changed) >= 9


@pytest.mark.parametrize("optimizer", [nn.Adam, lambda rate: nn.SGD(rate, 0.9)])
def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path, optimizer):
    whole = network(optimizer=optimizer)
    history = whole.fit(IMAGES, LABELS, batch_size=4, epochs=4, verbose=0)
    asked = iter(range(100))
    stop = nn.Checkpoint(tmp_path, should_stop=lambda: next(asked) == 5)  # in the middle of the second epoch
    with pytest.raises(KeyboardInterrupt):
        network(optimizer=optimizer).fit(IMAGES, LABELS, batch_size=4, epochs=4, verbose=0, checkpoint=stop)
    resumed = network(seed=7, optimizer=optimizer)
    again = resumed.fit(IMAGES, LABELS, batch_size=4, epochs=4, verbose=0, checkpoint=nn.Checkpoint(tmp_path))
    assert again.history == history.history
    assert all(np.array_equal(a, b) for a, b in zip(resumed.get_weights(), whole.get_weights(), strict=True))


def test_files_pickles_and_copies_take_the_running_means_along(tmp_path):
    model = network(dtype="float32")
    model.fit(IMAGES, LABELS, epochs=2, verbose=0)
    probabilities = model.predict(IMAGES)
    model.save(tmp_path / "m.npz")
    for other in (nn.Sequential.load(tmp_path / "m.npz"), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(other.predict(IMAGES), probabilities)
        other.compile()
        other.fit(IMAGES, LABELS, verbose=0)
    assert np.array_equal(model.predict(IMAGES), probabilities)
    layer = model.layers[3].astype("float64")
    assert {w.dtype.name for w in layer.params.values()} == {"float64"} and layer.params["moving_mean"].any()


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_a_network_of_all_these_layers_has_the_right_gradient_and_is_left_as_it_was(dtype):
    model = network(dtype="float64")
    model.fit(IMAGES, LABELS, verbose=0)
    checked = network(dtype=dtype)
    checked.set_weights(model.get_weights())
    before = checked.get_weights()
    report = check_model(checked, IMAGES, LABELS, directions=2, each_tensor=True)
    report.raise_if_wrong()
    assert all(np.array_equal(a, b) for a, b in zip(checked.get_weights(), before, strict=True))


def test_explaining_and_tracing_and_predicting_move_no_running_mean():
    model = network()
    model.fit(IMAGES, LABELS, verbose=0)
    before = model.get_weights()
    model.predict(IMAGES)
    model.evaluate(IMAGES, LABELS)
    trace = model.trace(IMAGES, LABELS)
    gradient = model.input_gradient(IMAGES, lambda logits: np.ones_like(logits))
    assert set(trace["batch_normalization"].grads) == {"gamma", "beta"}
    assert np.isfinite(gradient).all() and gradient.any()
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
