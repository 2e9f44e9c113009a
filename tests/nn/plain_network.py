"""A small convolutional network, its training and its callbacks once more, in plain NumPy, from the definitions."""

import math

import numpy as np

STRIDES, PADS = (1, 2), ((0, 0), (1, 1), (0, 1), (0, 0))  # of the convolution: "same" for 3x2 windows on 6x5 images


def convolve(x, kernel, bias):
    x = np.pad(x, PADS)
    (kh, kw), (sh, sw) = kernel.shape[:2], STRIDES
    oh, ow = (x.shape[1] - kh) // sh + 1, (x.shape[2] - kw) // sw + 1
    y = np.zeros((len(x), oh, ow, len(bias)))
    for i in range(oh):
        for j in range(ow):
            window = x[:, i * sh : i * sh + kh, j * sw : j * sw + kw]  # (N, kh, kw, C)
            y[:, i, j] = np.einsum("nuvc,uvcf->nf", window, kernel) + bias
    return y


def convolution_gradients(x, kernel, dy):
    x = np.pad(x, PADS)
    (kh, kw), (sh, sw) = kernel.shape[:2], STRIDES
    dkernel = np.zeros_like(kernel)
    for i in range(dy.shape[1]):
        for j in range(dy.shape[2]):
            window = x[:, i * sh : i * sh + kh, j * sw : j * sw + kw]
            dkernel += np.einsum("nuvc,nf->uvcf", window, dy[:, i, j])
    return dkernel, dy.sum(axis=(0, 1, 2))


def winners(y):
    """2x1 windows: True where the lower of the two is larger (the first wins ties)."""
    return y[:, 1::2] > y[:, 0::2]


def logits_of(weights, x, mask=1.0):
    """The logits (N, 3), and all that the way back needs."""
    k1, b1, k2, b2, k3, b3 = weights
    maps = np.maximum(convolve(x, k1, b1), 0)  # (N, 6, 3, 4)
    pooled = np.maximum(maps[:, 0::2], maps[:, 1::2])  # (N, 3, 3, 4)
    features = pooled.reshape(len(x), -1) * mask  # (N, 36)
    hidden = np.maximum(features @ k2 + b2, 0)  # (N, 5)
    return hidden @ k3 + b3, (maps, pooled, features, hidden)


def losses_of(logits, y):
    """Cross-entropy of each image."""
    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]


def gradients_of(weights, x, y, mask):
    k1, _, k2, _, k3, _ = weights
    logits, (maps, pooled, features, hidden) = logits_of(weights, x, mask)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    dlogits = (p - np.eye(3)[y]) / len(y)
    dhidden = dlogits @ k3.T * (hidden > 0)
    dpooled = (dhidden @ k2.T * mask).reshape(pooled.shape)
    lower, dmaps = winners(maps), np.zeros_like(maps)
    dmaps[:, 0::2], dmaps[:, 1::2] = dpooled * ~lower, dpooled * lower
    dk1, db1 = convolution_gradients(x, k1, dmaps * (maps > 0))
    return [dk1, db1, features.T @ dhidden, dhidden.sum(axis=0), hidden.T @ dlogits, dlogits.sum(axis=0)]


class PlainSGD:
    def __init__(self, rate, momentum, nesterov):
        self.rate, self.momentum, self.nesterov, self.velocities = rate, momentum, nesterov, None

    def step(self, weights, gradients):
        before = self.velocities or [0.0] * len(weights)
        self.velocities = [self.momentum * v - self.rate * g for v, g in zip(before, gradients, strict=True)]
        if self.nesterov:
            return [
                w + self.momentum * v - self.rate * g
                for w, v, g in zip(weights, self.velocities, gradients, strict=True)
            ]
        return [w + v for w, v in zip(weights, self.velocities, strict=True)]


class PlainAdam:
    def __init__(self, rate, beta_1, beta_2, epsilon):
        self.rate, self.betas, self.epsilon = rate, (beta_1, beta_2), epsilon
        self.seen = []  # every step's gradients: the means below are written as the sums that they are

    def step(self, weights, gradients):
        self.seen.append(gradients)
        t, (b1, b2) = len(self.seen), self.betas
        moved = []
        for i, w in enumerate(weights):
            m = sum((1 - b1) * b1 ** (t - 1 - s) * g[i] for s, g in enumerate(self.seen))
            v = sum((1 - b2) * b2 ** (t - 1 - s) * g[i] ** 2 for s, g in enumerate(self.seen))
            alpha = self.rate * math.sqrt(1 - b2**t) / (1 - b1**t)
            moved.append(w - alpha * m / (np.sqrt(v) + self.epsilon))
        return moved


class PlainAdamW(PlainAdam):
    """The decay first, as a step of its own, of the matrices and filters alone."""

    def __init__(self, rate, weight_decay, beta_1, beta_2, epsilon):
        super().__init__(rate, beta_1, beta_2, epsilon)
        self.weight_decay = weight_decay

    def step(self, weights, gradients):
        kept = 1 - self.rate * self.weight_decay
        return super().step([w * kept if np.ndim(w) > 1 else w for w in weights], gradients)


class PlainPlateau:
    """ReduceLROnPlateau for a loss, as Keras' documentation tells it."""

    def __init__(self, factor, patience, min_delta, cooldown, min_lr):
        self.factor, self.patience, self.min_delta, self.cooldown, self.min_lr = (
            factor,
            patience,
            min_delta,
            cooldown,
            min_lr,
        )
        self.best, self.waited, self.resting = math.inf, 0, 0

    def rate_after(self, value, rate):
        if self.resting:
            self.resting -= 1
            self.waited = 0
        if value < self.best - self.min_delta:
            self.best, self.waited = value, 0
            return rate
        if self.resting:
            return rate
        self.waited += 1
        if self.waited < self.patience or rate <= self.min_lr:
            return rate
        self.waited, self.resting = 0, self.cooldown
        return max(self.factor * rate, self.min_lr)


class PlainStop:
    """EarlyStopping for a loss: says when to stop; the first epoch of all never does."""

    def __init__(self, patience, min_delta):
        self.patience, self.min_delta = patience, min_delta
        self.best, self.waited, self.best_weights = math.inf, 0, None

    def stops(self, epoch, value, weights):
        if value < self.best - self.min_delta:
            self.best, self.waited, self.best_weights = value, 0, weights
            return False
        self.waited += 1
        return self.waited >= self.patience and epoch > 0


def train(weights, rule, epochs, x, y, held_out, plateau, stop):
    """Each epoch's logs, each batch's logs, and the weights at the end.

    epochs    {number: [(rows, mask) of each batch, ...]}
    """
    logged, by_batch = [], []
    for epoch, batches in epochs.items():
        losses, hits = np.zeros(0), np.zeros(0)
        for rows, mask in batches:
            logits = logits_of(weights, x[rows], mask)[0]
            losses = np.append(losses, losses_of(logits, y[rows]))
            hits = np.append(hits, logits.argmax(axis=1) == y[rows])
            by_batch.append({"loss": losses.mean(), "accuracy": hits.mean()})
            weights = rule.step(weights, gradients_of(weights, x[rows], y[rows], mask))
        logits = logits_of(weights, held_out[0])[0]
        logs = {"loss": losses.mean(), "accuracy": hits.mean(), "learning_rate": rule.rate}
        logs |= {"val_loss": losses_of(logits, held_out[1]).mean()}
        logs |= {"val_accuracy": (logits.argmax(axis=1) == held_out[1]).mean()}
        logged.append(logs)
        rule.rate = plateau.rate_after(logs["val_loss"], rule.rate)
        if stop.stops(epoch, logs["val_loss"], weights):
            break
    return logged, by_batch, weights
