"""Losses of several kinds, right and wrong: the gradient that they have in place of the right one is named."""

import numpy as np
import pytest

from batik_scratch.errors import InputError
from batik_scratch.learn.doctor import diagnose_loss
from batik_scratch.nn.gradcheck import check_loss

WEIGHTS = np.array([1.0, 2.0, 0.5, 3.0, 1.5, 0.7])


def softmax(z, axis=1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def one_hot(y, z):
    return np.eye(z.shape[1])[y]


def log_loss(z, y):
    return np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]


def entropy(z, y):
    return log_loss(z, y).mean()


def weighted(z, y):
    return (WEIGHTS[y] * log_loss(z, y)).mean()


def smoothed(z, y):
    return -((0.9 * one_hot(y, z) + 0.1 / z.shape[1]) * np.log(softmax(z))).sum(axis=1).mean()


def binary(z, t):
    return (np.logaddexp(0, z) - t * z).mean()


def binary_on_p(p, t):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()


def entropy_on_p(p, t):
    return -(t * np.log(p)).sum(axis=1).mean()


def squared(x, t):
    return ((x - t) ** 2).mean()


def huber(x, t):
    d = np.abs(x - t)
    return np.where(d < 0.7, d * d / 2, 0.7 * (d - 0.35)).mean()


BINARY, ON_P = {"targets": "binary"}, {"targets": "binary", "probabilities": True}
ONE_HOT_P, NUMBERS = {"targets": "one-hot", "probabilities": True}, {"targets": "numbers"}
RIGHT = {
    "entropy": (entropy, lambda z, y: (softmax(z) - one_hot(y, z)) / len(z), {}),
    "weighted": (weighted, lambda z, y: WEIGHTS[y][:, None] * (softmax(z) - one_hot(y, z)) / len(z), {}),
    "smoothed": (smoothed, lambda z, y: (softmax(z) - 0.9 * one_hot(y, z) - 0.1 / z.shape[1]) / len(z), {}),
    "binary": (binary, lambda z, t: (sigmoid(z) - t) / z.size, BINARY),
    "binary on p": (binary_on_p, lambda p, t: (p - t) / (p * (1 - p)) / p.size, ON_P),
    "entropy on p": (entropy_on_p, lambda p, t: -t / p / len(p), ONE_HOT_P),
    "squared": (squared, lambda x, t: 2 * (x - t) / x.size, NUMBERS),
    "absolute": (lambda x, t: np.abs(x - t).mean(), lambda x, t: np.sign(x - t) / x.size, NUMBERS),
    "huber": (huber, lambda x, t: np.clip(x - t, -0.7, 0.7) / x.size, NUMBERS),
    "squared sigmoid": (
        lambda z, t: squared(sigmoid(z), t),
        lambda z, t: 2 * (sigmoid(z) - t) * sigmoid(z) * (1 - sigmoid(z)) / z.size, BINARY),
}  # fmt: skip


def both(value, gradient):
    return lambda outputs, y: (value(outputs, y), gradient(outputs, y))


@pytest.mark.parametrize(("value", "gradient", "options"), RIGHT.values(), ids=RIGHT)
def test_a_right_loss_passes_the_check_and_gets_no_diagnosis(value, gradient, options):
    assert check_loss(both(value, gradient), **options).ok
    assert diagnose_loss(both(value, gradient), **options) == []


@pytest.mark.parametrize(("value", "gradient", "options"), RIGHT.values(), ids=RIGHT)
def test_a_loss_that_is_nearly_right_is_caught_and_not_called_by_a_name_that_only_nearly_fits(value, gradient, options):
    def nearly(outputs, y):
        right = gradient(outputs, y)
        return right * (1 + 1e-3 * np.arange(right.size).reshape(right.shape) / right.size)

    assert not check_loss(both(value, nearly), **options).ok
    (found,) = diagnose_loss(both(value, nearly), **options)
    assert found.name in ("unexplained", "true class wrong"), str(found)  # of -t / p nothing else is not zero


WRONG = {
    "weights forgotten": ("a factor to each row", weighted, RIGHT["entropy"][1], {}, "one to each class (0: 1, 1: 0.5"),
    "smoothing forgotten": ("smoothing differs", smoothed, RIGHT["entropy"][1], {}, "Forward smooths"),
    "smoothing added": ("smoothing differs", entropy, RIGHT["smoothed"][1], {}, "Backward smooths"),
    "numbers for rows": (
        "labels not one-hot", entropy, lambda z, y: (softmax(z) - y[:, None]) / len(z), {}, "p[np.arange(N), y] -= 1"),
    "softmax twice": (
        "activation twice", entropy, lambda z, y: (softmax(softmax(z)) - one_hot(y, z)) / len(z), {}, "softmax(soft"),
    "softmax of columns": (
        "another activation", entropy, lambda z, y: (softmax(z, 0) - one_hot(y, z)) / len(z), {}, "over the images"),
    "logits": ("another activation", entropy, lambda z, y: (z - one_hot(y, z)) / len(z), {}, "the logits z"),
    "second sigmoid": (
        "activation twice", binary, lambda z, t: (sigmoid(sigmoid(z)) - t) / z.size, BINARY, "sigmoid(sigmoid(z))"),
    "slope too many": (
        "activation's slope", binary, lambda z, t: (sigmoid(z) - t) * sigmoid(z) * (1 - sigmoid(z)) / z.size, BINARY,
        "once too often"),
    "slope missing": (
        "activation's slope", RIGHT["squared sigmoid"][0], lambda z, t: 2 * (sigmoid(z) - t) / z.size, BINARY, "lacks"),
    "slope of the logits": (
        "input for output", RIGHT["squared sigmoid"][0], lambda z, t: 2 * (sigmoid(z) - t) * z * (1 - z) / z.size,
        BINARY, "z (1 - z)"),
    "no division by p": (
        "activation's slope", entropy_on_p, lambda p, t: -t / len(p), ONE_HOT_P, "log z is 1/z"),
    "one term": (
        "one kind of target alone", binary_on_p, lambda p, t: -t / p / p.size, ON_P, "that term is missing"),
    "of the logits": (
        "gradient at the logits", entropy_on_p, lambda p, t: (p - t) / len(p), ONE_HOT_P, "-t / p"),
    "half of a square": ("constant factor", squared, lambda x, t: (x - t) / x.size, NUMBERS, "0.5 times"),
    "no clipping": ("right on one side", huber, lambda x, t: (x - t) / x.size, NUMBERS, "|d| > about 0.6"),
    "no sign": (
        "another formula", RIGHT["absolute"][0], lambda x, t: (x - t) / x.size, NUMBERS, "the loss is 0.05 sign(d)"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "value", "gradient", "options", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_loss_is_named_with_its_evidence(name, value, gradient, options, words):
    assert not check_loss(both(value, gradient), **options).ok
    (found,) = diagnose_loss(both(value, gradient), **options)
    assert found.name == name and words in found.sentence, str(found)


def test_unknown_targets_are_refused_with_those_there_are():
    for examine in (check_loss, diagnose_loss):
        with pytest.raises(InputError, match="classes, one-hot, binary, numbers, got 'words'"):
            examine(both(*RIGHT["entropy"][:2]), targets="words")
