"""One table of wrong update rules: each differs from all others, and whoever speaks of mistakes knows its names."""

import copy
import itertools

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn.bugs import optimizers as museum
from batik_scratch.learn.bugs.exhibit import HUNG
from batik_scratch.learn.exercises.tasks.adam import SENTENCES
from batik_scratch.learn.symptoms import optimizers as doctor
from batik_scratch.learn.update_rules import MISTAKES, RIGHT, right_rule, wrong_rules
from batik_scratch.nn.gradcheck.optimizers import trajectories

ADAM = nn.Adam(0.01, 0.9, 0.99, 1e-3)
ADAMW = nn.AdamW(0.01, 3.0, 0.9, 0.99, 1e-3)
DESCENTS = [nn.SGD(0.1, 0.8), nn.SGD(0.1, 0.8, nesterov=True)]


def weights(optimizer, rule):
    """All weights after each of seven steps by the rule."""
    with np.errstate(invalid="ignore"):  # v as a mean of g may be negative
        return np.stack([np.append(w["kernel"], w["bias"]) for w in trajectories(copy.deepcopy(optimizer), rule, 7)[1]])


ALL = pytest.mark.parametrize("optimizer", [ADAM, ADAMW, *DESCENTS], ids=["adam", "adamw", "momentum", "nesterov"])


@ALL
def test_every_wrong_rule_goes_its_own_way(optimizer):
    rules = {"right": (right_rule(optimizer),), **wrong_rules(optimizer)}
    ways = [(name, weights(optimizer, rule)) for name, several in rules.items() for rule in several]
    alike = [(a, b) for (a, x), (b, y) in itertools.combinations(ways, 2) if np.allclose(x, y, rtol=1e-9, atol=1e-12)]
    # the same w by another memory: the exercise looks at the memory first
    assert alike == ([("m is the newest gradient", "g in place of m")] if optimizer in (ADAM, ADAMW) else [])


@ALL
def test_the_packages_optimisers_follow_the_right_rule(optimizer):
    trained, expected = trajectories(copy.deepcopy(optimizer), right_rule(optimizer), 7)
    assert all(np.allclose(a[key], b[key], rtol=1e-12) for a, b in zip(trained, expected, strict=True) for key in a)


def test_whoever_speaks_of_a_mistake_knows_it_by_its_name_in_the_table():
    named = {name for formulas in MISTAKES.values() for name in formulas}
    assert SENTENCES.keys() == named and RIGHT.keys() == MISTAKES.keys()
    assert doctor.ADAM.keys() <= wrong_rules(ADAM).keys() and doctor.DESCENT.keys() == wrong_rules(DESCENTS[0]).keys()
    assert doctor.ADAMW.keys() <= wrong_rules(ADAMW).keys()
    assert {one.diagnosis for one in HUNG[museum.__name__]} <= doctor.ADAM.keys() | doctor.DESCENT.keys()


@pytest.mark.parametrize("place", ["m", "v"])
def test_a_mistake_in_a_memory_is_made_in_that_memory_alone(place):
    for name in MISTAKES[place]:
        wrong, right = {}, {}
        for t in (1, 2):
            for rule, memory in ((wrong_rules(ADAM)[name][0], wrong), (right_rule(ADAM), right)):
                with np.errstate(invalid="ignore"):
                    rule(np.ones(3), np.array([0.5, -1.0, 2.0]) / t, memory, t)
        assert {key for key in "mv" if not np.allclose(wrong[key], right[key])} == {place}, name
