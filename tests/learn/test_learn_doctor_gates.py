"""Gates and factors that are the wrong ones, place by place: what is named, and at how many places."""

from types import SimpleNamespace

import numpy as np
import pytest
from witness import count, elementwise, number

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose
from batik_scratch.learn.symptoms.claim import Claim
from batik_scratch.learn.symptoms.elementwise import wrong_mask


def relu(x):
    return np.maximum(x, 0)


@pytest.mark.parametrize(("sign", "word"), [(1, "negative"), (-1, "positive")])
@pytest.mark.parametrize("slope", [1, 3])
def test_a_gate_taken_from_the_gradient_is_told_with_its_side_and_count(sign, word, slope):
    found, seen = elementwise(lambda x: slope * x, lambda x, dy: slope * dy * (sign * dy > 0), (4, 5))
    assert found.name == "mask taken from the gradient"
    assert f"dx is zero at all {count(sign * seen.dy < 0)} places where dy is {word}." in found.sentence


def test_a_gate_shut_at_more_places_is_not_taken_from_the_gradient():
    found, seen = elementwise(lambda x: x * 1.0, lambda x, dy: dy * (dy > 0) * (x < 0.5), (4, 5))
    assert found.name == "zero in a region"
    assert found.sentence.startswith(f"{count((seen.dy < 0) | (seen.x > 0.5))} of 60 values are zero")


@pytest.mark.parametrize(("slope", "beside"), [(1.0, "right"), (2.0, "2 times the true value (a second mistake)")])
def test_a_missing_gate_is_told_with_how_many_places_leak_and_what_the_others_are(slope, beside):
    found, seen = elementwise(relu, lambda x, dy: slope * dy * (x > -1.5), (4, 5))
    leaks, blocked = count((seen.x < 0) & (seen.x > -1.5)), count(seen.x < 0)
    assert found.name == "mask missing"
    assert f"At {leaks} of the {blocked} places where nothing may flow the gradient is not zero; " in found.sentence
    assert f"elsewhere it is {beside}. " in found.sentence


@pytest.mark.parametrize(("least", "name"), [(-1.2, True), (-1.1, False)])
def test_a_gate_that_leaks_at_fewer_than_six_places_in_ten_is_not_missing(least, name):
    found, seen = elementwise(relu, lambda x, dy: dy * (x > least), (10,))
    leaks, blocked = count((seen.x < 0) & (seen.x > least)), count(seen.x < 0)
    assert (found.name == "mask missing") == name == (leaks >= 0.6 * blocked)


def test_a_gate_turned_round_is_told_with_both_counts():
    found, seen = elementwise(relu, lambda x, dy: dy * (x < 0) * 3, (3, 4, 3))
    assert found.name == "mask inverted"
    opened, shut = count(seen.x > 0), count(seen.x < 0)
    assert (
        f"dx is zero at the {opened} places where the gradient flows, and not at the {shut} where it is"
        in found.sentence
    )


def test_another_mask_is_told_with_what_is_open_and_what_is_shut():
    class Mask(nn.Layer):
        right, wrong = np.random.default_rng(4).random((2, 3, 20)) > 0.4

        def forward(self, x, training=False, keep=None):
            return 2.5 * x * self.right

        def backward(self, dy, need_dx=True, need_grads=True):
            return 2.5 * dy * self.wrong

    (found,) = diagnose(Mask(), (20,))
    opened, shut = count(Mask.wrong & ~Mask.right), count(Mask.right & ~Mask.wrong)
    assert found.name == "wrong mask" and opened != shut
    assert found.sentence.startswith(
        f"{opened} places are open that forward shut, and {shut} are shut that forward left open."
    )


def test_another_mask_is_no_explanation_where_other_numbers_are_wrong_too_or_no_place_is_open_in_both():
    dy = np.random.default_rng(1).random((2, 8)) + 0.5
    right, opened, shut = np.arange(8) < 5, np.arange(8) == 6, np.arange(8) == 1
    checkup = SimpleNamespace(numeric=lambda name: 2 * dy * right, dy=dy)
    explained = 2 * dy * (right & ~shut | opened)

    def words(name, given):
        return [words.split(":")[0] for words in wrong_mask(Claim(checkup, name, given))]

    assert words("dx", explained) == ["wrong mask"]
    assert words("dx", np.where(right & (dy < 1), 5, 1) * explained) == []
    assert words("dx", 2 * dy * ~right) == []
    assert words("kernel", explained) == []


def softmax(x):
    p = np.exp(x - x.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def test_a_diagonal_alone_is_told_with_the_largest_derivative_beside_it():
    found, seen = elementwise(softmax, lambda x, dy: dy * softmax(x) * (1 - softmax(x)), (5,))
    p = softmax(seen.x)
    largest = max(abs(row[i] * row[j]) for row in p for i in range(5) for j in range(5) if i != j)
    assert found.name == "diagonal only" and f"the largest such derivative is {number(largest)}. " in found.sentence


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    ("f", "g", "words"),
    [
        (np.exp, lambda x: 1, "lacks a factor y,"),
        (np.exp, lambda x: np.exp(2 * x), "has a factor y too many,"),
        (lambda x: x**2 / 2, lambda x: 1, "lacks a factor x,"),
        (np.sin, lambda x: np.cos(x) * x, "has a factor x too many,"),
        (sigmoid, sigmoid, "lacks a factor 1 - y,"),
        (np.sin, lambda x: np.cos(x) * (1 - np.sin(x)), "has a factor 1 - y too many,"),
        (np.tanh, lambda x: 1 - np.tanh(x), "lacks a factor 1 + y,"),
        (np.sin, lambda x: np.cos(x) * (1 + np.sin(x)), "has a factor 1 + y too many,"),
    ],
)
def test_a_factor_of_its_own_place_is_named(f, g, words):
    found, _ = elementwise(f, lambda x, dy: dy * g(x), (5,))
    assert found.name == "local factor"
    assert found.sentence.startswith(f"dx {words}") and "all 15 values are right" in found.sentence


@pytest.mark.parametrize(
    ("f", "g", "said"),
    [
        (
            sigmoid,
            lambda x: x * (1 - x),
            "dx is dy times x (1 - x), at all 15 places; it should be dy times y (1 - y).",
        ),
        (np.tanh, lambda x: 1 - x**2, "dx is dy times 1 - x^2, at all 15 places; it should be dy times 1 - y^2."),
        (np.exp, lambda x: x, "dx is dy times x, at all 15 places; it should be dy times y."),
        (np.sin, lambda x: x, "dx is dy times x, the input, at all 15 places."),
        (np.cos, np.cos, "dx is dy times y, the output, at all 15 places."),
    ],
)
def test_a_value_in_place_of_another_is_named(f, g, said):
    found, _ = elementwise(f, lambda x, dy: dy * g(x), (5,))
    assert found.sentence.startswith(said)
