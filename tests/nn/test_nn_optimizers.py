"""Optimisers step by step: one step by hand, what is remembered between steps and trainings, what is counted."""

import math

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError


def layer(values=(1.0, -2.0, 3.0), dtype="float64"):
    made = nn.Dense(1).astype(dtype)
    made.build((len(values),), np.random.default_rng(0))
    made.params["kernel"][:, 0] = values
    return made


def step(optimizer, made, gradient):
    made.grads = {"kernel": np.array(gradient, made.dtype)[:, None], "bias": np.zeros(1, made.dtype)}
    optimizer.step([made])
    return made.params["kernel"][:, 0].tolist()


def test_plain_descent_goes_down_the_gradient_by_the_rate():
    assert step(nn.SGD(0.5), layer(), [2.0, -4.0, 0.0]) == [0.0, 0.0, 3.0]


def test_momentum_keeps_a_share_of_the_last_step():
    sgd, made = nn.SGD(0.5, 0.25), layer([0.0])
    assert [step(sgd, made, [g])[0] for g in (8.0, 0.0, 0.0)] == [-4.0, -5.0, -5.25]


def test_nesterov_looks_one_momentum_ahead():
    sgd, made = nn.SGD(0.5, 0.25, nesterov=True), layer([0.0])
    assert [step(sgd, made, [g])[0] for g in (8.0, 0.0, 0.0)] == [-5.0, -5.25, -5.3125]


def test_adams_first_step_is_the_rate_whatever_the_gradients_size():
    after = step(nn.Adam(0.01), layer([0.0, 0.0, 0.0]), [1e3, -1.0, 1e-2])
    assert after == pytest.approx([-0.01, 0.01, -0.01], rel=1e-3)


def test_adams_epsilon_stands_beside_the_uncorrected_root():
    g, rate, beta_2, epsilon = 0.5, 0.01, 0.99, 0.2
    after = step(nn.Adam(rate, 0.9, beta_2, epsilon), layer([0.0]), [g])[0]
    assert after == pytest.approx(-rate * math.sqrt(1 - beta_2) * g / (math.sqrt(1 - beta_2) * g + epsilon), rel=1e-12)


@pytest.mark.parametrize(("make", "slots"), [(nn.SGD, ["velocity"]), (nn.Adam, ["m", "v"]), (nn.AdamW, ["m", "v"])])
def test_memory_has_a_tensor_per_parameter_in_the_models_order(make, slots):
    first, second, optimizer = layer([1.0, 2.0], "float32"), layer([3.0, 4.0, 5.0, 6.0], "float32"), make()
    assert optimizer.memory == {slot: [] for slot in slots} and optimizer.iterations == 0
    for made in (first, second):
        made.grads = {key: np.ones_like(w) for key, w in made.params.items()}
    for steps in (1, 2, 3):
        optimizer.step([first, nn.ReLU(), second])
        assert optimizer.iterations == steps
    for slot in slots:
        assert [w.shape for w in optimizer.memory[slot]] == [(2, 1), (1,), (4, 1), (1,)]
        assert {w.dtype.name for w in optimizer.memory[slot]} == {"float32"}
        assert all(w.all() for w in optimizer.memory[slot])
    assert make().memory == {slot: [] for slot in slots}  # nothing is shared between two


def test_adams_memory_is_the_running_mean_of_gradients_and_of_squares():
    adam, made = nn.Adam(0.01, 0.75, 0.5), layer([0.0])
    for g in (4.0, -8.0):
        step(adam, made, [g])
    assert adam.memory["m"][0].item() == pytest.approx(0.75 * 1.0 - 0.25 * 8)
    assert adam.memory["v"][0].item() == pytest.approx(0.5 * 8.0 + 0.5 * 64)


def test_without_a_gradient_a_kernel_shrinks_by_rate_times_decay_and_a_bias_stays():
    adamw, made = nn.AdamW(0.5, 0.25), layer([8.0, -16.0])
    made.params["bias"][:] = 4.0
    assert step(adamw, made, [0.0, 0.0]) == [7.0, -14.0]
    adamw.learning_rate = 0.25  # a schedule's rate shrinks the decay as well
    assert step(adamw, made, [0.0, 0.0]) == [7.0 * 15 / 16, -14.0 * 15 / 16]
    assert made.params["bias"].tolist() == [4.0]


def test_decay_is_no_part_of_the_gradient_so_that_memory_and_step_are_adams():
    adam, adamw, one, two = nn.Adam(0.01), nn.AdamW(0.01, 2.0), layer([1.0, -2.0, 3.0]), layer([1.0, -2.0, 3.0])
    for g in ([1e3, 0.5, -1e-4], [2e3, 0.25, 0.0]):
        before, moved = two.params["kernel"][:, 0].copy(), one.params["kernel"][:, 0].copy()
        moved = step(adam, one, g) - moved
        assert np.allclose(step(adamw, two, g), before * 0.98 + moved, rtol=1e-12)
    assert all(np.array_equal(a, b) for s in "mv" for a, b in zip(adam.memory[s], adamw.memory[s], strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_decay_of_zero_is_adam_to_the_last_bit(dtype):
    rng, one, two = np.random.default_rng(2), layer(range(1, 60), dtype), layer(range(1, 60), dtype)
    adam, adamw = nn.Adam(0.01), nn.AdamW(0.01, 0.0)
    for _ in range(5):
        g = rng.standard_normal(59)
        assert step(adam, one, g) == step(adamw, two, g)


def test_single_numbers_decay_by_what_is_asked_for_on_average():
    """A weight times 1 - 2.5e-7 would lose 2.4e-7, because that is the nearest single number below 1."""
    values = np.random.default_rng(0).uniform(1, 2, 100_000)
    made = layer(values, "float32")
    before = made.params["kernel"].astype(float)
    step(nn.AdamW(1e-3, 2.5e-4), made, np.zeros(100_000))
    lost = (before - made.params["kernel"]).sum() / before.sum()
    assert lost == pytest.approx(2.5e-7, rel=0.01)


@pytest.mark.parametrize("decay", [-0.1, math.inf, math.nan])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(InputError, match=f"AdamW: weight_decay needs a finite number from 0 up, got {decay}"):
        nn.AdamW(weight_decay=decay)
    with pytest.raises(InputError, match="AdamW: beta_1 and beta_2"):
        nn.AdamW(beta_1=1.0)


def test_a_rate_changed_by_a_callback_counts_from_the_next_step_on():
    sgd, made = nn.SGD(1.0), layer([0.0])
    assert step(sgd, made, [1.0]) == [-1.0]
    sgd.learning_rate = 0.25
    assert step(sgd, made, [1.0]) == [-1.25]


def test_a_second_training_goes_on_with_the_optimisers_memory_and_a_compiled_one_begins_anew():
    x, y = np.random.default_rng(3).random((10, 4)), np.array([0, 1, 1, 0, 2, 1, 1, 0, 2, 1])

    def network():
        made = nn.Sequential([nn.Dense(3), nn.Softmax()], (4,), 5, "float64")
        made.compile(nn.Adam(0.1, 0.8, 0.9))
        return made

    once, twice, anew = network(), network(), network()
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    once.fit(x, y, epochs=4, **options)
    for made in (twice, anew):
        made.fit(x, y, epochs=2, **options)
    anew.compile(nn.Adam(0.1, 0.8, 0.9))
    for made in (twice, anew):
        made.fit(x, y, epochs=2, **options)
    assert once.optimizer.iterations == twice.optimizer.iterations == 12 and anew.optimizer.iterations == 6
    assert np.array_equal(once.get_weights()[0], twice.get_weights()[0])
    assert not np.allclose(once.get_weights()[0], anew.get_weights()[0], rtol=1e-3)


@pytest.mark.parametrize("make", [nn.SGD, nn.Adam, nn.AdamW])
@pytest.mark.parametrize("rate", [0.0, -1.0, math.inf, math.nan])
def test_a_rate_that_leads_nowhere_is_refused(make, rate):
    with pytest.raises(InputError, match=f"{make.__name__}: learning_rate needs a finite number above 0, got {rate}"):
        make(rate)


def test_memory_may_be_none_and_nearly_everything():
    for least, most in ((0.0, 0.9999), (0, 0.5)):
        nn.SGD(momentum=least), nn.SGD(momentum=most)
        nn.Adam(beta_1=least, beta_2=most), nn.Adam(beta_1=most, beta_2=least)
    for wrong in (1.0, -0.1, 2):
        with pytest.raises(InputError, match="momentum"):
            nn.SGD(momentum=wrong)
    for betas in ((1.0, 0.5), (0.5, 1.0), (-0.1, 0.5), (0.5, -0.1)):
        with pytest.raises(InputError, match=f"got {betas[0]} and {betas[1]}"):
            nn.Adam(beta_1=betas[0], beta_2=betas[1])


def test_a_step_without_a_rule_is_none():
    with pytest.raises(NotImplementedError):
        step(nn.Optimizer(0.1), layer(), [1.0, 1.0, 1.0])
