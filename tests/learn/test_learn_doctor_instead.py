"""What stands in a gradient instead of what forward has: each told, and what only resembles it not."""

import math

import numpy as np
import pytest

from batik_scratch.learn import adapt
from batik_scratch.learn.doctor import diagnose, diagnose_loss

ROOT = math.sqrt(2 / math.pi)


def named(forward, backward, shape, params=None):
    found = diagnose(adapt.functions(forward, backward, params), shape)
    assert len(found) == 1, found
    return found[0].name, found[0].sentence


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# ------------------------------------------------------------------ windows


def pool(x, k=2, s=2):
    places = [(i, j) for i in range(0, x.shape[1] - k + 1, s) for j in range(0, x.shape[2] - k + 1, s)]
    rows = 1 + (x.shape[1] - k) // s
    maxima = np.stack([x[:, i : i + k, j : j + k].max(axis=(1, 2)) for i, j in places], axis=1)
    return maxima.reshape(len(x), rows, -1, x.shape[3]), (x, k, s)


def unpool(dy, cache, turns, at=None):
    """The first of as many windows as `turns` says, images, rows and columns; to the maximum, or all to one place."""
    x, k, s = cache
    dx = np.zeros_like(x)
    for n, i, j in np.ndindex(
        *(length if turn is None else turn for length, turn in zip(dy.shape, turns, strict=False))
    ):
        window = x[n, s * i : s * i + k, s * j : s * j + k]
        where = window == window.max(axis=(0, 1))
        if at is not None:
            where = np.zeros_like(where)
            where[at] = True
        dx[n, s * i : s * i + k, s * j : s * j + k] += where * dy[n, i, j]
    return dx


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ((1, 1, 1), "first window of the first image"),
        ((None, 1, 1), "first window of each image"),
        ((None, 1, None), "first row"),
        ((1, None, None), "first image"),
        ((None, 2, None), None),
    ],
)
def test_a_return_inside_the_loop_of_a_pooling_is_told_by_what_was_filled(turns, words):
    name, sentence = named(pool, lambda dy, cache: unpool(dy, cache, turns), (6, 6, 2))
    assert name == "zero in a region"
    assert (f"Only the {words} of dy (3, 3, 3, 2)" in sentence) if words else ("return" not in sentence)


@pytest.mark.parametrize("stride", [2, 1])
def test_a_pooling_that_sends_all_to_one_place_of_each_window_does_not_look_for_the_winner(stride):
    def backward(at):
        return lambda dy, cache: unpool(dy, cache, (None,) * 3, at)

    name, sentence = named(lambda x: pool(x, 2, stride), backward((0, 1)), (4, 4, 2))
    assert name == "winner not looked up" and "to (0, 1)" in sentence
    # of the window's smallest, found by x, it is not said
    lowest = named(
        lambda x: pool(x, 2, stride),
        lambda dy, cache: unpool(dy, (-cache[0], *cache[1:]), (None,) * 3),
        (4, 4, 2),
    )
    assert lowest[0] != "winner not looked up"
    assert diagnose(adapt.functions(lambda x: pool(x, 2, stride), backward(None)), (4, 4, 2)) == []


def test_a_gradient_cut_to_whole_numbers_is_told_and_one_rounded_or_zeroed_is_not():
    def cut(to):
        return lambda dy, cache: to(unpool(3 * dy, cache, (None,) * 3))

    def forward(x):
        y, cache = pool(x)
        return 3 * y, cache

    name, sentence = named(forward, cut(np.trunc), (4, 6, 2))
    assert name == "cut to whole numbers" and "array of integers" in sentence
    assert named(forward, cut(np.round), (4, 6, 2))[0] != "cut to whole numbers"
    assert named(forward, cut(np.floor), (4, 6, 2))[0] != "cut to whole numbers"


def test_a_window_that_is_not_divided_by_its_area_is_not_called_after_a_height_that_is_as_large():
    def average(x):
        return x.reshape(len(x), 2, 2, 2, 2, x.shape[3]).mean(axis=(2, 4)) if x.shape[1:3] == (4, 4) else halved(x)

    def halved(x):
        n, h, w, c = x.shape
        return x.reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))

    name, sentence = named(average, lambda dy, x: dy.repeat(2, axis=1).repeat(2, axis=2), (4, 4, 3))
    assert name == "constant factor" and "alike: window's area." in sentence


# ------------------------------------------------------------------ formulas


def gelu(x):
    return 0.5 * x * (1 + np.tanh(ROOT * (x + 0.044715 * x**3)))


def slope_of_gelu(x, cubic=3 * 0.044715):
    th = np.tanh(ROOT * (x + 0.044715 * x**3))
    return 0.5 * (1 + th) + 0.5 * x * (1 - th**2) * ROOT * (1 + cubic * x**2)


def slope_by_erf(x):
    return 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


@pytest.mark.parametrize(
    ("slope", "expected", "words"),
    [
        (slope_by_erf, "another form", "backward has the slope of a GELU by erf"),
        (lambda x: slope_of_gelu(x, 0.044715), "inner derivative", "without the factor 3 of the cube"),
        (lambda x: slope_of_gelu(x, 0.0), "inner derivative", "without the cube's"),
        (lambda x: slope_of_gelu(x, 0.1), "unexplained", "none of the usual mistakes"),
        (lambda x: slope_of_gelu(x, 0.1342), "unexplained", "It is nearly right, to "),
    ],
)
def test_the_forms_of_a_gelu_and_slips_in_its_inner_derivative_are_told_apart(slope, expected, words):
    name, sentence = named(gelu, lambda dy, x: dy * slope(x), (9,))
    assert name == expected and words in sentence
    assert ("nearly right" in sentence) == ("nearly right" in words)


def test_a_right_gelu_of_any_form_is_let_pass():
    assert diagnose(adapt.functions(gelu, lambda dy, x: dy * slope_of_gelu(x)), (9,)) == []


def test_the_formula_of_a_sigmoid_with_a_softmax_input_in_it_is_told_and_with_half_of_it_not():
    name, sentence = named(softmax, lambda dy, z: dy * z * (1 - z), (4,))
    assert name == "input for output" and "rows add up to 1" in sentence
    name, sentence = named(lambda z: z**4, lambda dy, z: dy * z * (1 - z), (4,))
    assert name == "input for output" and "rows add up to 1" not in sentence
    assert named(softmax, lambda dy, z: dy * z * (0.5 - z), (4,))[0] != "input for output"


def test_inputs_that_stand_where_the_weights_belong_are_told_and_other_factors_are_not():
    def dense(x, w):
        return x @ w, (x, w)

    def backward(factor):
        return lambda dy, c: (dy.sum(axis=1, keepdims=True) * factor(c[0]), c[0].T @ dy)

    assert named(dense, backward(lambda x: x), (6,), {"w": (6, 4)})[0] == "inputs for weights"
    assert named(dense, backward(lambda x: x + 1), (6,), {"w": (6, 4)})[0] != "inputs for weights"


# ------------------------------------------------------------------ shapes


def test_a_border_of_width_zero_that_is_cut_off_leaves_nothing_and_other_shapes_are_none_of_that():
    name, sentence = named(lambda x: 2 * x, lambda dy: (2 * dy)[:, 0:-0, 0:-0], (4, 5, 3))
    assert name == "nothing left" and "-0 is 0" in sentence
    assert named(lambda x: 2 * x, lambda dy: (2 * dy)[:, 1:-1], (4, 5, 3))[0] == "wrong shape"


def test_a_gradient_that_keeps_the_images_is_told_to_sum_them_if_its_sum_is_right():
    def forward(x, w, b):
        return (w @ x.T + b).T, (x, w)

    def backward(factor):
        return lambda dy, c: (dy @ c[1], dy.T @ c[0], factor * dy.T)

    params = {"w": (4, 6), "b": (4, 1)}
    name, sentence = named(forward, backward(1), (6,), params)
    assert name == "not summed" and "3 times along that axis, once to each image: " in sentence
    assert ".sum(axis=1, keepdims=True)" in sentence
    assert named(forward, backward(2), (6,), params)[0] == "wrong shape"


# ------------------------------------------------------------------ losses


def of_a_value(value, **options):
    def loss(z, y):
        p = softmax(z)
        return value(p, y), (p - np.eye(p.shape[1])[y]) / len(y)

    (found,) = diagnose_loss(loss, **options)
    return found


@pytest.mark.parametrize(
    "value",
    [
        lambda p, y: np.mean(-np.log(p[:, y])),
        lambda p, y: np.mean(-p[np.arange(len(y)), y]),
        lambda p, y: np.mean(1 - p[np.arange(len(y)), y] ** 2),
    ],
)
def test_of_a_value_that_is_another_losss_it_is_told_to_which_the_gradient_belongs(value):
    found = of_a_value(value)
    assert found.name == "gradient of another loss" and "softmax cross-entropy of logits" in found.sentence


def test_with_weights_in_the_value_alone_the_weights_are_what_is_told():
    weights = np.array([1.0, 2.0, 0.5, 3.0])
    found = of_a_value(lambda p, y: np.mean(weights[y] * -np.log(p[np.arange(len(y)), y])))
    assert found.name == "a factor to each row" and "one to each class" in found.sentence


def test_a_value_that_broadcasts_to_a_square_is_told_by_the_gradient_and_a_gradient_of_no_loss_is_not():
    def loss(off):
        return lambda p, y: (0.5 * np.sum((y[:, 0] - p) ** 2) / len(p), (p - y + off) / len(p))

    (found,) = diagnose_loss(loss(0), classes=1, targets="numbers")
    assert found.name == "gradient of another loss" and "(N, N)" in found.sentence
    (found,) = diagnose_loss(loss(1e-3), classes=1, targets="numbers")
    assert found.name == "unexplained"
