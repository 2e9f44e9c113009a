"""What is missing, taken by itself: a number times dy, a term of a parameter, a mask on the shortcut, steps too few."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose


class Own(nn.Layer):
    """`wrong` is the name of a mistake, "" for none; `nearly` means it with a thousandth that fits nothing."""

    def __init__(self, wrong="", nearly=False):
        super().__init__()
        self.wrong, self.nearly = wrong, nearly

    def odd(self, gradient):
        return gradient * (1 + 1e-3 * np.sin(1 + np.arange(gradient.size)).reshape(gradient.shape) * self.nearly)


class Scaled(Own):
    """x s(x) + tanh(x A), s = sin(x w), one number to each image (or place)."""

    def create_params(self, shape, rng):
        d = shape[-1]
        return {"w": rng.standard_normal(d), "A": rng.standard_normal((d, d))}

    def forward(self, x, training=False, keep=None):
        self.x, self.z = x, x @ self.params["w"]
        self.th = np.tanh(x @ self.params["A"])
        return x * np.sin(self.z)[..., None] + self.th

    def backward(self, dy, need_dx=True, need_grads=True):
        x, w, a = self.x, self.params["w"], self.params["A"]
        d, axes = dy * (1 - self.th**2), (range(dy.ndim - 1),) * 2
        dz = (dy * x).sum(-1) * np.cos(self.z)
        self.grads = {"w": np.tensordot(dz, x, axes), "A": np.tensordot(x, d, axes)}
        dx = d @ a.T
        outside, inside = dy * np.sin(self.z)[..., None], dz[..., None] * w
        dx = dx if self.wrong == "x held fixed" else dx + outside
        dx = dx if self.wrong == "s held fixed" else dx + inside
        return self.odd(dx)


class Gains(Own):
    """x W less half the square of the weights; each unit its own."""

    def infer_shape(self, shape):
        return (3,)

    def create_params(self, shape, rng):
        return {"W": rng.standard_normal((shape[0], 3))}

    def forward(self, x, training=False, keep=None):
        self.x, w = x, self.params["W"]
        return x @ w - 0.5 * (w**2).sum(0)

    def backward(self, dy, need_dx=True, need_grads=True):
        w = self.params["W"]
        square = 0 if self.wrong == "square of the weights" else w * dy.sum(0)
        self.grads = {"W": self.odd(self.x.T @ dy - square)}
        return dy @ w.T


class Pairs(Own):
    """The sum of v_i v_j x_i x_j over all pairs that are not twice the same, and a sine."""

    def infer_shape(self, shape):
        return (1,)

    def create_params(self, shape, rng):
        return {"V": rng.standard_normal((shape[0], 2))}

    def forward(self, x, training=False, keep=None):
        self.x, v = x, self.params["V"]
        return ((x @ v) ** 2 - x**2 @ v**2).sum(1, keepdims=True) / 2 + np.sin(x).sum(1, keepdims=True)

    def backward(self, dy, need_dx=True, need_grads=True):
        x, v = self.x, self.params["V"]
        own = 0 if self.wrong == "own square" else dy * x * (v**2).sum(1)
        self.grads = {"V": x.T @ (dy * (x @ v)) - (dy * x**2).sum(0)[:, None] * v}
        return self.odd(dy * (x @ v @ v.T + np.cos(x)) - own)


class Bent(Own):
    """a x + a^2 x^2 / 2 + (the row's mean), a one number to each feature."""

    def create_params(self, shape, rng):
        return {"a": rng.standard_normal(shape[-1])}

    def forward(self, x, training=False, keep=None):
        self.x, z = x, self.params["a"] * x
        return z + z**2 / 2

    def backward(self, dy, need_dx=True, need_grads=True):
        x, a = self.x, self.params["a"]
        square = 0 if self.wrong == "second term" else a * x**2
        self.grads = {"a": self.odd((dy * (x + square)).sum(tuple(range(dy.ndim - 1))))}
        return dy * (a + a**2 * x)


class Shortcut(Own):
    """relu(x + tanh(x A))."""

    def create_params(self, shape, rng):
        return {"A": rng.standard_normal((shape[-1], shape[-1]))}

    def forward(self, x, training=False, keep=None):
        self.x, self.th = x, np.tanh(x @ self.params["A"])
        self.open = x + self.th > 0
        return np.maximum(x + self.th, 0)

    def backward(self, dy, need_dx=True, need_grads=True):
        d = dy * self.open
        inner = d * (1 - self.th**2)
        self.grads = {"A": np.tensordot(self.x, inner, (range(dy.ndim - 1),) * 2)}
        way = {"no mask": dy, "half a mask": np.where(self.open, dy, dy / 2)}.get(self.wrong, d)
        return self.odd(inner @ self.params["A"].T + way)


class Dilated(Own):
    """Three taps, two steps apart, over what came before."""

    def infer_shape(self, shape):
        return (shape[0], 2)

    def create_params(self, shape, rng):
        return {"taps": rng.standard_normal((3, shape[1], 2))}

    def forward(self, x, training=False, keep=None):
        self.x, t = x, x.shape[1]
        return sum(np.pad(x, ((0, 0), (2 * k, 0), (0, 0)))[:, :t] @ tap for k, tap in enumerate(self.params["taps"]))

    def backward(self, dy, need_dx=True, need_grads=True):
        taps, t = self.params["taps"], dy.shape[1]
        self.grads = {"taps": np.stack([
            np.tensordot(np.pad(self.x, ((0, 0), (2 * k, 0), (0, 0)))[:, :t], dy, ((0, 1), (0, 1))) for k in range(3)
        ])}  # fmt: skip
        apart = {"one step": 1, "three steps": 3}.get(self.wrong, 2)
        back = [np.pad(dy, ((0, 0), (0, apart * k), (0, 0)))[:, apart * k :] for k in range(3)]
        return self.odd(sum(part @ tap.T for part, tap in zip(back, taps, strict=True)))


def slid(x, weights):
    """A fixed kernel over the rows and columns, with zeros around."""
    h, w = x.shape[1:3]
    around = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return sum(weights[u][v] * around[:, u : u + h, v : v + w] for u in range(3) for v in range(3))


class Edges(Own):
    """A fixed filter, whose kernel is no parameter."""

    weights = ((-1, 0.5, 2), (3, -4, 1), (0, 1, -2))

    def forward(self, x, training=False, keep=None):
        return slid(x, self.weights)

    def backward(self, dy, need_dx=True, need_grads=True):
        turned = [row[::-1] for row in self.weights[::-1]]
        return self.odd(slid(dy, self.weights if self.wrong == "not turned" else turned))


class EachChannel(Own):
    """A 3 x 3 kernel to each channel, which is a parameter."""

    def create_params(self, shape, rng):
        return {"k": rng.standard_normal((3, 3, shape[2]))}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return slid(x, self.params["k"])

    def backward(self, dy, need_dx=True, need_grads=True):
        k, (h, w) = self.params["k"], dy.shape[1:3]
        around = np.pad(self.x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        self.grads = {"k": np.array([[(dy * around[:, u : u + h, v : v + w]).sum((0, 1, 2)) for v in range(3)]
                                     for u in range(3)])}  # fmt: skip
        return self.odd(slid(dy, k if self.wrong == "not turned" else k[::-1, ::-1]))


CASES = [
    (Scaled, (5,), "x held fixed", "dx", "product rule's term missing", "one number, image by image"),
    (Scaled, (2, 3, 4), "x held fixed", "dx", "product rule's term missing", "place by place of each image"),
    (Scaled, (5,), "s held fixed", "dx", "number taken for a constant", "(and u is x itself)"),
    (Gains, (4,), "square of the weights", "W", "local term missing", "lacks the term -W[i, j] times dy"),
    (Pairs, (6,), "own square", "dx", "local term missing", "(-1 times the sum of V^2 over each row)"),
    (Bent, (5,), "second term", "a", "local term missing", "lacks the term x^2 a times dy"),
    (Bent, (3, 2, 4), "second term", "a", "local term missing", "lacks the term x^2 a times dy"),
    (Shortcut, (7,), "no mask", "dx", "shortcut not masked", "where y = 0"),
    (Shortcut, (2, 3, 3), "no mask", "dx", "shortcut not masked", "along the shortcut without the mask"),
    (Dilated, (9, 3), "one step", "dx", "share of another step", "that of 2 goes 1, that of 4 goes 2, 0.5 times"),
    (Dilated, (8, 3), "three steps", "dx", "share of another step", "that of 4 goes 6, 1.5 times as far"),
    (Edges, (4, 5, 2), "not turned", "dx", "kernel not flipped", "turned by 180 degrees"),
    (EachChannel, (4, 5, 2), "not turned", "dx", "kernel not flipped", "turned by 180 degrees"),
]  # fmt: skip
IDS = [f"{one[0].__name__} {one[2]} {len(one[1])}" for one in CASES]


@pytest.mark.parametrize(("layer", "shape", "wrong", "tensor", "name", "words"), CASES, ids=IDS)
def test_what_is_missing_or_goes_astray_is_told(layer, shape, wrong, tensor, name, words):
    (found,) = diagnose(layer(wrong), shape)
    assert (found.tensor, found.name) == (tensor, name) and words in found.sentence, str(found)


@pytest.mark.parametrize(("layer", "shape", "wrong", "tensor", "name", "words"), CASES, ids=IDS)
def test_it_is_not_told_where_a_thousandth_is_otherwise_nor_of_a_right_layer(layer, shape, wrong, tensor, name, words):
    found = diagnose(layer(wrong, nearly=True), shape)
    assert tensor in {one.tensor for one in found} and name not in {one.name for one in found}
    assert diagnose(layer(), shape) == []


def test_a_shortcut_that_lets_half_through_is_not_called_unmasked():
    assert "shortcut not masked" not in {one.name for one in diagnose(Shortcut("half a mask"), (7,))}
