"""Sequential's calls one by one: what each option does, what is handed out, what is refused."""

import copy
import pickle

import numpy as np
import pytest
from plain_mode import needs_numba
from threadpoolctl import threadpool_info

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn.fitting.batches import ArrayBatches, as_batches
from batik_scratch.nn.fitting.progress import RunningMean


def network(softmax=True, dtype="float64", shape=(4,)):
    layers = [nn.Dense(5), nn.ReLU(), nn.Dropout(0.5), nn.Dense(3)]
    model = nn.Sequential([*layers, *[nn.Softmax()] * softmax], shape, 3, dtype)
    model.compile(nn.SGD(0.1), nn.SparseCategoricalCrossentropy(from_logits=not softmax))
    return model


X = np.random.default_rng(1).standard_normal((7, 4))
Y = np.array([2, 0, 1, 1, 2, 1, 1])


def by_hand(model, x=X):
    w1, b1, w2, b2 = model.get_weights()
    return np.maximum(x @ w1 + b1, 0) @ w2 + b2


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def test_forward_ends_in_probabilities_or_before_them_and_drops_only_in_training():
    model = network()
    np.testing.assert_allclose(model.forward(X), softmax(by_hand(model)), rtol=1e-12)
    np.testing.assert_allclose(model.forward(X, softmax=False), by_hand(model), rtol=1e-12)
    np.testing.assert_allclose(model.forward(X, keep=True), model.forward(X), rtol=0)
    assert not np.allclose(model.forward(X, training=True), model.forward(X))


def test_backward_begins_above_or_below_the_softmax_and_makes_what_is_asked_for():
    model = network()
    dy = np.random.default_rng(2).standard_normal((7, 3))
    p = model.forward(X, keep=True)
    assert model.backward(dy) is None
    from_above = model.layers[0].grads["kernel"].copy()
    dz = p * (dy - (dy * p).sum(axis=1, keepdims=True))
    model.layers[0].grads = {}
    dx = model.backward(dz, need_dx=True, need_grads=False, softmax=False)
    assert model.layers[0].grads == {} and dx.shape == X.shape
    model.backward(dz, softmax=False)
    np.testing.assert_allclose(model.layers[0].grads["kernel"], from_above, rtol=1e-11)
    w1, b1, w2, _ = model.get_weights()
    np.testing.assert_allclose(dx, (dz @ w2.T * (X @ w1 + b1 > 0)) @ w1.T, rtol=1e-11)


@pytest.mark.parametrize("ends_in_softmax", [True, False])
def test_loss_logits_and_predictions_are_the_definitions_with_and_without_a_softmax(ends_in_softmax):
    model = network(ends_in_softmax)
    z = by_hand(model)
    expected = -np.log(softmax(z)[np.arange(7), Y]).mean()
    loss, logits = model.loss_and_logits(X, Y)
    assert loss == pytest.approx(expected, rel=1e-12) and model.ends_in_softmax is ends_in_softmax
    for found in (logits, model.logits(X), model.logits(X, batch_size=3)):
        np.testing.assert_allclose(found, z, rtol=1e-12)
    np.testing.assert_allclose(model.predict(X), softmax(z) if ends_in_softmax else z, rtol=1e-12)
    told = model.evaluate(X, Y)
    assert told == pytest.approx({"loss": expected, "accuracy": (z.argmax(axis=1) == Y).mean()}, rel=1e-12)


def test_a_loss_on_probabilities_without_a_softmax_takes_what_the_network_gives():
    model = nn.Sequential([nn.Dense(3)], (4,), 0, "float64")
    model.compile()
    p = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    model.set_weights([np.vstack([np.eye(3), np.zeros(3)]), np.zeros(3)])
    x = np.hstack([p, np.ones((5, 1))])
    assert model.loss_and_logits(x, Y[:5])[0] == pytest.approx(-np.log(p[np.arange(5), Y[:5]]).mean(), rel=1e-12)


class Asked(nn.Dense):
    """Notes what its backward pass was asked for."""

    def backward(self, dy, need_dx=True, need_grads=True):
        self.asked = need_dx, need_grads
        return super().backward(dy, need_dx, need_grads)


def test_training_makes_no_gradient_of_the_pixels_and_every_other():
    layers = [Asked(4), nn.ReLU(), Asked(3), nn.Softmax()]
    model = nn.Sequential(layers, (4,), 0)
    model.compile()
    model.train_step(X, Y)
    assert [layers[i].asked for i in (0, 2)] == [(False, True), (True, True)]
    model.input_gradient(X, np.ones_like)
    assert [layers[i].asked for i in (0, 2)] == [(True, False), (True, False)]


def test_a_step_moves_the_weights_and_a_gradient_alone_does_not():
    model = network()
    before = model.get_weights()
    loss = model.train_gradients(X, Y)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert np.isfinite(loss) and model.optimizer.iterations == 0
    again = network()
    stepped, logits = again.train_step(X, Y)
    assert stepped == loss and logits.shape == (7, 3) and again.optimizer.iterations == 1
    for w, old, g in zip(
        again.get_weights(), before, [g for layer in model.layers for g in layer.grads.values()], strict=True
    ):
        np.testing.assert_allclose(w, old - 0.1 * g, rtol=1e-12)


def test_the_training_loss_alone_is_that_of_a_step_and_leaves_the_gradients():
    layers = [nn.Dense(8), nn.BatchNormalization(), nn.Dropout(0.5), nn.Dense(3), nn.Softmax()]
    model = nn.Sequential(layers, (4,), 0, "float64")
    model.compile()
    again = copy.deepcopy(model)
    means = layers[1].params["moving_mean"].copy()
    loss = model.training_loss(X, Y)
    assert loss == again.train_step(X, Y)[0] != model.loss_and_logits(X, Y)[0]  # under the same dropout mask
    assert all(layer.grads == {} for layer in layers) and not np.array_equal(layers[1].params["moving_mean"], means)


def test_a_loss_that_is_not_finite_makes_no_step_and_no_gradient():
    model, x = network(), X.copy()
    x[2, 1] = np.nan
    before = model.get_weights()
    loss, _ = model.train_step(x, Y)
    assert np.isnan(loss) and model.optimizer.iterations == 0
    assert all(layer.grads == {} for layer in model.layers)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_weights_are_cast_to_the_networks_type_and_copied_in():
    model = network(dtype="float32")
    given = [np.full(w.shape, 1 / 3) for w in model.get_weights()]
    model.set_weights(given)
    given[0][:] = 9
    assert all(w.dtype == "float32" and np.all(w == np.float32(1 / 3)) for w in model.get_weights())
    model.set_weights([w.tolist() for w in network().get_weights()])  # lists will do
    np.testing.assert_allclose(model.get_weights()[0], network().get_weights()[0], rtol=1e-6)
    for wrong in (model.get_weights()[:-1], [*model.get_weights(), np.zeros(1)], model.get_weights()[::-1]):
        with pytest.raises(InputError, match=r"needs arrays of shapes \[\(4, 5\), \(5,\), \(5, 3\), \(3,\)\], got"):
            model.set_weights(wrong)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Sequential([]), "at least one Layer"),
        (lambda: nn.Sequential([nn.Dense(2), "relu"]), "at least one Layer"),
        (lambda: nn.Sequential([nn.Dense(2)], dtype="float16"), "float32, float64, complex128; got 'float16'"),
        (lambda: nn.Sequential([nn.Dense(2)], ()), "whole numbers >= 1"),
        (lambda: nn.Sequential([nn.Flatten()], (3, 0, 2)), r"whole numbers >= 1, got \(3, 0, 2\)"),
        (lambda: network().predict(np.ones((2, 5))), r"needs inputs \(N, 4\), got \(2, 5\)"),
        (lambda: network().fit(X, Y, epochs=0), "epochs needs a whole number >= 1, got 0"),
        (lambda: network().fit(X, Y, epochs=1.0), "epochs needs a whole number >= 1, got 1.0"),
        (lambda: network().fit(X, Y[:3]), "got 7 images and 3 labels"),
        (lambda: network().fit(X, Y, batch_size=2.0), "batch_size needs a whole number >= 1, got 2.0"),
        (lambda: network().evaluate(X), "got ndarray alone"),
        (lambda: network().evaluate(iter([(X, Y)])), "sized iterable of .* batches; got list_iterator alone"),
        (lambda: network().fit(X[:0], Y[:0]), "at least one image"),
        (lambda: network().fit([], verbose=0), "gave none; it must start anew at each epoch"),
        (lambda: nn.Sequential([nn.Dense(3), nn.Softmax()], (4,)).train_step(X, Y), "call model.compile"),
        (lambda: network().get_layer("softmax_1"), "there are dense, re_lu, dropout, dense_1, softmax$"),
    ],
)
def test_misuse_is_explained(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_validation_may_be_batches_of_unequal_sizes():
    model, other = network(), network()
    batches = [(X[:5], Y[:5]), (X[5:], Y[5:])]
    one = model.fit(X, Y, epochs=2, validation_data=batches, verbose=0)
    two = other.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0)
    assert one.history["val_loss"] == pytest.approx(two.history["val_loss"], rel=1e-12)
    assert one.history["val_accuracy"] == two.history["val_accuracy"]


class Counted:
    """Batches that are told which epoch it is."""

    epoch = None

    def __init__(self):
        self.told = []

    def __len__(self):
        return 1

    def __iter__(self):
        self.told.append(self.epoch)
        return iter([(X, Y)])


def test_batches_hear_which_epoch_it_is_before_each_and_validation_does_not():
    batches, held_out = Counted(), Counted()
    network().fit(batches, epochs=5, initial_epoch=2, validation_data=held_out, verbose=0)
    assert batches.told == [2, 3, 4] and held_out.told == [None] * 3


def test_stop_training_ends_after_this_epoch_and_the_next_fit_begins_anew():
    class Stop(nn.Callback):
        def on_batch_end(self, batch, logs):
            self.model.stop_training = True

    model = network()
    assert model.fit(X, Y, batch_size=3, epochs=4, callbacks=[Stop()], verbose=0).epoch == [0]
    assert model.optimizer.iterations == 3
    assert model.fit(X, Y, batch_size=7, epochs=2, verbose=0).epoch == [0, 1]


def test_batches_of_arrays_are_in_order_or_in_a_new_order_each_time():
    batches = ArrayBatches(X, Y.tolist(), np.int64(3))
    assert len(batches) == 3 and [len(y) for _, y in batches] == [3, 3, 1]
    assert np.array_equal(np.concatenate([x for x, _ in batches]), X)
    assert np.array_equal(np.concatenate([y for _, y in batches]), Y)
    shuffled = ArrayBatches(X, np.arange(7), 2, np.random.default_rng(4))
    orders = [np.concatenate([y for _, y in shuffled]).tolist() for _ in range(3)]
    assert len({tuple(order) for order in orders}) == 3 and all(sorted(order) == list(range(7)) for order in orders)
    assert all(np.array_equal(x, X[y]) for x, y in shuffled)
    assert len(ArrayBatches(X, Y, 7)) == 1 and len(ArrayBatches(X, Y, 1)) == 7 and len(ArrayBatches(X, Y, 100)) == 1
    given = [(X, Y)]
    assert as_batches(given, None, 2, None) is given


def test_a_running_mean_counts_images():
    mean = RunningMean()
    mean.add(2.0, np.array([[0.0, 1.0], [3.0, 1.0]]), np.array([1, 1]))
    mean.add(5.0 + 1e-20j, np.array([[0.0, 1.0 + 9j]]), np.array([1]))
    assert mean.logs("val_") == {"val_accuracy": 2 / 3, "val_loss": 3.0} and mean.logs().keys() == {"accuracy", "loss"}


@pytest.mark.parametrize("travel", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_trains_on_by_itself_as_the_original_would(travel):
    model = network()
    model.fit(X, Y, batch_size=3, verbose=0)
    other = travel(model)
    one, two = (made.fit(X, Y, batch_size=3, epochs=2, verbose=0) for made in (model, other))
    assert one.history == two.history
    assert not any(
        np.shares_memory(a.params[k], b.params[k])
        for a, b in zip(model.layers, other.layers, strict=True)
        for k in a.params
    )


def test_whole_numbers_and_lists_are_images_too_and_bytes_are_not():
    model = network()
    ones = np.ones((2, 4))
    for given in (ones.astype(int), ones.tolist(), ones.astype("float32")):
        np.testing.assert_allclose(model.forward(given), model.forward(ones), rtol=1e-6)
    with pytest.raises(InputError, match="divide by 255"):
        model.forward(ones.astype(np.uint8))


def test_a_network_without_a_shape_is_built_by_whoever_calls_first():
    for use in (
        lambda model: model.predict(X),
        lambda model: model.fit(X, Y, verbose=0),
        lambda model: model.fit([(X, Y)], verbose=0),
        lambda model: model.evaluate(X, Y),
        lambda model: model.trace(X),
    ):
        model = network(shape=None)
        assert model.output_shape is None
        use(model)
        assert model.input_shape == (4,) and model.output_shape == (3,)


@needs_numba
def test_sums_are_made_by_one_blas_thread_wherever_a_network_computes():
    seen = []

    class Watch(nn.Layer):
        def forward(self, x, training=False, keep=None):
            seen.append({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
            return x.copy()

        def backward(self, dy, need_dx=True, need_grads=True):
            return dy.copy()

    model = nn.Sequential([Watch(), nn.Dense(3), nn.Softmax()], (4,), 0)
    model.compile()
    for use in (
        lambda: model.forward(X),
        lambda: model.train_step(X, Y),
        lambda: model.train_gradients(X, Y),
        lambda: model.training_loss(X, Y),
        lambda: model.loss_and_logits(X, Y),
        lambda: model.predict(X),
        lambda: model.fit(X, Y, verbose=0),
        lambda: model.evaluate(X, Y),
        lambda: model.trace(X),
        lambda: model.input_gradient(X, np.ones_like),
    ):
        seen.clear()
        use()
        assert seen == [{1}]
