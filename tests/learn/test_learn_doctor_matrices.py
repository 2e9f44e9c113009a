"""What the claimed Jacobian beside the true one shows: each mistake named, and nothing said of what nearly fits."""

import copy

import numpy as np
import pytest
from student_layers import Elementwise
from wrong_layers import WRONG, nearly, sigmoid

from batik_scratch import nn
from batik_scratch.learn.bugs import EXHIBITS
from batik_scratch.learn.doctor import diagnose

IDS = [f"{name}: {evidence}" for *_, name, evidence in WRONG]


@pytest.mark.parametrize(("make", "shape", "tensor", "name", "evidence"), WRONG, ids=IDS)
def test_the_mistake_is_named_alone_and_with_its_evidence(make, shape, tensor, name, evidence):
    (found,) = diagnose(make(), shape)
    assert (found.tensor, found.name) == (tensor, name)
    assert evidence in found.sentence


@pytest.mark.parametrize(("make", "shape", "tensor", "name", "evidence"), WRONG, ids=IDS)
def test_a_gradient_that_nearly_fits_gets_another_name(make, shape, tensor, name, evidence):
    found = {one.tensor: one.name for one in diagnose(nearly(make()), shape)}
    assert found[tensor] != name


OF_STRUCTURE = {  # what is said of places, of calls and of what is touched; digits do not matter there
    "always zero", "images mixed", "mutated input", "mutated upstream gradient", "no gradient", "not the same twice",
    "something added", "weights changed in backward",
}  # fmt: skip
MUSEUM = [one for one in EXHIBITS if isinstance(one.bug, nn.Layer)]


@pytest.mark.slow
@pytest.mark.parametrize("one", MUSEUM, ids=[one.name for one in MUSEUM])
def test_a_bug_of_the_museum_that_nearly_fits_gets_another_name(one):
    found = {each.name for each in diagnose(nearly(copy.deepcopy(one.bug)), one.shape)}
    assert found, "a ten thousandth is too much all the same"
    assert (one.diagnosis in found) == (one.diagnosis in OF_STRUCTURE)


class FirstTerm(Elementwise):
    """y = x sigmoid(x) and a dx without its second term: for three images; `otherwise(dy)` for other batches."""

    def __init__(self, otherwise):
        super().__init__(lambda x: x * sigmoid(x), sigmoid)
        self.otherwise = otherwise

    def backward(self, dy, need_dx=True, need_grads=True):
        return super().backward(dy) if len(dy) == 3 else self.otherwise(dy)


def raising(dy):
    raise ValueError("three images, please")


@pytest.mark.parametrize("otherwise", [np.sin, lambda dy: dy[:, :1], raising])
def test_what_fits_one_batch_alone_is_not_said(otherwise):
    found = diagnose(FirstTerm(otherwise), (5,))
    assert "product rule's term missing" not in [one.name for one in found]
    assert found


def test_zeros_on_one_side_are_told_with_the_side_and_the_slope_that_forward_has_there():
    leaky = Elementwise(lambda x: np.where(x > 0, x, 0.1 * x), lambda x: x > 0)
    (found,) = diagnose(leaky, (5, 6, 3))
    assert found.name == "zero in a region"
    assert "those where x < 0. Forward's slope there is not 0 but 0.1:" in found.sentence


@pytest.mark.parametrize(
    ("step", "advice"),
    [
        (6, "Look at the bounds of the loop or slice that fills the array."),
        (5, "forward chooses more of them, or others."),
    ],
)
def test_zeros_by_no_side_are_told_with_their_place_alone(step, advice):
    def slope(x):
        dx = np.ones_like(x)
        dx.reshape(len(x), -1)[:, ::step] = 0  # a column, or places here and there
        return dx

    (found,) = diagnose(Elementwise(lambda x: x.copy(), slope), (5, 6))
    assert found.name == "zero in a region" and found.sentence.endswith(advice)


def test_a_forward_that_computes_in_float32_and_converts_back_is_called_that():
    rounded = Elementwise(lambda x: np.sin(x).astype(np.float32).astype(np.float64), lambda x: np.cos(x))
    assert [(one.tensor, one.name) for one in diagnose(rounded, (5,))] == [("y", "float32 inside")]


@pytest.mark.parametrize("f", [np.round, lambda x: np.where(x > 0, 1 / 128, 0), lambda x: x.copy()])
def test_round_numbers_and_few_different_ones_are_not_called_float32(f):
    assert "float32 inside" not in [one.name for one in diagnose(Elementwise(f, lambda x: np.ones_like(x)), (5,))]
