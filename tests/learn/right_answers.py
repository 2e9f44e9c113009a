"""Right answers that look nothing like the shipped ones: a check must not insist on one way to write a thing."""

RIGHT = {
    "dense": """
from batik_scratch import nn
import numpy as np

class Dense(nn.Dense):
    def forward(self, x, training=False, keep=None):
        self.x = x  # an attribute of one's own instead of _keep
        return np.einsum("nd,du->nu", x, self.params["kernel"]) + self.params["bias"]

    def backward(self, dy, need_dx=True, need_grads=True):
        if need_grads:
            self.grads = {"kernel": np.einsum("nd,nu->du", self.x, dy), "bias": np.ones(len(dy), dy.dtype) @ dy}
        if need_dx:
            return np.einsum("nu,du->nd", dy, self.params["kernel"])
""",
    "relu": """
from batik_scratch.nn import ReLU as Base

class ReLU(Base):
    def forward(self, x, training=False, keep=None):
        self._keep(x.copy(), training, keep)
        y = x.copy()
        y[y < 0] = 0
        return y

    def backward(self, dy, need_dx=True, need_grads=True):
        dx = dy.copy()
        dx[self._recall() <= 0] = 0
        return dx if need_dx else None
""",
    "flatten": """
import numpy as np
from batik_scratch import nn

class Flatten(nn.Flatten):
    def forward(self, x, training=False, keep=None):
        self.shape = x.shape
        return np.stack([image.flatten() for image in x])

    def backward(self, dy, need_dx=True, need_grads=True):
        return np.stack([row.reshape(self.shape[1:]) for row in dy]) if need_dx else None
""",
    "softmax": """
import numpy as np
from batik_scratch import nn

class Softmax(nn.Softmax):
    def forward(self, x, training=False, keep=None):
        p = np.empty_like(x)
        for n, z in enumerate(x):
            e = np.exp(z - z.max())
            p[n] = e / e.sum()
        self._keep(p.copy(), training, keep)
        return p

    def backward(self, dy, need_dx=True, need_grads=True):
        dz = []
        for p, g in zip(self._recall(), dy):
            jacobian = np.diag(p) - np.outer(p, p)
            dz.append(jacobian @ g)
        return np.array(dz) if need_dx else None
""",
    "cross_entropy": """
import numpy as np
from scipy.special import logsumexp, softmax

def cross_entropy(logits, y):
    onehot = np.zeros(logits.shape)
    for n, label in enumerate(y):
        onehot[n, label] = 1.0
    losses = logsumexp(logits, axis=1) - (logits * onehot).sum(axis=1)
    return float(np.mean(losses)), (softmax(logits, axis=1) - onehot) / logits.shape[0]
""",
    "conv2d": """
import numpy as np
from batik_scratch import nn

class Conv2D(nn.Conv2D):
    def forward(self, x, training=False, keep=None):
        self._keep(x, training, keep)
        w, b = self.params["kernel"], self.params["bias"]
        (kh, kw, C, F), (sh, sw) = w.shape, self.strides
        N, H, W, _ = x.shape
        OH, OW = (H - kh) // sh + 1, (W - kw) // sw + 1
        y = np.zeros((N, OH, OW, F), x.dtype)
        for n in range(N):
            for i in range(OH):
                for j in range(OW):
                    for f in range(F):
                        y[n, i, j, f] = b[f]
                        for u in range(kh):
                            for v in range(kw):
                                for c in range(C):
                                    y[n, i, j, f] += x[n, i * sh + u, j * sw + v, c] * w[u, v, c, f]
        return y

    def backward(self, dy, need_dx=True, need_grads=True):
        x, w, (sh, sw) = self._recall(), self.params["kernel"], self.strides
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        N, OH, OW, F = dy.shape
        kh, kw, C, _ = w.shape
        for n in range(N):
            for i in range(OH):
                for j in range(OW):
                    for f in range(F):
                        window = (n, slice(i * sh, i * sh + kh), slice(j * sw, j * sw + kw))
                        dw[..., f] += x[window] * dy[n, i, j, f]
                        dx[window] += w[..., f] * dy[n, i, j, f]
        if need_grads:
            self.grads = {"kernel": dw, "bias": dy.reshape(-1, F).sum(axis=0)}
        if not need_dx:
            return None
        return dx
""",
    "max_pooling2d": """
import numpy as np
from batik_scratch import nn

class MaxPooling2D(nn.MaxPooling2D):
    def windows(self, shape):
        (ph, pw), (sh, sw) = self.pool_size, self.strides
        for i in range((shape[1] - ph) // sh + 1):
            for j in range((shape[2] - pw) // sw + 1):
                yield i, j, slice(i * sh, i * sh + ph), slice(j * sw, j * sw + pw)

    def forward(self, x, training=False, keep=None):
        self._keep(x, training, keep)
        y = np.zeros((len(x), *self.output_shape), x.dtype)
        for i, j, rows, columns in self.windows(x.shape):
            y[:, i, j] = x[:, rows, columns].max((1, 2))
        return y

    def backward(self, dy, need_dx=True, need_grads=True):
        x = self._recall()
        dx = np.zeros_like(x)
        for n in range(x.shape[0]):
            for c in range(x.shape[3]):
                for i, j, rows, columns in self.windows(x.shape):
                    window = x[n, rows, columns, c]
                    u, v = np.unravel_index(np.argmax(window), window.shape)
                    dx[n, rows.start + u, columns.start + v, c] += dy[n, i, j, c]
        return dx if need_dx else None
""",
    "global_average_pooling2d": """
import numpy as np
from batik_scratch import nn

class GlobalAveragePooling2D(nn.GlobalAveragePooling2D):
    def forward(self, x, training=False, keep=None):
        self._keep(x.shape, training, keep)
        return x.sum(1).sum(1) / (x.shape[1] * x.shape[2])

    def backward(self, dy, need_dx=True, need_grads=True):
        n, h, w, c = self._recall()
        dx = np.zeros((n, h, w, c), dy.dtype)
        dx[:] = dy.reshape(n, 1, 1, c) / h / w
        return dx if need_dx else None
""",
    "dropout": """
import numpy as np
from batik_scratch import nn

class Dropout(nn.Dropout):
    def forward(self, x, training=False, keep=None):
        mask = None
        if training and self.rate > 0:
            mask = self.rng.binomial(1, 1 - self.rate, x.shape).astype(x.dtype)
        self._keep((mask,), training, keep)
        return x.copy() if mask is None else x * mask / (1 - self.rate)

    def backward(self, dy, need_dx=True, need_grads=True):
        mask, = self._recall()
        if not need_dx:
            return None
        return dy.copy() if mask is None else dy * mask / (1 - self.rate)
""",
    "batch_normalization": """
import numpy as np
from batik_scratch import nn

class BatchNormalization(nn.BatchNormalization):
    def forward(self, x, training=False, keep=None):
        flat = x.reshape(-1, x.shape[-1])
        if training:
            mean = flat.sum(0) / len(flat)
            variance = ((flat - mean) ** 2).sum(0) / len(flat)
            self.params["moving_mean"] = self.params["moving_mean"] - (1 - self.momentum) * (
                self.params["moving_mean"] - mean)  # a new array, by another formula
            self.params["moving_variance"] -= (1 - self.momentum) * (self.params["moving_variance"] - variance)
        else:
            mean, variance = self.params["moving_mean"].copy(), self.params["moving_variance"].copy()
        self._keep((flat.copy(), mean, variance, bool(training)), training, keep)
        scale = self.params["gamma"] * (variance + self.epsilon) ** -0.5
        return (flat * scale + (self.params["beta"] - mean * scale)).reshape(x.shape)

    def backward(self, dy, need_dx=True, need_grads=True):
        x, mean, variance, moves = self._recall()
        g, m = dy.reshape(x.shape), len(x)
        centred, s = x - mean, np.sqrt(variance + self.epsilon)
        if need_grads:
            self.grads = {"gamma": (g * centred / s).sum(0), "beta": g.sum(0)}
        if not need_dx:
            return None
        dn = g * self.params["gamma"]
        if not moves:
            return (dn / s).reshape(dy.shape)
        dvariance = -0.5 * (dn * centred).sum(0) / s**3
        dmean = -dn.sum(0) / s - 2 * dvariance * centred.sum(0) / m
        return (dn / s + 2 * dvariance * centred / m + dmean / m).reshape(dy.shape)
""",
    "adam": """
import math
from batik_scratch import nn

class Adam(nn.Adam):
    def update(self, w, g, memory):
        memory["m"] *= self.beta_1
        memory["m"] += (1 - self.beta_1) * g
        memory["v"][...] = self.beta_2 * memory["v"] + (1 - self.beta_2) * g ** 2
        t = self.iterations
        correction = math.sqrt(1 - math.pow(self.beta_2, t)) / (1 - math.pow(self.beta_1, t))
        w[...] = w - self.learning_rate * correction * memory["m"] / (memory["v"] ** 0.5 + self.epsilon)
""",
    "saliency": """
import numpy as np

def gradient_map(model, images, classes):
    maps = []
    layers = [layer for layer in model.layers if type(layer).__name__ != "Softmax"]
    for image, c in zip(images, classes):
        y = image[None]
        for layer in layers:
            y = layer.forward(y, training=False, keep=True)
        dy = np.eye(y.shape[1])[[c]]
        for layer in layers[::-1]:
            dy = layer.backward(dy, True, False)
        maps.append(dy[0])
    return np.array(maps)
""",
}
