"""check_layer at rest: rows for what works otherwise there, and for what is promised of what is not trained."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.nn.gradcheck import check_layer
from batik_scratch.nn.gradcheck.rest import share_of_the_old, swapped
from batik_scratch.nn.gradcheck.specimen import Specimen

SHAPE = (3, 4, 2)


def specimen(layer):
    return Specimen(layer, SHAPE, np.random.default_rng(0))


def batch(seed=1):
    return np.random.default_rng(seed).normal(1, 2, (3, *SHAPE))


def rows(layer, **options):
    return {row.name: (row.method, row.ok) for row in check_layer(layer, SHAPE, **options).tensors}


def test_a_normalisation_has_rows_at_rest_and_a_layer_that_trains_everything_has_none():
    difference = ("central difference", True)
    names = ["dx", "gamma", "beta"]
    assert {name: rows(nn.BatchNormalization())[f"{name} at rest"] for name in names} == dict.fromkeys(
        names, difference
    )
    assert len(check_layer(nn.BatchNormalization(), SHAPE).tensors) == 7  # three, a direction for 72 places, and three
    for layer in (nn.Dropout(0.3), nn.Conv2D(2, 2)):
        assert not any("at rest" in name for name in rows(layer))
    assert not any("at rest" in name for name in rows(nn.BatchNormalization(), method="complex step"))


class Wrong(nn.BatchNormalization):
    """Right in training; `at_rest` is what it does besides in a pass at rest."""

    def forward(self, x, training=False, keep=None):
        y = super().forward(x, training, keep)
        return y if training else self.at_rest(x, y)


class Moves(Wrong):
    def at_rest(self, x, y):
        self.params["moving_mean"] += 0.1
        return y


class Mixes(Wrong):
    def at_rest(self, x, y):
        return y + x.mean(axis=0)


class Drops(Wrong):
    def at_rest(self, x, y):
        return y[..., :1]


class Keeps(Wrong):
    def at_rest(self, x, y):
        if self._kept is not None:
            x, (mean, variance), _ = self._kept
            self._kept = x, (mean, 4 * variance), False
        return y


@pytest.mark.parametrize(
    ("layer", "wrong"),
    [
        (Moves(), {("moving_mean at rest", "was changed")}),
        (Mixes(), {("y at rest", "image by image"), ("dx at rest", "central difference")}),
        (Drops(), {("y at rest", "shape")}),
        (Keeps(), {("dx at rest", "central difference"), ("gamma at rest", "central difference")}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_breaks_at_rest_has_its_row(layer, wrong):
    assert {(row.name, row.method) for row in check_layer(layer, SHAPE).wrong} == wrong


class Sharing(nn.BatchNormalization):
    """The old statistics keep `share` of themselves, whatever momentum says."""

    def __init__(self, momentum, share):
        super().__init__(momentum)
        self.share = share

    def forward(self, x, training=False, keep=None):
        old = {key: self.params[key].copy() for key in self.not_trained}
        y = super().forward(x, training, keep)
        for key, value in old.items() if training else ():
            self.params[key][...] = self.share * value + x.mean()
        return y


@pytest.mark.parametrize(
    ("momentum", "share", "wrong"),
    [(0.9, 0.1, True), (0.9, 0.9, False), (0.1, 0.9, False), (0.5, 0.5, False), (0.9, 0.2, False), (0.51, 0.49, True)],
)
def test_a_share_is_swapped_if_it_is_one_less_momentum_and_less_than_half(momentum, share, wrong):
    layer = specimen(Sharing(momentum, share))
    assert share_of_the_old(layer, batch(), "moving_mean") == pytest.approx(share)
    found = swapped(layer, batch())
    assert found == ({key: pytest.approx(share) for key in layer.at_rest} if wrong else {})
    said = [row for row in check_layer(Sharing(momentum, share), SHAPE).wrong if row.method == "share of the old"]
    assert len(said) == 2 * wrong
    assert not said or (said[0].analytic, said[0].numeric) == (pytest.approx(share), pytest.approx(momentum))


def test_there_is_no_share_of_what_moves_by_a_bent_rule_or_has_no_momentum():
    class Bent(nn.BatchNormalization):
        def forward(self, x, training=False, keep=None):
            y = super().forward(x, training, keep)
            self.params["moving_mean"][...] **= 2
            return y

    assert share_of_the_old(specimen(Bent()), batch(), "moving_mean") is None
    layer = specimen(Sharing(0.9, 0.1))
    layer.layer.momentum = None
    assert swapped(layer, batch()) == {}


def test_a_specimen_is_found_as_it_was():
    layer = specimen(nn.BatchNormalization(0.5))
    before = {key: value.copy() for key, value in layer.layer.params.items()}
    moved = layer.after(batch(), training=True)
    assert set(moved) == set(layer.at_rest) == {"moving_mean", "moving_variance"}
    assert not np.array_equal(moved["moving_mean"], before["moving_mean"])
    share_of_the_old(layer, batch(), "moving_mean")
    assert all(np.array_equal(layer.layer.params[key], value) for key, value in before.items())
    assert list(layer.trained) == ["gamma", "beta"] and layer.names == ("dx", "gamma", "beta")


@pytest.mark.parametrize("x", [np.array([[-2.0, 1.0, 3.0]]), np.array([[0.5, 1.0, 3.0]])])
def test_only_what_a_forward_pass_cannot_take_is_moved_above_zero(x):
    def suited(layer):
        return Specimen(layer, (3,), np.random.default_rng(0)).suited(x)

    assert suited(nn.ReLU()) is x and suited(nn.Dense(2)) is x
    assert np.allclose(suited(nn.Log()), x if x.min() > 0 else [[0.1, 3.1, 5.1]])
    assert check_layer(nn.Log(), (3, 2, 2), method="all").ok
