"""The examiner of layers: what it builds, holds still, moves and puts back, and how it tells what went wrong."""

import random
from contextlib import nullcontext

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn.gradcheck import check_layer
from batik_scratch.nn.gradcheck.randomness import global_sources_kept
from batik_scratch.nn.gradcheck.specimen import (
    Failure,
    NoArray,
    Randomness,
    Specimen,
    moved,
    unmoved,
    what_instead,
)


def specimen(layer=None, shape=(4,), **options):
    return Specimen(layer or nn.Dense(3), shape, np.random.default_rng(0), **options)


def test_a_specimen_is_a_copy_without_a_zero_parameter():
    layer = nn.Dense(3)
    one = specimen(layer)
    assert layer.params == {} and layer.dtype == "float32"
    assert one.names == ("dx", "kernel", "bias") and all((w != 0).all() for w in one.layer.params.values())
    assert {w.dtype.name for w in one.layer.params.values()} == {"float64"}
    rng = np.random.default_rng(0)
    bare = nn.Dense(3).astype("float64")
    bare.build((4,), rng)
    noise = rng.standard_normal((4, 3))
    assert np.array_equal(specimen(spread=0.3).layer.params["kernel"], bare.params["kernel"] + 0.3 * noise)
    assert specimen(dtype="float32").layer.params["bias"].dtype == "float32"


def test_the_same_mask_falls_at_every_call_until_another_is_held():
    one = specimen(nn.Dropout(0.5), (40,))
    x = np.ones((3, 40))
    first = one.forward(x)
    assert np.array_equal(one.forward(x), first)
    one.hold()
    second = one.forward(x)
    assert not np.array_equal(second, first) and np.array_equal(one.forward(x), second)
    assert np.array_equal(one.forward(x, training=False), x)


def test_generators_of_several_layers_are_put_back():
    layers = [nn.Dropout(0.5), nn.ReLU(), nn.Dropout(0.5)]
    layers[2].rng = np.random.default_rng(1)
    held = Randomness(layers)
    draws = [layer.rng.random() for layer in layers[::2]]
    held.rewind()
    assert [layer.rng.random() for layer in layers[::2]] == draws and draws[0] != draws[1]


class DropsByGlobalNumbers(nn.Layer):
    """Its mask is drawn from NumPy's global generator, and its scale from Python's."""

    def forward(self, x, training=False, keep=None):
        mask = np.random.standard_normal(x.shape) * random.random() if training else np.ones(x.shape)  # noqa: NPY002
        self._keep(mask, training, keep)
        return mask * x

    def backward(self, dy, need_dx=True, need_grads=True):
        return self._recall() * dy


def where_the_global_sources_stand():
    kind, words, *rest = np.random.get_state()  # noqa: NPY002
    return kind, words.tolist(), rest, random.getstate()


@pytest.mark.parametrize("kept_once", [False, True], ids=["pass by pass", "once around all passes"])
def test_global_generators_are_held_for_each_pass_and_given_back_to_the_last_number(kept_once):
    np.random.standard_normal(), random.gauss(0, 1)  # each keeps a second number for the next call  # noqa: NPY002
    before, one, x = where_the_global_sources_stand(), specimen(DropsByGlobalNumbers(), (5,)), np.ones((3, 5))
    with global_sources_kept() if kept_once else nullcontext():
        y = one.forward(x)
        assert np.array_equal(one.forward(x), y) and (one.backward(x)["dx"] == y).all()
        one.draw_on()
        other = one.forward(x)
        assert not np.array_equal(other, y) and np.array_equal(one.forward(x), other)
    assert where_the_global_sources_stand() == before
    assert check_layer(DropsByGlobalNumbers(), (5,), method="all", thorough=True).ok
    assert where_the_global_sources_stand() == before


def test_global_generators_are_given_back_even_if_a_layer_raises():
    class Raises(DropsByGlobalNumbers):
        def forward(self, x, training=False, keep=None):
            super().forward(x)
            raise ZeroDivisionError

    before = where_the_global_sources_stand()
    with pytest.raises(ZeroDivisionError):
        check_layer(Raises(), (5,))
    assert where_the_global_sources_stand() == before


def test_running_means_are_where_they_were_after_every_pass():
    one = specimen(nn.BatchNormalization(0.5), (4,))
    assert one.names == ("dx", "gamma", "beta") and all((w != 0).all() for w in one.layer.params.values())
    before = {key: w.copy() for key, w in one.layer.params.items()}
    x = np.random.default_rng(0).standard_normal((3, 4))
    first = one.forward(x)
    assert np.array_equal(one.forward(x), first)
    twice = one.backward_twice(x, np.ones((3, 4)))
    assert twice.changed == {} and set(twice.first) == {"dx", "gamma", "beta"}
    assert one.layer.params.keys() == before.keys()
    assert all(np.array_equal(one.layer.params[key], w) for key, w in before.items())
    layer = one.layer
    with pytest.raises(ZeroDivisionError), unmoved([nn.ReLU(), layer]):
        layer.forward(x, training=True)
        assert not np.array_equal(layer.params["moving_mean"], before["moving_mean"])
        layer.params["moving_variance"] = None  # put back all the same
        raise ZeroDivisionError
    assert all(np.array_equal(layer.params[key], w) for key, w in before.items())


def test_in_another_dtype_it_has_the_same_parameters_and_the_same_mask():
    one = specimen()
    other = one.astype("complex128")
    assert other.forward(np.ones((2, 4)) * 1j).dtype == "complex128" and one.layer.dtype == "float64"
    assert np.array_equal(other.layer.params["kernel"].real, one.layer.params["kernel"])
    drops = specimen(nn.Dropout(0.5), (40,))
    x = np.ones((3, 40))
    before = drops.forward(x)
    assert np.array_equal(drops.astype("complex128").forward(x.astype(complex)), before)


def test_the_arrays_that_passed_hands_can_be_looked_at():
    one, x = specimen(nn.Flatten(), (2, 3)), np.ones((2, 2, 3))
    y = one.forward(x)
    assert one.given is not x and np.array_equal(one.given, x)
    assert one.returned is not y and np.array_equal(one.returned, y)

    class HandsOn(nn.ReLU):
        def forward(self, x, training=False, keep=None):
            return x

    one = specimen(HandsOn(), (3,))
    y = one.forward(np.ones((2, 3)))
    assert one.returned is one.given and not np.shares_memory(y, one.given)


class Meddles(nn.Dense):
    """Halves x in forward; dy and its bias in backward."""

    def forward(self, x, training=False, keep=None):
        x *= 0.5
        return super().forward(x, training, keep)

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        dy *= 0.5
        self.params["bias"] = self.params["bias"] / 2
        return dx


def test_what_a_layer_changes_is_told_and_put_back():
    one, x, dy = specimen(Meddles(3)), np.full((2, 4), 8.0), np.full((2, 3), 6.0)
    bias = one.layer.params["bias"].copy()
    one.forward(x)
    twice = one.backward_twice(x, dy)
    assert x[0, 0] == 8 and dy[0, 0] == 6 and np.array_equal(one.layer.params["bias"], bias)
    assert {name: (now.flat[0], was.flat[0]) for name, (now, was) in twice.changed.items()} == {
        "dy": (3, 6),
        "x": (4, 8),
        "bias": (bias[0] / 2, bias[0]),
    }
    assert twice.unlike() == ["kernel"]  # the second is that of x as it was handed in
    assert twice.unlike(lambda first, second: np.allclose(2 * first, second)) == ["dx", "bias"]


def test_a_layer_that_keeps_its_promises_gives_the_same_twice():
    one, x = specimen(), np.ones((2, 4))
    dy = np.ones_like(one.forward(x))
    twice = one.backward_twice(x, dy)
    assert twice.changed == {} and twice.unlike() == [] and set(twice.first) == {"dx", "kernel", "bias"}
    assert np.array_equal(one.backward(dy)["kernel"], twice.first["kernel"])


def test_the_second_backward_sees_what_the_first_one_saw():
    class ChangesDy(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy, need_dx, need_grads)
            dy += 1
            return dx

    one, x = specimen(ChangesDy(3)), np.ones((2, 4))
    twice = one.backward_twice(x, np.ones_like(one.forward(x)))
    assert list(twice.changed) == ["dy"] and twice.unlike() == []


def test_gradients_that_are_missing_or_no_arrays_are_handed_on_as_they_are():
    class Lists(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            super().backward(dy, need_dx, need_grads)
            self.grads = {"kernel": self.grads["kernel"].tolist()}

    one, x = specimen(Lists(3)), np.ones((2, 4))
    gradients = one.backward(np.ones_like(one.forward(x)))
    assert gradients["dx"] is None is gradients["bias"] and isinstance(gradients["kernel"], list)
    assert one.backward_twice(x, np.ones((2, 3))).unlike() == []


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "None"), ([1.0], "a list"), (np.array(["a", None], object), "an array of dtype object"),
     (1.5, None), (np.float32(1), None), (np.ones(2), None)],
)  # fmt: skip
def test_what_is_no_array_is_told(value, words):
    assert what_instead(value) == words


def test_whatever_is_raised_says_where():
    with pytest.raises(Failure, match="InputError") as stopped:
        specimen(nn.Conv2D(2, 9), (4, 4, 1))
    assert stopped.value.stage == "build" and isinstance(stopped.value.error, InputError)
    one = specimen()
    with pytest.raises(Failure) as stopped:
        one.forward(np.ones((2, 5)))
    assert stopped.value.stage == "forward"
    with pytest.raises(Failure) as stopped:
        specimen().backward(np.ones((2, 3)))
    assert stopped.value.stage == "backward" and "kept forward pass" in str(stopped.value)

    class Nothing(nn.Dense):
        def forward(self, x, training=False, keep=None):
            raise SystemExit

    with pytest.raises(Failure, match="SystemExit: no message"):
        specimen(Nothing(3)).forward(np.ones((2, 4)))


def test_an_output_that_is_no_array_is_told():
    class Listing(nn.Dense):
        def forward(self, x, training=False, keep=None):
            return super().forward(x, training, keep).tolist()

    with pytest.raises(NoArray, match="forward returns a list") as stopped:
        specimen(Listing(3)).forward(np.ones((2, 4)))
    assert stopped.value.kind == "a list" and isinstance(stopped.value.error, TypeError)


def test_what_is_moved_is_put_back_bit_by_bit_even_if_something_stops():
    a, b = np.array([0.1, 0.2, -0.0]), np.array([[1.0, np.nan]])
    before = a.tobytes(), b.tobytes()
    with pytest.raises(ZeroDivisionError), moved((a[1:2], 1e-20), (b, np.ones((1, 2)))):
        assert b[0, 0] == 2
        raise ZeroDivisionError
    assert (a.tobytes(), b.tobytes()) == before
