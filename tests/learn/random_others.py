"""Losses and optimisers drawn at random that are right, with numbers and names of their own."""

import numpy as np
from random_layers import Var, add, back, each, mul, sigmoid, softmax


def random_loss(rng):
    """A right loss, and what its targets are; by the tape, on logits."""
    targets = ("classes", "one-hot", "binary", "numbers")[int(rng.integers(4))]
    size, cool = float(rng.choice([0.5, 1.0, 2.0])), float(rng.choice([1.0, 1.0, 0.5]))
    smoothing, power = float(rng.choice([0.0, 0.0, 0.1])), float(rng.choice([0.0, 0.0, 2.0]))
    summed = bool(rng.integers(2))

    def loss(logits, y):
        z = Var(np.array(logits, float))
        scaled = each(z, lambda v: cool * v, lambda v, _: np.full_like(v, cool))
        count = 1 if summed else len(z.value)
        if targets == "numbers":
            rows = each(add(scaled, Var(-np.array(y, float))), np.square, lambda v, _: 2 * v)
        elif targets == "binary":
            rows = each(scaled, lambda v: np.logaddexp(0, v) - v * y, lambda v, _: sigmoid(v) - y)
        else:
            hot = np.eye(z.shape[1])[y] if targets == "classes" else np.array(y, float)
            p = softmax(scaled)
            share = hot * (1 - smoothing) + smoothing / z.shape[1]
            logs = each(p, lambda v: -np.log(v) * share, lambda v, _: -share / v)
            focus = each(
                p, lambda v: (1 - v) ** power, lambda v, _: -power * (1 - v) ** (power - 1) if power else 0 * v
            )
            rows = mul(logs, focus)
        back(rows, np.full(rows.shape, size / count))
        return float(rows.value.sum()) * size / count, z.grad

    return loss, targets


class AnyOptimizer:
    """A known rule; its numbers stand in attributes of any names, or in a closure."""

    def __init__(self, rule, lr, **numbers):
        self.rule, self.lr, self.state = rule, lr, []
        self.__dict__.update(numbers)

    def step(self, layers):
        tensors = [(layer.params[key], layer.grads[key]) for layer in layers for key in layer.params]
        while len(self.state) < len(tensors):
            self.state.append({})
        for (w, g), memory in zip(tensors, self.state, strict=True):
            memory["t"] = memory.get("t", 0) + 1
            w -= self.lr * self.rule(w, g, memory, memory["t"])


def mean_of(memory, key, value, rate, share=None):
    memory[key] = rate * memory.get(key, 0.0) + (1 - rate if share is None else share) * value
    return memory[key]


def random_optimizer(rng):
    """A right optimiser of a known kind, or of none that has a name here."""
    b1, b2 = float(rng.choice([0.5, 0.9, 0.95])), float(rng.choice([0.9, 0.99, 0.999]))
    eps, wd = float(rng.choice([1e-10, 1e-8, 1e-7, 1e-4])), float(rng.choice([0.0, 0.01, 0.1]))
    beside = bool(rng.integers(2))

    def adam(w, g, s, t):
        m, v = mean_of(s, "m", g, b1) / (1 - b1**t), mean_of(s, "v", g * g, b2)
        if beside:
            return m / (np.sqrt(v / (1 - b2**t)) + eps) + wd * w
        return m * np.sqrt(1 - b2**t) / (np.sqrt(v) + eps) + wd * w

    def momentum(w, g, s, t):
        return mean_of(s, "v", g + wd * w, b1, share=1.0)

    def nesterov(w, g, s, t):
        return b1 * momentum(w, g, s, t) + g + wd * w

    def squares(w, g, s, t):
        v = mean_of(s, "v", g * g, b2)
        return g / (np.sqrt(v) + eps) if beside else g / np.sqrt(v + eps)

    def sums(w, g, s, t):
        return g / (np.sqrt(mean_of(s, "v", g * g, 1.0, share=1.0)) + eps)

    def lion(w, g, s, t):
        move = np.sign(b1 * s.get("m", 0.0) + (1 - b1) * g)
        mean_of(s, "m", g, b2)
        return move + wd * w

    def belief(w, g, s, t):
        m = mean_of(s, "m", g, b1)
        return m / (1 - b1**t) / (np.sqrt(mean_of(s, "s", (g - m) ** 2, b2) / (1 - b2**t)) + eps)

    def largest(w, g, s, t):
        s["u"] = np.maximum(b2 * s.get("u", 0.0), np.abs(g))
        return mean_of(s, "m", g, b1) / (1 - b1**t) / (s["u"] + eps)

    def cooled(w, g, s, t):
        return momentum(w, g / max(1.0, float(np.linalg.norm(g))), s, t) / np.sqrt(t)

    rules = [
        (adam, {"beta1": b1, "beta2": b2, "eps": eps, "weight_decay": wd}),
        (momentum, {"mu": b1, "weight_decay": wd}),
        (nesterov, {"momentum": b1, "nesterov": True, "wd": wd}),
        (squares, {"rho": b2, "epsilon": eps}),
        (sums, {"eps": eps}),
        (lion, {"b1": b1, "b2": b2, "wd": wd}),
        (belief, {"beta_1": b1, "beta_2": b2, "epsilon": eps}),
        (largest, {"beta_1": b1, "beta_2": b2, "epsilon": eps}),
        (cooled, {"momentum": b1}),
    ]
    rule, numbers = rules[int(rng.integers(len(rules)))]
    lr = float(rng.choice([0.001, 0.01, 0.1]))
    return AnyOptimizer(rule, lr, **(numbers if rng.integers(2) else {}))
