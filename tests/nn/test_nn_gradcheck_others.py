"""The checks of maps, optimisers, losses and of the checker itself: arithmetic, rows, the least mistake they see."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.nn import gradcheck
from batik_scratch.nn.gradcheck import check_adjoint, check_loss, check_optimizer, numeric
from batik_scratch.nn.gradcheck.optimizers import adam_rule, sgd_rule, trajectories


def test_the_checks_own_arithmetic_is_what_it_says():
    assert numeric.central_difference(lambda t: t**3 + 2 * t, 0.5) == pytest.approx(2.25)
    assert numeric.complex_step(lambda t: np.exp(3 * t)) == pytest.approx(3, rel=1e-15)
    rng = np.random.default_rng(3)
    tensors = [np.zeros((3, 4)), np.zeros(5)]
    direction = numeric.unit_direction(tensors, rng)
    assert [d.shape for d in direction] == [(3, 4), (5,)]
    assert sum((d**2).sum() for d in direction) == pytest.approx(1, rel=1e-12)
    gradients = [np.arange(12.0).reshape(3, 4), np.ones(5)]
    assert numeric.along(gradients, direction) == pytest.approx(
        np.concatenate([g.ravel() for g in gradients]) @ np.concatenate([d.ravel() for d in direction])
    )
    assert 1.9 < np.abs(numeric.distinct((9, 20), rng)).max() < 2
    assert numeric.same_gates([np.array([1, 2])], [np.array([1, 2])])
    assert not numeric.same_gates([np.ones(2), np.array([1, 2])], [np.ones(2), np.array([1, 3])])


def test_a_zero_among_large_gradients_is_forgiven_rounding_in_proportion_to_them():
    numbers = np.array([1000.0, 0.0])
    for off, ok in ((0.9e-5, True), (1.1e-5, False)):
        analytic = numbers + np.array([0, off])
        assert numeric.verdict("dx", "central difference", analytic, numbers, (2,), np.arange(2), 0, 1e-6).ok is ok


@pytest.mark.parametrize(("excess", "ok"), [(1e-14, True), (1e-9, False)])
def test_an_adjoint_is_right_to_eleven_digits(excess, ok):
    matrix = np.random.default_rng(0).standard_normal((4, 6))
    report = check_adjoint(lambda x: matrix @ x, lambda y: (1 + excess) * matrix.T @ y, (6,), title="a matrix")
    assert report.ok is ok and report.title == "a matrix (6,)"
    (row,) = report.tensors
    assert (row.name, row.method, row.compared) == ("pairing", "adjoint identity", 5)
    drawn = [
        check_adjoint(lambda x: matrix @ x, lambda y: matrix.T @ y, (6,), **seed)
        for seed in ({}, {"seed": 0}, {"seed": 1})
    ]
    assert str(drawn[0]) == str(drawn[1]) != str(drawn[2])


def test_an_adjoint_of_images_keeps_their_shape():
    check_adjoint(lambda x: x.sum(axis=2), lambda y: np.repeat(y[:, :, None], 4, axis=2), (2, 3, 4)).raise_if_wrong()


@pytest.mark.parametrize("name", ["bias", "kernel"])
@pytest.mark.parametrize("step", [1, 7])
def test_an_optimiser_that_errs_in_one_tensor_or_one_step_by_a_hair_is_caught(name, step):
    class Errs(nn.SGD):
        def update(self, w, g, memory):
            super().update(w, g, memory)
            if (w.ndim == 2) == (name == "kernel") and self.iterations == step:
                w += 1e-10

    assert [t.name for t in check_optimizer(Errs(), sgd_rule()).wrong] == [name]
    assert check_optimizer(Errs(), sgd_rule(), steps=step - 1 or 1).ok is (step > 1)


def test_an_optimisers_report_names_it_its_steps_and_its_tensors():
    report = check_optimizer(nn.Adam(), adam_rule(), steps=3)
    assert report.title == "Adam, 3 steps"
    assert [(t.name, t.method, t.compared, t.skipped) for t in report.tensors] == [
        ("kernel", "reference rule", 12, 0), ("bias", "reference rule", 4, 0),
    ]  # fmt: skip


def test_trajectories_have_both_tensors_after_every_step():
    gradients = []

    class Keeps(nn.SGD):
        def update(self, w, g, memory):
            gradients.append(g.copy())
            super().update(w, g, memory)

    trained, expected = trajectories(Keeps(0.5), sgd_rule(0.5), steps=4)
    assert len(trained) == len(expected) == 4
    for key, which in (("kernel", 0), ("bias", 1)):
        for t in range(1, 4):
            for after in (trained, expected):
                np.testing.assert_allclose(after[t - 1][key] - after[t][key], 0.5 * gradients[2 * t + which], rtol=1e-9)
    assert len({g.tobytes() for g in gradients}) == 8


def test_the_rules_are_those_of_a_first_and_a_second_step_by_hand():
    memory = {}
    w = sgd_rule(0.5, 0.25)(np.array([1.0]), np.array([2.0]), memory, 1)
    assert (w.item(), sgd_rule(0.5, 0.25)(w, np.array([2.0]), memory, 2).item()) == (0.0, -1.25)
    memory = {}
    w = sgd_rule(0.5, 0.25, True)(np.array([1.0]), np.array([2.0]), memory, 1)
    assert (w.item(), sgd_rule(0.5, 0.25, True)(w, np.array([2.0]), memory, 2).item()) == (-0.25, -1.5625)
    memory = {}
    w = adam_rule(0.1, 0.5, 0.75, 0.5)(np.array([1.0]), np.array([2.0]), memory, 1)  # m 1, v 1, alpha 0.1
    assert w.item() == pytest.approx(1 - 0.1 * 1 / 1.5)
    w = adam_rule(0.1, 0.5, 0.75, 0.5)(w, np.array([-4.0]), memory, 2).item()  # m -1.5, v 4.75
    alpha = 0.1 * np.sqrt(1 - 0.75**2) / (1 - 0.5**2)
    assert w == pytest.approx(1 - 0.1 / 1.5 + alpha * 1.5 / (np.sqrt(4.75) + 0.5))


@pytest.mark.parametrize("probabilities", [False, True])
def test_a_loss_is_asked_about_as_many_rows_and_classes_as_wanted_and_its_labels_vary(probabilities):
    asked = []

    def loss(outputs, y):
        asked.append((outputs.shape, tuple(y), outputs.real.sum(axis=1)))
        return nn.SparseCategoricalCrossentropy.on_logits(outputs, y)

    report = check_loss(loss, n=7, classes=3, probabilities=probabilities)
    assert report.ok and report.title == "loss (7, 3)" and len({(shape, y) for shape, y, _ in asked}) == 1
    assert asked[0][0] == (7, 3) and set(asked[0][1]) == {0, 1, 2}
    assert np.allclose(asked[0][2], 1) is probabilities and np.allclose(asked[1][2], 1) is probabilities
    assert {t.compared for t in report.tensors} == {21} and {t.name for t in report.tensors} == {"doutputs"}


def test_the_checker_itself_is_checked_on_five_functions():
    report = gradcheck.check_quotient()
    assert report.title == "the checker itself"
    assert [t.name for t in report.tensors] == ["3 x", "x^2", "exp(x)", "sin(x)", "1 / (2 + x)"]
    exact = gradcheck.check_quotient(lambda f, eps: numeric.complex_step(f))
    assert exact.ok and max(t.error for t in exact.tensors) < 1e-14
    slightly = gradcheck.check_quotient(lambda f, eps: 1.00001 * numeric.complex_step(f))
    assert len(slightly.wrong) == 5
    coarse = gradcheck.check_quotient(eps=0.1)  # truncation: none where a function is at most quadratic
    assert [t.name for t in coarse.wrong] == ["exp(x)", "sin(x)", "1 / (2 + x)"]
