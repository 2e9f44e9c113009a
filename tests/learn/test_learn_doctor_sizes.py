"""Gradients of the wrong size: which number is named, after which size of the layer, and where nothing is said."""

import numpy as np
import pytest
from witness import changed, elementwise, examined, number

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose


def square(x):
    return x * x


def slope(x, dy):
    return 2 * x * dy


def spoilt(place, value):
    """The right gradient of the square but for one place (or region)."""

    def g(x, dy):
        dx = slope(x, dy)
        dx[place] = value
        return dx

    return g


# ------------------------------------------------------------------ nothing, or not a number


def test_numbers_that_are_none_are_counted_and_the_first_is_named():
    def g(x, dy):
        dx = slope(x, dy)
        dx[2, 0], dx[1, 3] = np.inf, np.nan
        return dx

    found, _ = elementwise(square, g, (4,))
    assert found.name == "not a number"
    assert found.sentence.startswith("2 of 12 values are NaN or infinite, the first at (1, 3). ")


def test_only_zeros_are_told_with_the_largest_value_that_there_should_be():
    found, seen = elementwise(square, lambda x, dy: 0 * x + 9e-9, (4,))
    largest = np.abs(slope(seen.x, seen.dy)).max()
    assert found.name == "always zero"
    assert found.sentence.startswith(f"All 12 values are zero; the true gradient reaches {number(largest)}. ")
    (other,) = diagnose(changed(nn.Flatten, lambda dx, *_: 0 * dx + 2e-8), (2, 2, 1))
    assert other.name != "always zero"


@pytest.mark.parametrize(("f", "reach"), [(np.round, 0.3), (np.ones_like, -0.7)])
def test_what_should_be_zero_is_told_with_what_it_reaches(f, reach):
    found, seen = elementwise(f, lambda x, dy: reach * dy, (4,))
    assert found.name == "should be zero"
    assert (
        f"All 12 values should be zero, and reach {number(np.abs(reach * seen.dy).max())}: moving x a" in found.sentence
    )


def test_a_parameter_that_should_have_no_gradient_is_named():
    class Unused(nn.Dense):
        def forward(self, x, training=False, keep=None):
            return super().forward(x, training, keep) - self.params["bias"]

    (found,) = diagnose(Unused(3), (5,))
    assert "moving bias a little changes no y" in found.sentence and "depend on bias" in found.sentence


@pytest.mark.parametrize(
    ("places", "count", "words"),
    [
        (np.s_[1:, 1:3, :, 0], 20, "the places [1:3, 1:3, :, 0]"),
        (np.s_[2, 0, 4, 1], 1, "the places [2, 0, 4, 1]"),
        (np.s_[:, 3], 30, "the places [:, 3, :, :]"),
        (np.s_[:2, ::3, 1:, 1], 16, "scattered within [0:2, :, 1:5, 1]"),
    ],
)
def test_a_region_of_zeros_is_counted_and_bounded(places, count, words):
    found, _ = elementwise(square, spoilt(places, 0), (4, 5, 2))
    assert found.name == "zero in a region"
    assert found.sentence.startswith(
        f"{count} of 120 values are zero and should not be ({words}); all others are right."
    )


def test_a_region_of_zeros_beside_wrong_values_is_something_else():
    found, _ = elementwise(square, lambda x, dy: spoilt(np.s_[:, 0], 0)(x, dy) * np.where(x > 1.5, 1.001, 1), (5,))
    assert found.name == "unexplained"


# ------------------------------------------------------------------ how wrong is wrong


@pytest.mark.parametrize(("off", "wrong"), [(3e-8, False), (3e-7, True), (1e-5, True), (1e-3, True)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_a_place_is_wrong_from_a_ten_millionth_of_the_largest_value(off, wrong, size):
    def g(x, dy):
        dx = size * dy
        dx[1, 2] += off * np.abs(dx).max() + (2e-8 if wrong else 2e-9)
        return dx

    layer = changed(nn.Flatten, lambda dx, *_: dx)
    layer.forward, layer.backward = (lambda x, **_: size * x.copy()), (lambda dy: g(None, dy))
    assert bool(diagnose(layer, (4,))) == wrong


def test_what_cannot_be_explained_is_told_by_its_worst_place_and_how_many_are_wrong():
    found, seen = elementwise(
        square, lambda x, dy: slope(x, dy) + 0.1 * (np.sin(9 * x) > 0) * dy**2 + (x > 1.7) * 3 * dy**2, (5,)
    )
    right = slope(seen.x, seen.dy)
    off = 0.1 * (np.sin(9 * seen.x) > 0) * seen.dy**2 + 3 * (seen.x > 1.7) * seen.dy**2
    worst = np.unravel_index(np.abs(off).argmax(), off.shape)
    place = tuple(int(i) for i in worst)
    assert found.name == "unexplained"
    assert found.sentence.startswith(
        f"{np.count_nonzero(off)} of 15 values are wrong, by most at {place}: {number((right + off)[worst], 6)}, "
        f"and it should be {number(right[worst], 6)}."
    )


# ------------------------------------------------------------------ a factor, and after what it is called


@pytest.mark.parametrize("factor", [2.0, -2.5, 1.7, 1.001, 1e-3, 1e4])
def test_a_factor_is_told_in_six_digits_for_two_sizes(factor):
    found, _ = elementwise(square, lambda x, dy: factor * slope(x, dy), (5,))
    assert found.name == "constant factor"
    first, second = "3 inputs of shape (5,)", "5 inputs of shape (6,)"
    known = {2.0: ": 2"}.get(factor, "")
    assert (
        f"Every value is {factor:.6g} times the true one with {first} and with {second} alike{known}. "
        in found.sentence
    )
    assert "Look for a factor that forward does not have, or for one of forward's" in found.sentence


def test_a_factor_of_minus_one_is_a_wrong_sign_and_one_near_it_is_not():
    assert elementwise(square, lambda x, dy: -slope(x, dy), (5,))[0].name == "wrong sign"
    found, _ = elementwise(square, lambda x, dy: -1.0001 * slope(x, dy), (5,))
    assert found.name == "constant factor" and "-1.0001 times" in found.sentence


def sizes_of(layer):
    n, *shape = layer.given.shape
    return n, *shape


ROW_FACTORS = {  # of a dense layer with 4 units on 5 features, a batch of 3
    "N": lambda n, d, u: n,
    "1/N": lambda n, d, u: 1 / n,
    "D": lambda n, d, u: d,
    "1/D": lambda n, d, u: 1 / d,
    "U": lambda n, d, u: u,
    "1/U": lambda n, d, u: 1 / u,
    "N*D": lambda n, d, u: n * d,
    "1/(N*D)": lambda n, d, u: 1 / n / d,
    "N*U": lambda n, d, u: n * u,
    "1/(N*U)": lambda n, d, u: 1 / (n * u),
    "3": lambda n, d, u: 3,
    "10": lambda n, d, u: 10,
    "1/2": lambda n, d, u: 0.5,
}


@pytest.mark.parametrize("label", ROW_FACTORS)
@pytest.mark.parametrize("of", ["dx", "kernel"])
def test_a_factor_that_follows_a_size_of_rows_is_called_by_it(label, of):
    factor = ROW_FACTORS[label]
    layer = changed(nn.Dense, lambda g, self, dy: g * factor(*self.given.shape, self.units), 4, of=of)
    found, _ = examined(layer, (5,))
    here, there = factor(3, 5, 4), factor(5, 6, 4)
    same = "alike" if here == there else "5 inputs of shape (6,)"
    assert found.sentence.startswith(f"Every value is {here:.6g} times the true one with 3 inputs of shape (5,) and ")
    assert f"{same}: {label}. " in found.sentence and (
        here == there or f"and {there:.6g} times it with 5" in found.sentence
    )
    assert ("The mean over the batch is taken once" in found.sentence) == (label in ("N", "1/N"))


IMAGE_FACTORS = {  # of a convolution with 7 filters of 3 x 2 on 5 x 8 x 4: 3 x 7 places
    "N": lambda n, h, w, oh, ow: n,
    "H": lambda n, h, w, oh, ow: h,
    "W": lambda n, h, w, oh, ow: w,
    "C": lambda n, h, w, oh, ow: 4,
    "F": lambda n, h, w, oh, ow: 7,
    "OH": lambda n, h, w, oh, ow: oh,
    "OW": lambda n, h, w, oh, ow: ow,
    "H*W": lambda n, h, w, oh, ow: h * w,
    "OH*OW": lambda n, h, w, oh, ow: oh * ow,
    "H*W*C": lambda n, h, w, oh, ow: h * w * 4,
    "N*OH*OW": lambda n, h, w, oh, ow: n * oh * ow,
    "kh*kw": lambda n, h, w, oh, ow: 6,
    "kh*kw*C": lambda n, h, w, oh, ow: 24,
    "1/OH": lambda n, h, w, oh, ow: 1 / oh,
    "1/(OH*OW)": lambda n, h, w, oh, ow: 1 / (oh * ow),
    "1/(kh*kw)": lambda n, h, w, oh, ow: 1 / 6,
}


@pytest.mark.parametrize("label", IMAGE_FACTORS)
def test_a_factor_that_follows_a_size_of_images_is_called_by_it(label):
    factor = IMAGE_FACTORS[label]

    def scaled(g, self, dy):
        n, h, w, _ = self.given.shape
        return g * factor(n, h, w, *dy.shape[1:3])

    found, _ = examined(changed(nn.Conv2D, scaled, 7, (3, 2), of="bias"), (5, 8, 4))
    here, there = factor(3, 5, 8, 3, 7), factor(5, 6, 10, 4, 9)
    same = here == there
    assert found.sentence.startswith(
        f"Every value is {here:.6g} times the true one with 3 inputs of shape (5, 8, 4) and "
    )
    assert (
        "alike: " if same else f"{there:.6g} times it with 5 inputs of shape (6, 10, 4): "
    ) + f"{label}. " in found.sentence
    assert ("Places are summed where forward uses" in found.sentence) == ("OH" in label or "H*W" in label)


@pytest.mark.parametrize(
    ("label", "factor"), [("rate", 0.3), ("1-rate", 0.7), ("1/rate", 1 / 0.3), ("1/(1-rate)", 1 / 0.7)]
)
def test_a_factor_of_dropout_is_called_by_its_rate(label, factor):
    found, _ = examined(changed(nn.Dropout, lambda dx, *_: factor * dx, 0.3), (30,))
    assert f" alike: {label}. Forward scales what it keeps by 1/(1-rate)" in found.sentence


def test_a_factor_that_no_second_run_could_confirm_is_told_of_the_first():
    class Fixed(nn.Flatten):
        def infer_shape(self, input_shape):
            if input_shape != (2, 3, 1):
                raise ValueError("only this")
            return super().infer_shape(input_shape)

    found, _ = examined(changed(Fixed, lambda dx, *_: 7 * dx), (2, 3, 1))
    assert found.sentence.startswith(
        "Every value is 7 times the true one with 3 inputs of shape (2, 3, 1) "
        "and with 5 inputs of shape (2, 3, 1) alike. "
    )

    class FixedBatch(nn.Flatten):
        def forward(self, x, training=False, keep=None):
            if len(x) != 3:
                raise ValueError("only three")
            return super().forward(x, training, keep)

    found, _ = examined(changed(FixedBatch, lambda dx, *_: 7 * dx), (2, 3, 1))
    assert found.sentence.startswith("Every value is 7 times the true one. ")
    found, _ = examined(changed(FixedBatch, lambda dx, *_: 6 * dx), (2, 3, 1))
    assert found.sentence.startswith("Every value is 6 times the true one: U. ")


def test_a_factor_is_seen_beside_kinks():
    edge = 2.5 * 3.9 / 12  # the kinks of the clipping lie under two of the twelve values
    found, seen = elementwise(lambda x: np.clip(x, -edge, edge), lambda x, dy: 2 * dy * (np.abs(x) < edge), (4,))
    assert np.isclose(np.abs(seen.x), edge).sum() == 2
    assert found.name == "constant factor" and found.sentence.startswith("Every value is 2 times")


@pytest.mark.parametrize(("least", "count", "name"), [(1.0, 3, "constant factor"), (1.3, 2, "")])
def test_two_values_that_are_not_zero_are_too_few_for_a_factor(least, count, name):
    found, seen = elementwise(lambda x: np.maximum(x - least, 0), lambda x, dy: 1.7 * dy * (x > least), (4,))
    assert (seen.x > least).sum() == count and (found.name == "constant factor") == bool(name)
