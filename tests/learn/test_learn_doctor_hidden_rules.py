"""Optimisers that hold their rate alone: all other numbers stand in the code, where the doctor does not look."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose_optimizer


class Hidden(nn.Optimizer):
    """move(g, memory, t, w) -> what w loses, times the rate; the memory is a dictionary by name."""

    slots = ("one", "two")

    def __init__(self, move, learning_rate=0.01):
        super().__init__(learning_rate)
        self.move = move

    def update(self, w, g, memory):
        w -= self.learning_rate * self.move(g, memory, self.iterations, w)


def means(g, s, a=0.8, b=0.97):
    s["one"][...] = a * s["one"] + (1 - a) * g
    s["two"] += (1 - b) * (g * g - s["two"])


def adam(g, s, t, w):
    means(g, s)
    return s["one"] / (1 - 0.8**t) / (np.sqrt(s["two"] / (1 - 0.97**t)) + 1e-6)


def decoupled(g, s, t, w):
    return adam(g, s, t, w) + 0.2 * w


def heavy_ball(g, s, t, w):
    s["one"] *= 0.7
    s["one"] += g
    return s["one"]


def nesterov(g, s, t, w):
    return 0.7 * heavy_ball(g, s, t, w) + g


def dampened(g, s, t, w):
    s["one"] += 0.4 * (g - s["one"])
    return s["one"]


def rmsprop(g, s, t, w):
    s["two"] += 0.2 * (g * g - s["two"])
    return g / np.sqrt(s["two"] + 1e-5)


def adagrad(g, s, t, w):
    s["one"] += g * g
    return g / (np.sqrt(s["one"]) + 1e-10)


def penalised(g, s, t, w):
    return heavy_ball(g + 0.05 * w, s, t, w)


KNOWN = {
    "Adam (beta_1 = 0.8, beta_2 = 0.97, epsilon = 1e-06)": adam,
    "0.002 w of every tensor": decoupled,
    "momentum (momentum = 0.7)": heavy_ball,
    "Nesterov's form": nesterov,
    "momentum (momentum = 0.6)": dampened,
    "RMSprop (rho = 0.8, epsilon = 1e-05)": rmsprop,
    "Adagrad (epsilon = 1e-10)": adagrad,
    "0.05 w of every tensor, biases too, is added to the gradient": penalised,
}


@pytest.mark.parametrize(("words", "move"), KNOWN.items(), ids=[move.__name__ for move in KNOWN.values()])
def test_a_known_rule_is_recognised_by_its_steps_and_nothing_is_called_wrong(words, move):
    (remark,) = diagnose_optimizer(Hidden(move))
    assert not remark.mistake and remark.name in ("rule recognised", "decay through the gradient")
    assert words in remark.sentence and "No mistake" in remark.sentence


def sign_of_the_mean(g, s, t, w):
    moved = np.sign(0.9 * s["one"] + 0.1 * g)
    s["one"] += 0.02 * (g - s["one"])
    return moved


def largest_so_far(g, s, t, w):
    s["one"] += 0.1 * (g - s["one"])
    s["two"][...] = np.maximum(0.99 * s["two"], np.abs(g))
    return s["one"] / (1 - 0.9**t) / (s["two"] + 1e-12)


def centred(g, s, t, w):
    means(g, s, 0.9, 0.9)
    return g / np.sqrt(s["two"] - s["one"] ** 2 + 1e-4)


def cut_and_cooled(g, s, t, w):
    return heavy_ball(g / max(1.0, np.linalg.norm(g)), s, t, w) / np.sqrt(t)


def sign(g, s, t, w):
    return g / (np.abs(g) + 1e-12)


def layerwise(g, s, t, w):
    move = adam(g, s, t, w)
    return move * (np.linalg.norm(w) + 0.1) / np.linalg.norm(move)


UNKNOWN = [sign_of_the_mean, largest_so_far, centred, cut_and_cooled, layerwise]


@pytest.mark.parametrize("move", UNKNOWN)
def test_an_unknown_rule_is_no_mistake_and_is_told_the_nearest_and_how_to_be_examined(move):
    (remark,) = diagnose_optimizer(Hidden(move))
    assert (remark.name, remark.mistake) == ("unknown rule", False)
    assert all(words in remark.sentence for words in ("No mistake was found", "Nearest comes", "rule=rule"))


def test_the_sign_of_the_gradient_without_a_memory_is_no_forgetful_adagrad():
    class Signs(Hidden):
        slots = ()

    (remark,) = diagnose_optimizer(Signs(sign))
    assert not remark.mistake


def without_correction(g, s, t, w):
    means(g, s)
    return s["one"] / (np.sqrt(s["two"]) + 1e-6)


def half_corrected(g, s, t, w):
    means(g, s)
    return s["one"] / (1 - 0.8**t) / (np.sqrt(s["two"]) + 1e-6)


def late_count(g, s, t, w):
    return adam(g, s, max(t - 1, 1), w)


def rootless(g, s, t, w):
    means(g, s)
    return s["one"] / (1 - 0.8**t) / (s["two"] / (1 - 0.97**t) + 1e-6)


def inside(g, s, t, w):
    means(g, s)
    return s["one"] / (1 - 0.8**t) / np.sqrt(s["two"] / (1 - 0.97**t) + 1e-3)


def unsquared(g, s, t, w):
    means(g, s)
    s["two"] += 0.03 * (np.abs(g) - g * g)
    return s["one"] / (1 - 0.8**t) / (np.sqrt(s["two"] / (1 - 0.97**t)) + 1e-6)


def swapped(g, s, t, w):
    s["two"] *= 0.1
    s["two"] += 0.9 * g * g
    return g / (np.sqrt(s["two"]) + 1e-7)


def endless(g, s, t, w):
    s["one"] += g
    return s["one"]


def turned(g, s, t, w):
    s["one"][...] = g - 0.9 * s["one"]
    return s["one"]


def old_mean(g, s, t, w):
    before = s["two"].copy()
    s["two"] += 0.1 * (g * g - s["two"])
    return g / (np.sqrt(before) + 1e-3)


def decayed_without_correction(g, s, t, w):
    return without_correction(g, s, t, w) + 0.3 * w


WRONG = {
    "no bias correction": [without_correction, decayed_without_correction], "m alone corrected": [half_corrected],
    "t too small": [late_count], "root missing": [rootless], "epsilon inside the root": [inside],
    "gradient not squared": [unsquared], "v with its shares swapped": [swapped],
    "velocity never fades": [endless], "velocity turned round": [turned], "w before v": [old_mean],
    "wrong sign": [lambda *args: -adam(*args), lambda *args: -rmsprop(*args), lambda *args: -sign_of_the_mean(*args)],
    "v is the newest square": [lambda g, s, t, w: (s["one"].__imul__(0), adagrad(g, s, t, w))[1]],
}  # fmt: skip
CASES = [(name, move) for name, moves in WRONG.items() for move in moves]


@pytest.mark.parametrize(("name", "move"), CASES, ids=[f"{name} {i}" for i, (name, _) in enumerate(CASES)])
def test_one_mistake_in_a_known_rule_is_named_without_its_numbers(name, move):
    (found,) = diagnose_optimizer(Hidden(move))
    assert found.mistake and found.name == name, str(found)


def test_the_numbers_are_found_in_any_memory_whatever_it_is_kept_in():
    class Own:
        def __init__(self):
            self.lr, self.state = 0.1, {}

        def step(self, layers):
            for layer in layers:
                for key, w in layer.params.items():
                    slot = self.state.setdefault(id(layer), {}).setdefault(key, [np.zeros_like(w)])
                    slot[0] = 0.65 * slot[0] + layer.grads[key]
                    w -= self.lr * slot[0]

    assert "momentum = 0.65" in diagnose_optimizer(Own())[0].sentence


# ------------------------------------------------------------------ by any rule


class ByName(nn.Optimizer):
    """A memory by the parameter's name alone: two layers share it."""

    def step(self, layers):
        kept = self.__dict__.setdefault("kept", {})
        for layer in layers:
            for key, w in layer.params.items():
                kept[key] = 0.9 * kept.get(key, 0.0) + 0.3 * np.cbrt(layer.grads[key])
                w -= self.learning_rate * kept[key]


class Counting(Hidden):
    """An unknown rule, whose rate falls from tensor to tensor."""

    calls = 0

    def update(self, w, g, memory):
        self.calls += 1
        w -= self.learning_rate / self.calls * np.cbrt(g)


class Writing(Hidden):
    def update(self, w, g, memory):
        g *= 0.5
        super().update(w, g, memory)


@pytest.mark.parametrize(
    ("optimizer", "name", "words"),
    [
        (ByName(0.1), "tensors not treated alike", "one memory serves both"),
        (Counting(None), "tensors not treated alike", "a count goes on"),
        (Writing(sign_of_the_mean), "gradient changed", "not `g += ...`"),
        (Writing(heavy_ball), "gradient changed", "not `g += ...`"),
        (Hidden(lambda g, s, t, w: np.cbrt(g) / np.abs(g)), "not a number", "Gradients of zero"),
        (Hidden(lambda g, s, t, w: -np.cbrt(g)), "wrong sign", "uphill"),
    ],
)  # fmt: skip
def test_what_is_wrong_by_any_rule_is_told_of_an_unknown_one_too(optimizer, name, words):
    (found,) = diagnose_optimizer(optimizer)
    assert found.mistake and found.name == name and words in found.sentence, str(found)


def test_what_is_nearly_wrong_by_any_rule_is_let_pass():
    for move in (lambda g, s, t, w: np.cbrt(g), lambda g, s, t, w: np.cbrt(g) / (np.abs(g) + 1e-3)):
        (remark,) = diagnose_optimizer(Hidden(move))
        assert not remark.mistake


def test_who_inherits_a_rule_has_promised_it():
    class Other(nn.Adam):
        def update(self, w, g, memory):
            w -= 0.1 * np.cbrt(g)

    (found,) = diagnose_optimizer(Other())
    assert found.mistake and found.name == "unexplained"


def test_numbers_that_are_held_but_used_otherwise_are_no_mistake_yet_told():
    optimizer = Hidden(lambda g, s, t, w: np.cbrt(g))
    optimizer.momentum = 0.9
    (remark,) = diagnose_optimizer(optimizer)
    assert not remark.mistake and "If its numbers mean momentum: Step 1 is the first that differs" in remark.sentence


def corrected_by(of_m, of_v):
    def move(g, s, t, w):
        means(g, s)
        return s["one"] / (1 - of_m**t) / (np.sqrt(s["two"] / (1 - of_v**t)) + 1e-6)

    return move


@pytest.mark.parametrize(
    ("move", "name"),
    [(corrected_by(0.97, 0.97), "m corrected by beta_2"), (corrected_by(0.8, 0.8), "v corrected by beta_1")],
)
def test_a_correction_by_the_others_rate_is_named(move, name):
    (found,) = diagnose_optimizer(Hidden(move))
    assert found.mistake and found.name == name


def lost(g, s, t, w):
    kept = 0.9 * s["one"] + 0.1 * g * g  # bound to a name, and never written back
    return g / (np.sqrt(kept) + 1e-7)


def test_a_memory_that_is_never_written_is_told():
    optimizer = Hidden(lost)
    optimizer.decay_rate = 0.9
    found = diagnose_optimizer(optimizer)
    assert found[0].mistake and found[0].name == "memory forgotten" and "m[...] = new" in found[0].sentence


def test_a_small_decay_is_one_of_the_weights():
    optimizer = Hidden(lambda g, s, t, w: adagrad(g, s, t, w) + 0.01 * w)
    optimizer.decay = 0.01
    (remark,) = diagnose_optimizer(optimizer)
    assert not remark.mistake and "Adagrad" in remark.sentence


@pytest.mark.parametrize(("sign", "name"), [(-1, "decay with the wrong sign"), (1, "rule recognised")])
def test_a_decay_that_makes_weights_grow_is_a_mistake(sign, name):
    (found,) = diagnose_optimizer(Hidden(lambda g, s, t, w: g + sign * 0.2 * w))
    assert found.name == name and found.mistake == (sign < 0)
    assert ("weights grow by 0.002 of themselves" in found.sentence) == (sign < 0)
