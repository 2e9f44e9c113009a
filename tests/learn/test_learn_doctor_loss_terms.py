"""A root, a logarithm or a sum around a loss that its gradient knows nothing of; and losses that nearly forget one."""

import numpy as np
import pytest

from batik_scratch.learn.doctor import diagnose_loss


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def root_of_each_image(z, t):
    lengths = np.sqrt(((z - t) ** 2).sum(1))
    return lengths.mean(), (z - t) / lengths[:, None] / len(z), (z - t) / len(z)


def log_of_squares(z, t):
    inner = 1 + ((z - t) ** 2).sum()
    return np.log(inner), 2 * (z - t) / inner, 2 * (z - t)


def minus_log_of_a_mean(z, t):
    near = np.exp(-((z - t) ** 2))
    slope = -2 * (z - t) * near / z.size
    return -np.log(near.mean()), -slope / near.mean(), -slope


def exp_of_squares(z, t):
    value = np.exp(((z - t) ** 2).mean())
    return value, value * 2 * (z - t) / z.size, 2 * (z - t) / z.size


def square_of_a_mean(z, t):
    mean = np.abs(z - t).mean()
    return mean**2, 2 * mean * np.sign(z - t) / z.size, np.sign(z - t) / z.size


def relative_error(z, t):
    up, down = ((z - t) ** 2).sum(), (z**2).sum()
    first = 2 * (z - t) / down
    return up / down, first - up / down**2 * 2 * z, first


def cosine_of_each_row(z, t):
    size, along = np.linalg.norm(z, axis=1, keepdims=True), (z * t).sum(1, keepdims=True)
    first = -t / size / len(z)
    return -(along / size).mean(), first + along * z / size**3 / len(z), first


def overlap_of_each_column(z, t):
    p = sigmoid(z)
    up, down = (p * t).sum(0), p.sum(0) + t.sum(0) + 1
    first = -(t / down) * p * (1 - p)
    return 1 - (up / down).sum(), first + up / down**2 * p * (1 - p), first


def mean_taken_away(z, t):
    d = z - z.mean(1, keepdims=True) - t
    return (d**2).sum() / 2, d - d.mean(1, keepdims=True), d


CASES = [
    (root_of_each_image, "numbers", "outer derivative missing", "each image's value^2 / 2"),
    (log_of_squares, "numbers", "outer derivative missing", "exp(-value)"),
    (minus_log_of_a_mean, "numbers", "outer derivative missing", "multiply by its derivative too, exp(value)"),
    (exp_of_squares, "numbers", "outer derivative missing", "takes exp at the end"),
    (square_of_a_mean, "numbers", "outer derivative missing", "2 sqrt(value)"),
    (relative_error, "numbers", "sum taken for a constant", "at all places, times the output itself"),
    (cosine_of_each_row, "numbers", "sum taken for a constant", "at all places of a row, times the output itself"),
    (overlap_of_each_column, "binary", "sum taken for a constant", "at all places of a column, times p (1 - p)"),
    (mean_taken_away, "numbers", "sum taken for a constant", "a sum or mean of all these outputs"),
]
IDS = [one[0].__name__ for one in CASES]


@pytest.mark.parametrize(("parts", "targets", "name", "words"), CASES, ids=IDS)
def test_what_the_gradient_knows_nothing_of_is_told(parts, targets, name, words):
    def wrong(z, t):
        value, _, lacking = parts(z, t)
        return value, lacking

    (found,) = diagnose_loss(wrong, targets=targets)
    assert found.name == name and words in found.sentence, str(found)


@pytest.mark.parametrize(("parts", "targets", "name", "words"), CASES, ids=IDS)
def test_a_gradient_that_knows_it_and_one_that_is_off_elsewhere_too_are_not_told_so(parts, targets, name, words):
    def right(z, t):
        return parts(z, t)[:2]

    def nearly(z, t):
        value, _, lacking = parts(z, t)
        return value, lacking * (1 + 1e-3 * np.sin(1 + np.arange(z.size)).reshape(z.shape))

    assert diagnose_loss(right, targets=targets) == []
    assert name not in {one.name for one in diagnose_loss(nearly, targets=targets)}


def test_a_factor_that_is_the_value_in_one_batch_alone_is_no_outer_derivative():
    (seen,) = diagnose_loss(lambda z, t: (np.mean((z - t) ** 2), -2 * (z - t) / z.size), targets="numbers")
    assert seen.name == "wrong sign"
    values = {}

    def loss(z, t):
        value = np.mean((z - t) ** 2)
        values.setdefault(z.shape, []).append(value)
        return value, values[z.shape][0] * 2 * (z - t) / z.size

    assert diagnose_loss(loss, targets="numbers")[0].name != "outer derivative missing"
