"""How the doctor runs a layer: with which sizes, seeds and limits, on random numbers that are frozen, and on a copy."""

import numpy as np
import pytest
from witness import changed, elementwise, examined, remembering

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.learn.doctor import diagnose


def minus(dx, *_):
    return -dx


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_layer_is_run_on_as_many_images_as_are_asked_for(n):
    _, seen = examined(changed(nn.Dense, minus, 4), (5,), n=n)
    assert seen.x.min() < -1 and seen.x.max() > 1
    assert seen.x.shape == (n, 5) and seen.dy.shape == (n, 4)
    assert len(set(seen.x.ravel())) == seen.x.size and np.abs(seen.x).max() < 1.951


def test_three_images_and_seed_0_are_usual_and_other_seeds_give_other_numbers():
    usual = examined(changed(nn.Dense, minus, 4), (5,))[1]
    same = examined(changed(nn.Dense, minus, 4), (5,), n=3, seed=0)[1]
    other = examined(changed(nn.Dense, minus, 4), (5,), seed=1)[1]
    assert np.array_equal(usual.x, same.x) and np.array_equal(usual.dy, same.dy)
    assert not np.array_equal(usual.x, other.x) and not np.array_equal(usual.dy, other.dy)
    for params in (usual.params, other.params):
        assert (params["bias"] != 0).all()  # zeros would hide what is missing
        assert np.abs(params["bias"]).max() < 0.5


def test_all_runs_in_double_precision_whatever_the_layer_was():
    layer = changed(nn.Dense, minus, 4).astype("float32")
    _, seen = examined(layer, (5,))
    assert seen.x.dtype == seen.dy.dtype == seen.params["kernel"].dtype == np.float64


@pytest.mark.parametrize(("units", "fits"), [(1000, True), (1001, False)])
def test_four_million_derivatives_are_measured_and_no_more(units, fits):
    class Wide(nn.Layer):
        def create_params(self, input_shape, rng):
            return {"bias": np.zeros(4 * 1000)}

        def forward(self, x, training=False, keep=None):
            return np.zeros((len(x), units)) + 0.0 * x[:, :1]

        def backward(self, dy, need_dx=True, need_grads=True):
            self.grads = {"bias": np.zeros(4 * 1000)}
            return np.zeros((len(dy), 4))

    if fits:
        assert diagnose(Wide(), (4,), n=1) == []
    else:
        with pytest.raises(
            InputError, match=r"shape \(4,\) y has 1,001 numbers and the largest tensor 4,000, .* 4,004,000"
        ):
            diagnose(Wide(), (4,), n=1)


def shrunk(n, shape, kernel):
    """Batch and shape at which a convolution of four filters fits: two thirds of each size above four, three images."""
    h, w, c = shape
    while n * (h - kernel + 1) * (w - kernel + 1) * 4 * max(n * h * w * c, kernel**2 * c * 4) > 4_000_000:
        n, h, w, c = min(n, 3), *(size * 2 // 3 if size > 4 else size for size in (h, w, c))
    return n, (h, w, c)


@pytest.mark.parametrize(("shape", "n", "kernel"), [((40, 50, 3), 5, 3), ((4, 300, 3), 2, 2), ((20, 24, 6), 1, 3)])
def test_images_are_made_a_third_smaller_until_they_fit_and_a_large_batch_becomes_three(shape, n, kernel):
    found, seen = examined(changed(nn.Conv2D, lambda g, *_: 1.7 * g, 4, kernel, of="bias"), shape, n=n)
    first, (h, w, c) = shrunk(n, shape, kernel)
    second, larger = shrunk(first + 2, (h + 1, w + 2, c), kernel)
    assert found.sentence.startswith(
        f"Every value is 1.7 times the true one with {first} inputs of shape {(h, w, c)} "
        f"and with {second} inputs of shape {larger}"
    )
    assert seen.x.shape == (n, *shape)  # the run that found it too large


def test_random_numbers_are_the_same_at_each_forward_and_others_where_a_layer_draws_more():
    draws = []

    class Noisy(remembering(nn.Dropout)):
        def forward(self, x, training=False, keep=None):
            draws.append(self.rng.random())
            return super().forward(x, training, keep)

    assert diagnose(Noisy(0.3), (6,)) == []
    assert len(set(draws)) == 1 and len(draws) > 30


def test_the_derivative_at_a_kink_is_left_out_and_wrong_values_beside_it_are_found():
    edge = 2.5 * 3.9 / 12  # under two of the twelve values
    found, seen = elementwise(
        lambda x: np.clip(x, -edge, edge),
        lambda x, dy: dy * (np.abs(x) < edge) * np.where(x == x.flat[5], 1.01, 1),
        (4,),
    )
    assert found.name == "unexplained" and found.sentence.startswith("1 of 12 values are wrong, by most at (1, 1): ")
    assert np.isclose(np.abs(seen.x), edge).sum() == 2


def test_a_layer_that_raises_on_the_way_is_told_by_the_call_and_its_first_words():
    class Stops(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            raise RuntimeError("  the first line\nand another")

    (found,) = diagnose(Stops(3), (5,))
    assert (found.tensor, found.name) == ("backward", "raises")
    assert (
        found.sentence
        == "backward stops with RuntimeError: the first line. Make the same call by hand: the traceback names the line."
    )


def test_both_what_was_changed_and_what_is_wrong_are_told():
    class Both(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy)
            self.grads["bias"] = -self.grads["bias"]
            dy *= 0
            return dx

    assert [(one.tensor, one.name) for one in diagnose(Both(3), (5,))] == [
        ("dy", "mutated upstream gradient"),
        ("bias", "wrong sign"),
    ]


def test_what_was_changed_under_way_explains_a_gradient_that_nothing_else_does():
    class Odd(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy)
            dy *= 0
            return dx + 0.1 * dx**2

    assert [(one.tensor, one.name) for one in diagnose(Odd(3), (5,))] == [("dy", "mutated upstream gradient")]


def test_all_wrong_tensors_are_told_in_order_dx_first():
    class All(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy)
            self.grads = {"kernel": -self.grads["kernel"], "bias": 2 * self.grads["bias"]}
            return 0 * dx

    found = [(one.tensor, one.name) for one in diagnose(All(3), (5,))]
    assert found == [("dx", "always zero"), ("kernel", "wrong sign"), ("bias", "constant factor")]
