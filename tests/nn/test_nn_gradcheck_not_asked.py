"""thorough=True does not call wrong what a layer cannot do: another size, or knowing that it is at rest."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn import adapt
from batik_scratch.nn.gradcheck import check_layer


def verdicts(layer, shape):
    """{circumstance: True if right}"""
    return {row.method: row.ok for row in check_layer(layer, shape, thorough=True).tensors}


def scale(backward):
    return adapt.functions(lambda x, g: (x * g, (x, g)), backward, {"g": (3,)})


def test_weights_for_three_channels_are_not_asked_about_one_that_numpy_stretches():
    right = scale(lambda dy, c: (dy * c[1], (dy * c[0]).sum(axis=(0, 1))))
    assert verdicts(right, (4, 3))["input (4, 1): not asked"]
    assert verdicts(right, (4, 3))["input (5, 3)"]


def test_channels_beyond_the_last_weight_are_not_asked_about():
    def forward(x, w):
        return sum(x[:, :, i] * w[i] for i in range(3)), (x, w)

    def backward(dy, c):
        x, w = c
        return dy[:, :, None] * w, np.array([(dy * x[:, :, i]).sum() for i in range(3)])

    found = verdicts(adapt.functions(forward, backward, {"w": (3,)}), (4, 3))
    assert found["input (4, 4): not asked"] and found["input (4, 17): not asked"]


def test_a_layer_that_has_kept_the_size_of_its_inputs_is_not_asked_about_others():
    layer = adapt.functions(lambda x: np.pad(x, ((0, 0), (1, 1))), lambda dy: dy[:, 1:5].copy())
    assert verdicts(layer, (4,))["input (5,): not asked"]


class Halves(nn.Layer):
    """Right for an even length alone; its weights are made for whatever it is given."""

    def create_params(self, input_shape, rng):
        return {"g": rng.standard_normal(input_shape[-1:])}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return x * self.params["g"]

    def backward(self, dy, need_dx=True, need_grads=True):
        self.grads = {"g": (dy * self.x).sum(axis=0)}
        return (dy * self.params["g"])[:, : dy.shape[1] // 2 * 2]


def test_a_layer_that_makes_its_weights_for_each_size_is_asked_and_so_are_wrong_numbers_at_a_size_that_fits():
    assert verdicts(Halves(), (4,))["input (5,): shape"] is False

    def square_alone(dy, x):
        return dy * (2.0 if dy.shape[1] == dy.shape[2] else 3.0)

    found = verdicts(adapt.functions(lambda x: 2 * x, square_alone), (4, 4))
    assert found["input (5, 4)"] is False


class Drops:
    def forward(self, x):
        self.mask = np.random.default_rng().random(x.shape) > 0.5
        return x * self.mask * 2

    def backward(self, dy):
        return dy * self.mask * 2


def test_a_dropout_that_is_not_told_is_not_asked_about_rest_and_one_that_is_told_and_drops_is_wrong():
    assert verdicts(adapt.attributes(Drops()), (6,))["at rest, by chance: not asked"]

    def forward(x, training):
        mask = np.random.default_rng().random(x.shape) > 0.5
        return x * mask * 2, mask * 2

    assert verdicts(adapt.functions(forward, lambda dy, mask: dy * mask), (6,))["at rest, by chance"] is False


def normalisation(epsilon, factor=1.0):
    def forward(x, g, beta):
        m, s = x.mean(axis=0), np.sqrt(x.var(axis=0) + epsilon)
        return g * (x - m) / s + beta, ((x - m) / s, s, g)

    def backward(dy, c):
        h, s, g = c
        d = dy * g
        small = factor if s.max() < 0.01 else 1.0
        return small * (d - d.mean(axis=0) - h * (d * h).mean(axis=0)) / s, (dy * h).sum(axis=0), dy.sum(axis=0)

    return adapt.functions(forward, backward, {"g": (5,), "beta": (5,)})


@pytest.mark.parametrize("epsilon", [1e-3, 1e-5, 1e-7, 1e-8, 1e-9])
def test_a_small_epsilon_bends_what_is_measured_of_tiny_inputs_and_makes_no_normalisation_wrong(epsilon):
    assert verdicts(normalisation(epsilon), (5,))["x to 1e-9"]


def test_a_normalisation_that_is_wrong_by_a_hundredth_for_tiny_inputs_is_seen():
    assert verdicts(normalisation(1e-8, 1.01), (5,))["x to 1e-9"] is False
