"""The learning rate's plan: its formula, when it is set, what is logged, what an interruption changes: nothing."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError

X = np.random.default_rng(3).random((11, 6))
Y = np.array([2, 0, 1, 1, 1, 0, 2, 1, 1, 0, 1])
EPOCHS = 6


def network(rate=0.5):
    model = nn.Sequential([nn.Dense(3), nn.Softmax()], (6,), 1, "float64")
    model.compile(nn.SGD(rate))
    return model


def train(model, callbacks, epochs=EPOCHS, **options):
    return model.fit(X, Y, batch_size=4, epochs=epochs, callbacks=callbacks, verbose=0, **options)


def plan(**options):
    return nn.LearningRateSchedule(0.2, EPOCHS, **options)


def test_without_warm_up_the_rate_falls_along_half_a_cosine_from_the_highest():
    rates = [nn.LearningRateSchedule(8.0, 4).rate(e) for e in range(4)]
    assert rates == pytest.approx([8, 4 + 4 * math.sqrt(0.5), 4, 4 - 4 * math.sqrt(0.5)])


def test_a_warm_up_climbs_in_equal_steps_from_zero_before_the_first_epoch():
    rates = [nn.LearningRateSchedule(8.0, 7, 3).rate(e) for e in range(7)]
    assert rates == pytest.approx([2, 4, 6, 8, 4 + 4 * math.sqrt(0.5), 4, 4 - 4 * math.sqrt(0.5)])


@pytest.mark.parametrize("epochs", [1, 2, 5, 30])
@pytest.mark.parametrize("warmup", [0, 1, 3])
def test_the_rate_climbs_to_the_highest_once_falls_and_is_never_zero(epochs, warmup):
    epochs += warmup
    rates = np.array([nn.LearningRateSchedule(0.3, epochs, warmup).rate(e) for e in range(epochs)])
    assert rates.min() > 0 and rates.argmax() == warmup and rates[warmup] == 0.3
    assert (np.diff(rates[: warmup + 1]) > 0).all() and (np.diff(rates[warmup:]) < 0).all()


def test_beyond_the_last_epoch_of_the_plan_its_rate_stays():
    schedule = nn.LearningRateSchedule(0.3, 5, 2)
    assert schedule.rate(5) == schedule.rate(40) == schedule.rate(4) < schedule.rate(3)


class Rates(nn.Callback):
    """The optimiser's rate at every step."""

    def __init__(self):
        self.seen = []

    def on_batch_end(self, batch, logs):
        self.seen.append(self.model.optimizer.learning_rate)


def test_every_step_of_an_epoch_has_its_rate_and_it_is_logged_with_it():
    rates, schedule = Rates(), plan(warmup_epochs=2)
    history = train(network(), [schedule, rates])
    expected = [schedule.rate(e) for e in range(EPOCHS)]
    assert rates.seen == [rate for rate in expected for _ in range(3)]
    assert history.history["learning_rate"] == expected


def test_the_epoch_alone_decides_not_the_optimisers_rate_nor_an_earlier_training():
    model, schedule = network(rate=7.0), plan(warmup_epochs=2)
    first = train(model, [schedule]).history["learning_rate"]
    assert train(model, [schedule]).history["learning_rate"] == first
    assert train(model, [schedule], initial_epoch=4).history["learning_rate"] == first[4:]


def test_what_a_plateau_changes_is_overwritten_before_the_next_epoch():
    alone = train(network(), [plan()]).history
    for both in ([plan(), nn.ReduceLROnPlateau("loss", 0.1, 0)], [nn.ReduceLROnPlateau("loss", 0.1, 0), plan()]):
        both[both.index(next(c for c in both if isinstance(c, nn.ReduceLROnPlateau)))].improved = lambda value: False
        model = network()
        assert train(model, both).history == alone
        assert model.optimizer.learning_rate < alone["learning_rate"][-1]  # the plateau did have its say


@pytest.mark.parametrize("question", range(1, 4 * EPOCHS, 3))  # three batches and an epoch's end: all places
@pytest.mark.parametrize("warmup", [0, 3])
def test_a_training_interrupted_anywhere_goes_on_at_the_rate_that_it_would_have_had(tmp_path, question, warmup):
    whole, asked = network(), iter(range(1, 1000))
    history = train(whole, [plan(warmup_epochs=warmup)])
    stopping = nn.Checkpoint(tmp_path, 50, should_stop=lambda: next(asked) == question)
    with pytest.raises(KeyboardInterrupt):
        train(network(), [plan(warmup_epochs=warmup)], checkpoint=stopping)
    model = network(rate=9.0)
    resumed = train(model, [plan(warmup_epochs=warmup)], checkpoint=nn.Checkpoint(tmp_path, 50))
    assert resumed.history == history.history
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), whole.get_weights(), strict=True))


@pytest.mark.parametrize("other", [(0.3, EPOCHS, 2), (0.2, EPOCHS + 1, 2), (0.2, EPOCHS, 1)])
def test_a_checkpoint_of_another_plan_is_refused_with_both(tmp_path, other):
    train(network(), [plan(warmup_epochs=2)], 2, checkpoint=nn.Checkpoint(tmp_path))
    with pytest.raises(
        InputError, match=r"^LearningRateSchedule: the training that goes on had .*give the same"
    ) as told:
        train(network(), [nn.LearningRateSchedule(*other)], checkpoint=nn.Checkpoint(tmp_path))
    assert str(plan(warmup_epochs=2).state()) in str(told.value)
    assert str(nn.LearningRateSchedule(*other).state()) in str(told.value)
    with pytest.raises(InputError, match=r"other callbacks; choose another folder$"):
        train(network(), [], checkpoint=nn.Checkpoint(tmp_path))


@pytest.mark.parametrize("rate", [0.0, -1.0, math.inf, math.nan])
def test_a_rate_that_leads_nowhere_is_refused(rate):
    with pytest.raises(
        InputError, match=f"LearningRateSchedule: learning_rate needs a finite number above 0, got {rate}"
    ):
        nn.LearningRateSchedule(rate, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "epochs needs a whole number >= 1, got 0"),
        ((2.5,), "epochs needs a whole number >= 1, got 2.5"),
        ((3, -1), "warmup_epochs needs a whole number >= 0, got -1"),
        ((3, 1.0), "warmup_epochs needs a whole number >= 0, got 1.0"),
        ((3, 3), "warmup_epochs are part of the epochs, so there are fewer; got 3 of 3: lower"),
    ],
)
def test_epochs_that_make_no_plan_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        nn.LearningRateSchedule(0.1, *arguments)


def test_the_smallest_plan_is_one_epoch_at_the_highest_rate():
    schedule = nn.LearningRateSchedule(0.1, 1)
    schedule.model = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=5.0))
    schedule.on_epoch_begin(0, {})
    assert schedule.model.optimizer.learning_rate == 0.1


def test_a_warm_up_by_batch_climbs_in_equal_steps_and_then_leaves_the_rate_alone():
    class Halve(nn.Callback):
        def on_epoch_end(self, epoch, logs):
            if epoch == 2:
                self.model.optimizer.learning_rate /= 2

    rates = Rates()
    train(network(), [nn.WarmUp(0.8, 4), rates, Halve()], 4)  # three batches an epoch
    assert rates.seen == pytest.approx([0.2, 0.4, 0.6, 0.8] + 5 * [0.8] + 3 * [0.4])


@pytest.mark.parametrize("question", range(1, 12))  # three batches and an epoch's end: all places
def test_a_warm_up_interrupted_anywhere_goes_on_in_its_climb(tmp_path, question):
    whole, asked = network(), iter(range(1, 1000))
    history = train(whole, [nn.WarmUp(0.8, 7)], 3)
    stopping = nn.Checkpoint(tmp_path, 50, should_stop=lambda: next(asked) == question)
    with pytest.raises(KeyboardInterrupt):
        train(network(), [nn.WarmUp(0.8, 7)], 3, checkpoint=stopping)
    model = network(rate=9.0)
    resumed = train(model, [nn.WarmUp(0.8, 7)], 3, checkpoint=nn.Checkpoint(tmp_path, 50))
    assert resumed.history == history.history
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), whole.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ((0, 3), "learning_rate needs a finite number above 0, got 0"),
        ((math.inf, 3), "learning_rate needs a finite number above 0, got inf"),
        ((0.1, 0), "batches needs a whole number >= 1, got 0"),
        ((0.1, 2.0), "batches needs a whole number >= 1, got 2.0"),
    ],
)
def test_a_warm_up_that_cannot_be_is_refused(arguments, rule):
    with pytest.raises(InputError, match=rule):
        nn.WarmUp(*arguments)
