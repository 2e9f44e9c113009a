"""Each explanation of a wrong loss has a case where it is right and one, nearly the same, where it keeps quiet."""

import numpy as np
import pytest

from batik_scratch.learn.doctor import LOSS_EXPLANATIONS, diagnose_loss
from batik_scratch.learn.symptoms import (
    altered,
    loss_formulas,
    loss_rows,
    loss_terms,
    losses,
    reruns,
    sides,
    size,
)

BINARY, NUMBERS = {"targets": "binary"}, {"targets": "numbers"}
ONE_HOT, ON_P = {"targets": "one-hot"}, {"targets": "one-hot", "probabilities": True}
TOLD_ELSEWHERE = {size.not_measured, reruns.unexplained}  # where every derivative jumps; where nothing else fits


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def hot(z, y):
    return np.eye(z.shape[1])[y] if y.ndim == 1 else y


def off(z, y):
    return (softmax(z) - hot(z, y)) / len(z)


def entropy(z, y):
    return -(hot(z, y) * np.log(softmax(z))).sum(1).mean()


def smoothed(z, y):
    return -((0.9 * hot(z, y) + 0.1 / z.shape[1]) * np.log(softmax(z))).sum(1).mean()


def focal(z, y):
    p = (softmax(z) * hot(z, y)).sum(1)
    return np.mean(-((1 - p) ** 2) * np.log(p))


def weights(z):
    return np.arange(1.0, 1 + z.shape[1])


def weighted(z, y):
    return -(hot(z, y) * weights(z) * np.log(softmax(z))).sum(1).mean()


def squared(z, t):
    return ((z - t) ** 2).mean()


def slope(z, t):
    return 2 * (z - t) / z.size


def mirrored(z, t):
    return 4 * z[:, ::-1] ** 3 / z.size


def without_the_last_column(g):
    return np.where(np.arange(g.shape[1]) < g.shape[1] - 1, g, 0)


def moved(g):
    return g.reshape(-1)[np.random.default_rng(1).permutation(g.size)].reshape(g.shape)


def focal_weight(z, y):
    return (1 - (softmax(z) * hot(z, y)).sum(1, keepdims=True)) ** 2


CASES = {
    size.not_a_number: ("not a number", entropy, lambda z, y: off(z, y) / 0, {}),
    size.always_zero: ("always zero", entropy, lambda z, y: 0 * z, {}),
    size.should_be_zero: ("should be zero", lambda z, y: 3.0, off, {}),
    loss_terms.outer_derivative_missing: (
        "outer derivative missing", lambda z, t: np.sqrt(squared(z, t)), slope, NUMBERS),
    size.constant_factor: ("constant factor", entropy, lambda z, y: 3 * off(z, y), {}),
    loss_formulas.slope_of_the_activation: (
        "activation's slope", lambda z, t: squared(sigmoid(z), t), lambda z, t: slope(sigmoid(z), t), BINARY),
    losses.true_class_forgotten: ("true class forgotten", entropy, lambda z, y: softmax(z) / len(z), {}),
    losses.only_the_true_class: ("only the true class", entropy, lambda z, y: off(z, y) * hot(z, y), {}),
    loss_formulas.labels_not_one_hot: (
        "labels not one-hot", entropy, lambda z, y: (softmax(z) - y[:, None]) / len(z), {}),
    loss_formulas.smoothing_differs: ("smoothing differs", smoothed, off, {}),
    loss_formulas.gradient_at_the_logits: (
        "gradient at the logits", lambda p, t: -(t * np.log(p)).sum(1).mean(), lambda p, t: (p - t) / len(p), ON_P),
    loss_formulas.another_activation: (
        "another activation", entropy, lambda z, y: (sigmoid(z) - hot(z, y)) / len(z), {}),
    loss_formulas.right_for_some_targets: (
        "one kind of target alone", lambda z, t: (np.logaddexp(0, z) - t * z).mean(),
        lambda z, t: t * (sigmoid(z) - t) / z.size, BINARY),
    size.zero_in_a_region: ("zero in a region", squared, lambda z, t: without_the_last_column(slope(z, t)), NUMBERS),
    loss_rows.epsilon_on_one_side: (
        "epsilon on one side", lambda z, y: -np.log((hot(z, y) * softmax(z)).sum(1) + 0.01).mean(), off, {}),
    loss_rows.weight_held_fixed: ("weight held fixed", focal, lambda z, y: focal_weight(z, y) * off(z, y), {}),
    loss_rows.weights_by_column: ("weights by column", weighted, lambda z, t: weights(z) * off(z, t), ONE_HOT),
    loss_rows.factor_by_row: ("a factor to each row", weighted, off, {}),
    sides.clipped: ("gradient clipped", entropy, lambda z, y: np.clip(off(z, y), -0.1, 0.1), {}),
    loss_formulas.another_loss_formula: (
        "another formula", lambda z, t: np.log(np.cosh(z - t)).sum(), lambda z, t: np.sin(z - t), NUMBERS),
    loss_rows.gradient_of_another_loss: (
        "gradient of another loss", lambda z, y: -np.log(softmax(z)).max(1).mean(), off, {}),
    loss_terms.sum_taken_for_a_constant: (
        "sum taken for a constant", lambda z, t: ((z - t) ** 2).sum() / (z**2).sum(),
        lambda z, t: 2 * (z - t) / (z**2).sum(), NUMBERS),
    altered.input_altered: ("mirrored", lambda z, t: (z**4).mean(), mirrored, NUMBERS),
    reruns.right_values_elsewhere: ("right values in wrong places", squared, lambda z, t: moved(slope(z, t)), NUMBERS),
}  # fmt: skip
NAMES, IDS = list(CASES.values()), [explanation.__name__ for explanation in CASES]
OTHERWISE = {  # what is nearly so, where a thousandth more or less would change nothing of it
    "not a number": lambda z, y: off(z, y) * 1e3,
    "always zero": lambda z, y: off(z, y) * (np.arange(len(z)) < 1)[:, None],
    "should be zero": lambda z, y: 0 * z,
    "gradient clipped": lambda z, y: np.clip(off(z, y), -0.1, 0.1) * (1 + 0.01 * (np.abs(off(z, y)) > 0.1) * z),
}


def test_every_explanation_of_a_loss_has_its_case():
    assert set(CASES) | TOLD_ELSEWHERE == set(LOSS_EXPLANATIONS)


@pytest.mark.parametrize(("name", "value", "gradient", "options"), NAMES, ids=IDS)
def test_it_is_said_where_it_is_right(name, value, gradient, options):
    (found,) = diagnose_loss(lambda z, y: (value(z, y), gradient(z, y)), **options)
    assert found.name == name, str(found)


@pytest.mark.parametrize(("name", "value", "gradient", "options"), NAMES, ids=IDS)
def test_it_is_not_said_where_it_is_nearly_right(name, value, gradient, options):
    def nearly(z, y):
        given = OTHERWISE.get(name, gradient)(z, y)
        spoilt = 1e-3 * np.sin(1 + np.arange(given.size)).reshape(given.shape)
        return value(z, y), given * (1 + spoilt * (name not in OTHERWISE))

    assert name not in {one.name for one in diagnose_loss(nearly, **options)}
