"""Mistakes that show pair by pair: each is named where it is made, and its name is not said where it nearly is."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Own(nn.Layer):
    """`wrong` is the name of a mistake, "" for none; what backward then does otherwise stands in it."""

    def __init__(self, wrong=""):
        super().__init__()
        self.wrong = wrong


class Recurrent(Own):
    """h_t = tanh(x_t U + h_{t-1} V)."""

    def infer_shape(self, shape):
        return (shape[0], 3)

    def create_params(self, shape, rng):
        return {"U": 0.6 * rng.standard_normal((shape[1], 3)), "V": 0.6 * rng.standard_normal((3, 3))}

    def forward(self, x, training=False, keep=None):
        self.x, h = x, np.zeros((len(x), 3))
        self.h = [h]
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ self.params["U"] + h @ self.params["V"])
            self.h.append(h)
        return np.stack(self.h[1:], axis=1)

    def backward(self, dy, need_dx=True, need_grads=True):
        u, v = self.params["U"], self.params["V"]
        du, dv, dx, carried = np.zeros_like(u), np.zeros_like(v), np.zeros_like(self.x), np.zeros((len(dy), 3))
        for t in reversed(range(dy.shape[1])):
            d = (dy[:, t] + carried) * (1 - self.h[t + 1] ** 2)
            du += self.x[:, t].T @ d
            dv += self.h[t].T @ d
            dx[:, t] = d @ u.T
            carried = {"nothing carried": 0 * d, "not transposed": d @ v, "nearly": d @ v.T * 1.0001}.get(
                self.wrong, d @ v.T
            )
        self.grads = {"U": du, "V": dv}
        return dx


class Residual(Own):
    """x + relu(x W)."""

    def create_params(self, shape, rng):
        return {"W": 0.5 * rng.standard_normal((shape[0], shape[0]))}

    def forward(self, x, training=False, keep=None):
        self.x, self.z = x, x @ self.params["W"]
        return x + np.maximum(self.z, 0)

    def backward(self, dy, need_dx=True, need_grads=True):
        w, gate = self.params["W"].T, self.z > 0
        self.grads = {"W": self.x.T @ (dy * gate)}
        gate = {"no gate": 1.0, "gate of x": self.x > 0}.get(self.wrong, gate)
        branch = (dy * gate) @ w
        return dy + branch * (1 + (self.wrong == "twice the branch") + 1e-4 * np.arange(5) * (self.wrong == "nearly"))


class Gated(Own):
    """The first half times the sigmoid of the second."""

    def infer_shape(self, shape):
        return (shape[0] // 2,)

    def forward(self, x, training=False, keep=None):
        self.a, b = np.split(x, 2, axis=1)
        self.s = sigmoid(b)
        return self.a * self.s

    def backward(self, dy, need_dx=True, need_grads=True):
        slope = {"no slope": 1.0}.get(self.wrong, self.s * (1 - self.s))
        return np.concatenate([dy * self.s, dy * self.a * slope], axis=1)


class Product(Own):
    """sum_ij x_i T_ijk x_j."""

    def infer_shape(self, shape):
        return (3,)

    def create_params(self, shape, rng):
        return {"T": rng.standard_normal((shape[0], shape[0], 3))}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return np.einsum("ni,ijk,nj->nk", x, self.params["T"], x)

    def backward(self, dy, need_dx=True, need_grads=True):
        t, x = self.params["T"], self.x
        self.grads = {"T": np.einsum("ni,nj,nk->ijk", x, x, dy)}
        first, second = np.einsum("ijk,nj,nk->ni", t, x, dy), np.einsum("ijk,ni,nk->nj", t, x, dy)
        return 2 * first if self.wrong == "one turn twice" else first + second


class Lookup(Own):
    """Rows of a table."""

    def infer_shape(self, shape):
        return (shape[0], 3)

    def create_params(self, shape, rng):
        return {"E": rng.standard_normal((4, 3))}

    def forward(self, x, training=False, keep=None):
        self.index = (np.abs(x) * 3).astype(int) % 4
        return self.params["E"][self.index]

    def backward(self, dy, need_dx=True, need_grads=True):
        table = np.zeros_like(self.params["E"])
        np.add.at(table, self.index, dy)
        if self.wrong == "mean":
            table /= np.bincount(self.index.reshape(-1), minlength=4)[:, None].clip(1)
        self.grads = {"E": table}
        return np.zeros(self.index.shape)


class UnitLength(Own):
    """Rows over their root mean square."""

    def forward(self, x, training=False, keep=None):
        self.x, self.r = x, 1 / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
        return x * self.r

    def backward(self, dy, need_dx=True, need_grads=True):
        along = (dy * self.x).sum(-1, keepdims=True) / (1 if self.wrong == "a sum" else self.x.shape[-1])
        return self.r * (dy - self.x * self.r**2 * along)


class Groups(Own):
    """Two groups of channels, each to mean 0 and deviation 1."""

    def forward(self, x, training=False, keep=None):
        self.shape, r = x.shape, x.reshape(len(x), -1, 2, x.shape[-1] // 2)
        self.i = 1 / np.sqrt(r.var((1, 3), keepdims=True) + 1e-5)
        self.h = (r - r.mean((1, 3), keepdims=True)) * self.i
        return self.h.reshape(x.shape).copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        d, axes = dy.reshape(self.h.shape), (1, 3)
        mean = 0 if self.wrong == "no mean" else d.mean(axes, keepdims=True)
        return ((d - mean - self.h * (d * self.h).mean(axes, keepdims=True)) * self.i).reshape(self.shape)


class Ramp(Own):
    """x, kept between -1 and 1."""

    def forward(self, x, training=False, keep=None):
        self.x = x
        return np.clip(x, -1, 1)

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy * ((self.x > -1) if self.wrong == "one limit" else (np.abs(self.x) < 1))


class Swish(Own):
    """x sigmoid(b x), b a parameter."""

    def create_params(self, shape, rng):
        return {"b": np.ones(shape[-1])}

    def forward(self, x, training=False, keep=None):
        self.x, self.s = x, sigmoid(self.params["b"] * x)
        return x * self.s

    def backward(self, dy, need_dx=True, need_grads=True):
        x, slope = self.x, self.s * (1 - self.s)
        self.grads = {"b": (dy * (x if self.wrong == "x once" else x**2) * slope).sum(0)}
        return dy * (self.s + self.params["b"] * x * slope)


class Linear(Own):
    """x W."""

    def infer_shape(self, shape):
        return (4,)

    def create_params(self, shape, rng):
        return {"W": rng.standard_normal((shape[0], 4))}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return x @ self.params["W"]

    def backward(self, dy, need_dx=True, need_grads=True):
        x = np.abs(self.x) if self.wrong == "sizes" else self.x
        self.grads = {"W": x.T @ dy}
        dx = dy @ self.params["W"].T
        return np.round(dx, 2) if self.wrong == "two digits" else dx


class LogSumExp(Own):
    """log sum exp of each row."""

    def infer_shape(self, shape):
        return shape[:-1]

    def forward(self, x, training=False, keep=None):
        e = np.exp(x)
        self.p = e / e.sum(-1, keepdims=True)
        return np.log(e.sum(-1))

    def backward(self, dy, need_dx=True, need_grads=True):
        return self.p ** (2 if self.wrong == "squared" else 1) * dy[..., None]


def spoilt(gradient):
    mixing = np.random.default_rng(5).standard_normal((gradient.size, gradient.size))
    return gradient + 1e-3 * (mixing @ gradient.reshape(-1)).reshape(gradient.shape)


CASES = [
    (Recurrent, (4, 2), "nothing carried", "shares missing", "different places of axis 1"),
    (Recurrent, (4, 2), "not transposed", "wrong between steps", "Along axis 1"),
    (Residual, (5,), "no gate", "gate not applied", "Beside the skip path"),
    (Residual, (5,), "gate of x", "wrong mask", "not that of x"),
    (Residual, (5,), "twice the branch", "one term by a factor", "is 2 times the true one"),
    (Gated, (6,), "no slope", "wrong in one part", "for the places 3:6"),
    (Product, (4,), "one turn twice", "one factor's turn for all", "2 times the turn"),
    (Lookup, (7,), "mean", "mean for sum", "should have their sum"),
    (UnitLength, (3, 5), "a sum", "normalisation terms missing", "a multiple of x itself"),
    (Groups, (4, 3, 4), "no mean", "normalisation terms missing", "as 2 groups of 2"),
    (Ramp, (6, 7), "one limit", "mask missing", "x > about 0.99"),
    (Swish, (6,), "x once", "local factor", "lacks the factor x of each"),
    (Linear, (6,), "sizes", "signs wrong", "Pair by pair every size is right"),
    (Linear, (6,), "two digits", "rounded", "2 digits"),
    (LogSumExp, (3, 5), "squared", "a factor to each value", "It is the slope itself"),
]


@pytest.mark.parametrize(
    ("layer", "shape", "wrong", "name", "words"), CASES, ids=[f"{c[0].__name__} {c[2]}" for c in CASES]
)
def test_a_mistake_that_shows_pair_by_pair_is_named(layer, shape, wrong, name, words):
    found = diagnose(layer(wrong), shape)
    assert found[0].name == name and words in found[0].sentence, [str(one) for one in found]


@pytest.mark.parametrize(
    ("layer", "shape"), sorted({(c[0], c[1]) for c in CASES}, key=str), ids=lambda value: str(value)
)
def test_the_same_layers_without_their_mistakes_get_no_diagnosis(layer, shape):
    assert diagnose(layer(), shape) == []


@pytest.mark.parametrize(
    ("layer", "shape"), sorted({(c[0], c[1]) for c in CASES}, key=str), ids=lambda value: str(value)
)
def test_what_nearly_is_one_of_these_mistakes_is_not_called_by_its_name(layer, shape):
    """A thousandth of each gradient comes from other places, mixed by numbers that nobody would write."""
    names = {c[3] for c in CASES}

    class Nearly(layer):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy)
            self.grads = {key: spoilt(g) for key, g in self.grads.items()}
            return spoilt(dx)

    for wrong in {c[2] for c in CASES if c[0] is layer}:
        assert not {one.name for one in diagnose(Nearly(wrong), shape)} & names
