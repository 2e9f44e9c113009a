"""The checker meets layers, losses and optimisers that it was not written with: right ones pass, wrong ones do not."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.nn.gradcheck import check_layer, check_loss, check_model, check_optimizer
from batik_scratch.nn.gradcheck.model import ModelProbe, direction_row, logits_and_gates
from batik_scratch.nn.gradcheck.optimizers import adam_rule, sgd_rule
from batik_scratch.nn.gradcheck.specimen import moved


class TanhDense(nn.Dense):
    """A right layer that is a Dense and not linear."""

    def forward(self, x, training=False, keep=None):
        y = np.tanh(x @ self.params["kernel"] + self.params["bias"])
        self._keep((x.copy(), y), training, keep)
        return y.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        x, y = self._recall()
        dz = dy * (1 - y * y)
        self.grads = {"kernel": x.T @ dz, "bias": dz.sum(axis=0)}
        return dz @ self.params["kernel"].T


class ConvolutionAndReLU(nn.Conv2D):
    def forward(self, x, training=False, keep=None):
        y = super().forward(x, training, keep)
        self.gate = y > 0
        return y * self.gate

    def backward(self, dy, need_dx=True, need_grads=True):
        return super().backward(dy * self.gate, need_dx, need_grads)


class LayerNorm(nn.Layer):
    """Right, by np.var, which is |x - mean|^2 for complex numbers and so no analytic function."""

    def forward(self, x, training=False, keep=None):
        mean, std = x.mean(axis=1, keepdims=True), np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        y = (x - mean) / std
        self._keep((y, std), training, keep)
        return y.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        y, std = self._recall()
        return (dy - dy.mean(axis=1, keepdims=True) - y * (dy * y).mean(axis=1, keepdims=True)) / std


class HardTanh(nn.Layer):
    """Two kinks, at -1 and 1, that it does not tell the checker of."""

    def forward(self, x, training=False, keep=None):
        self._keep((x.copy(),), training, keep)
        return np.clip(x, -1, 1)

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy * (np.abs(self._recall()[0]) < 1)


class Mirror(nn.Layer):
    """Hands out a view of what it is given: no good manners, and a right gradient."""

    def forward(self, x, training=False, keep=None):
        return x[:, ::-1]

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy[:, ::-1]


class OneBuffer(nn.Layer):
    """Fills the same output array again and again."""

    def forward(self, x, training=False, keep=None):
        self.y = getattr(self, "y", np.empty_like(x))
        self.y = self.y if self.y.dtype == x.dtype else np.empty_like(x)
        np.multiply(x, 3, out=self.y)
        return self.y

    def backward(self, dy, need_dx=True, need_grads=True):
        return 3 * dy


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(TanhDense(3), (4,)), (ConvolutionAndReLU(3, 3), (5, 6, 2)), (LayerNorm(), (5,)), (HardTanh(), (6,)),
     (Mirror(), (5,)), (OneBuffer(), (5,)), (nn.Dense(10), (50,))],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
@pytest.mark.parametrize("method", ["central difference", "all"])
def test_a_right_layer_passes(layer, shape, method):
    check_layer(layer, shape, method=method).raise_if_wrong()


@pytest.mark.parametrize(
    ("layer", "shape", "linear"),
    [(nn.Dense(3), (4,), True), (nn.Conv2D(3, 3), (5, 6, 2), True), (nn.Flatten(), (3, 4), True),
     (nn.Dropout(0.3), (6,), True), (nn.GlobalAveragePooling2D(), (3, 4, 2), True), (nn.ReLU(), (6,), False),
     (nn.Softmax(), (5,), False), (nn.MaxPooling2D(2), (4, 4, 2), False), (TanhDense(3), (4,), False),
     (ConvolutionAndReLU(3, 3), (5, 6, 2), False), (LayerNorm(), (5,), False),
     (HardTanh(), (6,), False), (Mirror(), (5,), True)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_only_a_layer_that_is_linear_in_each_tensor_is_checked_by_its_adjoint(layer, shape, linear):
    methods = {t.method for t in check_layer(layer, shape, method="all").tensors}
    assert ("adjoint identity" in methods) is linear


@pytest.mark.parametrize("algorithm", ["im2col", "auto"])  # "auto" trains in fused steps, whose layers decide nothing
def test_the_gates_of_a_network_are_those_of_the_weights_and_the_images_at_hand(algorithm):
    model = nn.paper_cnn((22, 22, 3), random_state=3, dtype="float64", algorithm=algorithm)
    model.compile()
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 22, 22, 3)), np.array([0, 2])
    probe = ModelProbe(model, x, y)
    here = probe.loss_and_gates()[1]
    with moved(*((w, -2 * w) for w in probe.tensors.values())):  # the weights turned over
        there = probe.loss_and_gates()[1]
    assert len(here) == 7 and sum((a != b).any() for a, b in zip(here, there, strict=True)) >= 3
    one, other = logits_and_gates(model, x)[1], logits_and_gates(model, 1 - x)[1]
    assert len(one) == 7 and any((a != b).any() for a, b in zip(one, other, strict=True))


def test_the_optimiser_runs_the_steps_that_are_asked_for_on_two_tensors():
    seen = []

    class Counting(nn.SGD):
        def update(self, w, g, memory):
            seen.append(w.shape)
            super().update(w, g, memory)

    check_optimizer(Counting(), sgd_rule(), steps=4).raise_if_wrong()
    assert len(seen) == 8 and len(set(seen)) == 2


def test_the_input_may_be_a_list_or_lie_in_memory_column_by_column():
    x = np.random.default_rng(0).standard_normal((3, 4))
    for given in (np.asfortranarray(x), x.tolist()):
        check_layer(nn.Dense(3), (4,), x=given).raise_if_wrong()


class Remembers(nn.Dense):
    """Keeps the first gradient that it ever computed."""

    def backward(self, dy, need_dx=True, need_grads=True):
        before = self.grads.get("kernel")
        dx = super().backward(dy, need_dx, need_grads)
        if before is not None and before.any():
            self.grads["kernel"] = before
        return dx


class OneWrongWeight(nn.Dense):
    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.grads["kernel"][31, 7] *= 1.5
        return dx


class AsList(nn.Dense):
    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.grads["bias"] = self.grads["bias"].tolist()
        return dx


class AsComplex(nn.Dense):
    def backward(self, dy, need_dx=True, need_grads=True):
        return super().backward(dy, need_dx, need_grads) + 0j


class OffByALittle(nn.Softmax):
    """Wrong in the ninth digit: too little for differences, not for the complex step."""

    def backward(self, dy, need_dx=True, need_grads=True):
        return super().backward(dy, need_dx, need_grads) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("layer", "shape", "method", "wrong"),
    [
        (Remembers(3), (4,), "central difference", ["kernel"]),
        (OneWrongWeight(10), (50,), "central difference", ["all"]),
        (AsList(3), (4,), "all", ["bias a list", "bias a list"]),
        (AsComplex(3), (4,), "central difference", ["dx (3, 4) complex128"]),
        (OffByALittle(), (5,), "all", ["dx"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Layer) else "",
)
def test_a_wrong_layer_does_not_pass(layer, shape, method, wrong):
    assert [t.name for t in check_layer(layer, shape, method=method).wrong] == wrong


@pytest.mark.parametrize("method", ["central difference", "random direction", "complex step"])
def test_a_thousandth_too_much_is_seen_in_a_layer_that_bends(method):
    class TooLarge(nn.Softmax):
        def backward(self, dy, need_dx=True, need_grads=True):
            return super().backward(dy, need_dx, need_grads) * 1.001

    assert len(check_layer(TooLarge(), (5,), method=method).wrong) == 1


def test_a_loss_that_keeps_its_first_gradient_is_caught():
    kept = {}

    def loss(logits, y):
        value, gradient = nn.SparseCategoricalCrossentropy.on_logits(logits, y)
        return value, kept.setdefault("gradient", gradient)

    assert not check_loss(loss).ok


def network():
    model = nn.Sequential([nn.Dense(4), nn.ReLU(), nn.Dense(3), nn.Softmax()], (6,), 0, "float64")
    model.compile()
    return model, np.random.default_rng(0).random((5, 6)), np.array([0, 1, 2, 1, 0])


def test_a_network_with_a_layer_that_keeps_its_first_gradient_is_caught():
    model, x, y = network()
    report = check_model(model, x, y, directions=2)
    report.raise_if_wrong()
    assert [(t.skipped, t.compared) for t in report.tensors] == [(0, 1)] * 2
    remembers = Remembers(4).astype("float64")
    remembers.build((6,), np.random.default_rng(0))
    model.layers[0] = remembers
    assert not check_model(model, x, y).ok


class Jumpy(nn.ReLU):
    def forward(self, x, training=False, keep=None):
        y = super().forward(x, training, keep)
        self._keep(np.random.default_rng().random(x.shape) > 0.5, training, keep)  # a gate that never stays
        return y


@pytest.mark.parametrize("each", [False, True])
def test_a_network_that_crosses_a_kink_in_every_direction_fails_after_21(each):
    model, x, y = network()
    model.layers[1] = Jumpy()
    model.layers[1].build((4,), np.random.default_rng(0))
    report = check_model(model, x, y, directions=1, each_tensor=each)
    assert [(t.name, t.ok, t.error, t.skipped, t.compared) for t in report.tensors[:1]] == [
        ("direction 1", False, np.inf, 21, 0)
    ]
    assert all(not t.ok for t in report.tensors)


@pytest.mark.parametrize(
    ("method", "analytic", "numeric", "ok"),
    [
        ("complex step", 1.0, 1.0 + 0.9e-10, True),
        ("complex step", 1.0, 1.0 + 2e-10, False),
        ("complex step", 1e-12, 2e-12, False),  # no rounding to forgive, however small
        ("random direction", 1e-9, 2e-9, True),  # below what a difference over 2e-6 can tell
        ("random direction", 1e-9, 3e-8, False),
    ],
)
def test_a_networks_direction_forgives_rounding_only_where_something_was_subtracted(method, analytic, numeric, ok):
    check = direction_row("dx", method, analytic, numeric, 2, 1e-10)
    assert (check.ok, check.skipped, check.compared) == (ok, 2, 1)
    assert check.error == pytest.approx(abs(analytic - numeric) / max(analytic, numeric))


def test_a_gradient_that_is_zero_in_truth_may_be_rounding():
    assert direction_row("bias", "complex step", 1e-16, -2e-16, 0, 1e-10, nothing=1e-15).ok
    assert not direction_row("bias", "complex step", 1e-14, -2e-14, 0, 1e-10, nothing=1e-15).ok
    layers = [nn.Dense(4), nn.BatchNormalization(), nn.Dense(3)]  # what the bias adds, the mean takes away
    model = nn.Sequential(layers, (5,), 0, "complex128")
    model.compile(loss=nn.SparseCategoricalCrossentropy(from_logits=True))
    rng = np.random.default_rng(2)
    before = [w.copy() for w in model.get_weights()]
    report = check_model(model, rng.standard_normal((7, 5)), rng.integers(0, 3, 7), each_tensor=True)
    assert report.ok and [t.name for t in report.tensors[5:]] == [
        "dense kernel", "dense bias", "batch_normalization gamma", "batch_normalization beta", "dense_1 kernel",
        "dense_1 bias", "dx",
    ]  # fmt: skip
    assert abs(report.tensors[6].analytic) < 1e-14
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_gradient_of_nan_is_wrong_and_no_second_gradient():
    class NoNumber(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            return super().backward(dy, need_dx, need_grads) * np.nan

    assert [(t.name, t.method) for t in check_layer(NoNumber(3), (4,)).wrong] == [("dx", "central difference")]


def test_a_loss_that_is_no_number_is_said_to_be_so():
    model, x, y = network()
    x[1, 2] = np.nan
    with pytest.raises(InputError, match="the loss of these images is nan; there is no gradient to check"):
        check_model(model, x, y)


class Halves(nn.SGD):
    def update(self, w, g, memory):
        g *= 0.5
        super().update(w, g, memory)


class Decays(nn.SGD):
    def update(self, w, g, memory):
        g += 0.1 * w
        super().update(w, g, memory)


def test_an_optimiser_that_changes_its_gradients_is_caught_and_the_one_given_is_not_trained():
    for wrong in (Halves(), Decays()):
        assert [t.name for t in check_optimizer(wrong, sgd_rule()).wrong] == ["kernel", "bias"]
    adam = nn.Adam()
    for _ in range(2):
        check_optimizer(adam, adam_rule()).raise_if_wrong()
    assert adam.iterations == 0


def binary_cross_entropy(logits, y, factor=1.0):
    """Right, by |z|, which is no analytic function: the complex step measures nothing there."""
    hot = np.eye(logits.shape[1])[y]
    size = np.abs(logits)
    value = (np.maximum(logits, 0) - logits * hot + np.log1p(np.exp(-size))).sum(axis=1).mean()
    return value, factor * (1 / (1 + np.exp(-logits)) - hot) / len(y)


def test_a_right_loss_by_an_absolute_value_passes_and_a_wrong_one_does_not():
    assert check_loss(binary_cross_entropy).ok
    assert not check_loss(lambda logits, y: binary_cross_entropy(logits, y, 1.001)).ok
