"""Which number is explained, and for which class: every score by hand, every way to name a class."""

import warnings

import numpy as np
import pytest
from saliency_networks import METHODS, SHAPE, cnn, linear, score_by_hand, weights

from batik_scratch import saliency
from batik_scratch.errors import InputError
from batik_scratch.saliency import scores

LOGITS = np.array([[1.0, 3.0, -2.0, 2.5], [0.5, -1.0, 0.25, 4.0], [2.0, 1.0, 0.0, -1.0]])  # (N, U)
CLASSES = np.array([1, 0, 3])  # the strongest, the second, the last


@pytest.mark.parametrize("score", scores.SCORES)
def test_a_score_and_its_slope_at_the_logits(score):
    expected = [score_by_hand(score, z, c) for z, c in zip(LOGITS, CLASSES, strict=True)]
    assert np.allclose(scores.value(score, LOGITS, CLASSES), expected, rtol=1e-14)
    slope = scores.seed(score, LOGITS, CLASSES)
    for n, u in np.ndindex(*LOGITS.shape):
        step = np.zeros(4)
        step[u] = 1e-6
        ends = [score_by_hand(score, LOGITS[n] + s, CLASSES[n]) for s in (step, -step)]
        assert slope[n, u] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


@pytest.mark.parametrize("score", scores.SCORES)
def test_scores_and_slopes_leave_the_logits_as_they_are(score):
    logits = LOGITS.copy()
    scores.value(score, logits, CLASSES)
    scores.seed(score, logits, CLASSES)
    assert np.array_equal(logits, LOGITS)


def test_scores_of_a_certain_network_stay_finite():
    """A probability below the smallest float32 is 0, its logarithm is still the logits' difference."""
    logits, classes = np.array([[0.0, 300.0]], np.float32), np.array([0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scores.value("probability", logits, classes) == 0
        assert scores.value("log_probability", logits, classes) == -300
        assert scores.value("loss", logits, classes) == 300


def test_the_scores_of_one_image_know_nothing_of_another():
    logits, classes = np.array([[1.0, 2.0], [2001.0, 2002.0]]), np.array([1, 1])
    with np.errstate(all="raise"):
        for score in scores.SCORES:
            first, second = scores.value(score, logits, classes)
            assert second - first == (2000 if score == "logit" else 0)


def test_an_unknown_score_is_an_error_with_all_names():
    with pytest.raises(InputError, match="logit, probability, log_probability, loss, margin; got 'odds'"):
        scores.seed("odds", LOGITS, CLASSES)


def test_the_margins_gradient_is_that_over_the_strongest_other_class():
    model, x = linear(3, classes=4), np.random.default_rng(3).random((5, 4, 3, 2))
    maps = saliency.Gradient(model).attribute(x, target=[0, 1, 2, 3, 0], score="margin")
    for image, target, found in zip(x, [0, 1, 2, 3, 0], maps, strict=True):
        logits = model.logits(image[None])[0]
        other = max((c for c in range(4) if c != target), key=lambda c: logits[c])
        assert np.allclose(found, (weights(model, target) - weights(model, other))[0], atol=1e-14)


# ---------------------------------------------------------------------- the class that is explained


def three_ways(name, targets):
    """The maps of five images a batch of two at a time, and each alone with its class as a whole number."""
    model, x = cnn(1), np.random.default_rng(8).random((5, *SHAPE))
    known = {"labels": np.array([2, 0, 1, 1, 0])} if isinstance(targets, str) and targets == "true" else {}
    together = METHODS[name](model).attribute(x, target=targets, batch_size=2, **known)
    assert len(set(model.logits(x).argmax(axis=1))) > 1
    classes = {"predicted": model.logits(x).argmax(axis=1), "true": known.get("labels")}
    singly = classes[targets] if isinstance(targets, str) else np.broadcast_to(targets, 5)
    alone = [METHODS[name](model).attribute(i[None], target=int(c)) for i, c in zip(x, singly, strict=True)]
    return together, np.concatenate(alone)


@pytest.mark.parametrize("targets", [1, np.int64(2), [2, 0, 1, 1, 0], np.array([0, 2, 2, 1, 0], np.uint8), "predicted"])
@pytest.mark.parametrize("name", METHODS)
def test_each_image_is_explained_for_its_own_class(name, targets):
    together, alone = three_ways(name, targets)
    assert np.abs(together - alone).max() < 1e-11


@pytest.mark.parametrize("name", METHODS)
def test_true_is_each_images_label_and_warns(name):
    with pytest.warns(UserWarning, match="contain the answer"):
        together, alone = three_ways(name, "true")
    assert np.abs(together - alone).max() < 1e-11


def test_the_warning_about_the_answer_comes_once_and_names_the_callers_line():
    x = np.random.default_rng(1).random((5, 4, 3, 2))
    with pytest.warns(UserWarning) as told:
        saliency.IntegratedGradients(linear(1)).attribute(x, "true", batch_size=2, labels=[0, 1, 2, 0, 1])
    assert [warning.filename for warning in told] == [__file__]


@pytest.mark.parametrize("name", ["smoothgrad", "integrated", "occlusion"])
def test_the_predicted_class_is_that_of_the_image_itself_not_of_its_copies(name):
    """The image is barely class 1; its noisy, faded and covered copies are mostly class 0."""
    model = linear(0, classes=2)
    model.layers[1].params["kernel"][...] = np.random.default_rng(0).normal(size=(24, 2))
    model.layers[1].params["kernel"][:, 1] = np.linspace(0.1, 0.2, 24)
    x = np.random.default_rng(2).random((1, 4, 3, 2))
    model.layers[1].params["bias"][...] = 0
    logits = model.logits(x)[0]
    model.layers[1].params["bias"][0] = logits[1] - logits[0] - 1e-6
    make = {
        "smoothgrad": lambda: saliency.SmoothGrad(model, 9, 2.0),
        "integrated": lambda: saliency.IntegratedGradients(model, 9),
        "occlusion": lambda: saliency.Occlusion(model, 2),
    }[name]
    maps = [make().attribute(x, target=t) for t in ("predicted", 1, 0)]
    assert np.array_equal(maps[0], maps[1]) and np.abs(maps[0] - maps[2]).max() > 0.01


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": -1}, r"0\.\.2; got -1\.\.-1"),
        ({"target": [0, 1, 3]}, r"0\.\.2; got 0\.\.3"),
        ({"target": 3}, r"0\.\.2; got 3\.\.3"),
        ({"target": [0.0, 1.0, 2.0]}, "one class index"),
        ({"target": [[0], [1], [2]]}, "each of the 3 images"),
        ({"target": [0, 1]}, r"each of the 3 images; got \[0, 1\]"),
        ({"target": "true"}, "labels="),
        ({"target": "true", "labels": [0, 1]}, "3 images"),
        ({"target": "true", "labels": [0, 1, 7]}, r"0\.\.2"),
        ({"target": "truth"}, '"predicted" or "true"; got \'truth\''),
        ({"batch_size": 0}, ">= 1, got 0"),
        ({"images": np.zeros((4, 3, 2))}, r"got shape \(4, 3, 2\)"),
        ({"images": np.full((3, 4, 3, 2), True)}, "finite numbers"),
        ({"images": np.full((3, 4, 3, 2), np.inf)}, "finite numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:maps of the true class")
@pytest.mark.parametrize("method", [saliency.Gradient, lambda m: saliency.Occlusion(m, 2)])
def test_a_class_that_cannot_be_is_an_error(method, change, message):
    with pytest.raises(InputError, match=message):
        method(linear(0)).attribute(**({"images": np.full((3, 4, 3, 2), 0.5)} | change))


def test_the_smallest_batch_and_the_outermost_classes_are_allowed():
    x = np.random.default_rng(4).random((3, 4, 3, 2))
    maps = saliency.Gradient(linear(4)).attribute(x, target=[0, 2, 2], batch_size=1)
    assert np.allclose(maps, np.concatenate([weights(linear(4), c) for c in (0, 2, 2)]))


@pytest.mark.parametrize("name", METHODS)
def test_no_images_give_no_maps(name):
    channels = 1 if "cam" in name else 3
    assert METHODS[name](cnn(0)).attribute(np.zeros((0, *SHAPE))).shape == (0, 9, 8, channels)


@pytest.mark.parametrize("name", METHODS)
def test_pictures_of_black_and_white_in_whole_numbers_count_as_those_in_fractions(name):
    x = np.random.default_rng(5).integers(0, 2, (3, *SHAPE))
    make = (lambda m: saliency.Occlusion(m, 3, fill=0.5)) if name == "occlusion" else METHODS[name]
    assert np.allclose(make(cnn(1)).attribute(x), make(cnn(1)).attribute(x.astype(float)), atol=1e-14)
