"""Losses that are right but for a factor: what is said is true, and nothing is said that could not have failed."""

import numpy as np
import pytest

from batik_scratch.learn import adapt
from batik_scratch.learn.doctor import diagnose, diagnose_loss

WEIGHTS = np.array([1.0, 2.0, 0.5, 3.0])


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def of_the_target(p, y):
    return p[np.arange(len(y)), y]


def less_the_target(p, y):
    return p - np.eye(p.shape[1])[y]


def named(loss, **options):
    (found,) = diagnose_loss(loss, **options)
    return found.name, found.sentence


@pytest.mark.parametrize("gradient", [lambda p, y: p - 2 * y, lambda p, y: np.sin(37 * p) + y])
def test_of_one_column_no_factor_to_each_row_is_told_because_it_would_fit_anything(gradient):
    def loss(p, y):
        return 0.5 * np.sum((y[:, 0] - p) ** 2) / len(p), gradient(p, y)

    assert named(loss, classes=1, targets="numbers")[0] == "unexplained"


def test_of_two_columns_that_add_up_to_zero_neither():
    def loss(z, y):
        p = softmax(z)
        given = less_the_target(p, y) * np.sin(37 * z[:, :1])
        return -np.log(of_the_target(p, y)).mean(), given

    assert named(loss, classes=2)[0] == "unexplained"
    assert named(loss, classes=4)[0] == "a factor to each row"


@pytest.mark.parametrize("size", [1e-7, 1e-5, 1e-3, 0.1])
@pytest.mark.parametrize("side", ["forward", "backward"])
def test_an_epsilon_in_the_logarithm_of_one_pass_is_told_with_its_size_and_its_weight(size, side):
    def loss(z, y):
        p = softmax(z)
        pt = of_the_target(p, y)
        inside, factor = (size, 1) if side == "forward" else (0, (pt / (pt + size))[:, None])
        return -np.log(pt + inside).mean(), factor * less_the_target(p, y) / len(z)

    name, sentence = named(loss)
    assert name == "epsilon on one side" and f"epsilon of {size:.2g} " in sentence
    assert f"{side} has log(p + epsilon)" in sentence
    assert ("hardly matters" in sentence) == (size < 1e-4)


def test_an_epsilon_is_told_of_probabilities_and_of_binary_targets_too():
    def binary(p, t):
        value = -(t * np.log(p + 1e-4) + (1 - t) * np.log(1 - p + 1e-4)).mean()
        return value, ((1 - t) / (1 - p) - t / p) / p.size

    assert "epsilon of 0.0001 " in named(binary, targets="binary", probabilities=True)[1]


def test_an_epsilon_in_both_passes_is_right_and_another_power_of_p_is_no_epsilon():
    def loss(power, both):
        def of(z, y):
            p = softmax(z)
            pt = of_the_target(p, y)
            factor = pt / (pt + 1e-3) if both else pt / (pt + 1e-3 * pt**power)
            return -np.log(pt + 1e-3).mean(), factor[:, None] * less_the_target(p, y) / len(z)

        return of

    assert diagnose_loss(loss(0, True)) == []
    assert named(loss(0.5, False))[0] == "a factor to each row"


def focal(gradient, **options):
    def loss(z, y):
        p = z if options.get("probabilities") else softmax(z)
        pt = of_the_target(p, y)
        return np.mean((1 - pt) ** 2 * -np.log(pt)), gradient(p, pt, y) / len(z)

    return diagnose_loss(loss, **options)


@pytest.mark.parametrize("probabilities", [False, True])
def test_a_weight_that_hangs_on_the_outputs_and_is_not_differentiated_is_told_by_the_product_rule(probabilities):
    options = {"probabilities": probabilities}
    (found,) = focal(lambda p, pt, y: ((1 - pt) ** 2)[:, None] * less_the_target(p, y), **options)
    assert found.name == "weight held fixed" and "its own derivative is missing" in found.sentence


def test_with_that_derivative_nothing_is_told_and_with_another_power_no_more_than_is_known():
    def right(p, pt, y):
        return ((1 - pt) ** 2 + 2 * pt * (1 - pt) * -np.log(pt))[:, None] * less_the_target(p, y)

    assert focal(right) == []
    (found,) = focal(lambda p, pt, y: ((1 - pt) ** 3)[:, None] * less_the_target(p, y))
    assert found.name == "a factor to each row" and "another one for other outputs" in found.sentence
    assert "its row of the gradient is multiplied by too" not in found.sentence


def weighted(change):
    def loss(z, t):
        p, w = softmax(z), WEIGHTS[t.argmax(axis=1)]
        return np.mean(w * -np.log((p * t).sum(axis=1))), change(p - t, w) / len(z)

    return diagnose_loss(loss, targets="one-hot")


def test_weights_of_the_classes_by_column_are_told_and_other_factors_of_columns_are_not():
    assert weighted(lambda off, w: off * w[:, None]) == []
    (found,) = weighted(lambda off, w: off * WEIGHTS)
    assert found.name == "weights by column" and "(2 : 4 : 1 : 6," in found.sentence
    (found,) = weighted(lambda off, w: off * w[:, None] * WEIGHTS)
    assert found.name == "unexplained"


@pytest.mark.parametrize(
    ("times", "told", "untold"),
    [
        (lambda n: -1 / n, ["the targets less p", "climbs"], ["stands there"]),
        (lambda n: 1 / n, ["is p less the targets"], ["climbs", "stands there"]),
        (lambda n: 1, ["is p less the targets", "5 times, which is N:"], ["climbs"]),
        (lambda n: -1, ["the targets less p", "climbs", "5 times, which is N:"], []),
    ],
)
def test_of_the_gradient_at_the_logits_sign_and_size_are_told_where_they_are_wrong(times, told, untold):
    def loss(p, t):
        return -np.sum(t * np.log(p)) / len(p), (p - t) * times(len(p))

    name, sentence = named(loss, targets="one-hot", probabilities=True)
    assert name == "gradient at the logits"
    assert all(word in sentence for word in told) and not any(word in sentence for word in untold)


def test_a_leaky_relu_with_a_minus_too_many_hears_so_and_the_sign_of_an_absolute_value_is_forwards():
    leaky = adapt.functions(lambda x: np.maximum(0.01 * x, x), lambda dy, x: dy * np.where(x > 0, 1, -0.01))
    (found,) = diagnose(leaky, (5,))
    assert "a minus too many" in found.sentence and "-0.01" in found.sentence
    (found,) = diagnose(adapt.functions(np.abs, lambda dy, x: dy), (5,))
    assert found.name == "sign lost" and "forward goes the other way there" in found.sentence


@pytest.mark.parametrize(("scale", "times"), [(1.0, "20 times, which is N U:"), (1 / 20, "")])
def test_of_binary_targets_the_size_at_the_logits_is_told_too(scale, times):
    def loss(p, t):
        return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(), (p - t) * scale

    name, sentence = named(loss, targets="binary", probabilities=True)
    assert name == "gradient at the logits"
    assert times in sentence and ("stands there" in sentence) == bool(times)


def test_a_loss_of_rows_that_are_made_to_add_up_to_one_is_examined_without_stopping():
    def loss(p, t):
        q = p / p.sum(axis=1, keepdims=True)
        return -np.sum(t * np.log(q)), t - p

    name, sentence = named(loss, targets="one-hot", probabilities=True)
    assert name == "gradient at the logits" and "climbs" in sentence and "stands there" not in sentence


def test_a_loss_that_cannot_take_one_image_alone_is_still_examined():
    def loss(z, y):
        if len(z) < 2:
            raise ValueError("a batch, please")
        p = softmax(z)
        pt = of_the_target(p, y)
        return np.mean((1 - pt) ** 2 * -np.log(pt)), ((1 - pt) ** 2)[:, None] * less_the_target(p, y) / len(z)

    name, sentence = named(loss)
    assert name == "a factor to each row" and "product rule" in sentence


def test_the_value_of_a_loss_that_feels_no_rounding_is_not_called_float32():
    def loss(p, t):
        return np.abs(p).sum(), 2 * np.sign(p)

    assert named(loss, targets="numbers")[0] == "constant factor"
