"""What Keras' users type: names as texts, weights of images and classes, validation_split, model(x), add."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError

X = np.random.default_rng(1).standard_normal((12, 4))
Y = np.array([2, 0, 1, 1, 2, 1, 1, 0, 2, 2, 0, 1])
W = np.array([0.5, 2, 1, 0, 3, 1, 1, 1.5, 0.25, 1, 2, 1])


def network(softmax=True):
    layers = [nn.Dense(5), nn.ReLU(), nn.Dense(3)]
    model = nn.Sequential([*layers, *[nn.Softmax()] * softmax], (4,), 3, "float64")
    model.compile(nn.SGD(0.1), nn.SparseCategoricalCrossentropy(from_logits=not softmax))
    return model


def log_p(model):
    p = np.exp(model.logits(X))
    return np.log(p / p.sum(axis=1, keepdims=True))[np.arange(12), Y]


@pytest.mark.parametrize("text, cls", [("adam", nn.Adam), ("Adam", nn.Adam), ("adamw", nn.AdamW), ("sgd", nn.SGD)])
def test_compile_takes_keras_names(text, cls):
    model = network()
    model.compile(text, "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert type(model.optimizer) is cls and vars(model.optimizer) == vars(cls())
    assert type(model.loss) is nn.SparseCategoricalCrossentropy and not model.loss.from_logits


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("adma",), "no optimizer 'adma'; did you mean 'adam'"),
        (("rmsprop",), "no optimizer 'rmsprop'; there is adam, adamw, sgd"),
        ((nn.Adam,), "needs an Optimizer such as"),
        (("adam", "categorical_crossentropy"), r"use \"sparse_categorical_crossentropy\" .*argmax"),
        (("adam", "sparse_crossentropy"), "did you mean 'sparse_categorical_crossentropy'"),
        (("adam", 3), "loss needs nn.SparseCategoricalCrossentropy"),
        (("adam", None, ["auc"]), "no metric 'auc'; there is \"accuracy\""),
        (("adam", None, "f1"), "no metric 'f1'"),
    ],
)
def test_a_name_that_is_none_is_refused_with_those_there_are(arguments, words):
    with pytest.raises(InputError, match=words):
        network().compile(*arguments)


@pytest.mark.parametrize("softmax", [True, False])
def test_weights_multiply_each_images_loss_and_the_mean_stays_over_the_images(softmax):
    model = network(softmax)
    assert model.loss_and_logits(X, Y, W)[0] == pytest.approx(-(W * log_p(model)).sum() / 12, rel=1e-12)
    assert model.loss_and_logits(X, Y, np.ones(12))[0] == model.loss_and_logits(X, Y)[0]


@pytest.mark.parametrize("on", ["on_logits", "on_probabilities"])
def test_the_gradient_of_a_weighted_loss_is_each_rows_times_its_weight(on):
    loss = getattr(nn.SparseCategoricalCrossentropy, on)
    outputs = np.random.default_rng(0).dirichlet(np.ones(3), 12)
    np.testing.assert_allclose(loss(outputs, Y, W)[1], W[:, None] * loss(outputs, Y)[1], rtol=1e-12)


def trained(data=(X, Y), **options):
    model = network()
    history = model.fit(*data, batch_size=5, epochs=3, verbose=0, **options)
    return model.get_weights(), history.history


def same(one, other):
    return all(np.allclose(a, b, rtol=1e-12, atol=0) for a, b in zip(one[0], other[0], strict=True))


def test_a_sample_of_weight_two_counts_like_two_and_of_weight_none_like_none():
    whole = trained(sample_weight=np.ones(12))
    assert same(whole, trained()) and not same(whole, trained(sample_weight=W))
    without = network()
    without.fit(X, Y, batch_size=12, verbose=0, sample_weight=np.r_[np.zeros(6), np.full(6, 2)])
    half = network()
    half.fit(X[6:], Y[6:], batch_size=12, verbose=0)
    assert same((without.get_weights(),), (half.get_weights(),))


def test_class_weights_are_sample_weights_by_label_and_both_multiply():
    of_class = {0: 3.0, 2: 0.5}
    by_hand = np.array([of_class.get(label, 1.0) for label in Y])
    assert same(trained(class_weight=of_class), trained(sample_weight=by_hand))
    assert same(trained(class_weight=of_class, sample_weight=W), trained(sample_weight=by_hand * W))


def test_batches_may_bring_their_own_weights_and_take_those_of_classes():
    batches = [(X[i : i + 5], Y[i : i + 5], W[i : i + 5]) for i in (0, 5, 10)]
    assert same(trained((batches,)), trained(sample_weight=W, shuffle=False))
    pairs = [(x, y) for x, y, _ in batches]
    options = {"class_weight": {1: 4}}
    assert same(trained((pairs,), **options), trained(shuffle=False, **options))


def test_a_weighted_iterable_is_still_told_its_epoch():
    class Watched(list):
        epoch = None

    batches = Watched([(X, Y)])
    trained((batches,), class_weight={0: 2})
    assert batches.epoch == 2


def test_the_last_share_is_held_out_before_anything_is_shuffled():
    split = trained(validation_split=0.3)
    assert same(split, trained((X[:8], Y[:8]))) and len(split[1]["val_loss"]) == 3
    given = trained((X[:8], Y[:8]), validation_data=(X[8:], Y[8:]))
    assert split[1]["val_loss"] == given[1]["val_loss"]
    weighted = trained(validation_split=0.3, sample_weight=W)
    by_hand = trained((X[:8], Y[:8]), validation_data=(X[8:], Y[8:], W[8:]), sample_weight=W[:8])
    assert weighted[1] == by_hand[1] and weighted[1]["val_loss"] != given[1]["val_loss"]


@pytest.mark.parametrize(
    "options, words",
    [
        ({"validation_split": 1.0}, "above 0 and below 1; got 1.0"),
        ({"validation_split": True}, "above 0 and below 1; got True"),
        ({"validation_split": 0.99}, "leaves 0 to train on and 12 to validate on"),
        ({"validation_split": 0.5, "validation_data": (X, Y)}, "got both"),
        ({"sample_weight": np.ones(11)}, r"one number per image, \(12,\); got float64 of shape \(11,\)"),
        ({"sample_weight": -np.ones(12)}, "finite numbers of at least 0"),
        ({"sample_weight": ["a"] * 12}, "one number per image"),
        ({"class_weight": {0: -1}}, "weights of at least 0"),
        ({"class_weight": "balanced"}, "class_weight needs {class: weight}"),
        ({"class_weight": {"a": 1}}, "class_weight needs {class: weight}"),
    ],
)
def test_weights_and_shares_that_make_no_sense_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        network().fit(X, Y, verbose=0, **options)


def test_a_share_of_batches_is_refused():
    with pytest.raises(InputError, match="are for arrays x and y"):
        network().fit([(X, Y)], validation_split=0.2, verbose=0)


def test_calling_the_model_is_its_forward_pass():
    model = network()
    assert np.array_equal(model(X), model.forward(X)) and np.array_equal(model(X), model.predict(X))
    noisy = nn.Sequential([nn.Dropout(0.5), nn.Dense(2)], (4,), 0)
    assert not np.array_equal(noisy(X, training=True), noisy(X))


def test_count_params_is_what_summary_says(capsys):
    model = nn.Sequential([nn.Dense(5), nn.BatchNormalization()], (4,))
    assert model.count_params() == 4 * 5 + 5 + 4 * 5
    model.summary()
    assert "Total params: 45 " in capsys.readouterr().out
    with pytest.raises(InputError, match="not built yet"):
        nn.Sequential([nn.Dense(2)]).count_params()


def test_a_model_that_is_added_to_layer_by_layer_is_the_one_made_of_the_list():
    layers = [nn.Dense(5), nn.ReLU(), nn.Dense(3), nn.Softmax()]
    model = nn.Sequential(random_state=3)
    for layer in layers:
        model.add(layer)
    model.build((4,))
    whole = nn.Sequential([nn.Dense(5), nn.ReLU(), nn.Dense(3), nn.Softmax()], (4,), 3)
    assert all(map(np.array_equal, model.get_weights(), whole.get_weights()))
    assert [layer.name for layer in model.layers] == ["dense", "re_lu", "dense_1", "softmax"]
    assert model.output_shape == (3,) and model.ends_in_softmax


def test_a_layer_added_to_a_built_model_is_built_and_the_others_stay():
    model = nn.Sequential([nn.Dense(5)], (4,), 3)
    before = model.get_weights()
    model.add(nn.Dropout(0.5))
    model.add(nn.Dense(2))
    assert model.predict(X).shape == (12, 2) and model.layers[1].rng is not None
    assert all(map(np.array_equal, before, model.get_weights()))
    with pytest.raises(InputError, match="needs images"):
        model.add(nn.Conv2D(2, 3))
    assert len(model.layers) == 3


def test_what_cannot_be_added_is_refused():
    model = network()
    with pytest.raises(InputError, match="needs a Layer to add, got 'relu'"):
        model.add("relu")
    model.fit(X, Y, verbose=0)
    with pytest.raises(InputError, match=r"has been trained; make nn.Sequential\(\[\*model.layers, layer\]\)"):
        model.add(nn.ReLU())
    with pytest.raises(InputError, match="no layers yet"):
        nn.Sequential().predict(X)


def pictures(high, dtype=np.float32):
    return (np.random.default_rng(0).random((2, 6, 6, 3)) * high).astype(dtype)


@pytest.mark.parametrize("x", [pictures(255), pictures(255, np.int64), pictures(128, np.float64)], ids=str)
def test_numbers_that_look_like_bytes_are_refused_with_the_fix(x):
    model = nn.Sequential([nn.Conv2D(2, 3), nn.Flatten(), nn.Dense(2), nn.Softmax()], (6, 6, 3), 0)
    model.compile()
    for use in (model.predict, model, lambda x: model.fit(x, np.array([0, 1]), verbose=0)):
        with pytest.raises(InputError, match=r"look like 0..255; divide by 255 first, or begin .*Rescaling"):
            use(x)


def test_numbers_beyond_one_are_taken_where_they_may_be_meant():
    first = [nn.Rescaling(1 / 255), nn.Standardization(), nn.BatchNormalization()]
    for layer in first:
        nn.Sequential([layer, nn.Conv2D(2, 3)], (6, 6, 3), 0).predict(pictures(255))
    model = nn.Sequential([nn.Conv2D(2, 3)], (6, 6, 3), 0)
    for x in (pictures(1), pictures(1.9), pictures(255) - 120, pictures(4000)):
        model.predict(x)
    nn.Sequential([nn.Dense(2)], (4,), 0).predict(100 * np.abs(X))
