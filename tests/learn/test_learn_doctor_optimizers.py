"""Optimisers as people write them, right and wrong: the rule is found by their numbers, the mistake by their steps."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.errors import InputError
from batik_scratch.learn.doctor import diagnose_optimizer


class Own:
    """Not one of ours: a memory by place, numbers of its own names, and a rule step(self, w, g, slot) -> move."""

    def __init__(self, move, **numbers):
        self.move, self.t, self.slots = move, 0, {}
        self.__dict__.update(numbers)

    def step(self, layers):
        self.t += 1
        for number, layer in enumerate(layers):
            for key in layer.params:
                slot = self.slots.setdefault((number, key), {"m": 0.0, "v": 0.0})
                layer.params[key] -= self.move(self, layer.grads[key], slot, layer.params[key])


def momentum(self, g, s, w):
    s["v"] = self.mu * s["v"] + g
    return self.lr * s["v"]


def running_mean(self, g, s, w):
    s["v"] = self.mu * s["v"] + (1 - self.mu) * g
    return self.lr * s["v"]


def adam(self, g, s, w):
    s["m"] = self.b1 * s["m"] + (1 - self.b1) * g
    s["v"] = self.b2 * s["v"] + (1 - self.b2) * g * g
    m, v = s["m"] / (1 - self.b1**self.t), s["v"] / (1 - self.b2**self.t)
    return self.lr * m / (np.sqrt(v) + self.eps)


def adamw(self, g, s, w):
    decay = self.lr * self.wd * w if w.ndim > 1 else 0.0
    return adam(self, g, s, w) + decay


def rmsprop(self, g, s, w, root=np.sqrt, square=np.square):
    s["v"] = self.rho * s["v"] + (1 - self.rho) * square(g)
    return self.lr * g / (root(s["v"]) + self.eps)


def adagrad(self, g, s, w):
    s["v"] = s["v"] + g * g
    return self.lr * g / (np.sqrt(s["v"]) + self.eps)


MU, RHO = {"lr": 0.1, "mu": 0.9}, {"lr": 0.01, "rho": 0.95, "eps": 1e-8}
BETAS = {"lr": 0.01, "b1": 0.9, "b2": 0.99, "eps": 1e-8}
RIGHT = {
    "momentum": (momentum, MU),
    "running mean": (running_mean, MU),
    "Adam": (adam, BETAS),
    "Adam with a large epsilon": (adam, BETAS | {"eps": 1e-2}),
    "AdamW": (adamw, BETAS | {"wd": 0.3}),
    "RMSprop": (rmsprop, RHO),
    "RMSprop, epsilon inside": (
        lambda self, g, s, w: rmsprop(self, g, s, w, root=lambda v: np.sqrt(v + 1e-3) - 1e-3), RHO | {"eps": 1e-3}),
    "Adagrad": (adagrad, {"eta": 0.1, "lr": 0.1, "eps": 1e-8}),
    "descent": (lambda self, g, s, w: self.learning_rate * g, {"learning_rate": 0.1}),
}  # fmt: skip


@pytest.mark.parametrize(("move", "numbers"), RIGHT.values(), ids=RIGHT)
def test_a_right_optimiser_of_another_author_gets_no_diagnosis(move, numbers):
    assert diagnose_optimizer(Own(move, **numbers)) == []


@pytest.mark.parametrize(("move", "numbers"), RIGHT.values(), ids=RIGHT)
def test_the_same_optimiser_with_a_step_of_a_thousandth_more_is_told_its_factor(move, numbers):
    (found,) = diagnose_optimizer(Own(lambda *args: 1.001 * move(*args), **numbers))
    if "wd" in numbers:  # the decay is not a part of the step
        assert found.name in ("unexplained", "step by a factor")
    else:
        assert found.name == "step by a factor" and "1.001 times" in found.sentence


def late(move):
    def moved(self, g, s, w):
        before = s.get("g", np.zeros_like(g))
        s["g"] = g
        return move(self, before, s, w)

    return moved


def forgetful(move):
    return lambda self, g, s, w: move(self, g, {"m": 0.0, "v": 0.0}, w)


def uncorrected(self, g, s, w):
    s["m"] = self.b1 * s["m"] + (1 - self.b1) * g
    s["v"] = self.b2 * s["v"] + (1 - self.b2) * g * g
    return self.lr * s["m"] / (np.sqrt(s["v"]) + self.eps)


def grows(self, g, s, w):
    s["v"] = s["v"] + g * g
    return self.lr * g / (np.sqrt(s["v"]) + self.eps)


def old_velocity(self, g, s, w):
    before, s["v"] = s["v"], self.mu * s["v"] + g
    return self.lr * (before + 0 * g)


def endless(self, g, s, w):
    s["v"] = s["v"] + g
    return self.lr * s["v"]


def turned(self, g, s, w):
    s["v"] = g - self.mu * s["v"]
    return self.lr * s["v"]


def counted(self, g, s, w):
    self.t += 1  # beside that of each step
    return adam(self, g, s, w)


WRONG = {
    "wrong sign": [(lambda *a: -momentum(*a), MU), (lambda *a: -rmsprop(*a), RHO), (lambda *a: -adam(*a), BETAS)],
    "momentum forgotten": [(lambda self, g, s, w: self.lr * g, MU)],
    "w before the velocity": [(old_velocity, MU)],
    "velocity never fades": [(endless, MU)],
    "velocity turned round": [(turned, MU)],
    "no bias correction": [(uncorrected, BETAS)],
    "root missing": [(lambda *a: rmsprop(*a, root=lambda v: v), RHO)],
    "gradient not squared": [(lambda *a: rmsprop(*a, square=np.abs), RHO)],
    "v only grows": [(grows, RHO)],
    "v is the newest square": [(lambda self, g, s, w: self.lr * g / (np.abs(g) + self.eps), {"lr": 0.1, "eps": 1e-8})],
    "step by a factor": [(lambda *a: 0.3 * momentum(*a), MU)],
    "gradient of the step before": [(late(adam), BETAS), (late(momentum), MU)],
    "memory forgotten": [(forgetful(adagrad), {"lr": 0.1, "eps": 1e-8})],
    "tensor left out": [(lambda self, g, s, w: momentum(self, g, s, w) * (g.ndim > 1), MU)],
    "t counts tensors": [(counted, BETAS)],
}
CASES = [(name, *case) for name, cases in WRONG.items() for case in cases]


@pytest.mark.parametrize(("name", "move", "numbers"), CASES, ids=[f"{c[0]} {i}" for i, c in enumerate(CASES)])
def test_a_wrong_optimiser_of_another_author_is_named(name, move, numbers):
    (found,) = diagnose_optimizer(Own(move, **numbers))
    same = {  # one thing under two names, for Adagrad and for momentum
        "memory forgotten": "v is the newest square", "gradient of the step before": "w before the velocity",
    }  # fmt: skip
    assert found.name in (name, same.get(name)), str(found)


def test_one_mistake_under_six_spellings_of_the_numbers_gets_one_diagnosis():
    spellings = [("lr", "b1", "b2", "eps"), ("learning_rate", "beta1", "beta2", "epsilon"), ("eta", "b1", "b2", "e"),
                 ("lr", "beta_1", "beta_2", "tiny"), ("step_size", "_beta1", "_beta2", "_eps")]  # fmt: skip
    numbers = (0.01, 0.9, 0.99, 1e-8)
    names = set()
    known = Own(uncorrected, **BETAS)

    def hidden(self, g, s, w):
        return uncorrected(known, g, s, w)

    for spelling in spellings:
        own = Own(hidden, **dict(zip(spelling, numbers, strict=True)))
        names.add(diagnose_optimizer(own)[0].name)
    pair = Own(hidden, lr=0.01, betas=(0.9, 0.99), eps=1e-8)
    names.add(diagnose_optimizer(pair)[0].name)
    assert names == {"no bias correction"}


def lion(w, g, memory, t):
    m = memory.get("m", 0.0)
    memory["m"] = 0.99 * m + 0.01 * g
    return w - 0.01 * np.sign(0.9 * m + 0.1 * g)


class Lion(Own):
    def __init__(self, sign=1, keep=True, decay=0.99):
        def move(self, g, s, w):
            m = s["m"] if keep else 0.0
            s["m"] = decay * m + (1 - decay) * g
            return sign * self.lr * np.sign(0.9 * m + 0.1 * g)

        super().__init__(move, lr=0.01)


@pytest.mark.parametrize(
    ("options", "names"),
    [({}, []), ({"sign": -1}, ["step by a factor"]), ({"keep": False}, ["memory forgotten"]),
     ({"sign": 2}, ["step by a factor"])],
)  # fmt: skip
def test_an_optimiser_is_held_against_a_rule_of_the_users_own(options, names):
    assert [one.name for one in diagnose_optimizer(Lion(**options), rule=lion)] == names


def test_what_is_right_by_its_numbers_is_wrong_by_another_rule():
    (found,) = diagnose_optimizer(nn.SGD(0.01), rule=lion)
    assert found.name == "unexplained" and "the rule that was given" in found.sentence


def test_a_step_that_raises_is_told_with_what_it_raises():
    (found,) = diagnose_optimizer(Own(lambda self, g, s, w: g @ g, lr=0.1))
    assert (found.name, found.tensor) == ("raises", "step") and "ValueError" in found.sentence


def test_what_has_no_learning_rate_is_refused():
    with pytest.raises(InputError, match="learning_rate"):
        diagnose_optimizer(Own(adam))
