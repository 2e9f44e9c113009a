"""Wrong losses, optimisers and difference quotients: the rule that they follow, and the numbers where they part."""

import math

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose_loss, diagnose_optimizer, diagnose_quotient
from batik_scratch.nn.gradcheck.optimizers import sgd_rule, trajectories

ENTROPY = nn.SparseCategoricalCrossentropy(from_logits=True)


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


# ------------------------------------------------------------------ losses


def wrong_loss(change, **options):
    """The diagnosis of a loss whose gradient is change(gradient, z, y), and the logits and labels of its first call."""
    seen = []

    def loss(z, y):
        seen.append((z.copy(), y.copy()))
        value, gradient = ENTROPY(z, y)
        return value, change(gradient, z, y)

    (found,) = diagnose_loss(loss, **options)
    assert found.tensor == "doutputs"
    return found, seen


@pytest.mark.parametrize("options", [{}, {"n": 4, "classes": 3, "seed": 2}])
def test_a_loss_is_tried_on_as_many_images_and_classes_as_are_asked_for(options):
    _, seen = wrong_loss(lambda g, z, y: -g, **options)
    n, classes = options.get("n", 5), options.get("classes", 4)
    assert {(z.shape, y.shape) for z, y in seen} == {((n, classes), (n,))}
    assert all(set(y) <= set(range(classes)) and len(set(y)) > 1 for _, y in seen)


def test_other_seeds_try_other_logits():
    tried = {wrong_loss(lambda g, z, y: -g, seed=seed)[1][0][0].tobytes() for seed in (0, 1, 2)}
    assert len(tried) == 3


def test_a_forgotten_one_is_told_with_its_entries_and_both_numbers():
    found, seen = wrong_loss(lambda g, z, y: softmax(z) / len(y))
    z, y = seen[1]  # the first call is another batch's
    p = softmax(z)[0, y[0]]
    assert found.name == "true class forgotten"
    assert found.sentence.startswith(
        f"The 5 entries of the true classes are wrong ({p / 5:.4g} for {(p - 1) / 5:.4g} in the first"
    )


def test_the_true_class_alone_is_told_with_the_largest_of_the_others():
    found, seen = wrong_loss(lambda g, z, y: np.where(np.eye(4)[y] == 1, g, 0))
    z, y = seen[1]
    others = np.where(np.eye(4)[y] == 1, 0, softmax(z) / 5)
    assert found.name == "only the true class"
    assert f"the other 15 are zero, and the largest of them should be {others.max():.4g}. " in found.sentence


def test_a_loss_divided_by_the_batch_once_more_is_told_for_two_batches():
    found, _ = wrong_loss(lambda g, z, y: g / len(y), n=4, classes=3)
    assert found.name == "constant factor"
    assert found.sentence.startswith(
        "Every value is 0.25 times the true one with 4 inputs of shape (3,) and 0.166667 times it"
    )
    assert "with 6 inputs of shape (4,): 1/N. The mean over the batch is taken once, by the loss" in found.sentence


def test_the_numbers_told_of_a_loss_are_its_own():
    found, seen = wrong_loss(lambda g, z, y: g + (g == g.max()) * 0.5)
    z, y = seen[1]
    right = (softmax(z) - np.eye(4)[y]) / 5
    value = right.max()
    assert found.name == "unexplained" and f": {value + 0.5:.6g}, and it should be {value:.6g}." in found.sentence
    found, _ = wrong_loss(lambda g, z, y: 0 * g)
    assert f"the true gradient reaches {np.abs(right).max():.3g}." in found.sentence


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda g, z, y: np.zeros_like(g), "always zero"),
        (lambda g, z, y: g * np.nan, "not a number"),
        (lambda g, z, y: g + 0.1 * g**2, "unexplained"),
        (lambda g, z, y: g[:, :1], "wrong shape"),
    ],
)
def test_other_wrong_losses_are_named(change, name):
    assert wrong_loss(change)[0].name == name


# ------------------------------------------------------------------ optimisers


def parting(optimizer, rule, steps):
    """Step, tensor and both numbers at the worst place, where the optimiser and the rule part."""
    trained, expected = trajectories(optimizer, rule, steps)
    for step, (ours, theirs) in enumerate(zip(trained, expected, strict=True), 1):
        for key in ours:
            off = np.abs(ours[key] - theirs[key])
            if off.max() > 1e-13:
                place = np.unravel_index(off.argmax(), off.shape)
                return step, key, ours[key][place], theirs[key][place]
    raise AssertionError("they do not part")


def adam(lr=0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3, alpha=None, root=None, square=None):
    def rule(w, g, memory, t):
        memory["m"] = m = beta_1 * memory.get("m", 0.0) + (1 - beta_1) * g
        memory["v"] = v = beta_2 * memory.get("v", 0.0) + (1 - beta_2) * (square or (lambda g: g * g))(g)
        size = (alpha or (lambda t: lr * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)))(t)
        return w - size * m / (root or (lambda v: np.sqrt(v) + epsilon))(v)

    return rule


class ByRule(nn.Adam):
    """Adam, with a rule of the test's own for each step; t counts by its own rule as well."""

    def __init__(self, rule, count=lambda t, tensor: t):
        super().__init__(0.01, 0.8, 0.95, 1e-3)
        self.rule, self.count, self.memories, self.tensor = rule, count, {}, 0

    def step(self, layers):
        self.iterations += 1
        for layer in layers:
            for number, (key, g) in enumerate(layer.grads.items()):
                memory = self.memories.setdefault((id(layer), key), {})
                layer.params[key][...] = self.rule(layer.params[key], g, memory, self.count(self.iterations, number))


WRONG_ADAMS = [
    ("no bias correction", adam(alpha=lambda t: 0.01), None, "alpha lacks sqrt(1 - beta_2^t) / (1 - beta_1^t)"),
    ("t counts tensors", adam(), lambda t, tensor: 2 * (t - 1) + 1 + tensor, "t is advanced for every tensor"),
    ("t counts tensors", adam(), lambda t, tensor: 3 * (t - 1) + 1 + tensor, "t is advanced for every tensor"),
    ("epsilon inside the root", adam(root=lambda v: np.sqrt(v + 1e-3)), None, "the rule has sqrt(v) + epsilon"),
    ("betas swapped", adam(beta_1=0.95, beta_2=0.8), None, "beta_1 and beta_2 have changed places"),
    ("wrong sign", adam(lr=-0.01), None, "The step goes uphill"),
    ("gradient not squared", adam(square=abs), None, "v is the mean of |g|"),
    ("m alone corrected", adam(alpha=lambda t: 0.01 / (1 - 0.8**t)), None, "Only m's bias is corrected"),
    ("step by a factor", adam(lr=0.011), None, "Every step is 1.1 times that of the rule."),
    ("unexplained", adam(alpha=lambda t: 0.01 / t), None, "none of the usual mistakes"),
]


@pytest.mark.parametrize(
    ("name", "rule", "count", "words"), WRONG_ADAMS, ids=[f"{r[0]}{i}" for i, r in enumerate(WRONG_ADAMS)]
)
@pytest.mark.parametrize("steps", [7, 4])
def test_an_adam_by_another_rule_is_told_with_the_rule_and_where_they_part(name, rule, count, words, steps):
    def wrong():
        return ByRule(rule, count) if count else ByRule(rule)

    (found,) = diagnose_optimizer(wrong(), steps)
    step, key, ours, theirs = parting(wrong(), adam(), steps)
    assert (found.name, found.tensor) == (name, key) and words in found.sentence
    assert (
        f"Step {step} is the first that differs: {key} holds {ours:.8g} where the rule has {theirs:.8g}. "
        in found.sentence
    )
    assert (f"All {steps} steps fit this explanation." in found.sentence) == (name != "unexplained")


WRONG_DECAYS = {
    "decay through the gradient": lambda self, w, g: nn.Adam.update(self, w, g + 2.0 * w * (w.ndim > 1), self.now),
    "no decay": lambda self, w, g: nn.Adam.update(self, w, g, self.now),
    "biases decay": lambda self, w, g: (nn.Adam.update(self, w, g, self.now), w.__isub__(0.02 * self.old)),
    "decay without the rate": lambda self, w, g: (
        nn.Adam.update(self, w, g, self.now), w.__isub__(2.0 * self.old * (w.ndim > 1)),
    ),
    "wrong sign": lambda self, w, g: (
        nn.Adam.update(self, w, g, self.now), w.__imul__(-1), w.__iadd__((2 - 0.02 * (w.ndim > 1)) * self.old),
    ),
    "unexplained": lambda self, w, g: nn.Adam.update(self, w, g, self.now) or w.__isub__(0.03 * self.old),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_DECAYS)
def test_an_adamw_by_another_rule_is_told_by_the_mistake_in_its_decay(name):
    class Wrong(nn.AdamW):
        def update(self, w, g, memory):
            self.old, self.now = w.copy(), memory
            WRONG_DECAYS[name](self, w, g)

    (found,) = diagnose_optimizer(Wrong(0.01, 2.0))
    assert found.name == name
    assert ("All 7 steps fit this explanation." in found.sentence) == (name != "unexplained")


def test_an_adam_that_is_right_for_fewer_steps_is_right_for_those():
    late = ByRule(lambda w, g, memory, t: adam()(w, g, memory, t) + (t == 5) * 1e-6)
    assert diagnose_optimizer(late, 4) == []
    (found,) = diagnose_optimizer(late, 5)
    assert found.sentence.startswith("Step 5 is the first that differs: kernel ")


@pytest.mark.parametrize(
    ("options", "followed", "name"),
    [
        ((0.1, 0.8), (-0.1, 0.8), "wrong sign"),
        ((0.1, 0.8, True), (-0.1, 0.8, True), "wrong sign"),
        ((0.1, 0.8), (0.1,), "momentum forgotten"),
        ((0.1, 0.8), (0.1, 0.8, True), "nesterov confused"),
        ((0.1, 0.8, True), (0.1, 0.8, False), "nesterov confused"),
        ((0.1, 0.8), (0.1, 0.7), "unexplained"),
    ],
)
def test_a_descent_by_another_rule_is_told_with_the_rule_and_where_they_part(options, followed, name):
    class Wrong(nn.SGD):
        def step(self, layers):
            other = self.__dict__.setdefault("other", nn.SGD(abs(followed[0]), *followed[1:]))
            if followed[0] < 0:
                for layer in layers:
                    layer.grads = {key: -g for key, g in layer.grads.items()}
            other.step(layers)

    (found,) = diagnose_optimizer(Wrong(*options))
    step, key, ours, theirs = parting(Wrong(*options), sgd_rule(*options), 7)
    assert (found.name, found.tensor) == (name, key)
    assert (
        f"Step {step} is the first that differs: {key} holds {ours:.8g} where the rule has {theirs:.8g}. "
        in found.sentence
    )
    asked = len(options) == 3
    assert (
        name != "nesterov confused"
        or f"nesterov is {asked}, and the steps are those of {not asked}. " in found.sentence
    )


def test_steps_that_are_no_numbers_are_told_too():
    class Broken(nn.SGD):
        def step(self, layers):
            super().step(layers)
            layers[0].params["bias"][2] = np.nan

    (found,) = diagnose_optimizer(Broken(0.1))
    assert found.name == "not a number" and "Step 1 is the first that differs: bias" in found.sentence


@pytest.mark.parametrize("optimizer", [nn.Adam, nn.SGD])
def test_steps_that_are_rounded_to_single_numbers_are_not_those_of_the_rule(optimizer):
    class Rounded(optimizer):
        def update(self, w, g, memory):
            before = w.copy()
            super().update(w, g, memory)
            w[...] = before + (w - before).astype("float32")

    (found,) = diagnose_optimizer(Rounded(0.01))
    assert found.name == "unexplained" and "Step 1 is the first that differs" in found.sentence


# ------------------------------------------------------------------ quotients


@pytest.mark.parametrize("factor", [2.0, 0.5, -1.0, 1.01])
def test_a_quotient_off_by_a_factor_is_told_with_it(factor):
    (found,) = diagnose_quotient(lambda f, h: factor * (f(h) - f(-h)) / (2 * h))
    assert (found.name, found.tensor) == ("constant factor", "3 x")
    assert found.sentence.startswith(f"Every numerical derivative is {factor:.6g} times the true one.")


@pytest.mark.parametrize("side", [1, -1])
def test_a_quotient_of_one_side_is_told_by_how_its_error_grows(side):
    (found,) = diagnose_quotient(lambda f, h: (f(side * h) - f(0.0)) / (side * h))
    errors = [abs((np.exp(0.5 + side * h) - np.exp(0.5)) / (side * h) - np.exp(0.5)) for h in (1e-3, 1e-2)]
    assert (found.name, found.tensor) == ("one-sided difference", "x^2")
    assert (
        f"ten times the step the error is {errors[1] / errors[0]:.1f} times as large, so it falls with h"
        in found.sentence
    )


@pytest.mark.parametrize("wrong", [lambda f, h: (f(h) - f(-h)) / (2 * h) + 0.01, lambda f, h: 0.0 * f(h)])
def test_a_quotient_that_is_wrong_otherwise_is_not_explained(wrong):
    (found,) = diagnose_quotient(wrong)
    assert found.name in ("unexplained", "constant factor")
    assert found.name == "unexplained" or "is 0 times" in found.sentence


class LastIsLost(nn.SGD):
    """A little wrong everywhere, and one number is none at all."""

    def update(self, w, g, memory):
        super().update(w * 1.01, g, memory)
        w.flat[-1] = np.nan


def test_the_worst_place_of_an_optimiser_is_the_one_that_is_no_number():
    (found,) = diagnose_optimizer(LastIsLost(0.1))
    assert "holds nan where the rule has" in str(found)
