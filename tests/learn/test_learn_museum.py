"""Every bug of the museum is caught, named, and has its story."""

import functools
import inspect
import re
from collections import Counter

import numpy as np
import pytest

from batik_scratch.learn import museum
from batik_scratch.learn.bugs import EXHIBITS, ROOMS, Exhibit, exhibit
from batik_scratch.nn import ReLU

# what design and textbooks list: each has to hang somewhere
EXPECTED_DIAGNOSES = {
    "constant factor", "wrong sign", "transposed", "kernel not flipped", "shifted by one",
    "bias summed over the wrong axes", "only the last overlap kept", "zero in a region", "mask missing",
    "right for stride 1 alone", "mutated upstream gradient", "diagonal only", "mask taken from the gradient",
    "axes mixed up", "no bias correction", "t counts tensors", "normalisation terms missing", "N - 1 for N",
    "mean over the wrong axes", "epsilon forgotten", "batch statistics at rest", "momentum swapped",
    "right in training alone", "input not normalised", "sign lost",
}  # fmt: skip


visit = functools.cache(museum.visit)  # an exhibit is walked up to once

# a piece of the doctor's words about each, with the sizes and numbers of the exhibit; and the error, where it is exact
SAID = {
    "StrideIgnoredInBackward": ("Wrong for strides (2, 2), and right for stride 1", None),
    "KernelNotFlipped": ("whose kernel (2, 3, 2, 3) is mirrored along height and width", None),
    "OverlapAssigned": ("156 values belong to several windows", None),
    "PaddingNotCutOff": (
        "The shape is (3, 7, 8, 2); the input's is (3, 5, 6, 2), and the part that starts at (0, 1, 1",
        np.inf,
    ),
    "PaddingCutAtOneEnd": ("beside its own: +1 along axis 1, +1 along axis 2.", None),
    "FiltersTakenForChannels": ("whose kernel (2, 3, 3, 3) is transposed to the order (0, 1, 3, 2)", None),
    "LastRowLeftOut": ("right but for the last row of dy (3, 4, 4, 3)", None),
    "OnlyTheFirstFilter": ("that of the first channel of dy (3, 4, 4, 4) alone", None),
    "BiasAveraged": ("0.05 times the true one with 3 inputs of shape (5, 6, 2) and 0.0285714 times it with", 0.95),
    "BiasOverTheWrongAxes": (
        "dy (3, 4, 4, 4) with image summed, row kept, column summed, channel summed; the shape",
        None,
    ),
    "NonSquareKernelTakenAsSquare": ("an array of shape (2, 3, 2, 3) was reshaped", None),
    "ShiftedByOne": ("an input that stands one place after its own along axis 2 of (3, 5, 6, 2)", None),
    "LastImageOnly": ("that of the last image of dy (3, 4, 4, 3) alone", None),
    "GradientsAddUpOverCalls": ("A second backward gives twice the gradient of the first", None),
    "GradientMirrored": ("reversed along axes (0, 1)", None),
    "OverlappingPoolAssigned": ("each holds the share of the last window", None),
    "PoolSharesAmongAll": ("At 162 of the 162 places", 1),
    "PaddedPoolReadUnpadded": ("beside its own: +1 along axis 1, +1 along axis 2.", None),
    "PoolWindowTakenAsSquare": ("Wrong for pool_size (3, 2), and right for square windows", None),
    "PoolLastRowsNotWritten": ("12 of 144 values are zero and should not be (scattered within [:, 4:6, :, :])", 1),
    "AverageNotDivided": (
        "20 times the true one with 3 inputs of shape (4, 5, 2) and 35 times it with 5 inputs of",
        0.95,
    ),
    "AveragePoolNotDivided": (
        "6 times the true one with 3 inputs of shape (7, 6, 2) and with 5 inputs of shape (8, 8, 2) alike: ph*pw.",
        5 / 6,
    ),
    "StatisticsTakenForConstants": ("of (3, 5, 6, 2) dx is off by a constant and a multiple of x, to all", None),
    "WayThroughTheMeanForgotten": ("Along axes (0, 1, 2) of (3, 5, 6, 2) dx is off by a constant, to all", None),
    "VarianceByOneFewer": ("the term that comes by the variance is 90/89 times the true one", None),
    "MeansOverEachPicture": ("over the axes (1, 2) of (3, 5, 6, 2); forward takes its mean and spread over the", None),
    "EpsilonForgottenInBackward": ("the same layer with an epsilon of 0, and forward adds 0.001", None),
    "ScaleTakenWithTheInput": ("the sum of dy times x itself, to all digits. Forward multiplies gamma by", None),
    "ShiftSummedOverTheBatchAlone": ("image summed, row kept, column kept, channel kept; the shape is (5,", np.inf),
    "BatchStatisticsAtRest": ("at rest use moving_mean and moving_variance, and the batch's own", None),
    "MomentumSwapped": (
        "leaves 0.01 of what was in moving_mean and moving_variance, and the layer's momentum is 0.99",
        0.98 / 0.99,
    ),
    "TrainedBackwardAtRest": ("There moving_mean and moving_variance are constants, which no x moves", None),
    "PictureTakenForAffine": ("Along axes (1, 2, 3) of (3, 5, 6, 2) dx is off by a constant and a multiple", None),
    "AbsoluteTakenForItself": ("at all 135 places where x is negative the sign is wrong", 2),
    "LeakClosedInBackward": ("135 of 270 values are zero and should not be", 1),
    "SigmoidTakenTwice": ("of an input that is forward's output: y stands where x should", None),
    "TanhSquareForgotten": ("dx lacks a factor 1 + y", None),
    "EdgeWindowsTakenForWhole": ("Wrong for padding 'same', and right without padding", None),
    "LogWithoutItsEpsilon": ("the same layer with an epsilon of 0, and forward adds 0.01.", None),
    "BatchForgottenInBias": ("dy (3, 3) with image cut to the first, unit kept; the shape is (3,)", None),
    "DividedByTheBatchTwice": (
        "0.333333 times the true one with 3 inputs of shape (6,) and 0.2 times it with 5 inputs",
        2 / 3,
    ),
    "WeightsNotTransposed": ("whose kernel (5, 5) is transposed to the order (1, 0)", None),
    "WeightsNotTransposedOnUnequalSizes": (
        "(size 6 is different from 3); with 3 inputs for 3 outputs it runs.",
        np.inf,
    ),
    "KernelGradientTransposed": ("the shape is (3, 6), and it should be (6, 3)", np.inf),
    "MinusOfTheDescent": ("right but for its sign", 2),
    "BiasForgotten": ('grads has no "bias" after backward', np.inf),
    "LearnsInBackward": ("backward changes the parameter itself", None),
    "RemembersTheFirstBatch": ("the batch of the forward pass before the last one", None),
    "KernelGradientMemoised": ("backward gives this batch the gradient of the other one again, to all digits", None),
    "DropoutMaskMissing": (
        "At 21 of the 21 places where nothing may flow the gradient is not zero; elsewhere it is right",
        1,
    ),
    "DropoutScaleMissing": (
        "0.8 times the true one with 3 inputs of shape (30,) and with 5 inputs of shape (31,) alike",
        0.2,
    ),
    "DropoutScaleTwice": ("1.25 times the true one with 3 inputs of shape (30,) and", 0.2),
    "NewMaskInBackward": ("Two backward passes of one forward pass differ by up to", 1),
    "DiagonalSoftmax": ("output k depends on input j as well", None),
    "ZeroSoftmax": ("All 15 values are zero; the true gradient reaches 0.238", 1),
    "SoftmaxSumsOverTheBatch": ("dx of the others reaches 0.126", None),
    "SoftmaxMinusWhatComesFromAbove": ("dx should be zero, and is up to 0.5556", None),
    "GateFromTheGradient": ("dx is zero at all 135 places where dy is negative", 1),
    "GateOfBoth": ("dx is zero at all 135 places where dy is negative", 1),
    "GateMissing": ("At 135 of the 135 places", 1),
    "MutatesItsUpstreamGradient": ("backward changes the dy that it is given", 1),
    "OverwritesItsInput": ("changes the x that it is given", 1),
    "FlattenTurnedBackWrongly": ("an array of shape (3, 3, 4, 2) was reshaped", None),
    "LossNotDividedByTheBatch": ("5 times the true one with 5 inputs of shape (4,) and 7 times it with 7 inputs", 0.8),
    "LossDividedByTheBatchTwice": (
        "0.2 times the true one with 5 inputs of shape (4,) and 0.142857 times it with",
        0.8,
    ),
    "LossUphill": ("right but for its sign", 2),
    "OneHotForgotten": ("The 5 entries of the true classes are wrong (0.0117 for -0.1883 in the first image)", None),
    "TrueClassAlone": ("the other 15 are zero, and the largest of them should be 0.1215", 1),
    "AdamWithoutBiasCorrection": ("Step 1 is the first that differs: kernel", None),
    "AdamCountingTensors": ("Step 1 is the first that differs: bias", None),
    "AdamEpsilonInsideTheRoot": ("Step 1 is the first that differs: kernel", None),
    "AdamBetasSwapped": ("Step 1 is the first that differs: kernel", None),
    "DescentUphill": ("Step 1 is the first that differs: kernel holds 0.13735223 where the rule has 0.3698553", None),
    "MomentumForgotten": (
        "Step 2 is the first that differs: kernel holds 0.3927416 where the rule has 0.48574283",
        None,
    ),
    "over_h_instead_of_2h": ("Every numerical derivative is 2 times the true one", 0.5),
    "one_sided": ("the error is 10.0 times as large", 1),
}


@pytest.mark.parametrize("one", EXHIBITS, ids=lambda e: e.name)
def test_the_doctors_words_about_each_bug_hold_the_numbers_of_its_exhibit(one):
    words, error = SAID[one.name]
    seen = visit(one)
    assert words in seen.diagnoses[0].sentence
    assert error is None or seen.error == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("one", EXHIBITS, ids=lambda e: e.name)
def test_every_bug_is_caught_in_its_tensor_and_called_by_its_name(one):
    seen = visit(one)
    assert seen.caught and seen.error > 1e-5
    assert [d.name for d in seen.diagnoses] == [one.diagnosis]  # this one, and none of the others


@pytest.mark.parametrize("one", EXHIBITS, ids=lambda e: e.name)
def test_every_bug_tells_its_story(one):
    assert set(one.story) == {"What", *exhibit.LABELS} and all(len(text) > 10 for text in one.story.values())


def test_every_bug_hangs_in_a_room_once():
    assert len({one.name for one in EXHIBITS}) == len(EXHIBITS) >= 28
    assert {one.diagnosis for one in EXHIBITS} >= EXPECTED_DIAGNOSES
    for room in ROOMS:
        made = {name for name, member in vars(room).items() if getattr(member, "__module__", "") == room.__name__}
        assert made == {one.name for one in exhibit.HUNG[room.__name__]}, room.__name__


def test_a_right_layer_is_no_bug_and_the_table_says_so():
    right = Exhibit(ReLU(), "dx", "mask missing", (4, 5))
    seen = museum.visit(right)
    assert not seen.caught and not seen.named
    lines = museum.table([seen, visit(EXHIBITS[0])]).splitlines()
    assert "NOT CAUGHT" in lines[1] and "it is: mask missing" in lines[1]
    assert lines[-2:] == ["1 of 2 bugs named by the doctor", "1 of 2 bugs caught"]


def test_a_bug_in_another_tensor_than_the_exhibit_says_does_not_count():
    stride = EXHIBITS[0]
    assert not museum.visit(Exhibit(stride.bug, "bias", stride.diagnosis, stride.shape)).caught


def test_the_doctor_never_looks_at_names():
    for module in (
        museum.diagnose.__module__,
        "batik_scratch.learn.symptoms.altered",
        "batik_scratch.learn.symptoms.sums",
    ):
        source = inspect.getsource(__import__(module, fromlist=["x"]))
        assert not any(word in source for word in ("__name__", "getsource", "isinstance(layer"))
    assert max(Counter(one.diagnosis for one in EXHIBITS).values()) < len(EXHIBITS) / 4


def test_the_table_has_a_row_per_bug_in_columns_and_the_doctors_words_below_in_lines_of_a_terminal():
    chosen = [
        one for one in EXHIBITS if one.name in ("BiasForgotten", "WeightsNotTransposedOnUnequalSizes", "LossUphill")
    ]
    visits = [visit(one) for one in chosen]
    lines = museum.table(visits).split("\n")
    rows = [line for line in lines[:-3] if line[0] != " "]
    begins = [re.search(r"\b" + word, rows[0]).start() for word in ("bug", "caught by", "error", "diagnosis")]
    cells = [[row[a:b].strip() for a, b in zip(begins, [*begins[1:], None], strict=True)] for row in rows]
    assert cells == [
        ["bug", "caught by", "error", "diagnosis"],
        ["WeightsNotTransposedOnUnequalSizes", "check_layer: backward raises ValueError", "inf", "transposed"],
        ["BiasForgotten", "check_layer: bias None, shape", "inf", "no gradient"],
        ["LossUphill", "check_loss: doutputs, central difference", "2.0e+00", "wrong sign"],
    ]
    words = [line for line in lines[:-3] if line[0] == " "]
    told = " ".join(f"{one.diagnoses[0].tensor}: {one.diagnoses[0].sentence}" for one in visits)
    assert " ".join(" ".join(words).split()) == " ".join(told.split())
    assert all(line.startswith("    ") and len(line) <= 118 for line in words) and max(map(len, words)) > 105
    assert [line[4] != " " for line in words].count(True) == 3  # what goes on is set in further
    assert lines[-3:] == ["", "3 of 3 bugs named by the doctor", "3 of 3 bugs caught"]


def test_a_walk_visits_every_exhibit_in_the_order_of_the_rooms(monkeypatch):
    monkeypatch.setattr(museum, "visit", lambda one: one.name)
    assert list(museum.walk()) == [one.name for room in ROOMS for one in exhibit.HUNG[room.__name__]]


def test_a_bug_that_is_not_the_one_on_show_is_caught_and_not_named():
    right = EXHIBITS[0]
    seen = museum.visit(Exhibit(right.bug, right.tensor, "wrong sign", right.shape))
    assert seen.caught and not seen.named
    assert museum.table([seen]).endswith("\n\n0 of 1 bugs named by the doctor\n1 of 1 bugs caught")
    assert "right for stride 1 alone (it is: wrong sign)" in museum.table([seen])
