"""Layers drawn at random that are right by construction: every step knows its own way back, and a tape walks them back.

A recipe is a list of steps, drawn for the shape at hand: products, gates, windows, normalisations, sequences, tables.
"""

import numpy as np

from batik_scratch import nn


class Var:
    """A value, and for each parent how a gradient of this value goes back to it."""

    def __init__(self, value, *parents):
        self.value, self.parents, self.grad = value, parents, None

    shape = property(lambda self: self.value.shape)


def back(end, dy):
    """Fill `grad` of everything that `end` was made of."""
    order, seen = [], set()

    def visit(var):
        if id(var) not in seen:
            seen.add(id(var))
            for parent, _ in var.parents:
                visit(parent)
            order.append(var)

    visit(end)
    for var in order:
        var.grad = np.zeros_like(var.value)
    end.grad = dy
    for var in reversed(order):
        for parent, way in var.parents:
            parent.grad = parent.grad + way(var.grad)


def fold(g, shape):
    """The sum of g over what broadcasting repeated."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    for axis, size in enumerate(shape):
        if size == 1 and g.shape[axis] > 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def add(a, b):
    return Var(a.value + b.value, (a, lambda g: fold(g, a.shape)), (b, lambda g: fold(g, b.shape)))


def mul(a, b):
    return Var(a.value * b.value, (a, lambda g: fold(g * b.value, a.shape)), (b, lambda g: fold(g * a.value, b.shape)))


def matmul(a, b):
    """a (..., D) @ b (D, U), or (..., D, U)."""

    def to_a(g):
        return fold(g @ b.value.swapaxes(-1, -2), a.shape)

    def to_b(g):
        return fold(a.value.swapaxes(-1, -2) @ g, b.shape)

    return Var(a.value @ b.value, (a, to_a), (b, to_b))


def each(a, function, slope):
    y = function(a.value)
    return Var(y, (a, lambda g: g * slope(a.value, y)))


def mean(a, axis):
    y = a.value.mean(axis=axis, keepdims=True)
    return Var(y, (a, lambda g: np.broadcast_to(g / (a.value.size / y.size), a.shape)))


def largest(a, axis):
    y = a.value.max(axis=axis, keepdims=True)
    chosen = a.value == y
    return Var(y, (a, lambda g: g * chosen / chosen.sum(axis=axis, keepdims=True)))


def softmax(a):
    e = np.exp(a.value - a.value.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return Var(p, (a, lambda g: p * (g - (g * p).sum(axis=-1, keepdims=True))))


def pick(a, key):
    """a[key], where a place may be taken several times."""

    def way(g):
        whole = np.zeros_like(a.value)
        np.add.at(whole, key, g)
        return whole

    return Var(a.value[key], (a, way))


def turn(a, axes):
    return Var(a.value.transpose(axes), (a, lambda g: g.transpose(np.argsort(axes))))


def shaped(a, shape):
    return Var(a.value.reshape(shape), (a, lambda g: g.reshape(a.shape)))


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


CURVES = {
    "relu": (lambda v: np.maximum(v, 0), lambda v, y: (v > 0) * 1.0),
    "leaky": (lambda v: np.where(v > 0, v, 0.1 * v), lambda v, y: np.where(v > 0, 1.0, 0.1)),
    "tanh": (np.tanh, lambda v, y: 1 - y**2),
    "sigmoid": (sigmoid, lambda v, y: y * (1 - y)),
    "swish": (lambda v: v * sigmoid(v), lambda v, y: sigmoid(v) + y * (1 - sigmoid(v))),
    "softplus": (lambda v: np.logaddexp(0, v), lambda v, y: sigmoid(v)),
    "elu": (lambda v: np.where(v > 0, v, np.expm1(np.minimum(v, 0))), lambda v, y: np.where(v > 0, 1.0, y + 1)),
    "sine": (np.sin, lambda v, y: np.cos(v)),
    "square": (np.square, lambda v, y: 2 * v),
    "softsign": (lambda v: v / (1 + np.abs(v)), lambda v, y: 1 / (1 + np.abs(v)) ** 2),
    "hard swish": (
        lambda v: v * np.clip(v / 6 + 0.5, 0, 1),
        lambda v, y: np.where(v > 3, 1.0, np.where(v < -3, 0.0, v / 3 + 0.5)),
    ),
    "bump": (lambda v: np.exp(-(v**2)), lambda v, y: -2 * v * y),
    "shrink": (lambda v: v - np.clip(v, -0.5, 0.5), lambda v, y: (np.abs(v) > 0.5) * 1.0),
}


class Drawn(nn.Layer):
    """A layer by a recipe: `recipe(layer, x)` makes y of the Var x, with `layer.weight(name, shape)` for parameters."""

    def __init__(self, recipe):
        super().__init__()
        self.recipe, self.rng, self.vars = recipe, None, {}

    def build(self, input_shape, rng):
        self.rng, self.params, self.vars = rng, {}, {}
        y = self.recipe(self, Var(rng.standard_normal((2, *input_shape))))
        self.params = {key: np.asarray(value, self.dtype) for key, value in self.params.items()}
        self.grads, self.rng = {}, None
        self.input_shape, self.output_shape = tuple(input_shape), y.shape[1:]
        return self.output_shape

    def weight(self, name, shape, scale=0.5):
        if self.rng is not None and name not in self.params:
            self.params[name] = scale * self.rng.standard_normal(shape)
        return self.vars.setdefault(name, Var(self.params[name]))

    def forward(self, x, training=False, keep=None):
        self.vars, self.x = {}, Var(np.array(x))
        self.y = self.recipe(self, self.x)
        return self.y.value.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        back(self.y, dy)
        if need_grads:
            self.grads = {key: self.vars[key].grad.copy() for key in self.params}
        return self.x.grad.copy() if need_dx else None


# ------------------------------------------------------------------ recipes


def dense(units, name, tied=False):
    def step(layer, x):
        W = layer.weight(f"W{name}", (x.shape[-1], units))
        y = add(matmul(x, W), layer.weight(f"b{name}", (units,)))
        return matmul(each(y, *CURVES["tanh"]), turn(W, (1, 0))) if tied else y

    return step


def curve(name):
    return lambda layer, x: each(x, *CURVES[name])


def scaled(name, shift):
    def step(layer, x):
        y = mul(x, layer.weight(f"gamma{name}", x.shape[-1:], 1.0))
        return add(y, layer.weight(f"beta{name}", x.shape[-1:])) if shift else y

    return step


def gated(name, how):
    def step(layer, x):
        gate = matmul(x, layer.weight(f"G{name}", (x.shape[-1], x.shape[-1])))
        return mul(x, softmax(gate) if how == "softmax" else each(gate, *CURVES["sigmoid"]))

    return step


def residual(inner):
    def step(layer, x):
        y = inner(layer, x)
        return add(x, y) if y.shape == x.shape else y

    return step


def normalised(axes, epsilon, divided=True):
    def step(layer, x):
        minus = each(mean(x, axes), np.negative, lambda v, y: -np.ones_like(v))
        centred = add(x, minus)
        if not divided:
            return centred
        variance = mean(mul(centred, centred), axes)
        return mul(centred, each(variance, lambda v: (v + epsilon) ** -0.5, lambda v, y: -0.5 * y / (v + epsilon)))

    return step


def reduced(axis, how):
    return lambda layer, x: shaped(how(x, axis), tuple(s for a, s in enumerate(x.shape) if a != axis))


def windows(name, filters, size, stride, dilation, how):
    """A convolution or pooling along axis 1, and along axis 2 as well if there is one."""

    def step(layer, x):
        axes = range(1, x.value.ndim - 1)
        outs = [(x.shape[axis] - dilation * (size - 1) - 1) // stride + 1 for axis in axes]
        if min(outs) < 1:
            return x
        places = np.meshgrid(*[np.arange(out) * stride for out in outs], indexing="ij")
        parts = []
        for offset in np.ndindex(*(size,) * len(outs)):
            key = (slice(None), *[place + dilation * o for place, o in zip(places, offset, strict=True)])
            part = pick(x, key)
            if how == "convolution":
                part = matmul(part, layer.weight(f"K{name}{''.join(map(str, offset))}", (x.shape[-1], filters)))
            parts.append(part)
        if how == "largest":
            stacked = parts[0]
            for part in parts[1:]:
                stacked = larger(stacked, part)
            return stacked
        total = parts[0]
        for part in parts[1:]:
            total = add(total, part)
        return total

    return step


def larger(a, b):
    first = a.value >= b.value
    return Var(np.maximum(a.value, b.value), (a, lambda g: g * first), (b, lambda g: g * ~first))


def attention(name):
    def step(layer, x):
        d = x.shape[-1]
        q, k, v = (matmul(x, layer.weight(f"{letter}{name}", (d, d))) for letter in "QKV")
        scores = matmul(q, turn(k, (0, 2, 1)))
        return matmul(softmax(each(scores, lambda s: s / np.sqrt(d), lambda s, y: 1 / np.sqrt(d))), v)

    return step


def recurrent(name, units, last, gate):
    def step(layer, x):
        U, V = layer.weight(f"U{name}", (x.shape[-1], units)), layer.weight(f"V{name}", (units, units))
        h, states = Var(np.zeros((len(x.value), units))), []
        for t in range(x.shape[1]):
            now = each(add(matmul(pick(x, (slice(None), t)), U), matmul(h, V)), *CURVES["tanh"])
            if gate:
                z = each(matmul(h, layer.weight(f"Z{name}", (units, units))), *CURVES["sigmoid"])
                rest = each(z, lambda v: 1 - v, lambda v, y: -np.ones_like(v))
                now = add(mul(z, h), mul(rest, now))
            h = now
            states.append(h)
        if last:
            return h
        wide = [shaped(state, (len(x.value), 1, units)) for state in states]
        return joined(wide, 1)

    return step


def joined(parts, axis):
    ends = np.cumsum([part.shape[axis] for part in parts])[:-1]
    ways = [(part, lambda g, i=i: np.split(g, ends, axis)[i]) for i, part in enumerate(parts)]
    return Var(np.concatenate([part.value for part in parts], axis), *ways)


def table(name, rows):
    def step(layer, x):
        index = np.clip(np.floor(x.value + rows / 2), 0, rows - 1).astype(int)
        return mul(pick(layer.weight(f"T{name}", (rows,)), index), x)

    return step


def reordered(kind):
    def step(layer, x):
        if kind == "flat":
            return shaped(x, (x.shape[0], -1))
        if kind == "turned" and x.value.ndim > 2:
            return turn(x, (0, 2, 1, *range(3, x.value.ndim)))
        size = x.shape[1]
        index = {"repeated": np.repeat(np.arange(size), 2), "reversed": np.arange(size)[::-1]}.get(
            kind, np.arange(1, size)
        )
        return pick(x, (slice(None), index)) if len(index) else x

    return step


def random_step(rng, ndim, name):
    """A step for values of so many axes, the batch's counted, and how many axes it leaves."""

    def number(low, high):
        return int(rng.integers(low, high + 1))

    curves = list(CURVES)
    steps = [
        lambda: (dense(number(1, 4), name), ndim), lambda: (dense(number(1, 4), name, tied=True), ndim),
        lambda: (curve(curves[number(0, len(curves) - 1)]), ndim),
        lambda: (curve(curves[number(0, len(curves) - 1)]), ndim),
        lambda: (scaled(name, number(0, 1)), ndim), lambda: (gated(name, ("sigmoid", "softmax")[number(0, 1)]), ndim),
        lambda: (residual(curve(curves[number(0, len(curves) - 1)])), ndim),
        lambda: (residual(gated(name, "sigmoid")), ndim), lambda: (lambda layer, x: softmax(x), ndim),
        lambda: (normalised((number(0, ndim - 1),), float(rng.choice([1e-2, 0.3])), number(0, 3) > 0), ndim),
        lambda: (normalised(tuple(range(1, ndim)), 0.1), ndim), lambda: (table(name, number(2, 4)), ndim),
        lambda: (reordered(("flat", "turned", "repeated", "reversed", "cut")[number(1, 4)]), ndim),
    ]  # fmt: skip
    if ndim > 2:
        how = ("convolution", "convolution", "largest", "mean")[number(0, 3)]
        steps += [
            lambda: (windows(name, number(1, 3), number(1, 3), number(1, 3), number(1, 2), how), ndim),
            lambda: (windows(name, number(1, 3), 2, 1, 1, how), ndim), lambda: (reordered("flat"), 2),
            lambda: (reduced(number(1, ndim - 1), (mean, largest)[number(0, 1)]), ndim - 1),
        ]  # fmt: skip
    if ndim == 3:
        last = bool(number(0, 1))
        steps += [
            lambda: (attention(name), 3), lambda: (residual(attention(name)), 3),
            lambda: (recurrent(name, number(1, 3), last, number(0, 1)), 2 if last else 3),
        ]  # fmt: skip
    return steps[number(0, len(steps) - 1)]()


def random_layer(rng):
    """A right layer of one to four steps, and an input shape for it, without the batch axis."""
    ndim = int(rng.integers(2, 5))
    shape = tuple(int(size) for size in rng.integers(2, 6 if ndim < 4 else 5, size=ndim - 1))
    steps = []
    for number in range(int(rng.integers(1, 5))):
        step, ndim = random_step(rng, ndim, str(number))
        steps.append(step)

    def recipe(layer, x):
        for step in steps:
            x = step(layer, x)
        return x

    return Drawn(recipe), shape
