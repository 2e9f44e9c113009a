"""The figures in the museum's stories: each is measured here, and its sentence must be there."""

import copy

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn.bugs import (
    EXHIBITS,
    activations,
    checkers,
    convolutions,
    dense,
    dropout,
    normalisations,
    pooling,
)
from batik_scratch.learn.bugs import losses as loss_bugs
from batik_scratch.learn.bugs import optimizers as optimizer_bugs
from batik_scratch.nn.gradcheck.numeric import central_difference
from batik_scratch.nn.gradcheck.optimizers import adam_rule, trajectories


def story(name):
    (exhibit,) = (one for one in EXHIBITS if one.name == name)
    return " ".join(exhibit.story.values())


def gradients(layer, shape, seed=0, dy=None):
    """dx and grads of the layer, and of the right one that it is derived from, for one batch of three."""
    rng = np.random.default_rng(seed)
    wrong = copy.deepcopy(layer).astype("float64")
    wrong.build(shape, rng)
    right = copy.deepcopy(wrong)
    right.__class__ = next(base for base in type(layer).__mro__ if base.__module__.startswith("batik_scratch.nn."))
    x = rng.permuted(np.linspace(-2, 2, 3 * int(np.prod(shape)))).reshape(3, *shape)
    y = right.forward(x, training=True)
    dy = rng.standard_normal(y.shape) if dy is None else dy
    wrong.forward(x.copy(), training=True)
    return {"dx": wrong.backward(dy.copy())} | wrong.grads, {"dx": right.backward(dy.copy())} | right.grads


def share_wrong(layer, shape, name="dx", axes=None):
    wrong, right = gradients(layer, shape)
    return np.mean(np.abs(wrong[name] - right[name]) > 1e-9, axis=axes)


def test_stride_ignored_spoils_five_values_of_six():
    assert "five of six values of dx are off" in story("StrideIgnoredInBackward")
    assert share_wrong(convolutions.StrideIgnoredInBackward(3, 2, strides=2), (6, 7, 2)) == pytest.approx(
        5 / 6, abs=0.02
    )


def test_padding_not_cut_off_is_summed_by_a_bias_without_complaint():
    assert "takes the larger array without a complaint" in story("PaddingNotCutOff")
    wrong, right = gradients(convolutions.PaddingNotCutOff(4, 3, padding="same"), (5, 6, 2))
    assert np.array_equal(wrong["dx"][:, 1:-1, 1:-1], right["dx"])
    below = nn.Conv2D(2, 1)  # its bias has one gradient per channel, whatever the places
    below.build((7, 8, 3), np.random.default_rng(0))
    below.forward(np.zeros((3, 7, 8, 3), np.float32), training=True)
    below.backward(wrong["dx"].astype(np.float32), need_dx=False)
    assert below.grads["bias"].shape == (2,)


def test_padding_cut_at_one_end_spoils_all_of_dx():
    assert "all of dx is wrong." in story("PaddingCutAtOneEnd")
    assert share_wrong(convolutions.PaddingCutAtOneEnd(4, 3, padding="same"), (5, 6, 2)) == 1


def test_the_last_row_of_dy_counts_in_two_rows_of_five():
    assert "has four rows of dy: without the last, two of the five rows of dx" in story("LastRowLeftOut")
    assert (share_wrong(convolutions.LastRowLeftOut(3, (2, 3)), (5, 6, 2), axes=(0, 2, 3)) == [0, 0, 0, 1, 1]).all()


def test_one_filter_of_four_gives_two_signs_of_three():
    assert "the sign of dx is right in two places of three, its size in none" in story("OnlyTheFirstFilter")
    layer = convolutions.OnlyTheFirstFilter(4, (2, 3))
    pairs = [gradients(layer, (5, 6, 2), seed) for seed in range(30)]
    agree = [np.mean(np.sign(wrong["dx"]) == np.sign(right["dx"])) for wrong, right in pairs]
    assert np.mean(agree) == pytest.approx(2 / 3, abs=0.02)
    assert share_wrong(layer, (5, 6, 2)) == 1


def test_a_mirrored_gradient_keeps_sum_and_norm_and_a_1x1_kernel():
    assert "the sum and the norm are, and for a 1x1 kernel all of it" in story("GradientMirrored")
    wrong, right = gradients(convolutions.GradientMirrored(3, (2, 3)), (5, 6, 2))
    for measure in (np.sum, np.linalg.norm):
        assert measure(wrong["kernel"]) == pytest.approx(measure(right["kernel"]), rel=1e-12)
    assert share_wrong(convolutions.GradientMirrored(3, 1), (5, 6, 2), "kernel") == 0


def test_a_window_taken_as_square_is_right_for_its_first_row_of_winners():
    assert "winners in its two lower rows are sent elsewhere" in story("PoolWindowTakenAsSquare")
    kh, kw = 3, 2
    there = [divmod(winner, kw) == divmod(winner, kh) for winner in range(kh * kw)]
    assert there == [True, True, False, False, False, False]
    assert share_wrong(pooling.PoolWindowTakenAsSquare(3), (6, 6, 2)) == 0


def test_the_last_rows_of_a_pool_are_two_of_148_in_the_paper_and_of_six_here():
    told = story("PoolLastRowsNotWritten")
    assert "of 148 rows two are blank" in told and "has six rows" in told
    layers = nn.paper_cnn().layers
    assert next(layer for layer in layers if isinstance(layer, nn.MaxPooling2D)).input_shape[0] == 148
    (exhibit,) = (one for one in EXHIBITS if one.name == "PoolLastRowsNotWritten")
    assert exhibit.shape[0] == 6
    rows = share_wrong(exhibit.bug, exhibit.shape, axes=(0, 2, 3))
    assert (rows[:4] == 0).all() and (rows[4:] > 0).all()


def test_an_average_pool_that_is_not_divided_is_six_times_too_large():
    assert "6 times the true value" in story("AveragePoolNotDivided")
    wrong, right = gradients(pooling.AveragePoolNotDivided((3, 2)), (7, 6, 2))
    assert np.allclose(wrong["dx"], 6 * right["dx"])


def test_the_figures_of_the_normalisations_are_so():
    shape, over = (5, 6, 2), (0, 1, 2)
    dx, right = (g["dx"] for g in gradients(normalisations.StatisticsTakenForConstants(), shape))
    assert "a true dx adds up to zero in each channel" in story("StatisticsTakenForConstants")
    assert np.abs(right.sum(axis=over)).max() < 1e-12 < np.abs(dx.sum(axis=over)).min()
    off = np.subtract(*(g["dx"] for g in gradients(normalisations.WayThroughTheMeanForgotten(), shape)))
    assert "one number per channel" in story("WayThroughTheMeanForgotten") and np.ptp(off, axis=over).max() < 1e-12
    told = story("VarianceByOneFewer")
    assert "90 values in a channel" in told and "with four pictures 120/119" in told and 3 * 30 == 90 and 4 * 30 == 120
    assert "with three, none is" in story("MeansOverEachPicture")
    assert share_wrong(normalisations.MeansOverEachPicture(), shape) == 1
    alone, right = normalisations.MeansOverEachPicture().astype("float64"), nn.BatchNormalization().astype("float64")
    x, dy = np.random.default_rng(0).standard_normal((2, 1, *shape))
    for layer in (alone, right):
        layer.build(shape, np.random.default_rng(0))
        layer.forward(x, training=True)
    assert np.allclose(alone.backward(dy), right.backward(dy))
    assert "is off by 5 parts in 10,000" in story("EpsilonForgottenInBackward")
    assert np.sqrt(1 + nn.BatchNormalization().epsilon) == pytest.approx(1.0005, abs=1e-6)
    wrong, right = gradients(normalisations.ShiftSummedOverTheBatchAlone(), shape)
    assert "the sum of it over height and width is the true one" in story("ShiftSummedOverTheBatchAlone")
    assert np.allclose(wrong["beta"].sum(axis=(0, 1)), right["beta"])
    wrong, right = (g["dx"] for g in gradients(normalisations.PictureTakenForAffine(), shape))
    assert "a true dx adds up to zero over the picture" in story("PictureTakenForAffine")
    assert np.abs(right.sum(axis=(1, 2, 3))).max() < 1e-12 < np.abs(wrong.sum(axis=(1, 2, 3))).min()


def test_a_scale_taken_with_the_input_is_s_times_the_true_gradient_and_the_mean_times_betas():
    assert "s dgamma + mean dbeta, exactly" in story("ScaleTakenWithTheInput")
    wrong, right = gradients(normalisations.ScaleTakenWithTheInput(), (5, 6, 2))
    x = np.random.default_rng(0).permuted(np.linspace(-2, 2, 180)).reshape(-1, 2)
    deviation = np.sqrt(x.var(axis=0) + 1e-3)
    assert np.allclose(wrong["gamma"], deviation * right["gamma"] + x.mean(axis=0) * right["beta"])


def test_a_logarithm_without_its_epsilon_is_off_by_a_tenth_at_a_tenth():
    assert "1 + epsilon / x times the true value" in story("LogWithoutItsEpsilon")
    layer = activations.LogWithoutItsEpsilon(0.01)
    layer.forward(np.array([[0.1, 2.0]]), training=True)
    assert np.allclose(layer.backward(np.ones((1, 2))), [[1.1 / 0.11, 1.005 / 2.01]])


def test_a_network_without_a_bias_gradient_stops_here():
    assert "stops: KeyError: 'bias'" in story("BiasForgotten")
    layer = dense.BiasForgotten(3)
    layer.build((4,), np.random.default_rng(0))
    y = layer.forward(np.ones((2, 4), np.float32), training=True)
    layer.backward(y)
    with pytest.raises(KeyError, match="bias"):
        nn.SGD(0.1).step([layer])


def test_a_memoised_gradient_is_the_first_batches_at_every_step():
    assert "in training it is the first batch's at every step" in story("KernelGradientMemoised")
    rng = np.random.default_rng(0)
    model = nn.Sequential([dense.KernelGradientMemoised(3), nn.Softmax()], input_shape=(4,), random_state=0)
    model.compile(optimizer=nn.SGD(0.1), loss=nn.SparseCategoricalCrossentropy())
    seen = []
    for _ in range(3):
        model.fit(rng.standard_normal((4, 4)), np.array([0, 1, 2, 0]), epochs=1, verbose=0)
        seen.append(model.layers[0].grads["kernel"].copy())
    assert np.array_equal(seen[0], seen[1]) and np.array_equal(seen[0], seen[2])


def test_weights_stored_the_other_way_round_need_no_prime_on_the_way_back():
    assert "it is Y = X W' and dX = dY W: no prime" in story("WeightsNotTransposedOnUnequalSizes")
    rng = np.random.default_rng(0)
    dx, w, dy = rng.standard_normal((3, 6)), rng.standard_normal((4, 6)), rng.standard_normal((3, 4))
    assert (dx * (dy @ w)).sum() == pytest.approx((dx @ w.T * dy).sum())  # dY W is the adjoint of X W'


def test_a_dropped_feature_is_one_in_five_and_a_new_mask_has_the_right_mean():
    assert "about a fifth of the places" in story("DropoutMaskMissing")
    assert share_wrong(dropout.DropoutMaskMissing(0.2), (3000,)) == pytest.approx(0.2, abs=0.02)
    assert "so is the average of dx over many masks" in story("NewMaskInBackward")
    layer = dropout.NewMaskInBackward(0.2)
    assert np.mean([layer.backward(np.ones(50)) for _ in range(2000)]) == pytest.approx(1, abs=0.01)


def test_a_softmax_that_is_zero_passes_a_check_with_ones():
    assert "0 against 0.24" in story("ZeroSoftmax")
    wrong, right = gradients(activations.ZeroSoftmax(), (5,), dy=np.ones((3, 5)))
    assert np.abs(right["dx"] - wrong["dx"]).max() < 1e-15


def test_a_sum_over_the_batch_broadcasts_whatever_the_sizes():
    assert "(N, U) takes (1, U) and (U,) alike" in story("SoftmaxSumsOverTheBatch")
    a = np.ones((7, 5))
    assert (a - a.sum(axis=0)).shape == (a - a.sum(axis=0, keepdims=True)).shape == (7, 5)
    with pytest.raises(ValueError, match="broadcast"):
        a - a.sum(axis=-1)


def test_probabilities_less_what_comes_from_above_are_wrong_where_nothing_comes():
    assert "with dP zero everywhere dZ is P; the true dZ is zero then" in story("SoftmaxMinusWhatComesFromAbove")
    wrong, right = gradients(activations.SoftmaxMinusWhatComesFromAbove(), (5,), dy=np.zeros((3, 5)))
    assert not right["dx"].any() and np.allclose(wrong["dx"].sum(axis=1), 1)
    dy = np.zeros((3, 5))
    dy[0, 0] = 1  # a zero beside it is no zero in dZ
    assert (gradients(activations.SoftmaxMinusWhatComesFromAbove(), (5,), dy=dy)[1]["dx"][0] != 0).all()


def losses_of(*layers, optimizer, loss=None):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((60, 6)), rng.standard_normal((6, 3))
    model = nn.Sequential(list(layers), input_shape=(6,), random_state=0)
    model.compile(optimizer=optimizer, loss=loss or nn.SparseCategoricalCrossentropy(from_logits=True))
    return model.fit(x, (x @ w).argmax(axis=1), batch_size=20, epochs=8, verbose=0).history["loss"]


def test_what_the_stories_say_of_training_is_so():
    right = losses_of(nn.Dense(8), nn.ReLU(), nn.Dense(3), optimizer=nn.SGD(0.1))
    gate = losses_of(nn.Dense(8), activations.GateMissing(), nn.Dense(3), optimizer=nn.SGD(0.1))
    minus = losses_of(dense.MinusOfTheDescent(8), nn.ReLU(), dense.MinusOfTheDescent(3), optimizer=nn.SGD(0.1))
    assert "a small network still learns" in story("GateMissing") and gate[-1] < 0.8 * gate[0]
    assert "the loss rises from the first step" in story("MinusOfTheDescent") and (np.diff(minus) > 0).all()
    assert right[-1] < 0.8 * right[0]
    layers = nn.Dense(8), nn.ReLU(), nn.Dense(3)
    momentum, none = nn.SGD(0.05, 0.8), optimizer_bugs.MomentumForgotten(0.05, 0.8)
    fast, slow = (losses_of(*copy.deepcopy(layers), optimizer=one) for one in (momentum, none))
    assert "the loss falls, only more slowly" in story("MomentumForgotten")
    assert (np.diff(slow) < 0).all() and fast[-1] < slow[-1]
    once, twice = (
        losses_of(*copy.deepcopy(layers), optimizer=nn.Adam(0.01), loss=loss(True))
        for loss in (lambda logits: None, loss_bugs.LossDividedByTheBatchTwice)
    )
    assert "with Adam even well" in story("LossDividedByTheBatchTwice") and twice == pytest.approx(once, rel=1e-2)


def test_one_entry_in_ten_is_wrong_where_the_one_is_forgotten():
    assert "of ten classes that is nine" in story("OneHotForgotten")
    z, y = np.random.default_rng(0).standard_normal((5, 10)), np.arange(5)
    wrong = loss_bugs.OneHotForgotten(True)(z, y)[1]
    off = wrong - nn.SparseCategoricalCrossentropy(from_logits=True)(z, y)[1]
    assert np.mean(np.abs(off) > 1e-12) == 0.1 and off.max() == pytest.approx(1 / 5)
    assert np.allclose(wrong.sum(axis=1), 1 / 5)


def test_adam_without_correction_is_316_times_too_fast_and_late_right():
    told = story("AdamWithoutBiasCorrection")
    assert "the missing factor is 1 to four digits" in told and "3.16 = 0.1 / sqrt(0.001)" in told
    assert np.sqrt(1 - 0.999**10_000) / (1 - 0.9**10_000) == pytest.approx(1, abs=5e-5)
    assert (1 - 0.9) / np.sqrt(1 - 0.999) == pytest.approx(3.16, abs=0.005)


def test_t_advances_once_per_tensor_and_no_more():
    optimizer = optimizer_bugs.AdamCountingTensors()
    trajectories(optimizer, adam_rule(), 2)
    assert "t advances once per tensor instead of once per step" in story("AdamCountingTensors")
    assert optimizer.iterations == 4  # two steps of two tensors


def test_t_counting_tensors_is_right_for_a_single_tensor():
    assert "with one tensor it is right" in story("AdamCountingTensors")
    weights = []
    for optimizer in (nn.Adam(), optimizer_bugs.AdamCountingTensors()):
        layer = nn.Dense(2)
        layer.params = {"kernel": np.ones((2, 2))}
        for t in range(1, 6):
            layer.grads = {"kernel": np.full((2, 2), 1.0 / t)}
            optimizer.step([layer])
        weights.append(layer.params["kernel"])
    assert np.array_equal(*weights)


def test_swapped_betas_agree_at_first_and_not_for_long():
    assert "off by less than 1e-6 of itself, after step 7 by 2e-3" in story("AdamBetasSwapped")
    trained, expected = trajectories(optimizer_bugs.AdamBetasSwapped(), adam_rule(), 7)
    off = [np.abs(ours["kernel"] / theirs["kernel"] - 1).max() for ours, theirs in zip(trained, expected, strict=True)]
    assert off[0] < 1e-6 and off[6] == pytest.approx(2e-3, rel=0.2)


def test_one_side_costs_five_digits():
    assert "at h = 1e-5 more than a hundred thousand times the error" in story("one_sided")
    for x in (0.0, 0.5, 1.0):

        def f(step, x=x):
            return np.exp(x + step)

        errors = [abs(quotient(f, 1e-5) - np.exp(x)) for quotient in (checkers.one_sided, central_difference)]
        assert errors[0] > 1e5 * errors[1]
