"""The doctor names what is wrong from numbers alone, and says nothing where nothing is."""

import sys

import numpy as np
import pytest
from right_cases import right_case
from student_layers import ANSWERS, RIGHT

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.learn.bugs import EXHIBITS
from batik_scratch.learn.bugs.dense import BatchForgottenInBias
from batik_scratch.learn.doctor import diagnose, diagnose_loss, diagnose_optimizer, diagnose_quotient
from batik_scratch.nn.gradcheck.numeric import central_difference

LAYERS = [exhibit for exhibit in EXHIBITS if isinstance(exhibit.bug, nn.Layer)]


def names(diagnoses):
    return [diagnosis.name for diagnosis in diagnoses]


def nothing_in(seeds):
    found = {}
    for seed in seeds:
        layer, shape, n = right_case(seed)
        if diagnoses := diagnose(layer, shape, n, seed):
            found[seed] = (layer.config(), shape, n, names(diagnoses))
    return found


def test_no_diagnosis_where_the_gradient_is_right():
    assert nothing_in(range(100)) == {}


@pytest.mark.slow
def test_no_diagnosis_over_more_random_right_cases():
    assert nothing_in(range(100, 300)) == {}


@pytest.mark.parametrize("exhibit", LAYERS, ids=lambda e: e.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_each_bug_gets_its_own_diagnosis_and_no_other_with_other_numbers_too(exhibit, seed):
    assert names(diagnose(exhibit.bug, exhibit.shape, n=4, seed=seed)) == [exhibit.diagnosis]


@pytest.mark.parametrize(("layer", "shape", "tensor", "name"), ANSWERS, ids=lambda value: type(value).__name__)
def test_a_typical_wrong_answer_of_a_student_gets_the_right_word(layer, shape, tensor, name):
    assert [(found.tensor, found.name) for found in diagnose(layer, shape)] == [(tensor, name)]


def test_the_right_answer_in_plain_loops_gets_none():
    assert diagnose(*RIGHT) == []


def test_right_losses_optimisers_and_quotients_get_no_diagnosis():
    for classes in (2, 5):
        assert diagnose_loss(nn.SparseCategoricalCrossentropy(from_logits=True), classes=classes) == []
    for optimizer in (
        nn.Adam(),
        nn.Adam(0.1, 0.5, 0.6, 1e-2),
        nn.AdamW(),
        nn.AdamW(0.1, 2.0),
        nn.SGD(),
        nn.SGD(0.1, 0.9),
        nn.SGD(0.1, 0.9, True),
    ):
        assert diagnose_optimizer(optimizer) == []
    assert diagnose_quotient(central_difference) == []


def test_a_diagnosis_says_where_what_and_in_which_numbers():
    (found,) = diagnose(BatchForgottenInBias(3), (6,))
    assert found.tensor == "bias" and "(3, 3)" in found.sentence and str(found).startswith("bias: bias summed over")


def test_a_factor_is_named_by_the_size_that_it_follows():
    class Mean(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy, need_dx, need_grads)
            self.grads = {key: g * len(dy) for key, g in self.grads.items()}
            return dx / self.units

    sentences = {d.tensor: d.sentence for d in diagnose(Mean(4), (5,))}
    assert all("5 times it with 5 inputs of shape (6,): N." in sentences[name] for name in ("kernel", "bias"))
    assert (
        "0.25 times the true one with 3 inputs of shape (5,) and with 5 inputs of shape (6,) alike: 1/U."
        in sentences["dx"]
    )


def layer_with(**methods):
    return type("Student", (nn.Layer,), methods)()


def forwards(self, x, training=False, keep=None):
    self._kept = x
    return x * x


def backwards(self, dy, need_dx=True, need_grads=True):
    return 2 * self._kept * dy


def test_a_right_layer_of_a_student_is_right():
    assert diagnose(layer_with(forward=forwards, backward=backwards), (4,)) == []


def raising(self, *arguments, **options):
    raise ZeroDivisionError("oh no")


@pytest.mark.parametrize(
    ("methods", "name", "tensor"),
    [
        ({"forward": raising, "backward": backwards}, "raises", "forward"),
        ({"forward": forwards, "backward": raising}, "raises", "backward"),
        ({"forward": forwards, "backward": backwards, "infer_shape": raising}, "raises", "build"),
        ({"forward": lambda *a, **o: None, "backward": backwards}, "not an array", "y"),
        ({"forward": lambda *a, **o: "text", "backward": backwards}, "not an array", "y"),
        ({"forward": forwards, "backward": lambda *a, **o: None}, "no gradient", "dx"),
        ({"forward": forwards, "backward": lambda *a, **o: "text"}, "not an array", "dx"),
        ({"forward": forwards, "backward": lambda self, dy, *a: 1.0}, "wrong shape", "dx"),
        ({"forward": forwards, "backward": lambda self, dy, *a: dy * np.nan}, "not a number", "dx"),
        ({"forward": lambda self, x, *a, **o: x / 0, "backward": lambda self, dy, *a: dy}, "not a number", "y"),
        ({"forward": forwards, "backward": lambda self, dy, *a: dy.astype(np.float32)}, "dtype changed", "dx"),
        ({"forward": lambda self, x, *a, **o: x > 0, "backward": lambda self, dy, *a: dy}, "dtype changed", "y"),
        ({"forward": forwards, "backward": lambda self, dy, *a: np.zeros(0)}, "wrong shape", "dx"),
        ({"forward": forwards, "backward": lambda self, dy, *a: sys.exit("bye")}, "raises", "backward"),
        ({"forward": forwards, "backward": lambda self, dy, *a: 2 * self._kept}, "upstream gradient ignored", "dx"),
        ({"forward": forwards, "backward": lambda self, dy, *a: dy * np.sin(7 * self._kept)}, "unexplained", "dx"),
        ({"forward": lambda self, x, *a, **o: x * np.random.default_rng().random(), "backward": lambda self, dy: dy},
         "forward not repeatable", "y"),
    ],
)  # fmt: skip
def test_a_layer_that_does_not_keep_the_contract_gets_a_word_and_no_traceback(methods, name, tensor):
    (found,) = diagnose(layer_with(**methods), (4,))
    assert (found.name, found.tensor) == (name, tensor) and len(found.sentence) > 30


def test_the_patient_is_left_alone():
    layer = nn.Dense(3)
    layer.build((4,), np.random.default_rng(0))
    before = layer.params["kernel"].copy()
    diagnose(layer, (4,))
    assert np.array_equal(layer.params["kernel"], before) and layer.dtype == "float32"
    with pytest.raises(InputError, match="needs a kept forward pass"):  # none was run on it
        layer.backward(np.ones((1, 3)))
