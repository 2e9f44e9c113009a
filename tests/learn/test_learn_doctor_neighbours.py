"""A cache that all layers of a class have in common is told; one of each layer is right, however it is written."""

from batik_scratch import nn
from batik_scratch.learn import adapt
from batik_scratch.learn.doctor import diagnose


class Own(nn.Layer):
    def __init__(self):
        super().__init__()
        self.cache = {}

    def create_params(self, input_shape, rng):
        return {"w": rng.standard_normal((*input_shape, 3))}

    def infer_shape(self, input_shape):
        return (3,)

    def forward(self, x, training=False, keep=None):
        if training if keep is None else keep:
            self.cache["x"] = x
        return x @ self.params["w"]

    def backward(self, dy, need_dx=True, need_grads=True):
        self.grads["w"] = self.cache["x"].T @ dy
        return dy @ self.params["w"].T


class OfTheClass(Own):
    cache = {}  # noqa: RUF012 (the mistake)

    def __init__(self):
        nn.Layer.__init__(self)


def test_a_cache_on_the_class_is_told_with_what_it_spoils_and_one_on_the_layer_is_right():
    (found,) = diagnose(OfTheClass(), (4,))
    assert (found.tensor, found.name) == ("w", "shared between layers")
    assert "w of the first is wrong" in found.sentence and "on self" in found.sentence
    assert diagnose(Own(), (4,)) == []


def test_two_functions_that_share_a_variable_are_not_asked_because_they_cannot_be_copied():
    kept = {}

    def forward(x):
        kept["x"] = x
        return x**2

    assert diagnose(adapt.functions(forward, lambda dy: 2 * dy * kept["x"]), (4,)) == []
    assert diagnose(adapt.nchw(adapt.functions(forward, lambda dy: 2 * dy * kept["x"])), (4, 5, 2)) == []


def test_a_layer_that_draws_random_numbers_keeps_its_own_mask():
    assert diagnose(nn.Dropout(0.5), (6,)) == []
