"""CNNClassifier in scikit-learn's hands: its own checks, its tools, and what a user's arrays are like."""

import collections
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator

from batik_scratch import CNNClassifier, nn
from batik_scratch.errors import InputError

NAMES = np.array(["mega mendung", "isen", "kawung"])


def tiny(shape, classes, seed):
    """A network of a moment, in a module so that other processes can be handed it."""
    layers = [nn.Conv2D(4, 3), nn.ReLU(), nn.GlobalAveragePooling2D(), nn.Dense(classes), nn.Softmax()]
    return nn.Sequential(layers, shape, seed)


def stripes(n=36, side=8, seed=0):
    """Images (n, side, side, 1) in [0, 1] of three kinds that differ in their brightness, and their labels (n,)."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(n) % 3
    x = 0.3 * kinds[:, None, None, None] + 0.3 * rng.random((n, side, side, 1))
    return x.astype(np.float32), NAMES[kinds]


def quick(**options):
    return CNNClassifier(**({"network": tiny, "epochs": 25, "learning_rate": 0.05, "random_state": 0} | options))


@pytest.mark.slow
def test_every_check_of_scikit_learn_passes_and_none_is_excused():
    found = check_estimator(CNNClassifier(), on_fail=None, on_skip=None)
    wrong = {
        f"{one['check_name']}: {one['exception']!r}" for one in found if one["status"] not in ("passed", "skipped")
    }
    assert not wrong
    assert collections.Counter(one["status"] for one in found)["passed"] > 50
    assert not any(one["expected_to_fail"] for one in found)
    left_out = {one["check_name"] for one in found if one["status"] == "skipped"}
    # scikit-learn leaves these out itself, where SCIPY_ARRAY_API is not set and where there is no pandas
    assert left_out <= {"check_array_api_input", "check_classifier_data_not_an_array"}


def test_it_learns_images_and_names_its_columns_by_sorted_labels():
    x, y = stripes()
    model = quick().fit(x, y)
    assert model.classes_.tolist() == sorted(NAMES) and model.score(x, y) == 1
    p = model.predict_proba(x)
    assert p.shape == (36, 3) and np.array_equal(model.classes_[p.argmax(axis=1)], y)
    assert len(model.history_["loss"]) == 25 and model.history_["loss"][-1] < model.history_["loss"][0]


@pytest.mark.parametrize("name, side", [("paper", 22), ("cloth", 15)])
def test_the_networks_go_by_their_names(name, side):
    x, y = stripes(6, side)
    model = CNNClassifier(name, epochs=1, random_state=0).fit(np.repeat(x, 3, axis=3), y)
    made = getattr(nn, f"{name}_cnn")((side, side, 3), 3)
    assert [type(layer) for layer in model.model_.layers] == [type(layer) for layer in made.layers]


def test_the_same_seed_gives_the_same_bits_and_another_gives_others():
    x, y = stripes()
    one, two, other = (quick(epochs=2, random_state=seed).fit(x, y).predict_proba(x) for seed in (1, 1, 2))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    with_stream = quick(epochs=1, random_state=np.random.RandomState(3)).fit(x, y)
    assert with_stream.predict(x).shape == (36,)


def test_bytes_are_images_too_and_a_memory_map_stays_on_the_disk(tmp_path):
    x, y = stripes()
    np.save(tmp_path / "x.npy", np.rint(x * 255).astype(np.uint8))
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    by_bytes = quick(epochs=3).fit(on_disk, y)
    floats = on_disk.astype(np.float32) / 255
    assert np.array_equal(by_bytes.predict_proba(on_disk), quick(epochs=3).fit(floats, y).predict_proba(floats))
    frozen = floats.copy()
    frozen.flags.writeable = False
    quick(epochs=1).fit(frozen, y).predict(frozen)


def test_a_pickled_model_predicts_the_same_and_a_clone_has_learnt_nothing():
    x, y = stripes()
    model = quick(epochs=2).fit(x, y)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(x), model.predict_proba(x))
    with pytest.raises(NotFittedError):
        clone(model).predict(x)


def test_flat_features_are_images_in_a_pipeline():
    x, y = stripes()
    line = make_pipeline(MinMaxScaler(), quick(image_shape=(8, 8, 1)))
    flat = 255 * x.reshape(36, -1)
    assert line.fit(flat, y).score(flat, y) == 1
    assert line[-1].model_.input_shape == (8, 8, 1)


def test_two_jobs_find_what_one_job_finds():
    x, y = stripes()
    grids = [
        GridSearchCV(quick(epochs=4), {"learning_rate": [1e-4, 0.05]}, cv=3, n_jobs=jobs).fit(x, y) for jobs in (1, 2)
    ]
    one, two = (grid.cv_results_["mean_test_score"] for grid in grids)
    assert np.array_equal(one, two) and grids[0].best_params_ == grids[1].best_params_
    assert np.array_equal(grids[0].predict_proba(x), grids[1].predict_proba(x))


def test_cross_validation_by_groups_and_calibration_take_it_as_it_is():
    x, y = stripes()
    groups = np.repeat(np.arange(12), 3)
    scores = cross_val_score(quick(), x, y, groups=groups, cv=StratifiedGroupKFold(3))
    assert scores.shape == (3,) and scores.mean() > 0.9
    flat = x.reshape(36, -1)
    calibrated = CalibratedClassifierCV(quick(image_shape=(8, 8, 1), epochs=10), cv=3).fit(flat, y)
    np.testing.assert_allclose(calibrated.predict_proba(flat).sum(axis=1), 1, rtol=1e-6)


def test_the_weight_of_a_class_moves_its_share_of_the_predictions():
    x, y = np.random.default_rng(0).random((60, 6, 6, 1), np.float32), NAMES[np.arange(60) % 2]  # nothing to learn

    def share(weight):
        model = quick(epochs=6, class_weight=weight).fit(x, y)
        return model.predict_proba(x)[:, 0].mean()  # "isen"

    assert share({"isen": 9}) > 0.75 > 0.6 > share(None) > 0.4 > 0.25 > share({"mega mendung": 9})
    few = np.r_[np.arange(0, 60, 2), np.arange(1, 20, 2)]  # 30 of one, 10 of the other
    balanced = quick(epochs=6, class_weight="balanced").fit(x[few], y[few])
    by_hand = quick(epochs=6, class_weight={"mega mendung": 40 / 60, "isen": 2.0}).fit(x[few], y[few])
    assert np.array_equal(balanced.predict_proba(x), by_hand.predict_proba(x))


def test_early_stopping_holds_out_images_of_every_class_and_keeps_the_best_epoch():
    x, y = stripes(60)
    rng = np.random.default_rng(1)
    y = rng.permutation(y)  # nothing to learn: the loss on what is held out soon rises
    model = quick(epochs=200, early_stopping=True, validation_fraction=0.25, patience=3).fit(x, y)
    told = model.history_["val_loss"]
    assert len(told) < 200 and int(np.argmin(told)) == len(told) - 4


def test_partial_fit_goes_on_epoch_by_epoch_and_needs_the_classes_at_first():
    x, y = stripes()
    model = quick()
    with pytest.raises(InputError, match="first call needs classes"):
        model.partial_fit(x, y)
    model.partial_fit(x[:9], y[:9], classes=NAMES)
    for _ in range(24):
        model.partial_fit(x, y)
    assert model.score(x, y) == 1 and len(model.history_["loss"]) == 25
    with pytest.raises(InputError, match=r"labels among \['isen', 'kawung', 'mega mendung'\], got \['truntum'\]"):
        model.partial_fit(x, np.full(36, "truntum"))
    with pytest.raises(InputError, match="classes were"):
        model.partial_fit(x, y, classes=["a", "b"])


@pytest.mark.parametrize(
    "options, arrays, words",
    [
        ({"network": "papr"}, "images", '"auto", "paper", "cloth", "dense" or a function'),
        ({"network": "paper"}, "rows", "needs images .*give image_shape"),
        ({"image_shape": (8, 9, 1)}, "rows", "H W C = 64, the features of X; got .8, 9, 1."),
        ({"network": lambda shape, classes, seed: tiny(shape, classes + 1, seed)}, "images", "ends in Dense"),
        ({"early_stopping": True, "validation_fraction": 0.01}, "images", "cannot hold out 0.01 of 36 images"),
        ({"epochs": 0}, "images", "epochs needs a whole number"),
        ({"class_weight": "balanced"}, "part", "balanced.* needs all labels at once"),
    ],
)
def test_options_that_do_not_fit_are_refused_with_the_fix(options, arrays, words):
    x, y = stripes()
    if arrays == "rows":
        x = x.reshape(36, -1)
    with pytest.raises(InputError, match=words):
        quick(**options).partial_fit(x, y, NAMES) if arrays == "part" else quick(**options).fit(x, y)


def test_images_of_another_size_and_missing_labels_are_refused():
    x, y = stripes()
    model = quick(epochs=1).fit(x, y)
    with pytest.raises(InputError, match=r"fitted on images \(8, 8, 1\), got \(7, 8, 1\)"):
        model.predict(x[:, 1:])
    with pytest.raises(InputError, match="got 36 images, 35 labels"):
        quick().fit(x, y[1:])
    with pytest.raises(InputError, match="got 1 class"):
        quick().fit(x[::3], y[::3])
