"""Every gradient of the package is checked numerically, and the checker is shown to catch what is wrong."""

import math

import numpy as np
import planted_bugs as bugs
import pytest
from sample_layers import LAYERS

from batik_scratch import nn
from batik_scratch.nn import gradcheck
from batik_scratch.nn.gradcheck import check_layer, check_loss, check_model, check_optimizer, numeric


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: type(value).__name__)
def test_every_layer_passes_for_dx_and_each_parameter(layer, shape):
    report = check_layer(layer, shape)
    report.raise_if_wrong()
    assert [t.name for t in report.tensors] == [
        "dx",
        *(["kernel", "bias"] if isinstance(layer, nn.Conv2D | nn.Dense) else []),
    ]
    assert all(t.compared >= 3 for t in report.tensors)


PLANTED = [
    (bugs.StrideIgnoredInBackward(3, 2, strides=2), (6, 7, 2), "dx"),
    (bugs.KernelNotFlipped(3, (2, 3)), (5, 6, 2), "dx"),
    (bugs.OverlapAssigned(3, 3), (5, 6, 2), "dx"),
    (bugs.BiasOverTheWrongAxes(3, 2), (5, 6, 2), "bias"),
    (bugs.NonSquareKernelTakenAsSquare(3, (2, 3)), (5, 6, 2), "kernel"),
    (bugs.ShiftedByOne(3, 2), (5, 6, 2), "kernel"),
    (bugs.OverlappingPoolAssigned(3, strides=1), (5, 6, 2), "dx"),
    (bugs.PoolSharesAmongAll(2), (6, 6, 2), "dx"),
    (bugs.DropoutMaskMissing(0.2), (30,), "dx"),
    (bugs.DropoutScaleMissing(0.2), (30,), "dx"),
    (bugs.DiagonalSoftmax(), (5,), "dx"),
    (bugs.ZeroSoftmax(), (5,), "dx"),
    (bugs.GateFromTheGradient(), (5, 6, 3), "dx"),
    (bugs.BatchForgottenInBias(3), (6,), "bias"),
    (bugs.DividedByTheBatchTwice(3), (6,), "kernel"),
]


@pytest.mark.parametrize(("layer", "shape", "tensor"), PLANTED, ids=lambda value: type(value).__name__)
def test_every_planted_bug_is_caught_in_its_tensor_alone(layer, shape, tensor):
    report = check_layer(layer, shape)
    assert [t.name for t in report.tensors if not t.ok] == [tensor]
    assert "WRONG" in str(report)
    with pytest.raises(AssertionError, match="wrong gradient"):
        report.raise_if_wrong()


def test_a_gradient_of_the_wrong_shape_is_caught():
    class Transposed(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy, need_dx, need_grads)
            self.grads["kernel"] = self.grads["kernel"].T
            return dx

    assert [t.name for t in check_layer(Transposed(3), (5,)).tensors if not t.ok] == ["kernel (3, 5)"]


def test_a_check_that_skips_too_much_fails():
    class Jumpy(nn.ReLU):
        def forward(self, x, training=False, keep=None):
            y = super().forward(x, training, keep)
            self._kept = np.random.default_rng().random(x.shape) > 0.5  # a gate that never stays
            return y

    report = check_layer(Jumpy(), (4, 5))
    assert not report.ok and report.tensors[0].skipped > 0


def test_a_checker_that_divides_by_h_is_caught_by_its_own_test(monkeypatch):
    def over_h(f, eps):
        return (f(eps) - f(-eps)) / eps

    def one_sided(f, eps):
        return (f(eps) - f(0.0)) / eps

    assert gradcheck.check_quotient().ok
    assert not gradcheck.check_quotient(over_h).ok and not gradcheck.check_quotient(one_sided).ok
    monkeypatch.setattr(numeric, "central_difference", over_h)
    assert not check_layer(nn.Dense(3), (4,)).ok


def test_losses_pass_on_logits_and_on_probabilities():
    check_loss(nn.SparseCategoricalCrossentropy(from_logits=True)).raise_if_wrong()
    loss = nn.SparseCategoricalCrossentropy()

    def value(p, y):  # one place moved: rows no longer add up to 1, so the value is written out
        return -np.log(p[np.arange(len(y)), y]).mean(), loss.on_probabilities(p / p.sum(1, keepdims=True), y)[1]

    check_loss(value, probabilities=True).raise_if_wrong()


@pytest.mark.parametrize("factor", [1 / 5, 5], ids=["divided twice", "not divided"])
def test_a_loss_with_a_wrong_batch_factor_is_caught(factor):
    def wrong(logits, y):
        value, gradient = nn.SparseCategoricalCrossentropy.on_logits(logits, y)
        return value, gradient * factor

    assert not check_loss(wrong).ok


def network(dtype, size=22):
    model = nn.paper_cnn((size, size, 3), random_state=3, dtype=dtype)
    model.compile()
    rng = np.random.default_rng(1)
    return model, rng.random((3, size, size, 3)), np.array([0, 2, 1])


def test_the_whole_network_passes_by_the_complex_step():
    report = check_model(*network("complex128"))
    report.raise_if_wrong()
    assert len(report.tensors) == 5 and max(t.error for t in report.tensors) < 1e-10


def test_the_whole_network_passes_by_central_differences():
    report = check_model(*network("float64"))
    report.raise_if_wrong()
    assert len(report.tensors) == 5


@pytest.mark.slow
def test_the_papers_full_size_network_passes_by_the_complex_step():
    model, x, y = network("complex128", size=150)
    check_model(model, x[:1], y[:1]).raise_if_wrong()


def test_a_wrong_layer_deep_in_the_network_is_caught():
    model, x, y = network("complex128")
    broken = bugs.GateFromTheGradient()
    broken.build(model.layers[4].input_shape, np.random.default_rng(0))
    model.layers[4] = broken
    assert not check_model(model, x, y).ok


def adam_rule(w, g, memory, t):
    m, v = memory.get("m", 0.0), memory.get("v", 0.0)
    memory["m"] = m = 0.9 * m + 0.1 * g
    memory["v"] = v = 0.999 * v + 0.001 * g**2
    return w - 1e-3 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)


def sgd_rule(nesterov):
    def rule(w, g, memory, t):
        memory["v"] = v = 0.8 * memory.get("v", 0.0) - 0.05 * g
        return w + (0.8 * v - 0.05 * g if nesterov else v)

    return rule


def test_optimisers_follow_their_rules():
    check_optimizer(nn.Adam(), adam_rule).raise_if_wrong()
    for nesterov in (False, True):
        check_optimizer(nn.SGD(0.05, 0.8, nesterov), sgd_rule(nesterov)).raise_if_wrong()


@pytest.mark.parametrize("wrong", [bugs.AdamWithoutBiasCorrection, bugs.AdamCountingTensors])
def test_wrong_adams_are_caught(wrong):
    assert not check_optimizer(wrong(), adam_rule).ok
