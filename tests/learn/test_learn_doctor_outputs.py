"""The dy of one output taken for that of another: named where it is, and not where something else is wrong as well."""

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.learn.doctor import diagnose

NAME = "dy of another output"


class Own(nn.Layer):
    """`wrong` is the name of a mistake, "" for none; `nearly` spoils dy by a thousandth on top of it."""

    def __init__(self, wrong="", nearly=False):
        super().__init__()
        self.wrong, self.nearly = wrong, nearly

    def backward(self, dy, need_dx=True, need_grads=True):
        return self.back(dy * (1 + 1e-3 * np.sin(np.arange(dy.size)).reshape(dy.shape)) if self.nearly else dy)


class Pointwise(Own):
    """A product with a matrix at every place of an image or a sequence."""

    def infer_shape(self, shape):
        return (*shape[:-1], 4)

    def create_params(self, shape, rng):
        return {"M": rng.standard_normal((shape[-1], 4))}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return x @ self.params["M"]

    def back(self, dy):
        n, shape = len(dy), dy.shape
        if self.wrong == "over all":
            dy = dy.reshape(shape[-1], -1).T.reshape(shape)
        elif self.wrong == "in each image":
            dy = dy.reshape(n, shape[-1], -1).transpose(0, 2, 1).reshape(shape)
        elif self.wrong == "heads":
            dy = dy.reshape(n, 2, shape[1], 2).transpose(0, 2, 1, 3).reshape(shape)
        elif self.wrong == "steps first":
            dy = dy.reshape(shape[1], n, shape[2]).transpose(1, 0, 2)
        self.grads = {"M": np.tensordot(self.x, dy, axes=(range(dy.ndim - 1),) * 2)}
        return dy @ self.params["M"].T


class Joined(Own):
    """[x M, tanh(x)], two parts of unequal size."""

    def infer_shape(self, shape):
        return (2 + shape[0],)

    def create_params(self, shape, rng):
        return {"M": rng.standard_normal((shape[0], 2))}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return np.concatenate([x @ self.params["M"], np.tanh(x)], axis=1)

    def back(self, dy):
        straight, curved = np.split(dy, [2], axis=1)
        if self.wrong == "the other order":
            curved, straight = np.split(dy, [dy.shape[1] - 2], axis=1)
        self.grads = {"M": self.x.T @ straight}
        return straight @ self.params["M"].T + curved * (1 - np.tanh(self.x) ** 2)


class Halves(Own):
    """[x M, x K], two parts of one size."""

    def infer_shape(self, shape):
        return (6,)

    def create_params(self, shape, rng):
        return {"M": rng.standard_normal((shape[0], 3)), "K": rng.standard_normal((shape[0], 3))}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return np.concatenate([x @ self.params["M"], x @ self.params["K"]], axis=1)

    def back(self, dy):
        first, second = np.split(dy, 2, axis=1)
        second = first if self.wrong == "one half twice" else second
        self.grads = {"M": self.x.T @ first, "K": self.x.T @ second}
        return first @ self.params["M"].T + second @ self.params["K"].T


class Shuffled(Own):
    """x M with its six channels, three of each of two groups, dealt like cards."""

    def infer_shape(self, shape):
        return (*shape[:-1], 6)

    def create_params(self, shape, rng):
        return {"M": rng.standard_normal((shape[-1], 6))}

    def forward(self, x, training=False, keep=None):
        self.x, z = x, x @ self.params["M"]
        return z.reshape(*z.shape[:-1], 2, 3).swapaxes(-1, -2).reshape(z.shape)

    def back(self, dy):
        groups = (2, 3) if self.wrong == "dealt once more" else (3, 2)
        dy = dy.reshape(*dy.shape[:-1], *groups).swapaxes(-1, -2).reshape(dy.shape)
        self.grads = {"M": np.tensordot(self.x, dy, axes=(range(dy.ndim - 1),) * 2)}
        return dy @ self.params["M"].T


class Strips(Own):
    """x M, with the rows of the image two by two in another order, by no rule of one axis."""

    def infer_shape(self, shape):
        return (*shape[:-1], 2)

    def create_params(self, shape, rng):
        return {"M": rng.standard_normal((shape[-1], 2))}

    def forward(self, x, training=False, keep=None):
        self.x = x
        return x @ self.params["M"]

    def back(self, dy):
        if self.wrong == "two places exchanged":
            dy = dy.copy()
            dy[:, [0, 1], [1, 2]] = dy[:, [1, 0], [2, 1]]
        self.grads = {"M": np.tensordot(self.x, dy, axes=(range(dy.ndim - 1),) * 2)}
        return dy @ self.params["M"].T


class Mean(Own):
    """The mean of each 2 x 3 block."""

    def infer_shape(self, shape):
        return (shape[0] // 2, shape[1] // 3, shape[2])

    def forward(self, x, training=False, keep=None):
        n, h, w, c = x.shape
        return x.reshape(n, h // 2, 2, w // 3, 3, c).mean((2, 4))

    def back(self, dy):
        return (np.tile(dy, (1, 2, 3, 1)) if self.wrong == "tile" else dy.repeat(2, 1).repeat(3, 2)) / 6


class Longer(Own):
    """A sequence, each step twice; or the whole of it twice, if it is `tiled`."""

    tiled = False

    def infer_shape(self, shape):
        return (2 * shape[0], shape[1])

    def forward(self, x, training=False, keep=None):
        return np.tile(x, (1, 2, 1)) if self.tiled else x.repeat(2, axis=1)

    def back(self, dy):
        n, t, d = dy.shape
        if self.tiled != (self.wrong == "the other"):
            return dy.reshape(n, 2, t // 2, d).sum(1)
        return dy.reshape(n, t // 2, 2, d).sum(2)


class Tiled(Longer):
    tiled = True


CASES = [
    (Pointwise, (3, 2, 5), "over all", "(channel, image, row, column), by which the images are mixed"),
    (Pointwise, (3, 2, 5), "in each image", "(image, channel, row, column). So the dy of y["),
    (Pointwise, (6, 3), "steps first", "reshaped as if it were (step, image, unit)"),
    (Pointwise, (3, 5), "heads", "as if it were (image, head, step, unit of a head)"),
    (Joined, (5,), "the other order", "that of units 5:7 stands where that of 0:2 belongs"),
    (Halves, (4,), "one half twice", "that of units 0:3 stands where that of 3:6 belongs"),
    (Shuffled, (2, 3, 4), "dealt once more", "undo the very same reshape"),
    (Shuffled, (4,), "dealt once more", "undo the very same reshape"),
    (Strips, (3, 4, 3), "two places exchanged", "at 12 of the 72 outputs"),
    (Mean, (4, 9, 2), "tile", "x[h, w] belongs to y[h // 2, w // 3], and is given the dy of y[h % 2, w % 3]"),
    (Longer, (4, 3), "the other", "y[t] comes from x[t // 2], and sends its dy to x[t % 4]"),
    (Tiled, (4, 3), "the other", "y[t] comes from x[t % 4], and sends its dy to x[t // 2]"),
]
IDS = [f"{one[0].__name__} {one[2]}" for one in CASES]


@pytest.mark.parametrize(("layer", "shape", "wrong", "words"), CASES, ids=IDS)
def test_the_place_that_dy_was_taken_from_is_told(layer, shape, wrong, words):
    found = diagnose(layer(wrong), shape)
    assert {NAME} <= {one.name for one in found} <= {NAME, "axes mixed up"}
    assert any(words in one.sentence for one in found), [str(one) for one in found]


@pytest.mark.parametrize(("layer", "shape", "wrong", "words"), CASES, ids=IDS)
def test_nothing_is_said_of_places_where_the_values_differ_as_well_nor_of_a_right_layer(layer, shape, wrong, words):
    assert NAME not in {one.name for one in diagnose(layer(wrong, nearly=True), shape)}
    assert diagnose(layer(), shape) == []


def test_images_that_are_not_mixed_are_not_said_to_be():
    (of_dx, _) = diagnose(Pointwise("in each image"), (3, 2, 5))
    assert "mixed" not in of_dx.sentence
