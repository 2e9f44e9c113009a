"""No diagnosis where nothing is wrong: layers, losses and optimisers at random, as many as one has time for.

RIGHT_CASES=5000 python -m pytest -m slow -s tests/learn/test_learn_doctor_random_right.py
"""

import os
import time

import numpy as np
import pytest
from random_layers import Drawn, random_layer
from random_others import random_loss, random_optimizer
from right_cases import right_case

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose, diagnose_loss, diagnose_optimizer

FIRST = 1_000_000  # of the seeds
KINDS = ("package", "drawn", "drawn", "drawn", "drawn", "drawn", "drawn", "loss", "loss", "optimiser")


def mistakes_in(seed):
    """The kind of the case, and what is said to be wrong with it."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    if kind == "package":
        layer, shape, n = right_case(seed)
        return kind, diagnose(layer, shape, n, seed)
    if kind == "drawn":
        layer, shape = random_layer(rng)
        layer.astype(("float32", "float64")[int(rng.integers(2))])
        said = diagnose(layer, shape, int(rng.integers(1, 5)), seed)
        return kind, [one for one in said if one.mistake]  # at a jump nothing can be measured, which is no mistake
    if kind == "loss":
        loss, targets = random_loss(rng)
        return kind, diagnose_loss(loss, int(rng.integers(2, 6)), int(rng.integers(2, 6)), seed, targets=targets)
    return kind, [one for one in diagnose_optimizer(random_optimizer(rng)) if one.mistake]


def wrongly_said(count):
    found, counts, start = {}, dict.fromkeys(KINDS, 0), time.process_time()
    for seed in range(FIRST, FIRST + count):
        kind, said = mistakes_in(seed)
        counts[kind] += 1
        if said:
            found[seed] = (kind, [str(one) for one in said])
    print(f"\n{count} right cases {counts}: {len(found)} diagnoses, {time.process_time() - start:.0f} s of one core")
    return found


def test_no_diagnosis_in_sixty_random_right_cases():
    assert wrongly_said(60) == {}


@pytest.mark.slow
def test_no_diagnosis_in_as_many_random_right_cases_as_are_asked_for():
    assert wrongly_said(int(os.environ.get("RIGHT_CASES", "300"))) == {}


class Spoiled(Drawn):
    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy)
        return dx * (1 + 1e-3 * np.sin(1 + np.arange(dx.size)).reshape(dx.shape))


@pytest.mark.slow
def test_the_same_layers_with_a_thousandth_too_much_are_not_let_through():
    let_through = 0
    for seed in range(40):
        layer, shape = random_layer(np.random.default_rng(seed))
        reaches = diagnose(Spoiled(layer.recipe), shape, 2, seed)
        let_through += not reaches
    assert let_through <= 4  # of some no x reaches y, or one alone


def test_a_random_optimiser_with_a_step_too_long_is_a_mistake_or_unknown_and_never_right():
    for seed in range(9):
        optimizer = random_optimizer(np.random.default_rng(seed))
        rule = optimizer.rule
        optimizer.rule = lambda w, g, s, t, rule=rule: rule(w, g, s, t) * (1 + 0.01 * np.cos(t))
        found = diagnose_optimizer(optimizer)
        assert found and all(one.name != "rule recognised" for one in found), found


def test_a_layer_of_the_package_is_drawn_among_them():
    assert isinstance(right_case(FIRST)[0], nn.Layer) and KINDS[FIRST % len(KINDS)] == "package"
