"""Layers with mistakes that the claimed Jacobian shows, each with the name that it must get; and others nearly so."""

import numpy as np
from student_layers import Elementwise

from batik_scratch import nn

SPOILT = 1e-4  # how much a gradient that nearly fits is off, at every other place


def nearly(layer):
    """The layer, its dx and every gradient being off by a ten thousandth at every other place."""

    def spoilt(gradient):
        factor = 1 + SPOILT * (np.arange(gradient.size) % 2)
        return gradient * factor.reshape(gradient.shape)

    class Nearly(type(layer)):
        def backward(self, dy, need_dx=True, need_grads=True):
            dx = super().backward(dy, need_dx, need_grads)
            self.grads = {key: spoilt(gradient) for key, gradient in self.grads.items()}
            return spoilt(dx)

    layer.__class__ = Nearly
    return layer


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


class Keeping(nn.Layer):
    """Keeps x and y of the last forward pass; `compute(x)` makes y."""

    def forward(self, x, training=False, keep=None):
        y = self.compute(x)
        self._keep((x.copy(), y.copy()), training, keep)
        return y


class Shrunk(nn.Dense):
    """A gradient of fixed length."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.grads["kernel"] = self.grads["kernel"] / np.linalg.norm(self.grads["kernel"])
        return dx


class Clipped(nn.Dense):
    """No value beyond one half."""

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = super().backward(dy, need_dx, need_grads)
        self.grads["kernel"] = np.clip(self.grads["kernel"], -0.5, 0.5)
        return dx


class Residual(Keeping):
    """y = x + tanh(x W), and whatever `share` makes of dy and of what comes back through the tanh."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def create_params(self, input_shape, rng):
        return {"kernel": 0.4 * rng.standard_normal((input_shape[0], input_shape[0]))}

    def compute(self, x):
        return x + np.tanh(x @ self.params["kernel"])

    def backward(self, dy, need_dx=True, need_grads=True):
        x, y = self._recall()
        through = dy * (1 - (y - x) ** 2)
        self.grads = {"kernel": x.T @ through}
        return self.share(dy, through @ self.params["kernel"].T)


class SoftmaxOverRows(Keeping):
    """A softmax over channels, whose backward sums along axis 1."""

    def compute(self, x):
        raised = np.exp(x)
        return raised / raised.sum(-1, keepdims=True)

    def backward(self, dy, need_dx=True, need_grads=True):
        _, y = self._recall()
        return y * (dy - (dy * y).sum(1, keepdims=True))


class Repeated(nn.Layer):
    """Each value twice in both directions; backward takes one of the four."""

    def infer_shape(self, shape):
        return 2 * shape[0], 2 * shape[1], shape[2]

    def forward(self, x, training=False, keep=None):
        return x.repeat(2, 1).repeat(2, 2)

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy[:, 1::2, 1::2].copy()


class Fused(nn.Dense):
    """y = f(x W + b) with f of a slope that is known from y; the kernel's gradient forgets it, or has it twice."""

    def __init__(self, f, slope, times=0):
        super().__init__(4)
        self.f, self.slope, self.times = f, slope, times

    def forward(self, x, training=False, keep=None):
        self.y = self.f(super().forward(x, training, keep))
        return self.y.copy()

    def backward(self, dy, need_dx=True, need_grads=True):
        slope = self.slope(self.y)
        super().backward(dy * slope**self.times)
        wrong = self.grads["kernel"]
        dx = super().backward(dy * slope)
        self.grads["kernel"] = wrong
        return dx


class EdgeCounts(nn.Layer):
    """The mean of windows of 2 by 2, fewer at the edge; backward divides by 4 everywhere."""

    def infer_shape(self, shape):
        return (shape[0] + 1) // 2, (shape[1] + 1) // 2, shape[2]

    def forward(self, x, training=False, keep=None):
        self._keep(x.shape, training, keep)
        rows, columns, _ = self.infer_shape(x.shape[1:])
        y = np.empty((len(x), rows, columns, x.shape[3]))
        for i, j in np.ndindex(rows, columns):
            y[:, i, j] = x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean((1, 2))
        return y

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = np.zeros(self._recall())
        for i, j in np.ndindex(dy.shape[1:3]):
            dx[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += dy[:, i : i + 1, j : j + 1] / 4
        return dx


class Gram(Keeping):
    """y = x x', and dx of the first factor alone."""

    def infer_shape(self, shape):
        return shape[0], shape[0]

    def compute(self, x):
        return x @ x.swapaxes(1, 2)

    def backward(self, dy, need_dx=True, need_grads=True):
        return dy @ self._recall()[0]


class ScaledThenMixed(Keeping):
    """y = (x W) gamma with a symmetric W, and dx in the same order."""

    def create_params(self, input_shape, rng):
        return {"gamma": rng.uniform(1, 2, input_shape)}

    def mixed(self, x):
        return x + x.sum(-1, keepdims=True)

    def compute(self, x):
        return self.mixed(x) * self.params["gamma"]

    def backward(self, dy, need_dx=True, need_grads=True):
        self.grads = {"gamma": (dy * self.mixed(self._recall()[0])).sum(0)}
        return self.mixed(dy) * self.params["gamma"]


class Dilated(Keeping):
    """A convolution along one axis with a dilation of 2, which the kernel's gradient forgets."""

    def infer_shape(self, shape):
        return shape[0] - 2, 3

    def create_params(self, input_shape, rng):
        return {"kernel": rng.standard_normal((2, input_shape[1], 3))}

    def compute(self, x):
        kernel = self.params["kernel"]
        return x[:, :-2] @ kernel[0] + x[:, 2:] @ kernel[1]

    def backward(self, dy, need_dx=True, need_grads=True):
        x, kernel = self._recall()[0], self.params["kernel"]
        end = x.shape[1] - 2
        self.grads = {"kernel": np.stack([np.einsum("npc,npf->cf", x[:, k : k + end], dy) for k in (0, 1)])}
        dx = np.zeros_like(x)
        dx[:, :-2] += dy @ kernel[0].T
        dx[:, 2:] += dy @ kernel[1].T
        return dx


class HalfLife(Keeping):
    """y = (x W) times 1, 1/2, 1/3 by output, which the kernel's gradient forgets."""

    def infer_shape(self, shape):
        return (3,)

    def create_params(self, input_shape, rng):
        return {"kernel": rng.standard_normal((input_shape[0], 3))}

    def compute(self, x):
        return x @ self.params["kernel"] / np.arange(1, 4)

    def backward(self, dy, need_dx=True, need_grads=True):
        self.grads = {"kernel": self._recall()[0].T @ dy}
        return dy / np.arange(1, 4) @ self.params["kernel"].T


class MeansOverImages(Keeping):
    """Each channel less its mean and over its spread; backward divides the sums by the number of images alone."""

    AXES = (0, 1, 2)

    def compute(self, x):
        return (x - x.mean(self.AXES)) / np.sqrt(x.var(self.AXES) + 1e-3)

    def backward(self, dy, need_dx=True, need_grads=True):
        x, y = self._recall()
        terms = dy.sum(self.AXES) + y * (dy * y).sum(self.AXES)
        return (dy - terms / len(x)) / np.sqrt(x.var(self.AXES) + 1e-3)


ROW, IMAGE = (6,), (4, 5, 3)
# how to make the layer, its input's shape, the tensor, the name, and words that hold the evidence
WRONG = [
    (lambda: Elementwise(elu, lambda x: np.where(x > 0, 1, 1 + np.exp(x))), IMAGE, "dx", "right on one side", "x < 0"),
    (lambda: Shrunk(4), ROW, "kernel", "clipped by its norm", "the length is 1,"),
    (lambda: Clipped(4), ROW, "kernel", "gradient clipped", "stand at 0.5, and all others are right"),
    (lambda: Elementwise(lambda x: x * sigmoid(x), sigmoid), ROW, "dx", "product rule's term missing", "x g'(x) is"),
    (lambda: Elementwise(lambda x: x * sigmoid(x), lambda x: x * sigmoid(x) * (1 - sigmoid(x))), ROW, "dx",
     "product rule's term missing", "the term g(x) = y / x is"),
    (SoftmaxOverRows, IMAGE, "dx", "sum over the wrong axes", "along axes (1,) of (3, 4, 5, 3)"),
    (lambda: Residual(lambda skip, branch: branch), ROW, "dx", "skip path missing", "What lacks is dy itself"),
    (lambda: Residual(lambda skip, branch: 2 * skip + branch), ROW, "dx", "dy added once too often", "plus dy"),
    (lambda: Residual(lambda skip, branch: skip.copy()), ROW, "dx", "only dy passed on", "as if forward were y = x"),
    (Repeated, (3, 2, 2), "dx", "repeated use counted once", "the dy of the last of them alone"),
    (lambda: Fused(lambda z: np.maximum(z, 0), lambda y: (y > 0).astype(float)), ROW, "kernel", "gate not applied",
     "where y = 0"),
    (lambda: Fused(np.tanh, lambda y: 1 - y**2), ROW, "kernel", "activation's slope missing", "that of tanh"),
    (lambda: Fused(sigmoid, lambda y: y * (1 - y), 2), ROW, "kernel", "activation's slope twice", "of the sigmoid"),
    (EdgeCounts, (5, 7, 2), "dx", "wrong count at the edge", "(1, 2, 4), backward all of them by 4"),
    (Gram, (5, 4), "dx", "one factor's turn alone", "x 2 times"),
    (ScaledThenMixed, ROW, "dx", "factors in forward's order", "dx is J dy"),
    (Dilated, (6, 2), "kernel", "another input taken", "forward multiplies by x[0, 2, 0], and backward by x[0, 1, 0]"),
    (HalfLife, ROW, "kernel", "a factor to each output", "from 1 to 3"),
    (lambda: Elementwise(lambda x: x**2 + np.sin(x), lambda x: 2 * x - np.cos(x)), IMAGE, "dx", "another formula",
     "the derivative of forward is (2 x + cos(x))"),
    (MeansOverImages, IMAGE, "dx", "divided by too few", "60/3 times the true one"),
]  # fmt: skip
