"""Every gradient of the package is checked numerically, and the checker is shown to catch what is wrong."""

import numpy as np
import pytest
from sample_layers import LAYERS, inputs

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.learn.bugs.activations import GateFromTheGradient
from batik_scratch.nn import gradcheck
from batik_scratch.nn.gradcheck import check_layer, check_loss, check_model, check_optimizer, everything, numeric
from batik_scratch.nn.gradcheck.optimizers import adam_rule, adamw_rule, sgd_rule
from batik_scratch.ops.choose import NAMES as ALGORITHMS


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: type(value).__name__)
def test_every_layer_passes_for_dx_and_each_parameter(layer, shape):
    report = check_layer(layer, shape, x=inputs(layer, shape) if isinstance(layer, nn.Log) else None)
    report.raise_if_wrong()
    names = ["dx", *(["kernel", "bias"] if isinstance(layer, nn.Conv2D | nn.Dense) else [])]
    names += ["gamma", "beta"] * isinstance(layer, nn.BatchNormalization)
    sampled = 3 * np.prod(shape) > 60 or any(w.size > 60 for w in layer.params.values())
    at_rest = [f"{name} at rest" for name in names] * isinstance(layer, nn.BatchNormalization)
    assert [t.name for t in report.tensors] == [*names, *["all"] * bool(sampled), *at_rest]
    assert all(t.compared >= 3 for t in report.tensors)


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
            self._keep(np.random.default_rng().random(x.shape) > 0.5, training, keep)  # a gate that never stays
            return y

    report = check_layer(Jumpy(), (4, 5))
    assert not report.ok and report.tensors[0].skipped > 0


def test_a_checker_that_divides_by_h_is_caught_by_its_own_test(monkeypatch):
    def over_h(f, eps):
        return (f(eps) - f(-eps)) / eps

    def one_sided(f, eps):
        return (f(eps) - f(0.0)) / eps

    assert gradcheck.check_quotient().ok and all(
        (t.compared, t.skipped) == (21, 0) for t in gradcheck.check_quotient().tensors
    )
    assert not gradcheck.check_quotient(over_h).ok and not gradcheck.check_quotient(one_sided).ok
    monkeypatch.setattr(numeric, "central_difference", over_h)
    assert not check_layer(nn.Dense(3), (4,)).ok


def test_losses_pass_on_logits_and_on_probabilities():
    check_loss(nn.SparseCategoricalCrossentropy(from_logits=True)).raise_if_wrong()
    loss = nn.SparseCategoricalCrossentropy()

    def value(p, y):  # one place moved: rows no longer add up to 1, so the value is written out
        return -np.log(p[np.arange(len(y)), y]).mean(), loss.on_probabilities(p / p.sum(1, keepdims=True), y)[1]

    check_loss(value, probabilities=True).raise_if_wrong()


def test_a_loss_on_logits_is_checked_in_two_ways_and_one_on_probabilities_in_one():
    loss = nn.SparseCategoricalCrossentropy.on_logits
    assert [t.method for t in check_loss(loss).tensors] == ["central difference", "complex step"]
    assert [t.method for t in check_loss(loss, probabilities=True).tensors] == ["central difference"]


def test_a_loss_that_changes_its_outputs_is_caught_for_that_alone():
    def mutating(logits, y):
        result = nn.SparseCategoricalCrossentropy.on_logits(logits.copy(), y)
        logits *= 2
        return result

    assert [t.name for t in check_loss(mutating).wrong] == ["outputs"]


@pytest.mark.parametrize("factor", [1 / 5, 5], ids=["divided twice", "not divided"])
def test_a_loss_with_a_wrong_batch_factor_is_caught(factor):
    def wrong(logits, y):
        value, gradient = nn.SparseCategoricalCrossentropy.on_logits(logits, y)
        return value, gradient * factor

    assert [t.method for t in check_loss(wrong).wrong] == ["central difference", "complex step"]


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
    broken = GateFromTheGradient()
    broken.build(model.layers[4].input_shape, np.random.default_rng(0))
    model.layers[4] = broken
    assert not check_model(model, x, y).ok


def test_optimisers_follow_their_rules():
    check_optimizer(nn.Adam(), adam_rule()).raise_if_wrong()
    check_optimizer(nn.Adam(0.01, 0.8, 0.99, 1e-3), adam_rule(0.01, 0.8, 0.99, 1e-3)).raise_if_wrong()
    check_optimizer(nn.Adam(0.01, 0.0, 0.0, 1e-3), adam_rule(0.01, 0.0, 0.0, 1e-3)).raise_if_wrong()  # no memory at all
    check_optimizer(nn.AdamW(), adamw_rule()).raise_if_wrong()
    check_optimizer(nn.AdamW(0.01, 2.0, 0.8, 0.99, 1e-3), adamw_rule(0.01, 2.0, 0.8, 0.99, 1e-3)).raise_if_wrong()
    check_optimizer(nn.SGD(), sgd_rule()).raise_if_wrong()
    for nesterov in (False, True):
        check_optimizer(nn.SGD(0.05, 0.8, nesterov), sgd_rule(0.05, 0.8, nesterov)).raise_if_wrong()


def test_an_optimiser_with_another_rule_is_caught_in_each_tensor():
    report = check_optimizer(nn.Adam(0.002), adam_rule(0.001))
    assert [t.name for t in report.wrong] == ["kernel", "bias"]


def test_the_complex_step_reaches_digits_that_differences_do_not():
    layer, shape = nn.Softmax(), (5,)
    by_step, by_difference = (check_layer(layer, shape, method=m) for m in ("complex step", "central difference"))
    by_step.raise_if_wrong()
    assert by_step.tensors[0].error < 1e-14 < by_difference.tensors[0].error


def test_every_method_that_suits_the_layer_is_tried():
    report = check_layer(nn.Conv2D(4, (2, 3), strides=2, padding="same"), (5, 6, 3), method="all")
    report.raise_if_wrong()
    assert [(t.name, t.method) for t in report.tensors] == [
        *[(name, "central difference") for name in ("dx", "kernel", "bias")],
        *[(name, "complex step") for name in ("dx", "kernel", "bias")],
        ("all", "random direction"),
        *[(name, "adjoint identity") for name in ("dx", "kernel", "bias")],
    ]
    methods = {t.method for t in check_layer(nn.ReLU(), (5, 6), method="all").tensors}
    assert methods == {"central difference", "complex step", "random direction"}  # not linear: no adjoint


@pytest.mark.parametrize("method", gradcheck.layers.METHODS)
def test_each_method_alone_catches_a_wrong_gradient(method):
    class TooLarge(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy, need_dx, need_grads)
            self.grads["kernel"] = self.grads["kernel"] * (1 + 1e-6)
            return dx

    report = check_layer(TooLarge(3), (5,), method=method)
    assert [t.name for t in report.wrong] == ["all" if method == "random direction" else "kernel"]


def test_a_layer_that_takes_no_complex_numbers_is_checked_by_the_other_methods():
    class Real(nn.Dense):
        def forward(self, x, training=False, keep=None):
            if x.dtype.kind == "c":
                raise TypeError("real numbers only")
            return super().forward(x, training, keep)

    report = check_layer(Real(3), (4,), method="all")
    report.raise_if_wrong()
    assert {t.method for t in report.tensors} == {"central difference", "random direction", "adjoint identity"}


def test_the_title_says_what_was_checked_as_it_was_typed():
    assert check_layer(nn.Dense(3, name="last"), (4,)).title == "Dense(units=3) (4,)"
    title = check_layer(nn.MaxPooling2D((3, 2), strides=(2, 1)), (6, 5, 2)).title
    assert title == "MaxPooling2D(pool_size=[3, 2], strides=[2, 1]) (6, 5, 2)"


def test_what_a_layer_decided_is_its_gate_or_its_winners():
    x = np.random.default_rng(0).standard_normal((2, 4, 4, 3))
    layers = [nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten(), nn.Dense(2)]
    model = nn.Sequential(layers, (4, 4, 3), random_state=0, dtype="float64")
    model.forward(x, keep=True)
    gate, winner = gradcheck.specimen.decisions(model.layers)
    assert np.array_equal(gate, x > 0) and winner.shape == (2, 2, 2, 3)


def test_the_defaults_are_fixed_so_that_a_check_repeats():
    for check, arguments in (
        (check_layer, (nn.Dense(3), (4,))),
        (check_loss, (nn.SparseCategoricalCrossentropy.on_logits,)),
    ):
        assert str(check(*arguments)) == str(check(*arguments, seed=0)) != str(check(*arguments, seed=1))


def test_an_unknown_method_is_explained():
    with pytest.raises(InputError, match="adjoint identity"):
        check_layer(nn.ReLU(), (3,), method="guess")


def test_a_transposed_map_that_is_none_is_caught():
    matrix = np.random.default_rng(0).standard_normal((4, 6))
    gradcheck.check_adjoint(lambda x: matrix @ x, lambda y: matrix.T @ y, (6,)).raise_if_wrong()
    assert not gradcheck.check_adjoint(lambda x: matrix @ x, lambda y: 1.001 * matrix.T @ y, (6,)).ok


def test_a_direction_that_always_crosses_a_kink_fails():
    class Jumpy(nn.ReLU):
        def forward(self, x, training=False, keep=None):
            y = super().forward(x, training, keep)
            self._keep(np.random.default_rng().random(x.shape) > 0.5, training, keep)
            return y

    report = check_layer(Jumpy(), (4, 5), method="random direction")
    assert not report.ok and report.tensors[0].skipped == 21


def test_a_missing_gradient_is_wrong_and_does_not_stop_the_check():
    class Lazy(nn.Dense):
        def backward(self, dy, need_dx=True, need_grads=True):
            super().backward(dy, need_dx, need_grads)

    report = check_layer(Lazy(3), (4,), method="all")
    assert [t.name for t in report.wrong] == ["dx None", "dx None"]  # by differences and by the complex step
    assert {t.name for t in report.tensors if t.ok} == {"kernel", "bias"}


def test_a_layer_stays_as_it_was():
    layer = nn.Dense(3)
    layer.build((4,), np.random.default_rng(0))
    before = layer.params["kernel"].copy()
    check_layer(layer, (4,), method="all")
    assert np.array_equal(layer.params["kernel"], before) and layer.dtype == "float32" and layer.grads == {}


def test_each_tensor_of_a_network_is_checked_and_the_pixels_too():
    report = check_model(*network("complex128"), directions=1, each_tensor=True)
    report.raise_if_wrong()
    names = [t.name for t in report.tensors]
    assert names[:3] == ["direction 1", "conv2d kernel", "conv2d bias"] and names[-1] == "dx" and len(names) == 12


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_a_wrong_kernel_gradient_is_found_in_its_layer(dtype):
    model, x, y = network(dtype)
    dense = next(layer for layer in model.layers if isinstance(layer, nn.Dense))
    right = dense.backward

    def twice_the_kernel(dy, need_dx=True, need_grads=True):
        dx = right(dy, need_dx, need_grads)
        if need_grads:
            dense.grads["kernel"] = 2 * dense.grads["kernel"]
        return dx

    dense.backward = twice_the_kernel
    report = check_model(model, x, y, directions=1, each_tensor=True)
    assert [t.name for t in report.wrong] == ["direction 1", "dense kernel"]
    assert report.wrong[1].error == pytest.approx(0.5) and not report.wrong[1].worst


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_a_wrong_gradient_at_the_pixels_is_found_there_alone(dtype, monkeypatch):
    model, x, y = network(dtype)
    right = model.input_gradient
    monkeypatch.setattr(model, "input_gradient", lambda x, seed: 1.001 * right(x, seed))
    assert [t.name for t in check_model(model, x, y, directions=1, each_tensor=True).wrong] == ["dx"]


def test_the_report_covers_every_layer_every_algorithm_and_every_parameter():
    for name in everything.LAYER_NAMES:
        reports = list(everything.layer_checks(name))
        assert reports and all(report.ok for report in reports), name
    titles = [report.title for report in everything.layer_checks("Conv2D")]
    for algorithm in ALGORITHMS:
        assert sum(f"algorithm={algorithm})" in title for title in titles) >= 2
    assert {t.name for t in next(everything.layer_checks("Conv2D")).tensors} == {"dx", "kernel", "bias", "all"}


def test_the_report_of_everything_else_is_right():
    assert all(report.ok for report in [*everything.loss_checks(), *everything.optimizer_checks()])


def test_a_table_has_a_line_per_check_and_aligned_columns():
    report = check_layer(nn.Dense(3), (4,))
    lines = str(report).splitlines()
    assert len(lines) == 2 + 3 and lines[0].split()[:3] == ["tensor", "method", "error"]
    assert all(line.endswith("ok") for line in lines[2:])
    assert len({line.index("central") for line in [*lines[2:]]} | {lines[0].index("method")}) == 1
