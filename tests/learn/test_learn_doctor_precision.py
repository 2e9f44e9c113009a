"""A layer that computes in float32 on the way hears that, and not that its gradient is wrong."""

import numpy as np
import pytest

from batik_scratch.learn import adapt
from batik_scratch.learn.doctor import diagnose
from batik_scratch.nn.gradcheck import check_layer


def dense(of_x=np.float64, of_w=np.float64):
    def forward(x, w):
        x, w = x.astype(of_x), w.astype(of_w)
        return x.astype(float) @ w.astype(float), (x.astype(float), w.astype(float))

    return adapt.functions(forward, lambda dy, c: (dy @ c[1].T, c[0].T @ dy), {"w": (6, 4)})


@pytest.mark.parametrize(("tensor", "rounded"), [("x", {"of_x": np.float32}), ("w", {"of_w": np.float32})])
def test_a_copy_into_float32_on_the_way_is_told_by_the_doctor_and_the_check(tensor, rounded):
    layer = dense(**rounded)
    (found,) = diagnose(layer, (6,))
    assert (found.tensor, found.name) == ("y", "float32 inside") and f"copies {tensor} into float32" in found.sentence
    assert [(row.name, row.method) for row in check_layer(layer, (6,)).wrong] == [("y", "float32 inside")]
    assert {row.method for row in check_layer(layer, (6,), thorough=True).wrong} == {"float32 inside"}


RIGHT = {
    "float64": dense(),
    "hardly": adapt.functions(lambda x: 1 + 1e-10 * x, lambda dy: 1e-10 * dy),
    "steps": adapt.functions(lambda x: np.sign(x), lambda dy: 0 * dy),
    "saturated": adapt.functions(lambda x: np.tanh(30 * x), lambda dy, x: dy * 30 * (1 - np.tanh(30 * x) ** 2)),
}


@pytest.mark.parametrize("layer", RIGHT.values(), ids=RIGHT)
def test_what_hardly_feels_its_input_is_not_taken_for_float32(layer):
    assert not [found for found in diagnose(layer, (6,)) if found.name == "float32 inside"]
    assert not [row for row in check_layer(layer, (6,)).wrong if row.method == "float32 inside"]
