"""Which rows a gradient check has, what it counts in them, and the least mistake that each of them sees."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.nn.gradcheck import check_layer, check_model
from batik_scratch.nn.gradcheck.numeric import along, unit_direction
from batik_scratch.nn.gradcheck.specimen import Randomness


class Wrong(nn.Dense):
    """A Dense layer; subclasses spoil something after its backward pass."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.spoil(dy)
        return dx


class ChangesDy(Wrong):
    def spoil(self, dy):
        dy[1, 2] += 3


class ChangesX(Wrong):
    def spoil(self, dy):
        self._recall()[2, 0] -= 0.5


class ChangesBias(Wrong):
    def spoil(self, dy):
        self.params["bias"] *= 1.5


class Accumulates(Wrong):
    def spoil(self, dy):
        self.total = getattr(self, "total", 0) + 1
        self.grads["kernel"] = self.grads["kernel"] * (1 if self.total < 3 else 2)


@pytest.mark.parametrize(
    ("layer", "name", "what"),
    [(ChangesDy(3), "dy", "was changed"), (ChangesX(3), "x", "was changed"), (ChangesBias(3), "bias", "was changed"),
     (Accumulates(3), "kernel", "second backward")],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Layer) else "",
)  # fmt: skip
@pytest.mark.parametrize("method", ["central difference", "adjoint identity"])
def test_a_broken_promise_has_a_row_of_its_own_and_spoils_no_other(layer, name, what, method):
    report = check_layer(layer, (4,), method=method)
    assert [(t.name, t.method) for t in report.wrong] == [(name, what)] and len(report.tensors) > 3


def test_the_place_and_the_size_of_a_change_are_told():
    (row,) = check_layer(ChangesDy(3), (4,)).wrong
    assert row.worst == (1, 2) and row.analytic - row.numeric == pytest.approx(3) and row.compared == 9
    assert row.error == pytest.approx(3 / max(abs(row.analytic), abs(row.numeric)))


@pytest.mark.parametrize(("features", "sampled"), [(15, False), (16, True)])
def test_only_where_places_are_left_out_directions_go_through_all_of_them(features, sampled):
    report = check_layer(nn.Dense(4), (features,))  # 4 * 15 places in the kernel are all of 60
    assert [t.name for t in report.tensors] == ["dx", "kernel", "bias", *["all"] * sampled]
    assert report.tensors[1].compared == 60 and report.tensors[0].compared == 3 * features


def test_samples_and_images_are_as_many_as_asked_for_and_by_the_complex_step_at_most_thirty():
    for samples, by_complex in ((7, 7), (30, 30), (50, 30)):
        rows = check_layer(nn.Dense(8), (9,), n=2, samples=samples, method="all").tensors
        found = {(t.name, t.method): t.compared for t in rows}
        assert found["kernel", "central difference"] == samples and found["kernel", "complex step"] == by_complex
        assert found["dx", "central difference"] == min(samples, 18)
        assert found["all", "random direction"] == found["dx", "adjoint identity"] == 5


def test_the_compiled_loops_are_not_tried_with_complex_numbers():
    report = check_layer(nn.Conv2D(2, (2, 3), algorithm="loops"), (4, 5, 2), method="all")
    assert {t.method for t in report.tensors} == {"central difference", "random direction", "adjoint identity"}
    assert check_layer(nn.Conv2D(2, (2, 3), algorithm="loops"), (4, 5, 2), method="complex step").tensors == []


class Cubes(nn.Layer):
    """y = 100 x^3, with a gradient that is too large by `excess`."""

    excess = 0.0

    def forward(self, x, training=False, keep=None):
        self._keep(x.copy(), training, keep)
        return 100 * x**3

    def backward(self, dy, need_dx=True, need_grads=True):
        return (1 + self.excess) * 300 * self._recall().real ** 2 * dy


def test_a_complex_step_that_finds_what_differences_cannot_is_shown():
    layer = Cubes()
    check_layer(layer, (5,), method="all").raise_if_wrong()
    layer.excess = 5e-7  # within the tolerance of differences
    assert [t.method for t in check_layer(layer, (5,), method="all").wrong] == ["complex step"]
    layer.excess = 5e-6
    wrong = {t.method for t in check_layer(layer, (5,), method="all").wrong}
    assert wrong == {"central difference", "complex step", "random direction"}


class Tiny(nn.Layer):
    """y = 1e-9 x, with a gradient twice too large: far below what differences can tell from rounding."""

    def forward(self, x, training=False, keep=None):
        self._keep(x.copy(), training, keep)
        return 1e-9 * x

    def backward(self, dy, need_dx=True, need_grads=True):
        return 2e-9 * dy


def test_what_needs_no_difference_sees_mistakes_however_small():
    wrong = {t.method for t in check_layer(Tiny(), (5,), method="all").wrong}
    assert "adjoint identity" in wrong and "central difference" not in wrong
    assert not check_layer(Tiny(), (5,), method="complex step").ok


class SameGate(nn.ReLU):
    """Writes its gate into the same array again and again; a `jump` draws it anew, out of the check's reach."""

    jump = False

    def forward(self, x, training=False, keep=None):
        y = super().forward(x, training, keep)
        self.gate = getattr(self, "gate", np.zeros(x.shape, bool))
        self.gate[...] = np.random.default_rng().random(x.shape) > 0.5 if self.jump else x > 0
        self._keep(self.gate, training, keep)
        return y


def jumping():
    layer = SameGate()
    layer.jump = True
    return layer


@pytest.mark.parametrize("method", ["central difference", "random direction"])
def test_a_gate_is_compared_as_it_was_though_its_array_is_filled_again(method):
    check_layer(SameGate(), (4, 5), method=method).raise_if_wrong()
    assert not check_layer(jumping(), (4, 5), method=method).ok
    assert all(t.compared == 0 for t in check_layer(jumping(), (4, 5), method=method).tensors)


def network(gate=None, dtype="float64"):
    model = nn.Sequential([nn.Dense(4), gate or nn.ReLU(), nn.Dropout(0.3), nn.Dense(3), nn.Softmax()], (6,), 0, dtype)
    model.compile()
    return model, np.random.default_rng(0).random((5, 6)), np.array([0, 1, 2, 1, 0])


def test_a_networks_gates_are_compared_as_they_were_in_each_direction_and_at_the_pixels():
    check_model(*network(SameGate()), each_tensor=True).raise_if_wrong()
    report = check_model(*network(jumping()), directions=2, each_tensor=True)
    assert [(t.ok, t.skipped, t.compared, t.error) for t in report.tensors] == [(False, 21, 0, np.inf)] * 7


def test_directions_that_cross_a_kink_are_drawn_again_and_counted():
    x = np.array([[4e-6, 1.0]])
    (row,) = check_layer(nn.ReLU(), (2,), x=x, method="random direction").tensors
    assert row.ok and row.compared == 5 and 0 < row.skipped <= 20
    places = check_layer(nn.ReLU(), (2,), x=x).tensors[0]
    assert (places.ok, places.compared, places.skipped) == (False, 1, 1)  # half of the places cannot be seen
    assert x.tolist() == [[4e-6, 1.0]]


def test_a_networks_directions_that_cross_a_kink_are_counted_too():
    model = nn.Sequential([nn.Dense(1), nn.ReLU(), nn.Dense(2), nn.Softmax()], (1,), 0, "float64")
    model.compile()
    model.set_weights([np.ones((1, 1)), np.full(1, -1 + 2e-7), np.array([[1.0, -1.0]]), np.zeros(2)])
    report = check_model(model, np.ones((1, 1)), np.array([0]), directions=8, seed=2)
    assert report.ok and sum(t.skipped for t in report.tensors) > 0
    assert all(t.compared == 1 for t in report.tensors)


class SameGradient(nn.Dense):
    """Writes its gradients into the same arrays again and again."""

    def backward(self, dy, need_dx=True, need_grads=True):
        rooms = dict(self.grads)
        dx = super().backward(dy, need_dx, need_grads)
        for name, room in rooms.items():
            room[...] = self.grads[name]
            self.grads[name] = room
        return dx


def test_every_direction_is_compared_with_the_gradients_before_the_first_step():
    model, x, y = network(SameGradient(4))
    masks = Randomness(model.layers)
    model.train_gradients(x, y)  # the check too begins with an earlier batch
    model.train_gradients(x, y)
    gradients = [g.copy() for layer in model.layers for g in layer.grads.values()]
    masks.rewind()
    rng = np.random.default_rng(0)
    report = check_model(model, x, y, directions=3)
    for row in report.tensors:
        assert row.skipped == 0 and row.analytic == along(gradients, unit_direction(gradients, rng))


def test_however_many_directions_are_measured_a_network_goes_backward_three_times():
    class Counts(nn.Dense):
        backwards = 0

        def backward(self, dy, need_dx=True, need_grads=True):
            Counts.backwards += 1
            return super().backward(dy, need_dx, need_grads)

    model, x, y = network(Counts(4))
    assert check_model(model, x, y, directions=9, each_tensor=True).ok
    assert Counts.backwards == 3  # an earlier batch, this one, and to the input


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_a_networks_check_names_its_rows_and_leaves_the_weights(dtype):
    model, x, y = network(dtype=dtype)
    before, given = model.get_weights(), x.copy()
    report = check_model(model, x, y, directions=2, each_tensor=True)
    names = ["direction 1", "direction 2", "dense kernel", "dense bias", "dense_1 kernel", "dense_1 bias", "dx"]
    assert report.title == "whole network" and [t.name for t in report.tensors] == names and report.ok
    method = "complex step" if dtype == "complex128" else "random direction"
    assert {t.method for t in report.tensors} == {method}
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert np.array_equal(x, given) and model.optimizer.iterations == 0
    assert len({t.analytic for t in report.tensors}) == 7
    seeds = [check_model(*network(dtype=dtype), 2, seed).tensors[0].analytic for seed in (0, 1)]
    assert seeds[0] == report.tensors[0].analytic != seeds[1]


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize(("excess", "seen"), [(1e-4, True), (1e-8, False)])
def test_the_least_mistake_that_a_networks_check_sees(dtype, excess, seen, monkeypatch):
    model, x, y = network(dtype=dtype)
    right = model.layers[0].backward

    def too_large(dy, need_dx=True, need_grads=True):
        dx = right(dy, need_dx, need_grads)
        model.layers[0].grads = {key: (1 + excess) * g for key, g in model.layers[0].grads.items()}
        return dx

    monkeypatch.setattr(model.layers[0], "backward", too_large)
    report = check_model(model, x, y, directions=0, each_tensor=True)
    wrong = ["dense kernel", "dense bias"] if seen or dtype == "complex128" else []
    assert [t.name for t in report.wrong] == wrong


def test_float32_is_too_coarse_for_a_networks_check():
    model, x, y = network(dtype="float32")
    with pytest.raises(ValueError, match="float64 or complex128 model, got float32"):
        check_model(model, x, y)


@pytest.mark.parametrize("seed", range(8))
def test_kinks_are_looked_for_under_the_very_dropout_of_the_step(seed):
    """What dropout keeps stands at a kink, what it drops far from it."""
    layers = [nn.Dense(1), nn.Dropout(0.5), nn.Dense(1), nn.ReLU(), nn.Dense(2), nn.Softmax()]
    model = nn.Sequential(layers, (1,), seed, "float64")
    model.compile()
    one, kink, last = np.ones((1, 1)), np.full(1, -2 + 2e-7), np.array([[1.0, -1.0]])
    model.set_weights([one, np.zeros(1), one, kink, last, np.zeros(2)])
    rows = check_model(model, one, np.array([0]), directions=6).tensors
    assert all(row.ok for row in rows if row.compared)  # where every direction crosses it, nothing is compared
